/**
 * The product as it runs in production (a real API process, real worker processes, Redis that syncs always) with the
 * emulator beside it, and somebody who keeps killing workers and Redis.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from '../../scripts/lib/builder.mjs';
import {
  type EmulatedMicrosoft,
  type EmulatedMicrosoftOptions,
  environmentFor,
  startEmulatedMicrosoft,
} from './emulated-microsoft.ts';
import { type RedisServer, startRedisServer } from './redis-server.ts';
import { parseLine, type Spawned, spawnNode } from './spawn.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const STACK_NAMESPACE = 'one-order';
export const STACK_SHARDS = 2;
/** One key may ask 400 times in ten seconds; many members of staff are at work. */
const STAFF = 24;

export interface Stack {
  readonly redis: RedisServer;
  readonly microsoft: EmulatedMicrosoft;
  readonly apiUrl: string;
  readonly apiKeys: readonly string[];
  /** Kills one worker each `workerEveryMs` (another takes its place) and Redis each `redisEveryMs`, until told to stop. */
  startKilling(options: { readonly workerEveryMs: number; readonly redisEveryMs: number }): Killer;
  close(): Promise<void>;
}

export interface Killer {
  /** Resolves with what was killed. */
  end(): Promise<{ readonly workers: number; readonly redis: number }>;
}

export interface StackOptions {
  readonly workers: number;
  readonly emulated: EmulatedMicrosoftOptions;
}

export async function startStack({ workers, emulated }: StackOptions): Promise<Stack> {
  build({ root: ROOT });
  const redis = await startRedisServer({ aof: 'always' });
  const microsoft = await startEmulatedMicrosoft(emulated);
  const stateDir = mkdtempSync(join(tmpdir(), 'one-order-'));
  const apiKeys = Array.from({ length: STAFF }, () => `wfk_${randomBytes(24).toString('base64url')}`);
  const env = environmentOf({ redis, microsoft, stateDir, apiKeys });
  const api = await spawnNode('dist/api/main.js', { env: { ...env, LOG_LEVEL: 'info' } });
  const port = parseLine(api.lines.find((line) => parseLine(line)?.['msg'] === 'ready') ?? '')?.['port'];
  const fleet = startFleet(workers, env);
  await fleet.ready();

  return {
    redis,
    microsoft,
    apiUrl: `http://127.0.0.1:${Number(port)}`,
    apiKeys,
    startKilling: (pace) => startKilling(fleet, redis, pace),
    async close() {
      await Promise.all([fleet.stop(), api.kill9()]);
      await microsoft.close();
      await redis.stop();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

interface Fleet {
  ready(): Promise<void>;
  /** Kills one of those at work and starts another, once the one before it has been replaced. */
  killOne(): Promise<void>;
  stop(): Promise<void>;
}

function startFleet(size: number, env: Readonly<Record<string, string>>): Fleet {
  const booting = new Set<Promise<void>>();
  const atWork: Spawned[] = [];
  let turn = 0;
  const join = (): void => {
    const boots = spawnNode('dist/workers/main.js', { env, within: 60_000 }).then((worker) => {
      atWork.push(worker);
      booting.delete(boots);
    });
    booting.add(boots);
  };
  for (let count = 0; count < size; count += 1) join();
  return {
    ready: async () => void (await Promise.all(booting)),
    async killOne() {
      // On a slow machine workers would otherwise die faster than they come.
      await Promise.all(booting);
      // In turn the one that has been at work the longest and the one that has just begun.
      turn += 1;
      const victim = turn % 2 === 0 ? atWork.shift() : atWork.pop();
      join();
      await victim?.kill9();
    },
    async stop() {
      await Promise.all(booting);
      await Promise.all(atWork.map((worker) => worker.kill9()));
    },
  };
}

function startKilling(
  fleet: Fleet,
  redis: RedisServer,
  { workerEveryMs, redisEveryMs }: { readonly workerEveryMs: number; readonly redisEveryMs: number },
): Killer {
  const over = new AbortController();
  const deaths = { workers: 0, redis: 0 };
  const pause = (ms: number) => sleep(ms, undefined, { signal: over.signal }).catch(() => undefined);
  async function again(firstMs: number, everyMs: number, kill: () => Promise<void>): Promise<void> {
    for (let ms = firstMs; ; ms = everyMs) {
      await pause(ms);
      if (over.signal.aborted) return;
      await kill();
    }
  }
  const running = Promise.all([
    again(workerEveryMs, workerEveryMs, async () => {
      await fleet.killOne();
      deaths.workers += 1;
    }),
    again(redisEveryMs / 3, redisEveryMs, async () => {
      await redis.restart({ kill9: true });
      deaths.redis += 1;
    }),
  ]);
  return {
    async end() {
      over.abort();
      await running;
      return deaths;
    },
  };
}

function environmentOf({
  redis,
  microsoft,
  stateDir,
  apiKeys,
}: {
  readonly redis: RedisServer;
  readonly microsoft: EmulatedMicrosoft;
  readonly stateDir: string;
  readonly apiKeys: readonly string[];
}): Readonly<Record<string, string>> {
  const digest = (key: string) => createHash('sha256').update(key).digest('hex');
  return {
    NODE_ENV: 'test',
    LOG_LEVEL: 'error',
    REDIS_URL: redis.url,
    NAMESPACE: STACK_NAMESPACE,
    SHARDS: String(STACK_SHARDS),
    STATE_DIR: stateDir,
    SECRET_KEY: randomBytes(32).toString('base64'),
    API_PORT: '0',
    API_KEYS: apiKeys.map((key, index) => `staff${index}:admin:${digest(key)}`).join(','),
    // Few attempts at once are short attempts: a kill ends those under way, and each then waits for its lease.
    WORKER_CONCURRENCY: '8',
    PARTNER_CENTER_PER_MINUTE: '100000',
    ...environmentFor(microsoft.urls),
  };
}
