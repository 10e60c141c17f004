import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { parseRedisAddress, redisCommands } from '../../scripts/lib/redis-address.mjs';
import { eventually } from '../support/eventually.ts';
import { watchLeaks } from '../support/leaks.ts';
import { type RedisServer, startRedisCluster, startRedisServer } from '../support/redis-server.ts';
import { parseLine, spawnNode } from '../support/spawn.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { testNamespace, testRedisUrl } from '../support/test-redis.ts';

describe('the Redis of a jest run', () => {
  it('answers on the address in the environment', async () => {
    const key = `${testNamespace()}:x`;

    await expect(
      redisCommands(testRedisUrl(), [
        ['SET', key, '1'],
        ['GETDEL', key],
      ]),
    ).resolves.toEqual(['OK', '1']);
  });
});

describe('a Redis of a test', () => {
  let server: RedisServer | undefined;
  afterEach(async () => {
    await server?.stop();
    server = undefined;
  });

  it('keeps acknowledged writes over kill -9 with an append-only file', async () => {
    server = await startRedisServer({ aof: 'always' });
    await server.command('SET', 'a', 'kept');

    await server.restart({ kill9: true });

    await expect(server.command('GET', 'a')).resolves.toBe('kept');
  });

  it('comes back empty on the same address without one', async () => {
    server = await startRedisServer({ listen: 'tcp' });
    await server.command('SET', 'a', 'lost');

    await server.kill9();
    await server.restart();

    await expect(server.command('GET', 'a')).resolves.toBeNull();
  });

  it('follows a master as its replica', async () => {
    const master = await startRedisServer({ listen: 'tcp' });
    server = await startRedisServer({ listen: 'tcp', replicaOf: master });
    await master.command('SET', 'a', 'copied');

    const replica = server;
    await eventually(async () => expect(await replica.command('GET', 'a')).toBe('copied'), {
      within: 15_000,
    });

    await master.stop();
  });

  it('forms a cluster that refuses keys of two slots in one command', async () => {
    const cluster = await startRedisCluster({ masters: 2 });
    const [node] = cluster.nodes;

    await expect(node?.command('MGET', '{a}1', '{b}1')).rejects.toThrow('CROSSSLOT');

    await cluster.stop();
  });
});

describe('the proxy that misbehaves', () => {
  let requests: string[] = [];
  let origin: Server;
  let proxy: TcpProxy;
  let checkLeaks: () => Promise<void>;
  const call = (path: string) =>
    fetch(`http://127.0.0.1:${proxy.port}${path}`, {
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(1_000),
    });

  beforeAll(async () => {
    checkLeaks = watchLeaks();
    origin = createServer((request, response) => {
      requests.push(request.url ?? '');
      response.end('x'.repeat(1_000));
    });
    await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
    proxy = await startTcpProxy({ port: (origin.address() as AddressInfo).port });
  });
  afterEach(() => {
    requests = [];
    proxy.setBlackHole(false);
    proxy.setDown(false);
    proxy.setLatency(0);
  });
  afterAll(async () => {
    await proxy.close();
    await new Promise((resolve) => origin.close(resolve));
    await checkLeaks();
  });

  it('passes everything on when nothing is asked of it', async () => {
    expect((await (await call('/plain')).text()).length).toBe(1_000);
  });

  it('delays replies', async () => {
    proxy.setLatency(60);
    const start = performance.now();

    await (await call('/late')).text();

    expect(performance.now() - start).toBeGreaterThan(110);
  });

  it('loses the reply after the request was served', async () => {
    proxy.cutAfterForward((chunk) => chunk.includes('/served'));

    await expect(call('/served')).rejects.toThrow();

    expect(requests).toEqual(['/served']);
    expect((await call('/next')).status).toBe(200);
  });

  it('cuts before the request is whole, so that it is never served', async () => {
    proxy.cutOnce({ direction: 'request', afterBytes: 10 });

    await expect(call('/never')).rejects.toThrow();

    expect(requests).toEqual([]);
  });

  it('cuts inside the reply', async () => {
    proxy.cutOnce({ direction: 'reply', afterBytes: 500 });

    await expect(call('/half').then((response) => response.text())).rejects.toThrow();

    expect(requests).toEqual(['/half']);
  });

  it('swallows everything as a black hole', async () => {
    proxy.setBlackHole(true);

    await expect(call('/hole')).rejects.toThrow(/timeout|aborted/i);

    expect(requests).toEqual([]);
  });

  it('refuses connections when it is down', async () => {
    proxy.setDown(true);

    await expect(call('/down')).rejects.toThrow();
  });

  it('stands before a unix socket as well', async () => {
    const { path = '' } = parseRedisAddress(testRedisUrl());
    const before = await startTcpProxy({ path });

    await expect(redisCommands(`redis://127.0.0.1:${before.port}`, [['PING']])).resolves.toEqual(['PONG']);

    await before.close();
  });
});

describe('a process of a test', () => {
  const dir = mkdtempSync(join(tmpdir(), 'spawn-'));
  const source = (text: string) => {
    const file = join(dir, 'child.ts');
    writeFileSync(file, text);
    return file;
  };
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('runs from TypeScript, is ready when it says so, and ends by SIGTERM or kill -9', async () => {
    const file = source(
      "const port: number = 7; console.log(JSON.stringify({ msg: 'ready', port, x: process.env['X'] })); setInterval(() => {}, 1000);",
    );
    const [one, two] = await Promise.all([spawnNode(file, { env: { X: 'y' } }), spawnNode(file)]);

    expect(parseLine(one.lines[0] ?? '')).toEqual({ msg: 'ready', port: 7, x: 'y' });
    await expect(one.stop()).resolves.toBe('SIGTERM');
    await two.kill9();
    expect([one.running(), two.running()]).toEqual([false, false]);
  });

  it('that fails at once is reported with its last words', async () => {
    const file = source("throw new Error('no settings');");

    await expect(spawnNode(file)).rejects.toThrow(/did not become ready.*no settings/s);
  });
});
