import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { checkStore, remember } from '../../engine/index.ts';
import { metaKeys } from '../../engine/redis/keys.ts';
import { prepareScripts } from '../../engine/redis/scripts.ts';
import type { AppError } from '../../shared/errors.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { openHouse } from '../support/engine-house.ts';
import { listener } from '../support/engine-workflows.ts';
import { eventually } from '../support/eventually.ts';
import { type RedisServer, type RedisServerOptions, startRedisServer } from '../support/redis-server.ts';

let server: RedisServer;
let redis: Redis;
let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'state-'));
});
afterEach(async () => {
  await closeRedis(redis);
  await server.stop();
  rmSync(stateDir, { recursive: true });
});

async function start(options: RedisServerOptions = {}) {
  server = await startRedisServer(options);
  redis = createRedis(server.url, 'worker', { log: silentLogger() });
}
const check = (acceptStore = false, shards = 2) =>
  checkStore({ redis, namespace: 'boot', shards, stateDir, process: 'worker', acceptStore });

describe('the checks before a worker starts', () => {
  it('refuse a Redis that may evict', async () => {
    await start({ args: ['--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lru'] });

    await expect(check()).rejects.toMatchObject({ code: 'store-unsafe', details: { policy: 'allkeys-lru' } });
  });

  it('refuse another shard count than the store was made with', async () => {
    await start();
    await check();

    await expect(check(false, 4)).rejects.toMatchObject({ code: 'store-unsafe' });
  });

  it('say what a power loss would cost, and nothing where it costs nothing', async () => {
    await start({ aof: 'always' });
    expect(await check()).toMatchObject({ durable: true, warnings: [] });

    await redis.config('SET', 'aof-load-truncated', 'yes');
    expect(await check()).toMatchObject({
      durable: false,
      warnings: [expect.stringContaining('aof-load-truncated')],
    });
    await redis.config('SET', 'aof-load-truncated', 'no');
    await redis.config('SET', 'appendfsync', 'everysec');
    expect(await check()).toMatchObject({ durable: false, warnings: [expect.stringContaining('everysec')] });
    await redis.config('SET', 'appendonly', 'no');
    expect(await check()).toMatchObject({
      durable: false,
      warnings: [expect.stringContaining('keeps no append-only file')],
    });
  });

  it('refuse a store that is emptied, until an operator accepts it', async () => {
    await start();
    const { epoch } = await check();
    expect((await check()).epoch).toBe(epoch);
    await redis.flushall();

    const empty = { code: 'store-rewound', message: expect.stringContaining('empty') };
    await expect(check()).rejects.toMatchObject(empty);
    await expect(check()).rejects.toMatchObject({ code: 'store-rewound' });

    const accepted = await check(true);
    expect(accepted.epoch).not.toBe(epoch);
    expect((await check()).epoch).toBe(accepted.epoch);
  });

  it.each([
    ['6.2.0', true],
    ['7.0.15', true],
    ['6.1.9', false],
    ['5.0.14', false],
  ])('judge Redis %s: %p', async (version, serves) => {
    await start();
    const info = `redis_version:${version}\r\nmaxmemory_policy:noeviction\r\naof_enabled:0\r\n`;
    const other = new Proxy(redis, {
      get: (target, name) => (name === 'info' ? async () => info : Reflect.get(target, name).bind(target)),
    });
    const options = { namespace: 'boot', shards: 2, stateDir: null, process: 'worker', acceptStore: false };

    const checked = checkStore({ ...options, redis: other });

    if (serves) expect(await checked).toMatchObject({ version });
    else await expect(checked).rejects.toMatchObject({ code: 'store-unsafe', details: { version } });
  });

  it.each(['!', '~'])(
    'hold each memory against the store, whatever its file is called (%s)',
    async (name) => {
      await start();
      await check();
      const file = join(stateDir, `store-seen-boot-worker@${name}.json`);
      writeFileSync(file, JSON.stringify({ epoch: 'another', tick: 1 }));

      await expect(check()).rejects.toMatchObject({ details: { rememberedEpoch: 'another' } });
    },
  );

  it('drop the memory of a process long gone once it is borne out', async () => {
    await start();
    const { epoch } = await check();
    const [old, fresh] = ['old', 'fresh'].map((of) => join(stateDir, `store-seen-boot-worker@${of}.json`));
    for (const file of [old, fresh]) writeFileSync(String(file), JSON.stringify({ epoch, tick: 0 }));
    utimesSync(String(old), 1, 1);

    await check();

    expect([old, fresh].map((file) => existsSync(String(file)))).toEqual([false, true]);
  });

  it('refuse a store older than the one last seen', async () => {
    await start();
    const { epoch } = await check();
    await remember({ stateDir, process: 'worker', namespace: 'boot' }, { epoch, tick: 1_000 });

    await expect(check()).rejects.toMatchObject({
      code: 'store-rewound',
      details: { rememberedTick: 1_000, epoch },
    });
  });
});

describe('a store that an operator takes on', () => {
  const EPOCH = metaKeys('boot').epoch;
  const DAY_MS = 24 * 3_600_000;
  const on = (machine: string, acceptStore = false) =>
    checkStore({
      ...{ redis, namespace: 'boot', shards: 2, process: 'worker', acceptStore },
      stateDir: join(stateDir, machine),
    });

  it('is doubted no more, by machines that remember it from before neither', async () => {
    await start();
    await on('one');
    await on('two');
    await redis.hset(EPOCH, 'rewound', '1');
    await expect(on('one')).rejects.toMatchObject({ code: 'store-rewound' });

    const { epoch } = await on('new', true);

    expect(await redis.hexists(EPOCH, 'rewound')).toBe(0);
    expect((await on('one')).epoch).toBe(epoch);
    expect((await on('two')).epoch).toBe(epoch);
  });

  it('stands for the emptied one that other machines remember as well', async () => {
    await start();
    await on('one');
    await on('two');
    await redis.flushall();

    const { epoch } = await on('one', true);

    expect((await on('two')).epoch).toBe(epoch);
    expect(await redis.hget(EPOCH, 'shards')).toBe('2');
  });

  it('stands for each of the stores that its own machine remembers', async () => {
    await start();
    const { epoch } = await on('one');
    const beside = { epoch: 'of a process that died', tick: 3 };
    writeFileSync(join(stateDir, 'one', 'store-seen-boot-worker@host-1.json'), JSON.stringify(beside));
    await expect(on('one')).rejects.toMatchObject({
      code: 'store-rewound',
      details: { rememberedEpoch: beside.epoch, epoch },
    });

    await on('one', true);
    expect(await redis.hget(EPOCH, `accepted:${beside.epoch}`)).toBe('1');
  });

  it('is uncertain from a day before its last renewal on, until its instances are marked', async () => {
    await start();
    await on('one');
    const renewed = Date.now() - 5_000;
    await redis.hset(EPOCH, { rewound: '1', at: String(renewed) });

    const { loss } = await on('one', true);

    expect(loss?.since).toBe(renewed - DAY_MS);
    expect((await on('one')).loss).toMatchObject({ since: renewed - DAY_MS, at: loss?.at });
    await loss?.marked();
    expect((await on('one')).loss).toBeNull();
  });

  it('is taken on once: who comes second with the same word finds it done', async () => {
    await start();
    const { epoch } = await on('one');
    const take = (id: string) => prepareScripts(redis)('accept', [EPOCH], [epoch, id, 2, DAY_MS]);

    expect(await take('first')).toBe(1);
    expect(await take('second')).toBe(0);

    expect(await redis.hget(EPOCH, 'id')).toBe('first');
  });
});

describe('two workers of one machine', () => {
  it('start beside each other: what one remembers while the other asks is not held against the store', async () => {
    await start();
    const { epoch } = await check();
    const beside = new Proxy(redis, {
      get(target, name) {
        if (name !== 'hgetall') return Reflect.get(target, name).bind(target);
        return async (asked: string) => {
          const answer = await target.hgetall(asked);
          await remember({ stateDir, process: 'worker', namespace: 'boot' }, { epoch, tick: 1_000 });
          return answer;
        };
      },
    });

    const options = { namespace: 'boot', shards: 2, stateDir, process: 'worker', acceptStore: false };
    expect((await checkStore({ ...options, redis: beside })).epoch).toBe(epoch);
  });
});

describe('a store emptied under a running worker', () => {
  it('stops it loudly, and it dispatches nothing more', async () => {
    await start();
    const lost: AppError[] = [];
    const workflow = listener();
    const house = await openHouse({ workflows: [workflow] }, server.url);
    const { client } = await house.worker({ onStoreLost: (error) => void lost.push(error) });
    await client.start(workflow, { customer: 'contoso' });

    await redis.flushall();

    await eventually(() => expect(lost.length).toBeGreaterThan(0), { within: 3_000 });
    expect(lost[0]).toMatchObject({ code: 'store-rewound' });
    await house.close();
  });
});
