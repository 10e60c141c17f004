/**
 * Clients of one store that commit as fast as they can and remember what they were told, and what must be true of the
 * store whatever happened meanwhile. Each writer owns its instances, so a refusal of one of its commits is a false one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { createRedisStore } from '../../engine/index.ts';
import { shardKeys } from '../../engine/redis/keys.ts';
import type { CommitEntry, Store } from '../../engine/store.ts';
import { isAppError } from '../../shared/errors.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis, type RedisKind, redisReady } from '../../shared/redis.ts';
import { commitOf } from './engine-stores.ts';

export const NAMESPACE = 'writers';
export const SHARDS = 2;

const READY_MS = 20_000;

export interface WritersOptions {
  readonly url: string;
  readonly writers: number;
  /** Number of the first one; the instances are named by it. */
  readonly first?: number;
  /** Default `worker`: a command whose reply was lost is sent again. A `service` learns that the outcome is unknown. */
  readonly kind?: RedisKind;
  /** Commits of one writer; without it they go on until told to stop. */
  readonly commits?: number;
  /** Bytes that each commit leaves for good beside its own. */
  readonly ballast?: number;
  /** Around a writer's connection, or its store: where a fault is planted. */
  around?(redis: Redis): Redis;
  aroundStore?(store: Store): Store;
  /** Called before each commit; may inject a fault. */
  before?(): void;
}

export interface Written {
  /** Instance to the newest revision that its writer knows of: acknowledged, or read after an unknown outcome. */
  readonly known: ReadonlyMap<string, number>;
  /** Commits refused although nobody else writes the instance. */
  readonly falselyRefused: readonly string[];
  /** Commits whose outcome their writer was not told; each then read what had become of it. */
  readonly unknown: number;
  /** Codes of the errors met, and how often. */
  readonly errors: Readonly<Record<string, number>>;
}

export interface Writers {
  readonly soFar: () => Written;
  /** Resolves once every writer has done its share, or has been told to stop. */
  finished(): Promise<Written>;
  /** Ends after the commits under way, for which it waits `withinMs` at most. */
  stop(withinMs?: number): Promise<Written>;
}

/** Revision `n + 1`: it takes away what revision `n` put up, so that of each kind exactly one thing stands. */
export function commitAt(instanceId: string, revision: number, ballast = 0): CommitEntry {
  const next = revision + 1;
  return commitOf(instanceId, revision, {
    signal: { id: `signal-${next}`, outcome: `applied${'!'.repeat(ballast)}` },
    secrets: { set: [[`secret-${next}`, 'sealed']], drop: revision === 0 ? [] : [`secret-${revision}`] },
    timers: { set: [[`t${next}`, 4_000_000_000_000]], clear: revision === 0 ? [] : [`t${revision}`] },
    outbox: {
      add: [{ id: `a|${instanceId}|o${next}|q`, delayMs: 3_600_000, body: null }],
      drop: revision === 0 ? [] : [`a|${instanceId}|o${revision}|q`],
    },
    claims: {
      add: [{ token: `c${next}`, worker: 'w' }],
      drop: revision === 0 ? [] : [`c${revision}`],
    },
    indexes: { score: 1, add: [next % 2 === 0 ? 'even' : 'odd'], drop: [next % 2 === 0 ? 'odd' : 'even'] },
  });
}

export function storeOn(redis: Redis): Store {
  return createRedisStore({ redis, namespace: NAMESPACE, shards: SHARDS });
}

export function startWriters(options: WritersOptions): Writers {
  const known = new Map<string, number>();
  const falselyRefused: string[] = [];
  const errors: Record<string, number> = {};
  let unknown = 0;
  let open = true;

  async function write(writer: number): Promise<void> {
    const redis = createRedis(options.url, options.kind ?? 'worker', { log: silentLogger() });
    const own = storeOn(options.around?.(redis) ?? redis);
    const store = options.aroundStore?.(own) ?? own;
    const id = `instance-${(options.first ?? 0) + writer}`;
    let revision = 0;
    known.set(id, 0);
    await redisReady(redis, READY_MS);
    for (let done = 0; open && done < (options.commits ?? Number.POSITIVE_INFINITY); done += 1) {
      options.before?.();
      try {
        const { status } = await store.commit(commitAt(id, revision, options.ballast));
        if (status !== 'ok') {
          const where = await standing(redis, store, id).catch(String);
          falselyRefused.push(`${id} at ${revision}: ${status}; ${where}`);
        }
        revision += 1;
      } catch (error) {
        const code = isAppError(error) ? error.code : 'none';
        errors[code] = (errors[code] ?? 0) + 1;
        unknown += 1;
        revision = await readBack(store, id, revision);
      }
      known.set(id, revision);
    }
    await closeRedis(redis);
  }

  /** What the store has after an unknown outcome: the revision before or the one after. */
  async function readBack(store: Store, id: string, revision: number): Promise<number> {
    while (open) {
      const stored = await store.load(id).catch(() => undefined);
      if (stored === undefined) {
        await sleep(20);
        continue;
      }
      const found = stored?.revision ?? 0;
      if (found !== revision && found !== revision + 1)
        falselyRefused.push(`${id}: ${found} after ${revision}`);
      return found;
    }
    return revision;
  }

  const running = Promise.all(Array.from({ length: options.writers }, (_, writer) => write(writer)));
  const soFar = (): Written => ({ known: new Map(known), falselyRefused, unknown, errors });
  return {
    soFar,
    async finished() {
      await running;
      return soFar();
    },
    async stop(withinMs = 10_000) {
      open = false;
      await Promise.race([running, sleep(withinMs, undefined, { ref: false })]);
      return soFar();
    },
  };
}

/** What a false refusal is explained by: where the instance stands and what clients of its shard were answered last. */
async function standing(redis: Redis, store: Store, id: string): Promise<string> {
  const answers = shardKeys(NAMESPACE, store.shardOf(id)).reply('');
  const clients = await redis.keys(`${answers}*`);
  const told = await Promise.all(clients.map((key) => redis.get(key)));
  const last = clients.map((key, index) => `${key.slice(answers.length)} ${told[index]}`);
  return `the store is at ${(await store.load(id))?.revision}, last answers: ${last.join(', ')}`;
}

/** Whatever is wrong with an instance at rest: a commit stands in the store whole, once, or not at all. */
export async function tornIn(redis: Redis, instanceId: string): Promise<readonly string[]> {
  const store = storeOn(redis);
  const tag = `{${NAMESPACE}:s${store.shardOf(instanceId)}}:`;
  const revision = (await store.load(instanceId))?.revision ?? 0;
  const extras = Object.keys(await redis.hgetall(`${tag}x:${instanceId}`)).sort();
  const own = (list: readonly string[]) => list.filter((name) => name.split('|').includes(instanceId));
  const found = {
    body: await redis.lindex(`${tag}i:${instanceId}`, 0),
    extras,
    history: await store.history(instanceId, 0, 1_000_000),
    timers: own(await redis.zrange(`${tag}timers`, '0', '-1')),
    outbox: own(await redis.zrange(`${tag}outbox`, '0', '-1')),
    claims: own(await redis.hkeys(`${tag}claims`)),
    even: (await redis.zscore(`${tag}ix:even`, instanceId)) !== null,
    odd: (await redis.zscore(`${tag}ix:odd`, instanceId)) !== null,
  };
  const steps = Array.from({ length: revision }, (_, index) => index + 1);
  const standing = <T>(thing: T): T[] => (revision === 0 ? [] : [thing]);
  const wanted: typeof found = {
    body: revision === 0 ? null : `body-${revision}`,
    extras: [...standing(`sec:secret-${revision}`), ...steps.map((n) => `sig:signal-${n}`)].sort(),
    history: steps.map((n) => `line-${n}`),
    timers: standing(`${instanceId}|t${revision}`),
    outbox: standing(`a|${instanceId}|o${revision}|q`),
    claims: standing(`${instanceId}|c${revision}`),
    even: revision > 0 && revision % 2 === 0,
    odd: revision % 2 === 1,
  };
  return (Object.keys(wanted) as (keyof typeof wanted)[])
    .filter((part) => JSON.stringify(found[part]) !== JSON.stringify(wanted[part]))
    .map((part) => `${instanceId} at ${revision}: ${part} is ${JSON.stringify(found[part]).slice(0, 200)}`);
}

export interface Verdict {
  /** Commits known to their writer that the store no longer has. */
  readonly lost: number;
  readonly torn: readonly string[];
  readonly falselyRefused: readonly string[];
  /** Commits that the store has. */
  readonly kept: number;
}

/** Holds the store against what its writers were told. */
export async function judge(redis: Redis, written: Written): Promise<Verdict> {
  const store = storeOn(redis);
  const torn: string[] = [];
  let lost = 0;
  let kept = 0;
  for (const [id, revision] of written.known) {
    const found = (await store.load(id))?.revision ?? 0;
    lost += Math.max(0, revision - found);
    kept += found;
    torn.push(...(await tornIn(redis, id)));
  }
  return { lost, torn, falselyRefused: written.falselyRefused, kept };
}
