/** The two stores behind one bench, and commits made of only what a test is about. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createMemoryStore, createRedisStore } from '../../engine/index.ts';
import type { CommitEntry, Store } from '../../engine/store.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { testNamespace, testRedisUrl } from './test-redis.ts';

export interface StoreBench {
  readonly store: Store;
  /** Lets store time go by: at once in memory, really on Redis. */
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
}

export const SHARDS = 3;

export async function memoryBench(): Promise<StoreBench> {
  let now = 1_800_000_000_000;
  const store = createMemoryStore({ now: () => now, shards: SHARDS });
  return {
    store,
    pass: async (ms) => {
      now += ms;
    },
    close: async () => {},
  };
}

export async function redisBench(): Promise<StoreBench> {
  const redis = createRedis(testRedisUrl(), 'worker', { log: silentLogger() });
  const namespace = testNamespace();
  await redis.hset(`{${namespace}:meta}:epoch`, 'id', 'bench', 'tick', '0');
  const store = createRedisStore({ redis, namespace, shards: SHARDS });
  // The store knows no time before its first answer.
  await store.load('nobody');
  return { store, pass: (ms) => sleep(ms), close: () => closeRedis(redis) };
}

export const STORES: readonly (readonly [string, () => Promise<StoreBench>])[] = [
  ['in memory', memoryBench],
  ['on Redis', redisBench],
];

type Changes = Partial<{
  [Part in keyof CommitEntry]: CommitEntry[Part] extends object
    ? Partial<CommitEntry[Part]>
    : CommitEntry[Part];
}> &
  Partial<Pick<CommitEntry, 'forget' | 'signal'>>;

/** A commit to `instanceId` at `expectedRevision` that changes nothing else than what is given. */
export function commitOf(instanceId: string, expectedRevision: number, changes: Changes = {}): CommitEntry {
  return {
    notBefore: changes.notBefore ?? null,
    instanceId,
    expectedRevision,
    body: changes.body ?? `body-${expectedRevision + 1}`,
    context: changes.context === undefined ? `context-${expectedRevision + 1}` : changes.context,
    historyLine: changes.historyLine ?? `line-${expectedRevision + 1}`,
    signal: changes.signal ?? null,
    secrets: { set: [], drop: [], ...changes.secrets },
    timers: { set: [], clear: [], ...changes.timers },
    outbox: { add: [], drop: [], ...changes.outbox },
    claims: { add: [], drop: [], ...changes.claims },
    forget: changes.forget ?? [],
    indexes: { score: 0, add: [], drop: [], ...changes.indexes },
    wake: changes.wake ?? false,
    ...(changes.remove === undefined ? {} : { remove: changes.remove }),
  };
}
