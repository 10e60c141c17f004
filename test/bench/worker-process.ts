/** A worker in a process of its own, until it is told to stop. */
import { Queue, Worker } from 'bullmq';
import { silentLogger } from '../../shared/logger.ts';
import { createRedis } from '../../shared/redis.ts';
import { benchWorkflow, endlessWorkflow } from './machine.ts';
import { listsOf } from './processes.ts';
import { openHouse } from './sides.ts';

interface WorkerProcessOptions {
  readonly redisUrl: string;
  readonly namespace: string;
  readonly side: 'ours' | 'raw' | 'endless';
  readonly activities: number;
  readonly contextBytes: number;
}

const options = JSON.parse(process.argv[2] ?? '{}') as WorkerProcessOptions;
const { redisUrl, namespace, side, activities, contextBytes } = options;
const redis = createRedis(redisUrl, 'worker', { log: silentLogger() });
const { finished, lines } = listsOf(namespace);

async function ours(): Promise<() => Promise<void>> {
  const house = await openHouse(redisUrl, [benchWorkflow({ activities, contextBytes })], {
    namespace,
    onCommitted({ id, status, machine }) {
      if (machine.value === 'waiting') void house.client.signalById(id, 'go', {}, { id: 'go' });
      if (status === 'completed') void redis.rpush(finished, id);
    },
  });
  return house.close;
}

async function endless(): Promise<() => Promise<void>> {
  const onLine = (id: string): void => void redis.rpush(lines, `${id} ${Date.now()}`);
  const house = await openHouse(redisUrl, [endlessWorkflow(onLine)], { namespace, concurrency: 1_000 });
  return house.close;
}

async function raw(): Promise<() => Promise<void>> {
  const prefix = `{${namespace}}`;
  const queue = new Queue('raw', {
    connection: redis,
    prefix,
    defaultJobOptions: { removeOnComplete: true },
  });
  const worker = new Worker<{ id: string; step: number }>(
    'raw',
    async ({ data }) => {
      if (data.step < activities) await queue.add('step', { ...data, step: data.step + 1 });
      else await redis.rpush(finished, data.id);
    },
    { connection: redis, prefix, concurrency: 50 },
  );
  await worker.waitUntilReady();
  return async () => {
    await worker.close();
    await queue.close();
  };
}

const close = await { ours, endless, raw }[side]();
process.stdout.write('{"msg":"ready"}\n');
process.once('SIGTERM', () => void close().then(() => process.exit(0)));
