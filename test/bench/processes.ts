/**
 * Several worker processes: a driver of its own starts the workflows, so that the workers share nothing with it but
 * Redis. And what happens to their work when one of them is killed.
 */
import { Queue } from 'bullmq';
import { createClient, createEngine, createRedisStore, createRegistry } from '../../engine/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { eventually } from '../support/eventually.ts';
import { type Spawned, spawnNode } from '../support/spawn.ts';
import { benchWorkflow, endlessWorkflow } from './machine.ts';
import { drive, percentile } from './measure.ts';
import { SHARDS, unique } from './sides.ts';

export interface ProcessesOptions {
  readonly redisUrl: string;
  readonly side: 'ours' | 'raw';
  readonly workers: number;
  readonly workflows: number;
  readonly activities: number;
  readonly contextBytes: number;
}

const IN_FLIGHT = 100;

function spawnWorker(options: object): Promise<Spawned> {
  return spawnNode('test/bench/worker-process.ts', { args: [JSON.stringify(options)] });
}

/** Lists a worker process writes to. */
export const listsOf = (namespace: string) => ({
  finished: `{${namespace}:bench}:finished`,
  lines: `{${namespace}:bench}:lines`,
});

export async function processes(options: ProcessesOptions) {
  const { workflows } = options;
  const open = await openProcesses(options);
  await open.run(Math.ceil(workflows / 4), 'w');
  const began = performance.now();
  await open.run(workflows, 'm');
  const seconds = (performance.now() - began) / 1_000;
  await open.close();
  return { perSecond: workflows / seconds };
}

/** The workers, begun, and a driver in this process. */
export async function openProcesses(options: Omit<ProcessesOptions, 'workflows'>) {
  const { redisUrl, activities, contextBytes, workers: count, side } = options;
  const namespace = unique('many');
  const redis = createRedis(redisUrl, 'worker', { log: silentLogger() });
  const ended = redis.duplicate();
  const job = { redisUrl, namespace, side, activities, contextBytes };
  const workers = await Promise.all(Array.from({ length: count }, () => spawnWorker(job)));
  const start = side === 'ours' ? await ourStart() : rawStart();
  const { finished } = listsOf(namespace);

  async function ourStart() {
    const workflow = benchWorkflow({ activities, contextBytes });
    const store = createRedisStore({ redis, namespace, shards: SHARDS });
    await store.load('nobody');
    const client = createClient(
      createEngine({ store, registry: createRegistry([workflow]), log: silentLogger() }),
    );
    return async (id: string) => void (await client.start(workflow, { id }, { id }));
  }
  function rawStart() {
    const queue = new Queue('raw', {
      connection: redis,
      prefix: `{${namespace}}`,
      defaultJobOptions: { removeOnComplete: true },
    });
    const ballast = 'x'.repeat(contextBytes);
    return async (id: string) => void (await queue.add('step', { id, step: 0, ballast }));
  }
  /** Starts so many, keeping `IN_FLIGHT` open, and waits for the last. */
  async function run(amount: number, prefix: string): Promise<void> {
    let begun = 0;
    const next = async (): Promise<void> => {
      if (begun < amount) await start(`${prefix}${begun++}`);
    };
    await drive(IN_FLIGHT, IN_FLIGHT, next);
    // All that ended meanwhile in one answer, so that the driver costs as little as can be beside what is measured.
    for (let over = 0; over < amount; ) {
      await ended.blpop(finished, 60);
      const more = (await ended.lpop(finished, IN_FLIGHT)) ?? [];
      for (let count = more.length; count >= 0; count -= 1) void next();
      over += more.length + 1;
    }
  }
  return {
    run,
    pids: workers.map(({ pid }) => pid),
    async close() {
      await Promise.all(workers.map((worker) => worker.stop()));
      await Promise.all([closeRedis(ended), closeRedis(redis)]);
    },
  };
}

/** Kills one of two workers with all its activities under way; how long until the other has begun each again. */
export async function resume({ redisUrl, instances }: { redisUrl: string; instances: number }) {
  const namespace = unique('kill');
  const redis = createRedis(redisUrl, 'worker', { log: silentLogger() });
  const { lines } = listsOf(namespace);
  const doomed = await spawnWorker({ redisUrl, namespace, side: 'endless' });
  const workflow = endlessWorkflow(() => {});
  const store = createRedisStore({ redis, namespace, shards: SHARDS });
  await store.load('nobody');
  const client = createClient(
    createEngine({ store, registry: createRegistry([workflow]), log: silentLogger() }),
  );
  await drive(instances, 50, (index) => client.start(workflow, { id: `k${index}` }, { id: `k${index}` }));
  await eventually(async () => (await redis.llen(lines)) >= instances, { within: 30_000 });
  const heir = await spawnWorker({ redisUrl, namespace, side: 'endless' });
  await doomed.kill9();
  const killed = Date.now();
  await eventually(async () => (await redis.llen(lines)) >= 2 * instances, { within: 60_000 });
  const begun = (await redis.lrange(lines, instances, -1)).map((line) => Number(line.split(' ')[1]) - killed);
  await heir.kill9();
  await closeRedis(redis);
  return { p50Ms: percentile(begun, 0.5), p99Ms: percentile(begun, 0.99), instances };
}
