import { afterEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import type { Logger } from '../../shared/logger.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis, redisReady } from '../../shared/redis.ts';
import { eventually } from '../support/eventually.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';

const clients: Redis[] = [];
const servers: RedisServer[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => closeRedis(client)));
  for (const server of servers.splice(0)) {
    server.thaw();
    await server.stop();
  }
});

function connect(url: string, kind: 'service' | 'worker', log: Logger = silentLogger()): Redis {
  const client = createRedis(url, kind, { log });
  clients.push(client);
  return client;
}

const NOWHERE = 'redis://127.0.0.1:1';

describe('the service connection', () => {
  it('refuses commands at once while there is no Redis', async () => {
    const client = connect(NOWHERE, 'service');
    const started = performance.now();

    await expect(client.get('x')).rejects.toThrow();

    expect(performance.now() - started).toBeLessThan(500);
  });

  it('gives up on a Redis that went silent', async () => {
    const server = await startRedisServer();
    servers.push(server);
    const client = connect(server.url, 'service');
    await redisReady(client, 5_000);
    expect(await client.set('x', '1')).toBe('OK');

    server.freeze();

    await expect(client.get('x')).rejects.toThrow(/timed out/i);
    client.disconnect();
  });
});

describe('the worker connection', () => {
  it('keeps a command while Redis is away, and fails it when closed', async () => {
    const client = connect(NOWHERE, 'worker');
    let settled = false;
    const waiting = client.get('x').catch((error: Error) => error.message);
    void waiting.then(() => {
      settled = true;
    });

    await eventually(() => expect(client.status).toBe('reconnecting'));

    expect(settled).toBe(false);
    await closeRedis(client);
    expect(await waiting).toBe('Connection is closed.');
  });
});

describe('either connection', () => {
  it('understands TCP, TLS and Unix socket addresses', () => {
    const options = (url: string) => connect(url, 'worker').options;

    expect(options('redis://user:p%40ss@127.0.0.1:1/3')).toMatchObject({
      port: 1,
      username: 'user',
      password: 'p@ss',
      db: 3,
    });
    expect(options('redis://[::1]:1')).toMatchObject({ host: '::1' });
    expect(options('rediss://127.0.0.1:1').tls).toMatchObject({ servername: '127.0.0.1' });
    expect(options('unix:///nowhere/redis.sock?db=2')).toMatchObject({ path: '/nowhere/redis.sock', db: 2 });
  });

  it('says that Redis is away once, not at every try', async () => {
    const lines: unknown[] = [];
    const log = { error: (line: unknown) => lines.push(line) } as unknown as Logger;
    const client = connect(NOWHERE, 'worker', log);
    let tries = 0;
    client.on('reconnecting', () => {
      tries += 1;
    });

    await eventually(() => expect(tries).toBeGreaterThanOrEqual(3));

    expect(lines).toEqual([expect.objectContaining({ kind: 'worker', code: 'ECONNREFUSED', count: 1 })]);
  });

  it('is unavailable when it is not ready in time', async () => {
    await expect(redisReady(connect(NOWHERE, 'service'), 50)).rejects.toMatchObject({
      code: 'store-unavailable',
    });
  });
});
