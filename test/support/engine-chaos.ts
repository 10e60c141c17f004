/** Instances under fire: started steadily while worker processes and Redis are killed, then held to what was promised. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import {
  type Client,
  checkStore,
  createClient,
  createEngine,
  createRedisStore,
  createRegistry,
  type FaultPoint,
} from '../../engine/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { linesOf, STEPS, tenSteps } from './engine-fault-machine.ts';
import { eventually } from './eventually.ts';
import { type RedisServer, startRedisServer } from './redis-server.ts';
import { type Spawned, spawnNode } from './spawn.ts';

/** In the type's order; a point added there and not here does not compile. */
const POINTS: Readonly<Record<FaultPoint, true>> = {
  loaded: true,
  decided: true,
  'before-commit': true,
  'after-commit': true,
  'before-enqueue': true,
  'after-enqueue': true,
  'before-activity': true,
  'after-activity': true,
  'before-ack': true,
};
export const FAULT_POINTS = Object.keys(POINTS) as readonly FaultPoint[];

const NAMESPACE = 'chaos';
const SHARDS = 2;

export interface Outcome {
  readonly started: number;
  readonly completed: number;
  readonly kills: number;
  /** Activities whose line stands in a file twice, `instance:line`. */
  readonly doubled: readonly string[];
  readonly missing: readonly string[];
  readonly brokenHistories: readonly string[];
  /** Ms: the longest standstill of each instance that was not waiting for the signal. */
  readonly standstills: readonly number[];
}

export interface Chaos {
  readonly redis: RedisServer;
  /** A worker that stays up. */
  standby(): Promise<Spawned>;
  /** Starts a worker and waits until it has killed itself at this point. */
  dieAt(point: FaultPoint, passes: number): Promise<void>;
  /** Starts a worker and kills it after this long at work. */
  killAfter(ms: number): Promise<void>;
  killRedis(): Promise<void>;
  /** Stops starting instances, waits until all are over, and looks. */
  conclude(within: number): Promise<Outcome>;
  close(): Promise<void>;
}

/** `perSecond` instances are started from now on. */
export async function openChaos(perSecond: number): Promise<Chaos> {
  const server = await startRedisServer({ aof: 'always' });
  const effects = mkdtempSync(join(tmpdir(), 'effects-'));
  const redis = createRedis(server.url, 'worker', { log: silentLogger() });
  await checkStore({
    ...{ redis, namespace: NAMESPACE, shards: SHARDS },
    ...{ stateDir: null, process: 'api', acceptStore: false },
  });
  const client = clientOn(redis);
  const children: Spawned[] = [];
  const started: string[] = [];
  let kills = 0;
  let open = true;

  const load = (async () => {
    while (open) {
      const { instance } = await client.start(tenSteps, undefined as never);
      started.push(instance.id);
      // Half of the signals come early and wait, half come when they are awaited.
      if (started.length % 2 === 0) await client.signal(tenSteps, instance.id, 'go', {}, { id: 'go' });
      await sleep(1_000 / perSecond);
    }
  })();
  let listening = true;
  const signals = (async () => {
    while (listening) {
      const { items } = await client.list({ workflow: 'ten-steps', state: 'awaiting' }, { limit: 200 });
      await Promise.all(items.map(({ id }) => client.signal(tenSteps, id, 'go', {}, { id: 'go' })));
      await sleep(50);
    }
  })();

  async function worker(env: Record<string, string> = {}): Promise<Spawned> {
    const child = await spawnNode('test/support/engine-fault-program.ts', {
      env: { REDIS_URL: server.url, NAMESPACE, EFFECTS: effects, ...env },
    });
    children.push(child);
    return child;
  }
  async function died(child: Spawned, within: number): Promise<void> {
    const how = await Promise.race([child.exited, sleep(within, 'late', { ref: false })]);
    if (how !== 'SIGKILL') throw new Error(`the worker was to be killed, but: ${how}`);
    kills += 1;
  }

  return {
    redis: server,
    standby: () => worker(),
    async dieAt(point, passes) {
      // It may be at work, and dead, before it can say that it is ready.
      const child = await spawnNode('test/support/engine-fault-program.ts', {
        env: { REDIS_URL: server.url, NAMESPACE, EFFECTS: effects, KILL_AT: `${point}:${passes}` },
        ready: null,
      });
      children.push(child);
      await died(child, 20_000);
    },
    async killAfter(ms) {
      const child = await worker();
      await sleep(ms);
      await child.kill9();
      await died(child, 1_000);
    },
    async killRedis() {
      await server.restart({ kill9: true });
      kills += 1;
    },
    async conclude(within) {
      open = false;
      await load;
      await eventually(
        async () => {
          const over = await client.count({ status: 'completed' });
          if (over < started.length)
            throw new Error(`${started.length - over} of ${started.length} are not over`);
        },
        { within, every: 100 },
      );
      listening = false;
      await signals;
      return judge(client, started, effects, kills);
    },
    async close() {
      open = false;
      listening = false;
      await Promise.allSettled([load, signals]);
      await Promise.all(children.filter((child) => child.running()).map((child) => child.kill9()));
      await closeRedis(redis);
      await server.stop();
      rmSync(effects, { recursive: true });
    },
  };
}

function clientOn(redis: Redis): Client {
  const store = createRedisStore({ redis, namespace: NAMESPACE, shards: SHARDS });
  return createClient(createEngine({ store, registry: createRegistry([tenSteps]), log: silentLogger() }));
}

async function judge(
  client: Client,
  started: readonly string[],
  effects: string,
  kills: number,
): Promise<Outcome> {
  const doubled: string[] = [];
  const missing: string[] = [];
  const brokenHistories: string[] = [];
  const standstills: number[] = [];
  let completed = 0;
  for (const id of started) {
    const view = await client.describe(id);
    if (view?.status === 'completed' && view.state === 'done') completed += 1;
    const lines = linesOf(effects, id);
    doubled.push(...lines.filter((line, at) => lines.indexOf(line) !== at).map((line) => `${id}:${line}`));
    for (let step = 1; step <= STEPS; step += 1)
      if (!lines.includes(String(step))) missing.push(`${id}:${step}`);
    if (!(await client.verifyHistory(id)).intact) brokenHistories.push(id);
    const history = await client.history(id, { limit: 1_000 });
    const gaps = history
      .slice(1)
      .map(({ at, event }, index) => (event.kind === 'signal' ? 0 : at - (history[index]?.at ?? at)));
    standstills.push(Math.max(0, ...gaps));
  }
  standstills.sort((a, b) => a - b);
  return { started: started.length, completed, kills, doubled, missing, brokenHistories, standstills };
}

/** The value below which `share` of the sorted values lie. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}
