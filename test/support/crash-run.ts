/**
 * A lane of the crash matrix: a Redis, an API process and two workers of its own, orders coming in through the API, and
 * processes killed at the points and moments a seed draws. Each killed process is started again at once.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { counted, createRedisStore, createRegistry, type Store } from '../../engine/index.ts';
import { shardKeys } from '../../engine/redis/keys.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { API_KEY, startLoad } from './crash-load.ts';
import { crashTrials, SHARDS } from './crash-machine.ts';
import { CRASH_POINT_NAMES, type CrashPointName, crashPoint, type DeathSentence } from './crash-points.ts';
import { type Judged, judgeOrders, type Order } from './crash-verdict.ts';
import { eventually } from './eventually.ts';
import { createRandom, type Random } from './random.ts';
import { type RedisServer, type RedisServerOptions, startRedisServer } from './redis-server.ts';
import { parseLine, type Spawned, spawnNode } from './spawn.ts';

export interface CrashRun {
  readonly seed: number;
  /** Kills that really happened. */
  readonly kills: Readonly<Record<string, number>>;
  /** Commands that were accepted: starts and signals. */
  readonly accepted: number;
  readonly orders: readonly Order[];
  readonly effects: number;
  /** Times that an order was taken to another version. */
  readonly migrations: number;
  /** From the last kill until nothing was open any more. */
  readonly restMs: number;
  readonly problems: readonly string[];
}

export interface CrashLane {
  readonly redis: RedisServer;
  /** Folder of the ledgers. */
  readonly ledger: string;
  readonly api: Slot;
  readonly workers: readonly Slot[];
  /** Kills once at each of the points. Orders come in until all kills have happened, and must then come to rest. */
  run(seed: number, points?: readonly CrashPointName[]): Promise<CrashRun>;
  /** Orders come in, named after `name`, until `trouble` is over, and must then come to rest. */
  under(name: string, trouble: () => Promise<unknown>): Promise<Omit<CrashRun, 'seed' | 'kills'>>;
  judge(orders: readonly Order[]): Promise<Judged>;
  /** What is still open or owed after that long. */
  unrest(withinMs?: number): Promise<readonly string[]>;
  close(): Promise<void>;
}

export const CRASH_PROGRAMS = {
  worker: 'test/support/crash-worker-program.ts',
  api: 'test/support/crash-api-program.ts',
} as const;

const NAMESPACE = 'crash';
const REST_WITHIN_MS = 60_000;
/** A point that is not reached by then is no point. A machine with other work takes its time. */
const REACHED_WITHIN_MS = 60_000;
const BOOTED_WITHIN_MS = 60_000;

interface LaneOptions {
  readonly listen?: RedisServerOptions['listen'];
  readonly redisEnv?: Readonly<Record<string, string>>;
  /** Where the processes find Redis; default where it is. */
  readonly line?: (server: RedisServer) => Promise<string>;
}

/** `programs` is a folder of bundles of CRASH_PROGRAMS; `plants` goes into their environment. */
export async function openLane(
  programs: string,
  plants: Readonly<Record<string, string>> = {},
  { listen = 'socket', redisEnv = {}, line = async (server) => server.url }: LaneOptions = {},
): Promise<CrashLane> {
  const server = await startRedisServer({ aof: 'always', listen, env: redisEnv });
  const ledger = mkdtempSync(join(tmpdir(), 'ledger-'));
  const redis = createRedis(server.url, 'worker', { log: silentLogger() });
  const store = patient(createRedisStore({ redis, namespace: NAMESPACE, shards: SHARDS }));
  const registry = createRegistry(crashTrials);
  const env = { REDIS_URL: await line(server), NAMESPACE, LEDGER: ledger, API_KEY, ...plants };
  const open = (kind: 'api' | 'worker') => openSlot(join(programs, `${kind}.mjs`), env);
  const [api, ...workers] = await Promise.all([open('api'), open('worker'), open('worker')]);
  const slots = [api, ...workers];
  let total = 0;

  async function killAll(seed: number, points: readonly CrashPointName[]): Promise<CrashPointName[]> {
    const random = createRandom(seed);
    const plan = random.shuffle(points).map((point) => sentenceFor(point, seed, random));
    const killed: CrashPointName[] = [];
    const killIn = async (slot: Slot, process: 'api' | 'worker') => {
      for (;;) {
        const at = plan.findIndex(({ point }) => crashPoint(point).process === process);
        const [sentence] = at < 0 ? [] : plan.splice(at, 1);
        if (sentence === undefined) return;
        await slot.kill(sentence);
        killed.push(sentence.point);
      }
    };
    await Promise.all([killIn(api, 'api'), ...workers.map((slot) => killIn(slot, 'worker'))]);
    return killed;
  }

  const judge = (orders: readonly Order[]) => judgeOrders(store, registry, ledger, orders);
  const unrest = (withinMs = REST_WITHIN_MS) => findUnrest(store, server, withinMs);

  async function under(name: string, trouble: () => Promise<unknown>) {
    const load = startLoad(() => api.url(), store, name);
    await trouble().catch(async (error: unknown) => {
      await load.abandon();
      throw error;
    });
    const since = performance.now();
    const orders = await load.finish(REST_WITHIN_MS);
    total += orders.length;
    const problems = [...(await unrest()), ...slots.flatMap((slot) => slot.mended())];
    const restMs = performance.now() - since;
    const judged = await judge(orders);
    const { told, doubtful, refusal } = load.migrated();
    if (refusal !== undefined) problems.push(`a migration was refused: ${refusal}`);
    if (judged.migrations < told || judged.migrations > told + doubtful)
      problems.push(
        `${judged.migrations} migrations are in histories, ${told} to ${told + doubtful} were told of`,
      );
    const there = await counted(store, {});
    if (there !== total) problems.push(`${total} orders were placed, ${there} instances exist`);
    return {
      accepted: orders.reduce((sum, { accepted }) => sum + accepted.size, 0),
      orders,
      effects: judged.effects,
      migrations: judged.migrations,
      restMs,
      problems: [...problems, ...judged.problems],
    };
  }

  return {
    redis: server,
    ledger,
    api,
    workers,
    judge,
    unrest,
    under,
    async run(seed, points = CRASH_POINT_NAMES) {
      let killed: readonly CrashPointName[] = [];
      const run = await under(`s${seed}`, async () => {
        killed = await killAll(seed, points);
      });
      const problems = run.problems.map((problem) => `seed ${seed}: ${problem}`);
      return { ...run, seed, kills: tally(killed), problems };
    },
    async close() {
      await Promise.all(slots.map((slot) => slot.close()));
      await closeRedis(redis);
      await server.stop();
      rmSync(ledger, { recursive: true });
    },
  };
}

/** Our own eyes look again where the store refuses to answer: that is the trouble, not its outcome. */
function patient(store: Store): Store {
  const insist = <T>(look: () => Promise<T>): Promise<T> => eventually(look, { within: 60_000, every: 50 });
  return {
    ...store,
    list: (query) => insist(() => store.list(query)),
    count: (index) => insist(() => store.count(index)),
  };
}

function sentenceFor(point: CrashPointName, seed: number, random: Random): DeathSentence {
  const { at, passes = 8 } = crashPoint(point);
  return { point, at: at[seed % at.length] ?? at[0], passes: random.below(passes) };
}

export function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** A process of a lane, and those that take its place. */
export interface Slot {
  url(): string;
  current(): Spawned;
  /** Starts another, once the one before it is gone. */
  replace(): Promise<void>;
  /** Resolves when the process has died there and the next one is ready. */
  kill(sentence: DeathSentence): Promise<void>;
  /** What the auditors had to mend since the last look: nothing, where every commit is whole. */
  mended(): readonly string[];
  close(): Promise<void>;
}

async function openSlot(program: string, env: Readonly<Record<string, string>>): Promise<Slot> {
  const start = () => spawnNode(program, { env, ipc: true, within: BOOTED_WITHIN_MS });
  const all: Spawned[] = [];
  let read = 0;
  let current = await start();
  all.push(current);
  async function replace(): Promise<void> {
    await current.exited;
    current = await start();
    all.push(current);
  }
  return {
    current: () => current,
    replace,
    url() {
      const ready = current.lines.map(parseLine).find((line) => line?.['msg'] === 'ready');
      return `http://127.0.0.1:${String(ready?.['port'])}`;
    },
    async kill(sentence) {
      if (sentence.at === 'outside') {
        await sleep(20 + sentence.passes * 40);
        await current.kill9();
      } else {
        await dieAt(current, sentence);
      }
      await replace();
    },
    mended() {
      const lines = all.flatMap(({ lines }) => lines).filter((line) => line.includes('store damage mended'));
      const fresh = lines.slice(read);
      read = lines.length;
      return fresh;
    },
    close: () => current.kill9(),
  };
}

async function dieAt(victim: Spawned, sentence: DeathSentence): Promise<void> {
  victim.send(sentence);
  const how = await Promise.race([victim.exited, sleep(REACHED_WITHIN_MS, 'alive', { ref: false })]);
  const said = () => victim.lines.map(parseLine).some((line) => line?.['point'] === sentence.point);
  if (how === 'SIGKILL') await eventually(said, { within: 2_000, what: 'its last words' });
  else throw new Error(`'${sentence.point}' was to kill, but: ${how}\n${victim.lines.slice(-5).join('\n')}`);
}

/** Waits until nothing is open and nothing is owed, and says what still is when time is up. */
async function findUnrest(store: Store, server: RedisServer, withinMs: number): Promise<string[]> {
  const look = async (): Promise<void> => {
    const running = await counted(store, { status: 'running', children: true });
    if (running > 0) throw new Error(`${running} instances are still open`);
    for (let shard = 0; shard < SHARDS; shard += 1) {
      const { outbox, timers, bodies, claims } = shardKeys(NAMESPACE, shard);
      for (const key of [outbox, timers, bodies, claims]) {
        if ((await server.command('EXISTS', key)) !== 0) throw new Error(`${key} is not empty`);
      }
    }
  };
  try {
    await eventually(look, { within: withinMs, every: 50 });
    return [];
  } catch (error) {
    return [`not at rest after ${withinMs / 1_000} s: ${String(error)}`];
  }
}
