/** One process, one run: ours and raw BullMQ on the same Redis, the same number of workflows. Prints one JSON line. */
import { randomBytes } from 'node:crypto';
import { Queue, Worker } from 'bullmq';
import { checkStore, createRedisStore } from '../../engine/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { startWorker } from '../../workers/worker.ts';
import { benchWorkflow } from './machine.ts';

const log = silentLogger();

export interface Measured {
  readonly workflows: number;
  readonly seconds: number;
  /** CPU of this process per workflow, ms. */
  readonly cpuMs: number;
  /** Start to completion with one at a time, ms, median. */
  readonly p50Ms: number;
}

export interface RunOptions {
  readonly redisUrl: string;
  readonly workflows: number;
  readonly activities: number;
  readonly contextBytes: number;
  readonly inFlight: number;
}

/** A pool of starts: never more than `inFlight` workflows open. `one` resolves when its workflow is complete. */
async function drive(count: number, inFlight: number, one: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await one(next++);
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, lane));
}

async function measure(options: RunOptions, one: (index: number) => Promise<void>): Promise<Measured> {
  await drive(50, options.inFlight, (index) => one(-index - 1));
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  await drive(options.workflows, options.inFlight, one);
  const seconds = (performance.now() - began) / 1_000;
  const cpu = process.cpuUsage(cpuBefore);
  const times: number[] = [];
  await drive(60, 1, async (index) => {
    const at = performance.now();
    await one(options.workflows + index);
    times.push(performance.now() - at);
  });
  const p50Ms = times.sort((a, b) => a - b)[30] ?? 0;
  return {
    workflows: options.workflows,
    seconds,
    cpuMs: (cpu.user + cpu.system) / 1_000 / options.workflows,
    p50Ms,
  };
}

export async function runOurs(options: RunOptions): Promise<Measured> {
  const namespace = `bench-${randomBytes(4).toString('hex')}`;
  const redis = createRedis(options.redisUrl, 'worker', { log });
  const { epoch } = await checkStore({
    redis,
    namespace,
    shards: 4,
    stateDir: null,
    process: 'bench',
    acceptStore: false,
  });
  const store = createRedisStore({ redis, namespace, shards: 4 });
  const finished = new Map<string, () => void>();
  const workflow = benchWorkflow({
    ...options,
    onHalfWay: (id) => void worker.client.signalById(id, 'go', {}, { id: 'go' }),
  });
  const worker = await startWorker({
    redis,
    store,
    namespace,
    workflows: [workflow],
    log,
    epoch,
    concurrency: 50,
    onCommitted: ({ id, status }) => {
      if (status === 'completed') finished.get(id)?.();
    },
  });
  const measured = await measure(options, async (index) => {
    const id = `b${index + 100}`;
    const complete = new Promise<void>((resolve) => finished.set(id, resolve));
    await worker.client.start(workflow, { id }, { id });
    await complete;
    finished.delete(id);
  });
  await worker.stop(1_000);
  await closeRedis(redis);
  return measured;
}

/** Each workflow is a row of jobs, each added by the one before it: one more than activities, for the signal. */
export async function runRaw(options: RunOptions): Promise<Measured> {
  const prefix = `{raw-${randomBytes(4).toString('hex')}}`;
  const redis = createRedis(options.redisUrl, 'worker', { log });
  const finished = new Map<string, () => void>();
  const ballast = 'x'.repeat(options.contextBytes);
  const queue = new Queue<{ id: string; step: number; ballast: string }>('raw', {
    connection: redis,
    prefix,
    defaultJobOptions: { removeOnComplete: true },
  });
  const worker = new Worker<{ id: string; step: number; ballast: string }>(
    'raw',
    async ({ data }) => {
      if (data.step < options.activities) await queue.add('step', { ...data, step: data.step + 1 });
      else finished.get(data.id)?.();
    },
    { connection: redis, prefix, concurrency: 50 },
  );
  const measured = await measure(options, async (index) => {
    const id = `r${index}`;
    const complete = new Promise<void>((resolve) => finished.set(id, resolve));
    await queue.add('step', { id, step: 0, ballast });
    await complete;
    finished.delete(id);
  });
  await worker.close();
  await queue.close();
  await closeRedis(redis);
  return measured;
}

const [kind = 'ours', json = '{}'] = process.argv.slice(2);
const options = JSON.parse(json) as RunOptions;
const measured = await (kind === 'raw' ? runRaw(options) : runOurs(options));
process.stdout.write(`${JSON.stringify(measured)}\n`);
process.exit(0);
