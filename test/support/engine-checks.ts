/**
 * Small checks of single promises, each a function from a Redis to the problems it found. They are run in bundles of
 * their own, so that faults can be planted in what they check.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { assign, setup } from 'xstate';
import { z } from 'zod';
import {
  type Client,
  checkStore,
  createClient,
  createEngine,
  createRedisStore,
  createRegistry,
  defineWorkflow,
  type Store,
} from '../../engine/index.ts';
import { metaKeys } from '../../engine/redis/keys.ts';
import { isAppError, messageOf } from '../../shared/errors.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { startWorker } from '../../workers/worker.ts';
import { clockedByWorker } from './plants.ts';
import { findDivergence } from './replay.ts';
import { startTcpProxy } from './tcp-proxy.ts';

export interface Checked {
  readonly problems: readonly string[];
  /** Faults that really happened. */
  readonly injected: number;
  /** Things that were tried under them. */
  readonly done: number;
}

export interface CheckOptions {
  readonly redisUrl: string;
  /** Has workers judge what is due by their own clock. */
  readonly workerClock: boolean;
}

const NAMESPACE = 'checks';
const SHARDS = 1;
const log = silentLogger();

const counter = defineWorkflow({
  name: 'counter',
  machine: setup({
    types: { context: {} as { count: number }, events: {} as { type: 'add' } },
    actions: { add: assign({ count: ({ context }) => context.count + 1 }) },
  }).createMachine({ id: 'counter', context: { count: 0 }, on: { add: { actions: 'add' } } }),
  signals: { add: { payload: z.object({}) } },
});

const HOUR_MS = 3_600_000;
const MOMENT_MS = 300;

const waits = defineWorkflow({
  name: 'waits',
  input: z.object({ ms: z.number() }),
  machine: setup({
    types: { input: {} as { ms: number }, context: {} as { ms: number } },
    delays: { wanted: ({ context }) => context.ms },
  }).createMachine({
    id: 'waits',
    context: ({ input }) => ({ ms: input.ms }),
    initial: 'waiting',
    states: { waiting: { after: { wanted: 'over' } }, over: { type: 'final' } },
  }),
});

const registry = createRegistry([counter, waits]);

interface Door {
  readonly redis: Redis;
  readonly store: Store;
  readonly client: Client;
}

async function openDoor(url: string): Promise<Door> {
  const redis = createRedis(url, 'worker', { log });
  await checkStore({
    ...{ redis, namespace: NAMESPACE, shards: SHARDS },
    ...{ stateDir: null, process: 'api', acceptStore: false },
  });
  const store = createRedisStore({ redis, namespace: NAMESPACE, shards: SHARDS });
  return { redis, store, client: createClient(createEngine({ store, registry, log })) };
}

const ROUNDS = 25;

/** The line is cut each time a commit has reached Redis: it is told as done all the same, and done once. */
async function lostReplies({ redisUrl }: CheckOptions): Promise<Checked> {
  const proxy = await startTcpProxy({ path: new URL(redisUrl).pathname });
  const { redis, store, client } = await openDoor(`redis://127.0.0.1:${proxy.port}`);
  const problems: string[] = [];
  // Only a commit names the channel that wakes workers.
  const cutReply = () => proxy.cutAfterForward((chunk) => chunk.includes(`${NAMESPACE}:wake`));
  for (let round = 0; round < ROUNDS; round += 1) {
    const id = `cut-${round}`;
    try {
      cutReply();
      await client.start(counter, undefined as never, { id });
      cutReply();
      const { status } = await client.signal(counter, id, 'add', {}, { id: 'add' });
      if (status !== 'applied') problems.push(`${id}: the signal was applied and called ${status}`);
    } catch (error) {
      problems.push(`${id}: done and refused, ${messageOf(error)}`);
    }
    const entries = (await store.history(id, 0, 10)).length;
    if (entries !== 2) problems.push(`${id}: two commands left ${entries} entries`);
  }
  const injected = proxy.cuts();
  await closeRedis(redis);
  await proxy.close();
  return { problems, injected, done: ROUNDS * 2 };
}

/** Signals to one instance from several processes at once: every one that is called applied shows in the state. */
async function racingSignals({ redisUrl }: CheckOptions): Promise<Checked> {
  const doors = await Promise.all([0, 1, 2, 3].map(() => openDoor(redisUrl)));
  const [first] = doors as [Door, ...Door[]];
  const problems: string[] = [];
  let applied = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const id = `race-${round}`;
    await first.client.start(counter, undefined as never, { id });
    const results = await Promise.all(
      doors.flatMap(({ client }, door) =>
        [0, 1].map((turn) => client.signal(counter, id, 'add', {}, { id: `${door}-${turn}` })),
      ),
    );
    const told = results.filter(({ status }) => status === 'applied').length;
    applied += told;
    const count = await first.client.query(counter, id, (context) => context.count);
    if (count !== told) problems.push(`${id}: ${told} signals were called applied, ${count} count`);
    const divergence = await findDivergence(first.store, registry, id);
    if (divergence !== null) problems.push(`${id}: ${divergence}`);
  }
  await Promise.all(doors.map(({ redis }) => closeRedis(redis)));
  return { problems, injected: ROUNDS * doors.length, done: applied };
}

/** Beside a worker whose clock is a day ahead: a timer of an hour does not fire, one of a moment not before its moment. */
async function earlyTimers({ redisUrl, workerClock }: CheckOptions): Promise<Checked> {
  const { redis, store, client } = await openDoor(redisUrl);
  const starts = { namespace: NAMESPACE, workflows: [waits], log };
  const trueNow = Date.now;
  Date.now = () => trueNow() + 24 * HOUR_MS;
  const own = workerClock ? clockedByWorker(store, redis, NAMESPACE) : store;
  const worker = await startWorker({ ...starts, redis, store: own });
  const ids = { long: [] as string[], short: [] as string[] };
  for (let round = 0; round < ROUNDS; round += 1) {
    ids.long.push((await client.start(waits, { ms: HOUR_MS })).instance.id);
    ids.short.push((await client.start(waits, { ms: MOMENT_MS })).instance.id);
  }
  const problems: string[] = [];
  let fired = 0;
  for (const deadline = performance.now() + 20_000; fired < ROUNDS && performance.now() < deadline; ) {
    await sleep(50);
    const over = await Promise.all(ids.short.map((id) => client.describe(id)));
    fired = over.filter((view) => view?.status === 'completed').length;
  }
  if (fired < ROUNDS) problems.push(`${ROUNDS - fired} timers are missing`);
  const views = await Promise.all(ids.long.map((id) => client.describe(id)));
  // Not by its own history, which a wrong clock would have dated.
  for (const view of views)
    if (view?.status !== 'running') problems.push(`${view?.id}: its timer fired an hour early`);
  for (const id of ids.short) {
    const [set, over] = await client.history(id);
    const due =
      set?.effects?.find((effect) => effect.type === 'timer-set')?.fireAt ?? Number.POSITIVE_INFINITY;
    if (over !== undefined && over.at < due)
      problems.push(`${id}: its timer fired ${due - over.at} ms early`);
  }
  Date.now = trueNow;
  await worker.stop(0);
  await closeRedis(redis);
  return { problems, injected: ROUNDS * 2, done: fired };
}

const REWINDS = 5;

/** A store put back to an older copy, or emptied, under a machine that has seen it newer: refused at boot. */
async function rewoundStores({ redisUrl }: CheckOptions): Promise<Checked> {
  const redis = createRedis(redisUrl, 'worker', { log });
  const stateDir = mkdtempSync(join(tmpdir(), 'seen-'));
  const boot = (acceptStore: boolean) =>
    checkStore({ redis, namespace: NAMESPACE, shards: SHARDS, stateDir, process: 'worker', acceptStore });
  const { epoch } = metaKeys(NAMESPACE);
  const problems: string[] = [];
  let [injected, done] = [0, 0];

  async function rewind(what: string, act: () => Promise<unknown>): Promise<void> {
    await act();
    injected += 1;
    const code = await boot(false).then(() => 'accepted', codeOf);
    if (code !== 'store-rewound') problems.push(`${what} store: ${code}`);
    await boot(true);
    done += 1;
  }
  await boot(false);
  for (let round = 0; round < REWINDS; round += 1) {
    const older = await redis.dumpBuffer(epoch);
    // Another each time: one that is at work notices by itself.
    const store = createRedisStore({ redis, namespace: NAMESPACE, shards: SHARDS });
    for (let beat = 0; beat < 3; beat += 1) await store.renewLease('w', 60_000);
    await boot(false);
    await rewind('an older', () => redis.restore(epoch, 0, older as Buffer, 'REPLACE'));
    await rewind('an empty', () => redis.flushall());
  }
  await closeRedis(redis);
  rmSync(stateDir, { recursive: true });
  return { problems, injected, done };
}

const codeOf = (error: unknown): string => (isAppError(error) ? error.code : messageOf(error));

export const CHECKS = { lostReplies, racingSignals, earlyTimers, rewoundStores } as const;
