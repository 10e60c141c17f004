/** What only the Redis store has to withstand: lost replies, lost scripts, foreign keys. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { createGroupCommit } from '../../engine/redis/group-commit.ts';
import { metaKeys, shardKeys } from '../../engine/redis/keys.ts';
import { createRedisStore } from '../../engine/redis/redis-store.ts';
import { prepareScripts, type RunScript } from '../../engine/redis/scripts.ts';
import type { ListPage, Store } from '../../engine/store.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { commitOf } from '../support/engine-stores.ts';
import { eventually } from '../support/eventually.ts';
import { createRandom } from '../support/random.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { testNamespace, testRedisUrl } from '../support/test-redis.ts';

let redis: Redis;
let namespace: string;
let store: Store;
beforeEach(async () => {
  redis = createRedis(testRedisUrl(), 'worker', { log: silentLogger() });
  namespace = testNamespace();
  store = createRedisStore({ redis, namespace, shards: 1 });
});
afterEach(() => closeRedis(redis));

/** Everything under the namespace, byte by byte. */
async function dump(): Promise<Record<string, string>> {
  const keys = (await redis.keys(`*${namespace}*`)).sort();
  const values = await Promise.all(keys.map((key) => redis.dumpBuffer(key)));
  return Object.fromEntries(keys.map((key, at) => [key, values[at]?.toString('base64') ?? '']));
}

const entry = (id: string, expected: number, body: string, line: string) =>
  [id, expected, '', '', line, body, 'context', 0, 'c', '1-0', 'w', 'i', 'all', 7, '.'] as const;

describe('a wake-up', () => {
  it('reaches every worker where many activities came at once', async () => {
    const heard: string[] = [];
    const workers = ['a', 'b', 'c'];
    const stops = await Promise.all(workers.map((worker) => store.onWake(() => void heard.push(worker))));

    await Promise.all(
      Array.from({ length: 9 }, (_, index) => store.commit(commitOf(`many${index}`, 0, { wake: true }))),
    );

    await eventually(() => expect(heard.toSorted()).toEqual(workers));
    await Promise.all(stops.map((stop) => stop()));
  });
});

describe('a batch sent twice', () => {
  let run: RunScript;
  const keys = () => shardKeys(namespace, 0);
  const send = (counter: number, ...entries: (readonly (string | number)[])[]) =>
    run(
      'commit',
      [keys().timers, keys().outbox, keys().bodies, keys().claims, keys().reply('client')],
      [keys().prefix, counter, 60_000, 'wake', 0, 0, 0, ...entries.flat()],
    );
  beforeEach(() => {
    run = prepareScripts(redis);
  });

  it('gets the stored answer and writes nothing', async () => {
    const batch = [entry('one', 0, 'body', 'line'), entry('two', 5, 'b', 'l')];
    const first = await send(1, ...batch);
    const before = await dump();

    const second = await send(1, ...batch);

    expect(first).toMatch(/^1\|\d{13}\|OK\|CONFLICT$/);
    expect(second).toEqual(first);
    expect(await dump()).toEqual(before);
  });

  it('that comes behind a later one is refused and writes nothing', async () => {
    await send(1, entry('one', 0, 'body', 'line'));
    await send(2, entry('one', 1, 'body-2', 'line-2'));
    const before = await dump();

    await expect(send(1, entry('other', 0, 'body', 'line'))).rejects.toThrow('SUPERSEDED');

    expect(await dump()).toEqual(before);
  });

  it('whose client was answered more than is known here is refused and writes nothing: the store is older', async () => {
    const behind = (known: number) =>
      run(
        'commit',
        [keys().timers, keys().outbox, keys().bodies, keys().claims, keys().reply('client')],
        [keys().prefix, 3, 60_000, 'wake', 0, known, 9e15, ...entry('one', 1, 'body-2', 'line-2')],
      );
    await send(1, entry('one', 0, 'body', 'line'));
    const before = await dump();

    await expect(behind(2)).rejects.toThrow('REWOUND');

    expect(await dump()).toEqual(before);
    expect(await behind(1)).toMatch(/^3\|\d+\|OK$/);
  });

  it('leaves an answer that goes away by itself, one a client', async () => {
    await send(1, entry('one', 0, 'body', 'line'));
    await send(2, entry('one', 1, 'body-2', 'line-2'));

    expect(await redis.get(keys().reply('client'))).toMatch(/^2\|/);
    expect(await redis.pttl(keys().reply('client'))).toBeGreaterThan(0);
  });

  it('whose client was answered before is refused where that answer is gone, unless the clock has left it behind', async () => {
    /** Its answers tell of a time so long ago: the store's clock has moved on by as much since. */
    const commitAfter = (ms: number, client: string) =>
      createGroupCommit({
        run: async (...call) => {
          const [counter, at, ...rest] = String(await run(...call)).split('|');
          return [counter, Number(at) - ms, ...rest].join('|');
        },
        ...{ keys: keys(), shard: 0, client, wakeChannel: 'wake' },
        ...{ monotonic: () => 0, onTime: () => {}, onRewound: () => {} },
      });
    const lostAnswer = async (ms: number, client: string) => {
      const commit = commitAfter(ms, client);
      await commit(commitOf(client, 0));
      await redis.del(keys().reply(`${client}.0`));
      return commit(commitOf(client, 1));
    };

    await expect(lostAnswer(3_600_000, 'lost')).rejects.toMatchObject({ code: 'store-rewound' });
    expect(await lostAnswer(86_400_000, 'left-behind')).toEqual({ status: 'ok' });
  });

  it('with a time that is no number is refused before anything is written', async () => {
    const [, ...rest] = entry('one', 0, 'body', 'line');
    const timed = ['one', ...rest.slice(0, -1), 't', '1-1', Number.NaN, '.'];
    const before = await dump();

    await expect(send(1, timed)).rejects.toThrow(/malformed number/);

    expect(await dump()).toEqual(before);
  });

  it.each([
    ['t', 'token', 'soon'],
    ['a', 'a|two|1-0|q', 'soon', '1-0'],
    ['m', 'm|two|1|0', 'soon', 'body'],
    ['i', 'all', 'soon'],
    ['I', 'all', 'soon'],
  ])('with a malformed number is refused as a whole: %s %s %s', async (...change) => {
    const bad = ['two', 0, '', '', 'line', 'body', 'context', 0, ...change, '.'];

    await expect(send(1, entry('one', 0, 'body', 'line'), bad)).rejects.toThrow('malformed');

    expect(await dump()).toEqual({});
  });
});

describe('copies of a batch that arrive late, behind others of their lane and of the one beside it', () => {
  it('change nothing: every commit is made once and told so', async () => {
    const random = createRandom(7);
    const run = prepareScripts(redis);
    const copies: Promise<string>[] = [];
    const commit = createGroupCommit({
      run: async (...call) => {
        const heard = random.below(3);
        // Its author hears of one of three, which need be neither the first to arrive nor the last.
        const sent = [0, 1, 2].map(async (copy) => {
          await sleep(copy === heard ? random.below(4) : random.below(25));
          return run(...call);
        });
        copies.push(...sent.map((copy) => copy.then(String, String)));
        return sent[heard] ?? null;
      },
      ...{ keys: shardKeys(namespace, 0), shard: 0, client: 'client', wakeChannel: 'wake' },
      ...{ monotonic: () => performance.now(), onTime: () => {}, onRewound: () => {} },
    });
    const ids = Array.from({ length: 30 }, (_, n) => `i${n}`);
    const revisions = Array.from({ length: 12 }, (_, n) => n);

    const replies = await Promise.all(
      ids.map(async (id) => {
        const told: string[] = [];
        for (const revision of revisions) told.push((await commit(commitOf(id, revision))).status);
        return told;
      }),
    );

    expect(replies).toEqual(ids.map(() => revisions.map(() => 'ok')));
    const answers = await Promise.all(copies);
    for (const id of ids)
      expect(await store.history(id, 0, 99)).toEqual(revisions.map((n) => `line-${n + 1}`));
    expect(answers.filter((answer) => !/^\d+\|\d+(\|OK)+$|SUPERSEDED/.test(answer))).toEqual([]);
    expect(answers.filter((answer) => answer.includes('SUPERSEDED')).length).toBeGreaterThan(0);
  });
});

describe('a key of a foreign type', () => {
  const withoutAnswers = (all: Record<string, string>) =>
    Object.fromEntries(Object.entries(all).filter(([key]) => !key.startsWith(keys().reply(''))));
  const full = () =>
    commitOf('one', 1, {
      signal: { id: 's', outcome: 'applied' },
      secrets: { set: [['password', 'sealed']] },
      timers: { set: [['t', 1]] },
      outbox: { add: [{ id: 'm|one|2|0', delayMs: 0, body: 'x' }], drop: ['a|one|1-0|q'] },
      claims: { add: [{ token: '2-0', worker: 'w' }], drop: ['1-0'] },
      indexes: { score: 1, add: ['added'], drop: ['dropped'] },
    });
  const keys = () => shardKeys(namespace, 0);
  it.each([
    ['the instance', () => keys().instance('one')],
    ['its extras', () => keys().extras('one')],
    ['an index it joins', () => keys().index('added')],
    ['an index it leaves', () => keys().index('dropped')],
    ['the timers', () => keys().timers],
    ['the outbox', () => keys().outbox],
    ['the bodies', () => keys().bodies],
    ['the claims', () => keys().claims],
  ])('in the place of %s refuses the commit with nothing written', async (_what, key) => {
    await store.commit(commitOf('one', 0, { indexes: { add: ['dropped'] } }));
    await redis.del(key());
    await redis.set(key(), 'foreign');
    const before = await dump();

    await expect(store.commit(full())).rejects.toMatchObject({ code: 'commit-refused' });

    expect(withoutAnswers(await dump())).toEqual(withoutAnswers(before));
  });

  const activity = { id: 'a|one|1-0|q', delayMs: 0, body: null };
  const message = { id: 'm|one|1|0', delayMs: 0, body: 'x' };
  it.each<[string, 'extras' | 'timers' | 'outbox' | 'bodies' | 'claims', Parameters<typeof commitOf>[2]]>([
    ['takes a signal', 'extras', { signal: { id: 's', outcome: 'applied' } }],
    ['keeps a secret', 'extras', { secrets: { set: [['password', 'sealed']] } }],
    ['drops a secret', 'extras', { secrets: { drop: ['password'] } }],
    ['forgets progress', 'extras', { forget: ['1-0'] }],
    ['sets a timer', 'timers', { timers: { set: [['t', 1]] } }],
    ['clears a timer', 'timers', { timers: { clear: ['t'] } }],
    ['begins an activity', 'outbox', { outbox: { add: [activity] } }],
    ['begins an activity', 'claims', { outbox: { add: [activity] } }],
    ['sends a message', 'outbox', { outbox: { add: [message] } }],
    ['sends a message', 'bodies', { outbox: { add: [message] } }],
    ['drops an entry', 'outbox', { outbox: { drop: [activity.id] } }],
    ['claims an activity', 'claims', { claims: { add: [{ token: '1-0', worker: 'w' }] } }],
    ['drops a claim', 'claims', { claims: { drop: ['1-0'] } }],
  ])('refuses a commit that only %s (%s), with nothing written', async (_what, part, changes) => {
    const key = part === 'extras' ? keys().extras('one') : keys()[part];
    await redis.set(key, 'foreign');

    const refused = store.commit(commitOf('one', 0, changes));

    await expect(refused).rejects.toMatchObject({
      code: 'commit-refused',
      message: expect.stringContaining('BADKEY'),
    });
    expect(Object.keys(withoutAnswers(await dump()))).toEqual([key]);
  });

  it('refuses only the commit it belongs to', async () => {
    await redis.set(keys().instance('bad'), 'foreign');

    const replies = await Promise.allSettled(['a', 'bad', 'b'].map((id) => store.commit(commitOf(id, 0))));

    expect(replies.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await store.load('b')).toMatchObject({ revision: 1 });
  });
});

describe('a message that was carried out', () => {
  it('leaves nothing behind', async () => {
    const message = { id: 'm|one|1|0', delayMs: 0, body: 'x' };
    await store.commit(commitOf('one', 0, { outbox: { add: [message] } }));

    await store.ackOutbox(0, [message.id]);

    const { outbox, bodies } = shardKeys(namespace, 0);
    expect(await redis.exists(outbox, bodies)).toBe(0);
  });
});

describe('a signal that found nobody', () => {
  it('is known by its id for a week', async () => {
    await store.route('tenant:1', { id: 's', body: 'body' });

    const left = await redis.ttl(shardKeys(namespace, 0).came('tenant:1', 's'));
    expect(left).toBeGreaterThan(6 * 24 * 3_600);
    expect(left).toBeLessThanOrEqual(7 * 24 * 3_600);
  });
});

describe('a renewal', () => {
  const epoch = () => metaKeys(namespace).epoch;
  beforeEach(() => redis.hset(epoch(), 'id', 'this', 'tick', '4'));

  it('moves the tick on and says when it was', async () => {
    expect(await store.renewLease('w', 60_000)).toEqual({ epoch: 'this', tick: 5 });

    expect(Math.abs(Number(await redis.hget(epoch(), 'at')) - store.now())).toBeLessThan(5_000);
    expect(await store.renewLease('w', 60_000)).toEqual({ epoch: 'this', tick: 6 });
    expect(await store.liveWorkers()).toEqual(['w']);
  });

  it('by a worker that has seen a later tick marks the store, and no other is made after it', async () => {
    await store.renewLease('w', 0);
    await redis.hset(epoch(), 'tick', '4');

    expect(await store.renewLease('w', 60_000)).toEqual({ epoch: null, tick: 4 });

    const other = createRedisStore({ redis, namespace, shards: 1 });
    expect(await other.renewLease('other', 60_000)).toEqual({ epoch: null, tick: 4 });
    expect(await store.liveWorkers()).toEqual([]);
  });
});

describe('a store whose writes replicas must have', () => {
  it('confirms neither a commit nor a renewal that none has', async () => {
    const waiting = createRedisStore({ redis, namespace, shards: 1, waitReplicas: 1 });
    const asked = [waiting.commit(commitOf('one', 0)), waiting.renewLease('w', 60_000)];

    expect(await Promise.allSettled(asked)).toMatchObject([
      { reason: { code: 'store-unavailable' } },
      { reason: { code: 'store-unavailable' } },
    ]);
    expect(await store.load('one')).toMatchObject({ revision: 1 });
  });
});

describe('Redis in trouble', () => {
  it('whose clock was set back by an hour lets no dead worker live on for that long', async () => {
    const { leases } = metaKeys(namespace);
    await redis.zadd(leases, Date.now() + 3_600_000, 'dead');

    expect(await store.liveWorkers()).toEqual(['dead']);

    const left = Number(await redis.zscore(leases, 'dead')) - Date.now();
    expect(left).toBeLessThan(60_000);
    expect(left).toBeGreaterThan(0);
  });

  it('forgets its scripts in the middle and loses no commit', async () => {
    let revision = 0;
    for (; revision < 100; revision += 1) {
      if (revision % 9 === 4) await redis.script('FLUSH');
      expect(await store.commit(commitOf('one', revision))).toEqual({ status: 'ok' });
    }
    expect(await store.history('one', 0, 200)).toHaveLength(100);
  });

  it('loses 200 replies after it has applied the commits: none is doubled, none refused to its author', async () => {
    const address = new URL(testRedisUrl());
    const proxy = await startTcpProxy(
      address.protocol === 'unix:' ? { path: address.pathname } : { port: Number(address.port) },
    );
    const flaky = new Redis({
      port: proxy.port,
      maxRetriesPerRequest: null,
      retryStrategy: () => 1,
    });
    flaky.on('error', () => undefined);
    const cut = createRedisStore({ redis: flaky, namespace, shards: 1 });
    await cut.load('nobody');

    for (let round = 0; round < 200; round += 1) {
      proxy.cutAfterForward((chunk) => chunk.includes(`line-${round + 1}`));
      // Up to three batches, two of them under way at once.
      const beside = Array.from({ length: (round % 4) * 9 }, (_, n) =>
        cut.commit(commitOf(`beside-${round}-${n}`, 0)),
      );
      const replies = await Promise.all([cut.commit(commitOf('one', round)), ...beside]);
      expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 'ok'));
    }

    expect(proxy.cuts()).toBe(200);
    expect(await store.load('one')).toMatchObject({ revision: 200, body: 'body-200' });
    expect(await store.history('one', 0, 500)).toEqual(
      Array.from({ length: 200 }, (_, n) => `line-${n + 1}`),
    );
    await closeRedis(flaky);
    await proxy.close();
  });

  it('answers a commit it could not confirm with an error that says so', async () => {
    const address = new URL(testRedisUrl());
    const proxy = await startTcpProxy(
      address.protocol === 'unix:' ? { path: address.pathname } : { port: Number(address.port) },
    );
    const failFast = createRedis(`redis://127.0.0.1:${proxy.port}`, 'service', { log: silentLogger() });
    const cut = createRedisStore({ redis: failFast, namespace, shards: 1 });
    await new Promise((resolve) => failFast.once('ready', resolve));
    await cut.commit(commitOf('one', 0));

    proxy.cutAfterForward((chunk) => chunk.includes('line-2'));
    await expect(cut.commit(commitOf('one', 1))).rejects.toMatchObject({ code: 'store-unavailable' });

    expect(await store.load('one')).toMatchObject({ revision: 2 });
    await closeRedis(failFast);
    await proxy.close();
  });
});

describe('a page of two large indexes', () => {
  const MEMBERS = 20_000;
  const fill = async (name: (n: number) => string[]): Promise<void> => {
    const pipeline = redis.pipeline();
    for (let n = 0; n < MEMBERS; n += 1)
      for (const index of name(n)) pipeline.zadd(shardKeys(namespace, 0).index(index), n, `m${n}`);
    await pipeline.exec();
  };
  const walk = async (limit: number) => {
    const pages: ListPage[] = [];
    for (let before: ListPage['next'] = null; pages.length < 200; ) {
      const page: ListPage = await store.list({ anyOf: [['a', 'b']], limit, before });
      pages.push(page);
      before = page.next;
      if (before === null) break;
    }
    return { pages, items: pages.flatMap(({ items }) => items.map(({ id }) => id)) };
  };

  it('ends early where they share next to nothing, and says where to go on', async () => {
    await fill((n) => (n === 7 ? ['a', 'b'] : [n % 2 === 0 ? 'a' : 'b']));

    const { pages, items } = await walk(50);

    expect(pages[0]).toMatchObject({ items: [], next: { id: expect.any(String) } });
    expect(pages.length).toBeLessThan(30);
    expect(items).toEqual(['m7']);
  });

  it('is whole down to its end over shards that stop at different places', async () => {
    store = createRedisStore({ redis, namespace, shards: 2 });
    const pipeline = redis.pipeline();
    const common: string[] = [];
    for (let n = 0; n < MEMBERS; n += 1) {
      const id = `m${n}`;
      const shard = store.shardOf(id);
      // The second shard has next to nothing in common and stops soon, the first something here and there.
      const both = n % 97 === 0 && (shard === 0 || n < 2_000);
      if (both) common.unshift(id);
      for (const index of both ? ['a', 'b'] : [n % (shard === 0 ? 7 : 2) === 0 ? 'a' : 'b'])
        pipeline.zadd(shardKeys(namespace, shard).index(index), n, id);
    }
    await pipeline.exec();

    const { items } = await walk(50);

    expect(items).toEqual(common);
  });

  it('jumps over what only one of them has', async () => {
    await fill((n) => (n < 20 ? ['a', 'b'] : [n < MEMBERS / 2 ? 'a' : 'b']));

    const { pages, items } = await walk(50);

    expect(pages).toHaveLength(1);
    expect(items).toHaveLength(20);
  });

  it('finds the few of the shorter one however long the other is', async () => {
    await fill((n) => (n % 1_000 === 0 ? ['a', 'b'] : ['b']));

    const { pages, items } = await walk(7);

    expect(pages.map((page) => page.items.length)).toEqual([7, 7, 6]);
    expect(items).toHaveLength(20);
  });
});
