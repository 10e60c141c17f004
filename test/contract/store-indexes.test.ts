/** Indexes of the Redis store that have outgrown one piece: the same answers as the memory store's, in compact pieces. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { shardKeys } from '../../engine/redis/keys.ts';
import { createRedisStore } from '../../engine/redis/redis-store.ts';
import type { CommitEntry, ListQuery, Store } from '../../engine/store.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { commitOf, memoryBench } from '../support/engine-stores.ts';
import { createRandom, type Random } from '../support/random.ts';
import { testNamespace, testRedisUrl } from '../support/test-redis.ts';

const NAMES = ['all', 'half', 'few'];
const COMPACT = 128;
const INSTANCES = 700;

let redis: Redis;
let namespace: string;
let store: Store;
let model: Store;
beforeEach(async () => {
  redis = createRedis(testRedisUrl(), 'worker', { log: silentLogger() });
  namespace = testNamespace();
  store = createRedisStore({ redis, namespace, shards: 1 });
  model = (await memoryBench()).store;
});
afterEach(() => closeRedis(redis));

interface Member {
  readonly id: string;
  readonly score: number;
  revision: number;
  readonly stands: Set<string>;
}

/** Sends the same commits to both stores, in one go. */
async function commit(entries: readonly CommitEntry[]): Promise<void> {
  const [replies, expected] = await Promise.all(
    [store, model].map((each) => Promise.all(entries.map((entry) => each.commit(entry)))),
  );
  expect(replies).toEqual(expected);
}

/** Joins and leaves what it likes; `stay`: how likely a name is one it stands in then, of a hundred. */
function move(member: Member, random: Random, stay: number): CommitEntry {
  const now = NAMES.filter((name) => random.below(100) < (name === 'few' ? stay / 20 : stay));
  const add = now.filter((name) => !member.stands.has(name));
  const drop = [...member.stands].filter((name) => !now.includes(name));
  for (const name of add) member.stands.add(name);
  for (const name of drop) member.stands.delete(name);
  member.revision += 1;
  return commitOf(member.id, member.revision - 1, { indexes: { score: member.score, add, drop } });
}

/** The keys that hold indexes, with their members. */
async function pieces(): Promise<ReadonlyMap<string, number>> {
  const { prefix } = shardKeys(namespace, 0);
  const keys = (await redis.keys(`${prefix}*`)).filter((key) => /:(ix|piece|bounds):/.test(key));
  const cards = await Promise.all(
    keys.map(async (key) => ((await redis.type(key)) === 'hash' ? redis.hlen(key) : redis.zcard(key))),
  );
  return new Map(keys.map((key, at) => [key.slice(prefix.length), cards[at] ?? 0]));
}

async function expectEqual(random: Random): Promise<void> {
  for (const name of NAMES) expect(await store.count(name)).toBe(await model.count(name));
  const queries: ListQuery[] = Array.from({ length: 20 }, () => ({
    anyOf: [NAMES.filter(() => random.below(10) < 6)],
    limit: 1 + random.below(300),
    before: random.below(3) === 0 ? null : { score: random.below(400), id: `i${random.below(9)}` },
  }));
  for (const query of queries.filter(({ anyOf }) => anyOf[0]?.length !== 0))
    expect({ query, found: await store.list(query) }).toEqual({ query, found: await model.list(query) });
}

/** How instances get their scores: one by one, in any order, a few by a score, all by one. */
const SCORES: Readonly<Record<string, (n: number, random: Random) => number>> = {
  'rising scores': (n) => n,
  'scores in any order': (_n, random) => random.below(100_000) / 250,
  'many of a score': (_n, random) => random.below(7),
  'a score for most': (n, random) => (random.below(10) < 6 ? 5 : n),
};

describe.each(Object.entries(SCORES))('an index of %s', (kind, scoreOf) => {
  it.each([1, 2])(
    'lists and counts as if it were whole while instances come and go, seed %i',
    async (seed) => {
      const random = createRandom(seed);
      const members = Array.from(
        { length: INSTANCES },
        (_, n): Member => ({ id: `i${n}`, score: scoreOf(n, random), revision: 0, stands: new Set() }),
      );
      const pick = () =>
        new Set(Array.from({ length: 60 }, () => members[random.below(INSTANCES)] as Member));

      for (let from = 0; from < INSTANCES; from += 50)
        await commit(members.slice(from, from + 50).map((member) => move(member, random, 90)));
      await expectEqual(random);
      const grown = await pieces();
      expect(grown.size).toBeGreaterThan(kind === 'many of a score' ? 8 : 12);
      if (kind !== 'a score for most' && kind !== 'many of a score')
        expect([...grown].filter(([, card]) => card > COMPACT)).toEqual([]);

      for (let round = 0; round < 30; round += 1)
        await commit([...pick()].map((member) => move(member, random, round < 15 ? 30 : 70)));
      await expectEqual(random);

      for (let round = 0; round < 40; round += 1)
        await commit([...pick()].map((member) => move(member, random, 2)));
      await expectEqual(random);
      expect((await pieces()).size).toBeLessThan(grown.size);

      for (let from = 0; from < INSTANCES; from += 50)
        await commit(members.slice(from, from + 50).map((member) => move(member, random, 0)));
      expect(await pieces()).toEqual(new Map());
    },
  );
});

describe('an index in pieces', () => {
  it('counts who joins twice once, and who leaves twice once', async () => {
    const ids = Array.from({ length: 100 }, (_, n) => `i${n}`);
    const all = (revision: number, change: 'add' | 'drop') =>
      commit(ids.map((id, n) => commitOf(id, revision, { indexes: { score: n, [change]: ['all'] } })));
    await all(0, 'add');
    await all(1, 'add');
    expect((await pieces()).size).toBeGreaterThan(2);
    expect(await store.count('all')).toBe(100);

    // Those that stay keep it in pieces.
    await commit(ids.map((id, n) => commitOf(id, 2, { indexes: { score: n, drop: n < 10 ? ['all'] : [] } })));
    await commit(ids.map((id, n) => commitOf(id, 3, { indexes: { score: n, drop: n < 10 ? ['all'] : [] } })));
    expect(await store.count('all')).toBe(90);
  });
});

describe('a foreign key where an index keeps a piece', () => {
  const grow = (from: number, count: number) =>
    Promise.allSettled(
      Array.from({ length: count }, (_, n) =>
        store.commit(commitOf(`i${from + n}`, 0, { indexes: { score: from + n, add: ['all'] } })),
      ),
    );
  const keys = () => shardKeys(namespace, 0);

  it.each([
    ['a piece', () => `${keys().prefix}piece:-inf:all`, 10],
    ['the bounds', () => `${keys().prefix}bounds:all`, 70],
    ['its size', () => keys().index('all'), 70],
  ])('in the place of %s refuses the commits it belongs to', async (_what, key, score) => {
    await grow(0, 100);
    await redis.del(key());
    await redis.set(key(), 'foreign');

    const refused = store.commit(commitOf('late', 0, { indexes: { score, add: ['all'] } }));

    await expect(refused).rejects.toMatchObject({ code: 'commit-refused' });
    expect(await store.load('late')).toBeNull();
  });

  it('leaves an index whole that cannot be cut', async () => {
    await redis.set(`${keys().prefix}bounds:all`, 'foreign');

    expect((await grow(0, 200)).filter(({ status }) => status === 'rejected')).toEqual([]);

    expect(await store.count('all')).toBe(200);
    const { items } = await store.list({ anyOf: [['all']], limit: 2, before: null });
    expect(items.map(({ id }) => id)).toEqual(['i199', 'i198']);
  });
});
