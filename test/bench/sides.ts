/** What is measured beside each other: ours, raw BullMQ (a job an activity) and a hand-rolled step job on BullMQ. */
import { randomBytes } from 'node:crypto';
import { type Job, Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { AnyWorkflow, Client, Store } from '../../engine/index.ts';
import {
  checkStore,
  createClient,
  createEngine,
  createRedisStore,
  createRegistry,
} from '../../engine/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { type RunningWorker, startWorker, type WorkerOptions } from '../../workers/worker.ts';
import { type BenchOptions, benchWorkflow } from './machine.ts';

export const SHARDS = 4;
const CONCURRENCY = 50;

/** One way to run the bench's workflow in this process. */
export interface Side {
  readonly redis: Redis;
  /** Runs workflow `index` from start to completion, its signal included. */
  one(index: number): Promise<void>;
  close(): Promise<void>;
}

/** `apart`: ours, with a client that knows no worker, as the API's process has it. */
export type SideName = 'ours' | 'apart' | 'raw' | 'step';

export interface House {
  readonly redis: Redis;
  readonly store: Store;
  readonly worker: RunningWorker;
  readonly client: Client;
  close(): Promise<void>;
}

export const unique = (prefix: string): string => `${prefix}-${randomBytes(4).toString('hex')}`;

/** A worker of its own connection in this process. */
export async function openHouse(
  redisUrl: string,
  workflows: readonly AnyWorkflow[],
  more: Partial<WorkerOptions> = {},
): Promise<House> {
  const { namespace = unique('bench') } = more;
  const log = silentLogger();
  const redis = createRedis(redisUrl, 'worker', { log });
  const boot = { redis, namespace, shards: SHARDS };
  const { epoch } = await checkStore({ ...boot, stateDir: null, process: 'bench', acceptStore: false });
  const store = createRedisStore(boot);
  const concurrency = CONCURRENCY;
  const worker = await startWorker({ redis, store, workflows, log, epoch, concurrency, ...more, namespace });
  return {
    redis,
    store,
    worker,
    client: worker.client,
    async close() {
      await worker.stop(1_000);
      await closeRedis(redis);
    },
  };
}

export function openSide(name: SideName, redisUrl: string, options: BenchOptions): Promise<Side> {
  return name === 'ours' || name === 'apart'
    ? openOurs(redisUrl, options, name === 'apart')
    : Promise.resolve(openJobs(redisUrl, options, name === 'raw' ? chained : stepped));
}

/** The signal comes when the instance has come to wait for it. */
async function openOurs(redisUrl: string, options: BenchOptions, apart: boolean): Promise<Side> {
  const workflow = benchWorkflow(options);
  const finished = new Map<string, () => void>();
  const namespace = unique('bench');
  const house = await openHouse(redisUrl, [workflow], {
    namespace,
    onCommitted({ id, status, machine }) {
      if (machine.value === 'waiting') void client.signalById(id, 'go', {}, { id: 'go' });
      if (status === 'completed') finished.get(id)?.();
    },
  });
  const door = apart ? await clientApart(redisUrl, namespace, workflow) : undefined;
  const client = door?.client ?? house.client;
  return {
    redis: house.redis,
    async close() {
      await house.close();
      await door?.close();
    },
    async one(index) {
      const id = `b${index}`;
      const complete = new Promise<void>((resolve) => finished.set(id, resolve));
      await client.start(workflow, { id }, { id });
      await complete;
      finished.delete(id);
    },
  };
}

/** Shares nothing with the worker but Redis. */
async function clientApart(redisUrl: string, namespace: string, workflow: AnyWorkflow) {
  const log = silentLogger();
  const redis = createRedis(redisUrl, 'worker', { log });
  const store = createRedisStore({ redis, namespace, shards: SHARDS });
  await store.load('nobody');
  const client = createClient(createEngine({ store, registry: createRegistry([workflow]), log }));
  return { client, close: () => closeRedis(redis) };
}

interface StepData {
  readonly id: string;
  readonly step: number;
  readonly ballast: string;
}

type Process = (job: Job<StepData>, queue: Queue<StepData>, activities: number) => Promise<boolean>;

/** Each activity a job, added by the one before it; one more for the signal. True at the end. */
const chained: Process = async ({ data }, queue, activities) => {
  if (data.step >= activities) return true;
  await queue.add('step', { ...data, step: data.step + 1 });
  return false;
};

/** What BullMQ's guide shows: one job, the step kept in its data; a second job goes on after the signal. */
const stepped: Process = async (job, queue, activities) => {
  const half = Math.floor(activities / 2);
  const end = job.data.step < half ? half : activities;
  for (let step = job.data.step; step < end; step += 1) await job.updateData({ ...job.data, step: step + 1 });
  if (end === activities) return true;
  await queue.add('step', { ...job.data });
  return false;
};

function openJobs(redisUrl: string, { activities, contextBytes }: BenchOptions, process: Process): Side {
  const prefix = `{${unique('raw')}}`;
  const redis = createRedis(redisUrl, 'worker', { log: silentLogger() });
  const finished = new Map<string, () => void>();
  const ballast = 'x'.repeat(contextBytes);
  const queue = new Queue<StepData>('raw', {
    connection: redis,
    prefix,
    defaultJobOptions: { removeOnComplete: true },
  });
  const worker = new Worker<StepData>(
    'raw',
    async (job) => {
      if (await process(job, queue, activities)) finished.get(job.data.id)?.();
    },
    { connection: redis, prefix, concurrency: CONCURRENCY },
  );
  return {
    redis,
    async one(index) {
      const id = `r${index}`;
      const complete = new Promise<void>((resolve) => finished.set(id, resolve));
      await queue.add('step', { id, step: 0, ballast });
      await complete;
      finished.delete(id);
    },
    async close() {
      await worker.close();
      await queue.close();
      await closeRedis(redis);
    },
  };
}
