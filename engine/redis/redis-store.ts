/** The store on Redis or Valkey, 6.2 and up. The only writer of durable state is the commit script. */
import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { AppError } from '../../shared/errors.ts';
import type { RedisConnection } from '../../shared/redis.ts';
import type {
  ClaimedInstance,
  ClaimRequest,
  DueOutbox,
  DueTimer,
  HeldClaim,
  LoadedInstance,
  Need,
  ParkedSignal,
  PausedQueue,
  Store,
  Taking,
} from '../store.ts';
import { disownedBy, shardOf } from '../store.ts';
import { confirmedBy } from './confirmed.ts';
import { createGroupCommit } from './group-commit.ts';
import { metaKeys, type ShardKeys, shardKeys } from './keys.ts';
import { listInstances } from './lists.ts';
import { prepareScripts, type RunScript, type ScriptReply } from './scripts.ts';
import { createStoreClock } from './store-clock.ts';

export interface RedisStoreOptions {
  readonly redis: RedisConnection;
  /** Prefix of every key; lets several engines share a Redis. */
  readonly namespace: string;
  /** How many shards the instances are spread over; fixed for the life of a store. */
  readonly shards: number;
  /** Replicas that must have a commit before it counts as made; default 0. On a cluster, those of the shard's node. */
  readonly waitReplicas?: number;
}

/** What one worker gave back is not handed to it again at once. */
const UNCLAIM_DELAY_MS = 1_000;

const TAKES_NOTHING: Taking = { worker: '', room: [] };

/** Body and context stand in the list before the history. */
const BEFORE_HISTORY = 2;
/** Ms after which a lease that ended is forgotten. */
const DEAD_LEASE_MS = 60_000;
/** Ms that no lease lasts. */
const LONGEST_LEASE_MS = 10_000;
/** How long a signal is known by its id after it left: longer than anybody delivers again. */
const SIGNAL_KNOWN_SECONDS = 7 * 24 * 3_600;

const monotonic = (): number => performance.now();

export function createRedisStore(options: RedisStoreOptions): Store {
  const { redis, namespace, shards, waitReplicas = 0 } = options;
  const run = prepareScripts(redis);
  const runCommit = waitReplicas === 0 ? run : confirmedBy(redis, run, waitReplicas);
  const client = randomUUID();
  const meta = metaKeys(namespace);
  const clock = createStoreClock(monotonic);
  /** For scripts that answer with the store's time first. */
  const runTimed = async (...call: Parameters<RunScript>): Promise<readonly ScriptReply[]> => {
    const askedAt = monotonic();
    const reply = list(await run(...call));
    clock.learn(Number(reply[0]), askedAt);
    return reply;
  };
  let newestTick = 0;
  const keysOf: readonly ShardKeys[] = Array.from({ length: shards }, (_, shard) =>
    shardKeys(namespace, shard),
  );
  const at = (shard: number): ShardKeys => {
    const keys = keysOf[shard];
    if (keys === undefined) throw new AppError('internal', `There is no shard ${shard}.`);
    return keys;
  };
  const forId = (id: string): ShardKeys => at(shardOf(id, shards));
  const committers = keysOf.map((keys, shard) =>
    createGroupCommit({
      ...{ run: runCommit, keys, shard, client, wakeChannel: meta.wake, monotonic, onTime: clock.learn },
      // All processes end by it at their next look; this one has stopped committing already.
      onRewound: () => void redis.hset(meta.epoch, 'rewound', '1').catch(() => undefined),
    }),
  );

  const store: Store = {
    shards,
    shardOf: (id) => shardOf(id, shards),
    now: clock.now,

    async load(instanceId, signalId) {
      const keys = forId(instanceId);
      const reply = await runTimed(
        'load',
        [keys.instance(instanceId), keys.extras(instanceId)],
        [signalId ?? ''],
      );
      return reply[1] === null
        ? null
        : ({ ...instanceFrom(reply), seen: text(reply[4]) } satisfies LoadedInstance);
    },
    commit(entry) {
      const commit = committers[shardOf(entry.instanceId, shards)];
      return commit === undefined ? Promise.reject(new AppError('internal', 'no committer')) : commit(entry);
    },
    history: (instanceId, from, limit) =>
      redis.lrange(
        forId(instanceId).instance(instanceId),
        BEFORE_HISTORY + from,
        BEFORE_HISTORY + from + limit - 1,
      ),
    secret: (instanceId, name) => redis.hget(forId(instanceId).extras(instanceId), `sec:${name}`),

    async claim(instanceId, outboxId, request) {
      const keys = forId(instanceId);
      const reply = await runTimed(
        'claim',
        [keys.outbox, keys.claims, keys.instance(instanceId), keys.extras(instanceId)],
        claimArgs(instanceId, outboxId, request),
      );
      if (reply.length < 2 || reply[1] === null) return null;
      const [, revision, progress, body, context] = reply;
      return {
        revision: Number(revision),
        progress: text(progress),
        stored: body === undefined ? null : instanceFrom([0, revision ?? 0, body, context ?? null]),
      } satisfies ClaimedInstance;
    },
    async unclaim(instanceId, token, worker, outboxId) {
      const keys = forId(instanceId);
      await run(
        'unclaim',
        [keys.outbox, keys.claims],
        [`${instanceId}|${token}`, worker, outboxId ?? '', UNCLAIM_DELAY_MS],
      );
    },
    async disown(instanceId, token, worker) {
      const { outbox, claims } = forId(instanceId);
      await run('unclaim', [outbox, claims], [`${instanceId}|${token}`, worker, '', 0, disownedBy(worker)]);
    },
    async heartbeat(instanceId, token, worker, progress) {
      const keys = forId(instanceId);
      const args = [`${instanceId}|${token}`, worker, token, progress];
      return (await run('heartbeat', [keys.claims, keys.extras(instanceId)], args)) === 1;
    },
    async lostClaims(worker, claims) {
      const held = await Promise.all(
        claims.map(({ instanceId, token }) => redis.hget(forId(instanceId).claims, `${instanceId}|${token}`)),
      );
      return claims
        .filter((_, index) => held[index] !== worker)
        .map(({ token, instanceId }) => `${instanceId}|${token}`);
    },
    async claims(shard) {
      return Object.entries(await redis.hgetall(at(shard).claims)).map(([field, value]) =>
        readClaim(field, value),
      );
    },

    async dueTimers(shard, limit, hideMs) {
      const reply = await runTimed('due', [at(shard).timers], [limit, hideMs]);
      return {
        timers: reply.slice(2).map((member) => readTimer(String(member))),
        nextDue: reply[1] === null ? null : Number(reply[1]),
      };
    },
    async dropTimer(instanceId, token) {
      await redis.zrem(forId(instanceId).timers, `${instanceId}|${token}`);
    },
    async releaseTimers(shard, timers, delayMs) {
      const { timers: key } = at(shard);
      const due = clock.now() + delayMs;
      await Promise.all(
        timers.map(({ instanceId, token }) => redis.zadd(key, 'XX', due, `${instanceId}|${token}`)),
      );
    },
    async dueOutbox(shard, limit, hideMs, { worker, room } = TAKES_NOTHING) {
      const keys = at(shard);
      const args = [limit, hideMs, keys.prefix, worker, ...room.flat()];
      const reply = await runTimed('outbox', [keys.outbox, keys.bodies, keys.claims], args);
      return reply.slice(1).map((entry) => readOutbox(list(entry)));
    },
    async ackOutbox(shard, ids) {
      if (ids.length === 0) return;
      const keys = at(shard);
      await Promise.all([redis.zrem(keys.outbox, ...ids), redis.hdel(keys.bodies, ...ids)]);
    },
    async releaseOutbox(shard, id, delayMs) {
      await redis.zadd(at(shard).outbox, 'XX', clock.now() + delayMs, id);
    },

    async missing(instanceId, needs) {
      const keys = forId(instanceId);
      const found = await Promise.all(needs.map((need) => isThere(redis, keys, instanceId, need)));
      return needs.filter((_, index) => found[index] !== true);
    },
    async putBack(instanceId, needs) {
      const keys = forId(instanceId);
      for (const need of needs) {
        if (need.kind === 'timer')
          await redis.zadd(keys.timers, 'NX', need.fireAt, `${instanceId}|${need.token}`);
        else await redis.zadd(keys.outbox, 'NX', 0, need.outboxId);
      }
    },

    async renewLease(worker, ttlMs) {
      // Confirmed like a commit: a tick that a failover takes away would look like lost commits.
      const askedAt = monotonic();
      const reply = list(await runCommit('renew', [meta.leases, meta.epoch], [worker, ttlMs, newestTick]));
      clock.learn(Number(reply[0]), askedAt);
      const tick = Number(reply[2]);
      newestTick = Math.max(newestTick, tick);
      return { epoch: text(reply[1]), tick };
    },
    async dropLease(worker) {
      await redis.zrem(meta.leases, worker);
    },
    async liveWorkers() {
      return (await runTimed('live', [meta.leases], [DEAD_LEASE_MS, LONGEST_LEASE_MS])).slice(1).map(String);
    },

    async register(key, instanceId) {
      const keys = forId(key);
      const reply = list(
        await run('register', [keys.key(key), keys.parkedUnder(key), keys.parked], [instanceId, key]),
      );
      return Array.from({ length: reply.length / 3 }, (_, index): ParkedSignal => {
        const [signalId, body, at] = reply.slice(index * 3);
        return { key, signalId: String(signalId), body: String(body), at: Number(at) };
      });
    },
    async unregister(key, instanceId) {
      await redis.srem(forId(key).key(key), instanceId);
    },
    async route(key, signal) {
      const keys = forId(key);
      const found = await run(
        'route',
        [keys.key(key), keys.parkedUnder(key), keys.parked, keys.came(key, signal.id)],
        [key, signal.id, signal.body, SIGNAL_KNOWN_SECONDS],
      );
      return found === null ? null : list(found).map(String);
    },
    holders: (key) => redis.smembers(forId(key).key(key)),
    async unpark(key, signalId) {
      const keys = forId(key);
      await Promise.all([
        redis.hdel(keys.parkedUnder(key), signalId),
        redis.zrem(
          keys.parked,
          `${key}
${signalId}`,
        ),
      ]);
    },
    parked: (limit, before) => readParked(redis, keysOf, limit, before),

    list: (query) => listInstances(run, keysOf, query),
    async count(index) {
      const counts = await Promise.all(keysOf.map((keys) => run('count', [keys.index(index)], [])));
      return counts.reduce<number>((sum, count) => sum + Number(count), 0);
    },

    async recordDefinitions(shapes) {
      if (shapes.length > 0) await redis.hset(meta.definitions, Object.fromEntries(shapes));
    },
    async definitions() {
      return Object.entries(await redis.hgetall(meta.definitions));
    },
    async pauseQueue(paused) {
      await redis.hset(meta.queues, paused.queue, JSON.stringify({ ...paused, at: clock.now() }));
    },
    async resumeQueue(queue) {
      await redis.hdel(meta.queues, queue);
    },
    async pausedQueues() {
      return Object.values(await redis.hgetall(meta.queues)).map((value) => JSON.parse(value) as PausedQueue);
    },

    async onWake(listener) {
      const subscriber = (redis as Redis).duplicate();
      await subscriber.subscribe(meta.wake, `${meta.wake}:${randomUUID()}`);
      subscriber.on('message', (_channel: string, shard: string) => listener(Number(shard)));
      return async () => {
        subscriber.disconnect();
      };
    },
    async close() {},
  };
  return store;
}

async function isThere(
  redis: RedisConnection,
  keys: ShardKeys,
  instanceId: string,
  need: Need,
): Promise<boolean> {
  const field = `${instanceId}|${need.token}`;
  if (need.kind === 'timer') return (await redis.zscore(keys.timers, field)) !== null;
  return (
    (await redis.zscore(keys.outbox, need.outboxId)) !== null ||
    (await redis.hexists(keys.claims, field)) === 1
  );
}

function claimArgs(instanceId: string, outboxId: string, { token, worker, known }: ClaimRequest): string[] {
  return [outboxId, `${instanceId}|${token}`, worker, token, String(known ?? '')];
}

function list(reply: ScriptReply): readonly ScriptReply[] {
  return Array.isArray(reply) ? reply : [];
}

function text(value: ScriptReply | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}

function instanceFrom(reply: readonly ScriptReply[]): { revision: number; body: string; context: string } {
  return { revision: Number(reply[1]), body: String(reply[2]), context: String(reply[3]) };
}

function pairs(flat: readonly ScriptReply[]): (readonly [string, string | null])[] {
  const found: (readonly [string, string | null])[] = [];
  for (let index = 0; index < flat.length; index += 2)
    found.push([String(flat[index]), text(flat[index + 1])]);
  return found;
}

function readOutbox([id, body, revision, progress, ...stored]: readonly ScriptReply[]): DueOutbox {
  const entry = { id: String(id), body: text(body) };
  if (revision === undefined) return entry;
  const instance = instanceFrom([0, revision, ...stored]);
  return { ...entry, claimed: { revision: instance.revision, progress: text(progress), stored: instance } };
}

function readTimer(member: string): DueTimer {
  const cut = member.lastIndexOf('|');
  return { instanceId: member.slice(0, cut), token: member.slice(cut + 1) };
}

function readClaim(field: string, worker: string): HeldClaim {
  const cut = field.lastIndexOf('|');
  return { instanceId: field.slice(0, cut), token: field.slice(cut + 1), worker };
}

async function readParked(
  redis: RedisConnection,
  shards: readonly ShardKeys[],
  limit: number,
  before: number | undefined,
): Promise<readonly ParkedSignal[]> {
  const newest = before === undefined ? '+inf' : `(${before}`;
  const perShard = await Promise.all(
    shards.map((keys) =>
      redis.zrevrangebyscore(keys.parked, newest, '-inf', 'WITHSCORES', 'LIMIT', 0, limit),
    ),
  );
  const found = perShard.flatMap((flat, shard) =>
    pairs(flat).map(([member, score]) => ({ member, score: Number(score), shard })),
  );
  const shown = found.sort((a, b) => b.score - a.score).slice(0, limit);
  return Promise.all(
    shown.map(async ({ member, score, shard }): Promise<ParkedSignal> => {
      const cut = member.indexOf('\n');
      const key = member.slice(0, cut);
      const signalId = member.slice(cut + 1);
      const body = await redis.hget((shards[shard] as ShardKeys).parkedUnder(key), signalId);
      return { key, signalId, body: body ?? '', at: Math.floor(score) };
    }),
  );
}
