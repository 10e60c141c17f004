/**
 * What must be true of the Redis before the engine works on it. An instance store that evicts, forgets on power loss or
 * has been emptied is worse than none, because money was spent on what it no longer remembers.
 */
import { randomUUID } from 'node:crypto';
import { Cluster, type Redis } from 'ioredis';
import { AppError, type JsonObject } from '../../shared/errors.ts';
import type { RedisConnection } from '../../shared/redis.ts';
import type { StoreLoss } from '../rewound.ts';
import { metaKeys } from './keys.ts';
import { prepareScripts } from './scripts.ts';
import { forgetAbandoned, recall, remember, type SeenBy, type SeenStore } from './seen.ts';

/** `stateDir` is where this process remembers the store it last saw. */
export interface BootOptions extends SeenBy {
  readonly redis: RedisConnection;
  readonly shards: number;
  /** An operator's word that an empty, older or other store is meant. */
  readonly acceptStore: boolean;
}

export interface StoreReport {
  readonly version: string;
  /** True when every acknowledged commit survives a power loss, whole. */
  readonly durable: boolean;
  /** Plain sentences for a banner and the log; empty when all is well. */
  readonly warnings: readonly string[];
  readonly epoch: string;
  /** Set where an operator took the store on and its instances are not all marked yet. */
  readonly loss: StoreLoss | null;
}

const OLDEST = [6, 2] as const;
const WRITTEN_KEPT_MS = 60_000;

/**
 * Raises `store-unsafe` (version, eviction, shard count) and `store-rewound` (emptied, older or another store than the
 * one last seen).
 */
export async function checkStore(options: BootOptions): Promise<StoreReport> {
  const { version, warnings } = await checkServers(options.redis);
  const { epoch, loss } = await checkEpoch(options);
  return { version, durable: warnings.length === 0, warnings, epoch, loss };
}

/** `store-rewound` of a process that was at work: it must end. */
export function storeLost(expected: string, found: string | null): AppError {
  return new AppError('store-rewound', 'The store was emptied, replaced or set back while the engine ran.', {
    details: { expected, found },
  });
}

/** The store that a process works on. */
export interface StoreInUse {
  readonly redis: RedisConnection;
  readonly namespace: string;
  readonly epoch: string;
}

/**
 * What can change under a running process. Raises `store-unsafe` and `store-rewound` where nothing may go on; rejects as
 * well while Redis does not answer or refuses to write (its memory or disk is full, it has become a replica).
 */
export async function checkInUse(store: StoreInUse): Promise<Pick<StoreReport, 'durable' | 'warnings'>> {
  const { redis, namespace } = store;
  const meta = metaKeys(namespace);
  const { warnings } = await checkServers(redis);
  const [id, rewound] = await redis.hmget(meta.epoch, 'id', 'rewound');
  if (id !== store.epoch || rewound === '1') {
    throw storeLost(store.epoch, id ?? null);
  }
  await redis.set(meta.written, '1', 'PX', WRITTEN_KEPT_MS);
  return { durable: warnings.length === 0, warnings };
}

/** Each node of a cluster has settings of its own, and part of the instances. */
async function checkServers(redis: RedisConnection): Promise<Pick<StoreReport, 'version' | 'warnings'>> {
  const servers = redis instanceof Cluster ? redis.nodes('master') : [redis];
  const found = await Promise.all(servers.map(checkServer));
  return {
    version: [...new Set(found.map(({ version }) => version))].join(', '),
    warnings: [...new Set(found.flatMap(({ warnings }) => warnings))],
  };
}

async function checkServer(redis: Redis): Promise<Pick<StoreReport, 'version' | 'warnings'>> {
  const info = parseInfo(await redis.info());
  const version = info.get('redis_version') ?? '0.0';
  requireVersion(version);
  const policy = info.get('maxmemory_policy') ?? (await setting(redis, 'maxmemory-policy'));
  if (policy !== null && policy !== 'noeviction') {
    throw new AppError(
      'store-unsafe',
      `Redis may evict keys (maxmemory-policy ${policy}); it must be noeviction.`,
      { details: { policy } },
    );
  }
  return { version: info.get('valkey_version') ?? version, warnings: await durabilityWarnings(redis, info) };
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
async function setting(redis: Redis, name: string): Promise<string | null> {
  try {
    const answer = (await redis.call('CONFIG', 'GET', name)) as readonly string[] | Record<string, string>;
    return Array.isArray(answer) ? (answer[1] ?? null) : ((answer as Record<string, string>)[name] ?? null);
  } catch {
    return null;
  }
}

async function durabilityWarnings(redis: Redis, info: ReadonlyMap<string, string>): Promise<string[]> {
  if (info.get('aof_enabled') !== '1')
    return ['Redis keeps no append-only file: a crash loses what was acknowledged.'];
  const warnings: string[] = [];
  const fsync = await setting(redis, 'appendfsync');
  if (fsync === null) warnings.push('Redis does not say how often it syncs its append-only file.');
  else if (fsync !== 'always')
    warnings.push(
      `Redis syncs its append-only file '${fsync}', not 'always': a power loss may lose the last seconds.`,
    );
  // It would be cut within a transaction: valkey-io/valkey#4342.
  if ((await setting(redis, 'aof-load-truncated')) === 'yes')
    warnings.push(
      `Redis loads a torn append-only file ('aof-load-truncated' is not 'no'): a crash may leave half a commit in it.`,
    );
  return warnings;
}

/**
 * How long a loss may go unnoticed while the engine works on: until a client that was answered commits again, and after
 * half of this its memory is not asked any more. Only what the last renewal says less this long is certain.
 */
const UNNOTICED_MS = 24 * 3_600_000;

/** Goes round again after each change: whoever made it, what is then there is looked at anew. */
async function checkEpoch(options: BootOptions): Promise<Pick<StoreReport, 'epoch' | 'loss'>> {
  const { redis, namespace, shards } = options;
  const key = metaKeys(namespace).epoch;
  for (;;) {
    // Before the store is asked: a process of the same kind beside this one may remember a later tick meanwhile.
    const remembered = recall(options);
    const found = await redis.hgetall(key);
    const { id, tick = '0' } = found;
    if (id !== undefined && found['shards'] !== String(shards)) {
      throw new AppError(
        'store-unsafe',
        `This store was made with ${found['shards']} shards, not ${shards}.`,
        {
          details: { stored: found['shards'], configured: shards },
        },
      );
    }
    const doubt = doubtOf(found, remembered);
    if (doubt !== null && !options.acceptStore) throw refused(doubt.why, doubt.details);
    if (doubt !== null) {
      const lost = remembered.map(({ epoch }) => epoch);
      const args = [id ?? '', randomUUID(), shards, UNNOTICED_MS, ...lost];
      await prepareScripts(redis)('accept', [key], args);
    } else if (id === undefined) {
      await redis.hsetnx(key, 'shards', String(shards));
      await redis.hsetnx(key, 'tick', '0');
      await redis.hsetnx(key, 'id', randomUUID());
    } else {
      await remember(options, { epoch: id, tick: Number(tick) });
      forgetAbandoned(options);
      return { epoch: id, loss: lossOf(options, id, found[`loss:${id}`]) };
    }
  }
}

interface Doubt {
  readonly why: string;
  readonly details: JsonObject;
}

/** What speaks against the store; null when nothing does. A store that an operator took on may differ from the one before. */
function doubtOf(found: Readonly<Record<string, string>>, remembered: readonly SeenStore[]): Doubt | null {
  const { id } = found;
  const tick = Number(found['tick'] ?? 0);
  if (found['rewound'] === '1') {
    const why = 'This store has lost what it had answered: a failover, a power cut or an old copy.';
    return { why, details: { epoch: id ?? null, tick } };
  }
  for (const seen of remembered) {
    const why = differenceTo(seen, id, tick, found);
    if (why !== null)
      return {
        why,
        details: { rememberedEpoch: seen.epoch, rememberedTick: seen.tick, epoch: id ?? null, tick },
      };
  }
  return null;
}

function differenceTo(
  seen: SeenStore,
  id: string | undefined,
  tick: number,
  found: Readonly<Record<string, string>>,
): string | null {
  if (id === undefined) return 'The store is empty, but this machine has seen it full.';
  if (id === seen.epoch)
    return tick < seen.tick ? 'The store is older than when it was last seen here.' : null;
  return found[`accepted:${seen.epoch}`] === undefined
    ? 'This is another store than the one last seen here.'
    : null;
}

function refused(why: string, details: JsonObject): AppError {
  const message = `${why} Nothing is dispatched until an operator confirms it with ACCEPT_STORE=1.`;
  return new AppError('store-rewound', message, { details });
}

function lossOf({ redis, namespace }: BootOptions, id: string, stored: string | undefined): StoreLoss | null {
  if (stored === undefined) return null;
  const [since = 0, at = 0] = stored.split('|').map(Number);
  return {
    since,
    at,
    async marked() {
      await redis.hdel(metaKeys(namespace).epoch, `loss:${id}`);
    },
  };
}
