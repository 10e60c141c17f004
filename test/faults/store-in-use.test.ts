/** A store that was sound when a process began to work on it, and is not any more. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { openRedisStore, type StoreWatch, watchStore } from '../../engine/index.ts';
import { metaKeys } from '../../engine/redis/keys.ts';
import type { AppError } from '../../shared/errors.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis, redisReady } from '../../shared/redis.ts';
import { eventually } from '../support/eventually.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';

const namespace = 'in-use';

let server: RedisServer;
let redis: Redis;
let watch: StoreWatch;
let unfit: AppError[];

beforeEach(async () => {
  server = await startRedisServer({ aof: 'always' });
  redis = createRedis(server.url, 'service', { log: silentLogger() });
  await redisReady(redis, 5_000);
  const boot = { redis, namespace, shards: 1, stateDir: null, process: 'api', acceptStore: false };
  const { epoch } = await openRedisStore(boot);
  unfit = [];
  watch = watchStore({
    ...{ redis, namespace, epoch, everyMs: 20, log: silentLogger() },
    onUnfit: (error) => unfit.push(error),
  });
});

afterEach(async () => {
  watch.stop();
  await closeRedis(redis);
  await server.stop();
});

const refusedWith = (why: string) =>
  expect(watch.health()).rejects.toMatchObject({
    code: 'store-unavailable',
    message: expect.stringMatching(why),
  });
const isHealthy = () => eventually(() => watch.health(), { within: 5_000 });
const told = () => eventually(() => expect(unfit.map(({ code }) => code)).not.toEqual([]));

describe('a store in use', () => {
  it('is healthy while it is as it was', async () => {
    expect(await watch.health()).toEqual({ durable: true, warnings: [] });
    expect(unfit).toEqual([]);
  });

  it.each([
    ['its memory is full', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0'], 'OOM'],
    ['it is a replica', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE'], 'READONLY'],
    [
      'it may not write',
      ['ACL', 'SETUSER', 'default', '-set'],
      ['ACL', 'SETUSER', 'default', '+set'],
      'NOPERM',
    ],
  ])('is not while %s, though it answers, and is again afterwards', async (_, on, off, why) => {
    await server.command(...on);

    await expect(eventually(() => refusedWith(why), { within: 5_000 })).resolves.toBeUndefined();
    expect(unfit).toEqual([]);

    await server.command(...off);
    expect(await isHealthy()).toEqual({ durable: true, warnings: [] });
  });

  it('warns as soon as a power loss would cost something', async () => {
    await server.command('CONFIG', 'SET', 'appendfsync', 'everysec');

    expect(await watch.health()).toMatchObject({
      durable: false,
      warnings: [expect.stringMatching('everysec')],
    });
  });

  it('is given up when it may evict', async () => {
    await server.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');

    await told();
    expect(unfit).toMatchObject([{ code: 'store-unsafe', details: { policy: 'allkeys-lru' } }]);
  });

  it.each([
    ['is emptied', ['FLUSHALL']],
    ['has lost what it had answered', ['HSET', metaKeys(namespace).epoch, 'rewound', '1']],
    ['is another one', ['HSET', metaKeys(namespace).epoch, 'id', 'other']],
  ])('is given up when it %s, by a process that takes no lease as well', async (_, command) => {
    await server.command(...command);

    await told();
    await expect(watch.health()).rejects.toMatchObject({ code: 'store-rewound' });
    expect(unfit).toMatchObject([{ code: 'store-rewound' }]);
  });
});
