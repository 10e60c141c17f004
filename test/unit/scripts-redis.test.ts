import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ensureRedis, socketPath } from '../../scripts/lib/redis.mjs';
import {
  describeAddress,
  parseRedisAddress,
  pingRedis,
  redisCommands,
} from '../../scripts/lib/redis-address.mjs';
import { findRedisBinary, installCommand, isRecentEnough } from '../../scripts/lib/redis-binary.mjs';
import { growingAof } from '../support/aof.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'redis-chain-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** A program that says it is a server of this version. */
function program(path: string, version: string): string {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, `#!/bin/sh\necho "Redis server v=${version} sha=00000000:0"\n`);
  chmodSync(path, 0o755);
  return path;
}

describe('finding a server program', () => {
  const env = (more: Record<string, string>) => ({
    PATH: '',
    XDG_CACHE_HOME: join(dir, 'cache'),
    WF_REDIS_FETCH: '0',
    ...more,
  });

  it('takes REDIS_BIN before everything else', async () => {
    const mine = program(join(dir, 'mine'), '7.2.5');
    program(join(dir, 'bin', 'redis-server'), '7.0.0');

    const found = await findRedisBinary({ env: env({ REDIS_BIN: mine, PATH: join(dir, 'bin') }) });

    expect(found).toMatchObject({ command: mine, version: '7.2.5', source: 'REDIS_BIN' });
  });

  it('prefers valkey-server on PATH to redis-server', async () => {
    program(join(dir, 'bin', 'redis-server'), '7.0.0');
    const valkey = program(join(dir, 'bin', 'valkey-server'), '8.1.1');

    await expect(findRedisBinary({ env: env({ PATH: join(dir, 'bin') }) })).resolves.toMatchObject({
      command: valkey,
    });
  });

  it('passes over versions below 6.2', async () => {
    program(join(dir, 'old', 'redis-server'), '6.0.16');
    const recent = program(join(dir, 'new', 'redis-server'), '6.2.0');

    const found = await findRedisBinary({ env: env({ PATH: `${join(dir, 'old')}:${join(dir, 'new')}` }) });

    expect(found.command).toBe(recent);
  });

  it('takes the private copy with its libraries when nothing is installed', async () => {
    const cache = join(dir, 'cache', 'csp-onboarding', 'redis');
    program(join(cache, 'usr/bin/redis-server'), '7.0.15');
    writeFileSync(
      join(cache, 'manifest.json'),
      JSON.stringify({ command: 'usr/bin/redis-server', libraryPath: ['usr/lib'] }),
    );

    await expect(findRedisBinary({ env: env({}) })).resolves.toMatchObject({
      source: 'private copy',
      env: { LD_LIBRARY_PATH: join(cache, 'usr/lib') },
    });
  });

  it('says what was refused and what to do when there is none', async () => {
    const old = program(join(dir, 'bin', 'redis-server'), '5.0.7');

    await expect(
      findRedisBinary({ env: env({ PATH: join(dir, 'bin'), REDIS_BIN: '/none' }) }),
    ).rejects.toThrow(
      new RegExp(`REDIS_BIN=/none is not a program.*${old} is version 5.0.7.*REDIS_URL=`, 's'),
    );
  });

  it.each([
    ['darwin', 'brew install valkey'],
    ['win32', 'wsl --install'],
  ])('names the command of %s', (platform, command) => {
    expect(installCommand(platform)).toContain(command);
  });

  it.each([
    ['6.2.0', true],
    ['6.1.9', false],
    ['10.0.0', true],
  ])('judges version %s as %p', (version, fits) => {
    expect(isRecentEnough(version)).toBe(fits);
  });
});

describe('an address', () => {
  it('is read with user, password and TLS, and shown without them', () => {
    const url = 'rediss://worker:p%40ss@cache.example:6380/0';

    expect(parseRedisAddress(url)).toMatchObject({
      host: 'cache.example',
      port: 6380,
      tls: true,
      password: 'p@ss',
    });
    expect(describeAddress(url)).toBe('rediss://cache.example:6380');
  });

  it('may be a socket', () => {
    expect(parseRedisAddress('unix:///tmp/a%20b/r.sock')).toEqual({ path: '/tmp/a b/r.sock' });
  });

  it('of another kind is refused', () => {
    expect(() => parseRedisAddress('http://127.0.0.1:1')).toThrow('redis://');
  });
});

describe('a command over a bare socket', () => {
  /** Answers each connection with these pieces, one by one. */
  async function withServer<T>(pieces: readonly string[], use: (url: string) => Promise<T>): Promise<T> {
    const open: Socket[] = [];
    const server = createServer((socket) => {
      open.push(socket);
      socket.once('data', () =>
        pieces.forEach((piece, index) => void setTimeout(() => socket.write(piece), index * 5)),
      );
    });
    const path = join(dir, 's.sock');
    await new Promise<void>((resolve) => server.listen(path, resolve));
    try {
      return await use(`unix://${path}`);
    } finally {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  it('reads replies of every kind, in however many pieces they come', async () => {
    const replies = await withServer(['*2\r', '\n$2\r\na', 'b\r\n:7\r\n', '$-1\r\n+O', 'K\r\n'], (url) =>
      redisCommands(url, [['A'], ['B'], ['C']]),
    );

    expect(replies).toEqual([['ab', 7], null, 'OK']);
  });

  it('rejects with the error that the server gives', async () => {
    const refused = withServer(['-NOAUTH Authentication required.\r\n'], (url) =>
      redisCommands(url, [['PING']]),
    );

    await expect(refused).rejects.toThrow('NOAUTH');
  });

  it('does not take a silent, strange or absent server for a Redis', async () => {
    await expect(withServer([], (url) => pingRedis(url, { timeoutMs: 50 }))).resolves.toBe(false);
    await expect(withServer(['HTTP/1.1 400 Bad Request\r\n'], (url) => pingRedis(url))).resolves.toBe(false);
    await expect(pingRedis(`unix://${join(dir, 'none.sock')}`)).resolves.toBe(false);
  });
});

describe('our own Redis', () => {
  // A REDIS_URL of the caller's shell must not reach these.
  const env = { ...process.env, REDIS_URL: undefined };
  const ensureOwn = () => ensureRedis({ dataDir: dir, env });

  it('keeps its data over stop, kill -9 and a stale socket, and is shared by two commands at once', async () => {
    const first = await ensureOwn();
    await redisCommands(first.url, [['SET', 'a', '1']]);
    const [second, third] = await Promise.all([ensureOwn(), ensureOwn()]);

    expect([second.pid, third.pid]).toEqual([first.pid, first.pid]);
    expect(first).toMatchObject({ durable: true, owned: true });

    process.kill(first.pid, 'SIGKILL');
    const fourth = await ensureOwn();
    await expect(redisCommands(fourth.url, [['INCR', 'a']])).resolves.toEqual([2]);
    await fourth.stop();

    const fifth = await ensureOwn();
    await expect(
      redisCommands(fifth.url, [
        ['GET', 'a'],
        ['CONFIG', 'GET', 'appendfsync'],
      ]),
    ).resolves.toEqual(['2', ['appendfsync', 'always']]);
    await fifth.stop();
    await expect(pingRedis(fifth.url)).resolves.toBe(false);
  });

  it('is started on a file that ends within a commit, and leaves no half of it for a later start', async () => {
    const commit = "redis.call('INCR', 'a') redis.call('INCR', 'b') return redis.call('INCR', 'c')";
    const again = async (lines: string[] = []) => ({
      lines,
      redis: await ensureRedis({ dataDir: dir, env, log: (line) => void lines.push(line) }),
    });
    const first = await ensureOwn();
    await redisCommands(first.url, [
      ['EVAL', commit, 0],
      ['EVAL', commit, 0],
    ]);
    process.kill(first.pid, 'SIGKILL');
    const file = growingAof({ dir: join(dir, 'redis') });
    truncateSync(file, statSync(file).size - 9);

    const torn = await again();
    expect(torn.lines).toEqual([expect.stringContaining('half a commit')]);
    await redisCommands(torn.redis.url, [['EVAL', commit, 0]]);
    process.kill(torn.redis.pid, 'SIGKILL');

    const { lines, redis } = await again();
    const values = await redisCommands(redis.url, [['MGET', 'a', 'b', 'c']]);
    await redis.stop();
    expect({ values, lines }).toEqual({ values: [['2', '2', '2']], lines: [] });
  });

  it('is not started on a file that is damaged in its middle', async () => {
    const own = await ensureOwn();
    const filler = 'x'.repeat(1024 * 1024);
    await redisCommands(
      own.url,
      Array.from({ length: 17 }, (_, at) => ['SET', `k${at}`, filler]),
    );
    process.kill(own.pid, 'SIGKILL');
    const file = growingAof({ dir: join(dir, 'redis') });
    const { size } = statSync(file);
    const bytes = readFileSync(file);
    bytes.write('?', 30);
    writeFileSync(file, bytes);

    await expect(ensureOwn()).rejects.toThrow('damaged');
    expect(statSync(file).size).toBe(size);
  });

  it('is not started when REDIS_URL names one, and that one is never stopped', async () => {
    const own = await ensureOwn();
    const given = await ensureRedis({ dataDir: join(dir, 'other'), env: { REDIS_URL: own.url } });
    await given.stop();

    expect(given).toMatchObject({ url: own.url, owned: false });
    await expect(pingRedis(own.url)).resolves.toBe(true);

    await own.stop();
  });

  it('is refused with a plain sentence when REDIS_URL does not answer', async () => {
    const absent = ensureRedis({ dataDir: dir, env: { REDIS_URL: `unix://${join(dir, 'none.sock')}` } });

    await expect(absent).rejects.toThrow(/REDIS_URL is set, but .*none\.sock does not answer/);
  });

  it('moves its socket to a short path when the data directory is deep', () => {
    const deep = join(dir, 'x'.repeat(90));
    const socket = socketPath(deep);

    expect(socket.length).toBeLessThan(100);
    expect(socketPath(deep)).toBe(socket);
    rmSync(join(socket, '..'), { recursive: true, force: true });
  });
});
