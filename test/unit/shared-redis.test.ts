import { afterEach, describe, expect, it } from '@jest/globals';
import type { Logger } from '../../shared/logger.ts';
import { silentLogger } from '../../shared/logger.ts';
import {
  closeRedis,
  createRedis,
  openRedis,
  type RedisConnection,
  type RedisKind,
  redisReady,
} from '../../shared/redis.ts';
import { Secret } from '../../shared/secrets.ts';
import { eventually } from '../support/eventually.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';

const clients: RedisConnection[] = [];
const servers: RedisServer[] = [];
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => closeRedis(client)));
  for (const server of servers.splice(0)) {
    server.thaw();
    await server.stop();
  }
});

function connect(url: string, kind: 'service' | 'worker', log: Logger = silentLogger()) {
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

describe('a connection to more than one server', () => {
  const log = silentLogger();
  const nowhere = { tls: false, at: [{ host: '127.0.0.1', port: 1 }] };
  const login = { username: 'us', password: new Secret('pass') };
  const nobody = { username: null, password: null };
  const places = [
    ['a cluster', { kind: 'cluster', nodes: nowhere, login }],
    ['Sentinel', { kind: 'sentinel', sentinels: nowhere, master: 'm', login, sentinelLogin: nobody }],
  ] as const;
  const open = (place: (typeof places)[number][1], kind: RedisKind, tls = false) => {
    const secured = { ...nowhere, tls };
    const client = openRedis(
      place.kind === 'cluster' ? { ...place, nodes: secured } : { ...place, sentinels: secured },
      kind,
      { log },
    );
    clients.push(client);
    return client;
  };

  it.each(places)('refuses commands at once while there is none, for a service: %s', async (_, place) => {
    const started = performance.now();

    await expect(open(place, 'service').get('x')).rejects.toThrow();

    expect(performance.now() - started).toBeLessThan(500);
  });

  it.each(places)('keeps them for a worker, and fails them when closed: %s', async (_, place) => {
    const client = open(place, 'worker');
    let settled = false;
    const waiting = client.get('x').catch((error: Error) => error.message);
    void waiting.then(() => {
      settled = true;
    });

    await expect(redisReady(client, 50)).rejects.toMatchObject({ code: 'store-unavailable' });

    expect(settled).toBe(false);
    await closeRedis(client);
    expect(await waiting).toBe('Connection is closed.');
  });

  it('knows who it is, and speaks TLS to all where one address says so', () => {
    const [[, cluster], [, sentinel]] = places;

    expect(open(cluster, 'worker', true).options).toMatchObject({
      redisOptions: { username: 'us', password: 'pass', tls: {}, maxRetriesPerRequest: null },
    });
    expect(open(cluster, 'worker').options).not.toHaveProperty('redisOptions.tls');
    expect(open(sentinel, 'service', true).options).toMatchObject({
      ...{ name: 'm', username: 'us', password: 'pass', maxRetriesPerRequest: 0 },
      ...{ tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true },
    });
  });

  it('is known to a server by the password that stands beside its address', () => {
    const client = openRedis({ kind: 'node', url: 'redis://127.0.0.1:1', login }, 'worker', { log });
    clients.push(client);

    expect(client.options).toMatchObject({ username: 'us', password: 'pass', port: 1 });
  });
});
