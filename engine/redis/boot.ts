/**
 * What must be true of the Redis before the engine works on it. An instance store that evicts, forgets on power loss or
 * has been emptied is worse than none, because money was spent on what it no longer remembers.
 */
import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pid } from 'node:process';
import { AppError, type JsonObject } from '../../shared/errors.ts';
import { metaKeys } from './keys.ts';
import type { RedisConnection } from './scripts.ts';

export interface BootOptions {
  readonly redis: RedisConnection;
  readonly namespace: string;
  readonly shards: number;
  /** Where this process remembers the store it last saw, each kind of process its own file; null remembers nothing. */
  readonly stateDir: string | null;
  readonly process: string;
  /** An operator's word that an empty, older or other store is meant. */
  readonly acceptStore: boolean;
}

export interface StoreReport {
  readonly version: string;
  /** True when every acknowledged commit survives a power loss. */
  readonly durable: boolean;
  /** Plain sentences for a banner and the log; empty when all is well. */
  readonly warnings: readonly string[];
  readonly epoch: string;
}

interface Remembered {
  readonly epoch: string;
  readonly tick: number;
}

const OLDEST = [6, 2] as const;

/**
 * Raises `store-unsafe` (version, eviction, shard count) and `store-rewound` (emptied, older or another store than the
 * one last seen).
 */
export async function checkStore(options: BootOptions): Promise<StoreReport> {
  const info = parseInfo(await options.redis.info());
  const version = info.get('redis_version') ?? '0.0';
  const shown = info.get('valkey_version') ?? version;
  requireVersion(version);
  const policy = info.get('maxmemory_policy') ?? (await setting(options.redis, 'maxmemory-policy'));
  if (policy !== null && policy !== 'noeviction') {
    throw new AppError(
      'store-unsafe',
      `Redis may evict keys (maxmemory-policy ${policy}); it must be noeviction.`,
      { details: { policy } },
    );
  }
  const epoch = await checkEpoch(options);
  const warnings = await durabilityWarnings(options.redis, info);
  return { version: shown, durable: warnings.length === 0, warnings, epoch };
}

function parseInfo(text: string): ReadonlyMap<string, string> {
  const lines = text.split('\r\n').filter((line) => line.includes(':'));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]));
}

function requireVersion(version: string): void {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  throw new AppError(
    'store-unsafe',
    `Redis ${version} is too old; ${OLDEST.join('.')} is the oldest that serves.`,
    { details: { version } },
  );
}

/** Null where a managed Redis does not let us ask. */
async function setting(redis: RedisConnection, name: string): Promise<string | null> {
  try {
    const answer = (await redis.call('CONFIG', 'GET', name)) as readonly string[] | Record<string, string>;
    return Array.isArray(answer) ? (answer[1] ?? null) : ((answer as Record<string, string>)[name] ?? null);
  } catch {
    return null;
  }
}

async function durabilityWarnings(
  redis: RedisConnection,
  info: ReadonlyMap<string, string>,
): Promise<string[]> {
  if (info.get('aof_enabled') !== '1')
    return ['Redis keeps no append-only file: a crash loses what was acknowledged.'];
  const fsync = await setting(redis, 'appendfsync');
  if (fsync === 'always') return [];
  if (fsync === null) return ['Redis does not say how often it syncs its append-only file.'];
  return [
    `Redis syncs its append-only file '${fsync}', not 'always': a power loss may lose the last seconds.`,
  ];
}

async function checkEpoch(options: BootOptions): Promise<string> {
  const { redis, namespace, shards, acceptStore } = options;
  const key = metaKeys(namespace).epoch;
  // Before the store is asked: a process of the same kind beside this one may remember a later tick meanwhile.
  const remembered = recall(options);
  const [id, tick, storedShards, rewound] = await redis.hmget(key, 'id', 'tick', 'shards', 'rewound');
  if (acceptStore) await redis.hdel(key, 'rewound');
  else if (rewound === '1')
    throw refused('This store has lost what it had answered: a failover, a power cut or an old copy.');
  else if (remembered !== null) requireSameStore(remembered, id ?? null, Number(tick ?? 0));
  if (id !== null && id !== undefined && storedShards !== String(shards)) {
    throw new AppError('store-unsafe', `This store was made with ${storedShards} shards, not ${shards}.`, {
      details: { stored: storedShards, configured: shards },
    });
  }
  if (id !== null && id !== undefined) {
    remember(options, { epoch: id, tick: Number(tick ?? 0) });
    return id;
  }
  await redis.hsetnx(key, 'shards', String(shards));
  await redis.hsetnx(key, 'tick', '0');
  await redis.hsetnx(key, 'id', randomUUID());
  const made = (await redis.hget(key, 'id')) ?? '';
  remember(options, { epoch: made, tick: 0 });
  return made;
}

function requireSameStore(remembered: Remembered, id: string | null, tick: number): void {
  const why =
    id === null
      ? 'The store is empty, but this machine has seen it full.'
      : id !== remembered.epoch
        ? 'This is another store than the one last seen here.'
        : tick < remembered.tick
          ? 'The store is older than when it was last seen here.'
          : null;
  if (why === null) return;
  throw refused(why, { rememberedEpoch: remembered.epoch, rememberedTick: remembered.tick, epoch: id, tick });
}

function refused(why: string, details: JsonObject = {}): AppError {
  const message = `${why} Nothing is dispatched until an operator confirms it with ACCEPT_STORE=1.`;
  return new AppError('store-rewound', message, { details });
}

/** Keeps what was seen of the store, so that the next start can tell an older one. */
export function remember(
  options: Pick<BootOptions, 'stateDir' | 'process' | 'namespace'>,
  seen: Remembered,
): void {
  const file = fileOf(options);
  if (file === null) return;
  mkdirSync(dirname(file), { recursive: true });
  const fresh = `${file}.${pid}.new`;
  writeFileSync(fresh, JSON.stringify(seen));
  renameSync(fresh, file);
}

function recall(options: BootOptions): Remembered | null {
  const file = fileOf(options);
  if (file === null) return null;
  try {
    const parsed = JSON.parse(readFileSync(file, 'utf8')) as Partial<Remembered>;
    return typeof parsed.epoch === 'string' && typeof parsed.tick === 'number'
      ? { epoch: parsed.epoch, tick: parsed.tick }
      : null;
  } catch {
    return null;
  }
}

function fileOf({
  stateDir,
  process,
  namespace,
}: Pick<BootOptions, 'stateDir' | 'process' | 'namespace'>): string | null {
  return stateDir === null ? null : join(stateDir, `store-seen-${namespace}-${process}.json`);
}
