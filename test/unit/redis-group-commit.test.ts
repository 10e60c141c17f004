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
  answer(): void;
}

/** A store that answers when told to. */
function silentStore() {
  const calls: Call[] = [];
  const commit = createGroupCommit({
    run: (_name, keys, args) =>
      new Promise((resolve) => {
        const ids = args.filter((word): word is string => /^i\d+$/.test(String(word)));
        const counter = Number(args[1]);
        const statuses = ids.map(() => 'OK');
        calls.push({
          ...{ lane: keys[4] ?? '', counter, ids },
          answer: () => resolve([counter, 1_000, ...statuses].join('|')),
        });
      }),
    ...{ keys: shardKeys('test', 0), shard: 0, client: 'c', wakeChannel: 'wake' },
    ...{ monotonic: () => 0, onTime: () => {}, onRewound: () => {} },
  });
  let begun = 0;
  const commits = (count: number) => Array.from({ length: count }, () => commit(commitOf(`i${begun++}`, 0)));
  return { calls, commits };
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
