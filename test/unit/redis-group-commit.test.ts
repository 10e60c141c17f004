/** Which commits share a call, and how many calls are under way. */
import { describe, expect, it } from '@jest/globals';
import { createGroupCommit } from '../../engine/redis/group-commit.ts';
import { shardKeys } from '../../engine/redis/keys.ts';
import { commitOf } from '../support/engine-stores.ts';
import { eventually } from '../support/eventually.ts';

interface Call {
  readonly lane: string;
  readonly counter: number;
  readonly ids: readonly string[];
  /** The newest counter that its lane was answered, as it says. */
  readonly answered: number;
  /** Ms of the store's time until which that answer must be there. */
  readonly until: number;
  answer(): void;
  refuse(message: string): void;
}

/** A store that answers when told to. */
function silentStore() {
  const calls: Call[] = [];
  const told = { now: 0, rewound: 0, times: [] as [ms: number, askedAt: number][] };
  const commit = createGroupCommit({
    run: (_name, keys, args) =>
      new Promise((resolve, reject) => {
        const ids = args.filter((word): word is string => /^i\d+$/.test(String(word)));
        const counter = Number(args[1]);
        const statuses = ids.map(() => 'OK');
        calls.push({
          ...{ lane: keys[4] ?? '', counter, ids, answered: Number(args[5]), until: Number(args[6]) },
          answer: () => resolve([counter, 1_000 * counter, ...statuses].join('|')),
          refuse: (message) => reject(new Error(message)),
        });
      }),
    ...{ keys: shardKeys('test', 0), shard: 0, client: 'c', wakeChannel: 'wake' },
    monotonic: () => told.now,
    onTime: (...time) => void told.times.push(time),
    onRewound: () => {
      told.rewound += 1;
    },
  });
  let begun = 0;
  const commits = (count: number) => Array.from({ length: count }, () => commit(commitOf(`i${begun++}`, 0)));
  return { calls, commits, told };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('commits that are ready together', () => {
  it('share a call, at the end of the turn', async () => {
    const { calls, commits } = silentStore();
    const replies = commits(3);
    expect(calls).toEqual([]);
    await turn();

    expect(calls.map(({ ids }) => ids)).toEqual([['i0', 'i1', 'i2']]);
    calls[0]?.answer();
    expect(await Promise.all(replies)).toEqual(replies.map(() => ({ status: 'ok' })));
  });

  it('leave in two calls when they are many, the first before the turn is over; more wait for an answer', async () => {
    const { calls, commits } = silentStore();
    const replies = commits(40);
    expect(calls.map(({ ids }) => ids.length)).toEqual([12, 12]);
    expect(new Set(calls.map(({ lane }) => lane)).size).toBe(2);
    await turn();
    expect(calls).toHaveLength(2);

    calls[1]?.answer();
    await eventually(() => calls.length === 3);

    expect(calls[2]).toMatchObject({ lane: calls[1]?.lane, counter: 2 });
    expect(calls[2]?.ids).toHaveLength(16);
    calls[0]?.answer();
    calls[2]?.answer();
    expect(await Promise.all(replies)).toHaveLength(40);
    expect(calls.flatMap(({ ids }) => ids)).toEqual(replies.map((_, at) => `i${at}`));
  });
});

describe('a lane', () => {
  /** One commit after the other, each answered at its time. */
  async function one({ calls, commits }: ReturnType<typeof silentStore>): Promise<Call> {
    const [reply] = commits(1);
    await turn();
    const call = calls.at(-1) as Call;
    call.answer();
    await reply;
    return call;
  }

  it('says which of its batches it was answered, and how long by the store’s clock that is remembered', async () => {
    const store = silentStore();
    const halfADay = 12 * 3_600_000;
    const calls: Call[] = [];
    for (const hour of [0, 1, 24.5]) {
      store.told.now = hour * 3_600_000;
      calls.push(await one(store));
    }

    expect(calls.map(({ counter, answered, until }) => [counter, answered, until])).toEqual([
      [1, 0, halfADay],
      [2, 1, halfADay + 1_000],
      [3, 2, halfADay + 2_000],
    ]);
  });

  it('tells the time of each answer, and when it was asked for', async () => {
    const store = silentStore();
    await one(store);
    store.told.now = 5;
    await one(store);

    expect(store.told.times).toEqual([
      [1_000, 0],
      [2_000, 5],
    ]);
  });

  it.each([
    ['Connection is closed.', 'store-unavailable', 0],
    ['SUPERSEDED a later batch of this client was applied', 'commit-refused', 0],
    ['WRONGTYPE Operation against a key', 'commit-refused', 0],
    ['REWOUND a batch is not known here', 'store-rewound', 1],
  ])('goes on after it failed: %s', async (message, code, rewound) => {
    const store = silentStore();
    const failed = Promise.allSettled(store.commits(2));
    await turn();
    const waiting = store.commits(12);
    store.calls[0]?.refuse(message);

    expect(await failed).toMatchObject([{ reason: { code } }, { reason: { code } }]);
    expect(store.told.rewound).toBe(rewound);
    store.calls[1]?.answer();
    await Promise.all(waiting);
    expect(await one(store)).toMatchObject({ lane: store.calls[0]?.lane, counter: 2, answered: 0 });
  });

  it('takes 64 commits at most', async () => {
    const { calls, commits } = silentStore();
    const replies = commits(12 + 12 + 70);
    expect(calls).toHaveLength(2);
    calls[0]?.answer();
    calls[1]?.answer();
    await eventually(() => calls.length === 4);

    expect(calls.map(({ ids }) => ids.length)).toEqual([12, 12, 64, 6]);
    calls[2]?.answer();
    calls[3]?.answer();
    expect(await Promise.all(replies)).toHaveLength(94);
  });
});
