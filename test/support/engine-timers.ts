/** Many timers due in one instant, on real Redis, fired by worker processes whose clocks are wrong. */
import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import { setup } from 'xstate';
import { z } from 'zod';
import {
  checkStore,
  createClient,
  createEngine,
  createRedisStore,
  createRegistry,
  defineWorkflow,
  INDEX,
} from '../../engine/index.ts';
import { shardKeys } from '../../engine/redis/keys.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { eventually } from './eventually.ts';
import type { ProofLine } from './proof-report.ts';
import { type Spawned, spawnNode } from './spawn.ts';
import { testNamespace, testRedisUrl } from './test-redis.ts';

export const SHARDS = 4;

/** Rings after `ms`; `stop` before that clears the timer for good. */
export const alarmClock = defineWorkflow({
  name: 'alarm-clock',
  machine: setup({
    types: {} as { context: { ms: number }; input: { ms: number }; events: { type: 'stop' } },
    delays: { ring: ({ context }) => context.ms },
  }).createMachine({
    context: ({ input }) => input,
    initial: 'set',
    states: {
      set: { on: { stop: 'stopped' }, after: { ring: 'rang' } },
      stopped: { on: { stop: {} } },
      rang: { type: 'final' },
    },
  }),
  signals: { stop: { payload: z.object({}) } },
});

export interface TimersReport {
  readonly due: number;
  readonly stopped: number;
  /** Instances seen to have rung while Redis said that it was not yet time. */
  readonly early: number;
  /** Timers that fired though they were cleared. */
  readonly ghosts: number;
  /** Timers that fired more than once. */
  readonly doubled: number;
  readonly missing: number;
  readonly looksBeforeDue: number;
  readonly lateMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

export function proofOfTimers(suite: string, report: TimersReport): ProofLine {
  const { due, stopped, early, ghosts, doubled, missing, looksBeforeDue } = report;
  return {
    suite,
    injected: { 'workers with wrong clocks': SKEWS.length, 'timers cleared': stopped },
    done: { 'timers fired': due - missing, 'looks before they were due': looksBeforeDue },
    lost: early + ghosts + doubled + missing,
  };
}

const DAY_MS = 86_400_000;
const SKEWS = [
  { SKEW_MS: String(DAY_MS), JUMP_MS: '3600000', JUMP_EVERY_MS: '700' },
  { SKEW_MS: String(-DAY_MS), JUMP_MS: '0', JUMP_EVERY_MS: '0' },
];
/** Instances started, stopped or read at once. */
const BATCH = 200;
const PRELOAD = new URL('./skewed-clock.mjs', import.meta.url).href;

/** Sets `count` timers for one instant `leadMs` from now, a tenth of which are then cleared, and waits `withinMs` for them. */
export async function ringAtOnce(count: number, leadMs: number, withinMs: number): Promise<TimersReport> {
  const namespace = testNamespace();
  const log = silentLogger();
  const redis = createRedis(testRedisUrl(), 'worker', { log });
  const store = createRedisStore({ redis, namespace, shards: SHARDS });
  await checkStore({
    ...{ redis, namespace, shards: SHARDS },
    ...{ stateDir: null, process: 'worker', acceptStore: false },
  });
  const client = createClient(createEngine({ store, registry: createRegistry([alarmClock]), log }));
  const ids = Array.from({ length: count }, (_, at) => `clock${at}`);
  const stopped = ids.filter((_, at) => at % 10 === 0);
  const workers: Spawned[] = [];
  try {
    for (const env of SKEWS) {
      const given = {
        REDIS_URL: testRedisUrl(),
        NAMESPACE: namespace,
        NODE_OPTIONS: `--import ${PRELOAD}`,
        ...env,
      };
      workers.push(
        await spawnNode(fileURLToPath(new URL('./engine-timer-program.ts', import.meta.url)), { env: given }),
      );
    }
    await store.load(ids[0] ?? '');
    const due = store.now() + leadMs;
    await inBatches(ids, (id) => client.start(alarmClock, { ms: due - store.now() }, { id }));
    await inBatches(stopped, (id) => client.signal(alarmClock, id, 'stop', {}));
    const first = await firstDue(redis, namespace);
    if (store.now() > due) throw new Error(`setting ${count} timers took longer than ${leadMs} ms`);
    const watched = await watchUntil(redis, namespace, first);
    const wanted = count - stopped.length;
    await eventually(
      async () => {
        const rang = await client.count({ status: 'completed' });
        if (rang < wanted) throw new Error(`${wanted - rang} of ${wanted} timers have not fired`);
      },
      { within: withinMs, every: 50 },
    ).catch(() => undefined);
    return { ...watched, ...(await readHistories(client, ids, new Set(stopped), first)) };
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
    await closeRedis(redis);
  }
}

async function inBatches(ids: readonly string[], act: (id: string) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < ids.length; from += BATCH)
    await Promise.all(ids.slice(from, from + BATCH).map(act));
}

/** When the first of them is due, by what Redis holds. */
async function firstDue(redis: Redis, namespace: string): Promise<number> {
  const shards = Array.from({ length: SHARDS }, (_, shard) => shardKeys(namespace, shard).timers);
  const heads = await Promise.all(shards.map((key) => redis.zrange(key, '0', '0', 'WITHSCORES')));
  return Math.min(...heads.map(([, score]) => Number(score ?? Number.POSITIVE_INFINITY)));
}

/** Looks again and again, in one transaction, at how many rang and then at Redis's own clock. */
async function watchUntil(
  redis: Redis,
  namespace: string,
  due: number,
): Promise<{ early: number; looksBeforeDue: number }> {
  const keys = Array.from({ length: SHARDS }, (_, shard) =>
    shardKeys(namespace, shard).index(INDEX.status('roots', 'completed')),
  );
  let early = 0;
  for (let looksBeforeDue = 0; ; looksBeforeDue += 1) {
    const transaction = redis.multi();
    for (const key of keys) transaction.zcard(key);
    const replies = ((await transaction.time().exec()) ?? []).map(([, reply]) => reply);
    const [seconds, micros] = (replies.pop() as readonly (string | number)[]).map(Number);
    if ((seconds ?? 0) * 1_000 + (micros ?? 0) / 1_000 >= due) return { early, looksBeforeDue };
    early = Math.max(
      early,
      replies.reduce<number>((sum, reply) => sum + Number(reply), 0),
    );
  }
}

async function readHistories(
  client: ReturnType<typeof createClient>,
  ids: readonly string[],
  stopped: ReadonlySet<string>,
  due: number,
): Promise<Omit<TimersReport, 'early' | 'looksBeforeDue'>> {
  const found = { ghosts: 0, doubled: 0, missing: 0 };
  const late: number[] = [];
  await inBatches(ids, async (id) => {
    const fired = (await client.history(id)).filter(({ event }) => event.kind === 'timer.fired');
    if (stopped.has(id)) found.ghosts += fired.length;
    else if (fired.length === 0) found.missing += 1;
    else if (fired.length > 1) found.doubled += 1;
    if (!stopped.has(id) && fired[0] !== undefined) late.push(fired[0].at - due);
  });
  late.sort((a, b) => a - b);
  const at = (share: number): number => late[Math.min(late.length - 1, Math.floor(late.length * share))] ?? 0;
  const lateMs = { p50: at(0.5), p99: at(0.99), max: at(1) };
  return { due: ids.length - stopped.size, stopped: stopped.size, ...found, lateMs };
}
