/** Instances that wait: what each costs Redis and its worker, and whether many of them slow a signal down. */
import { Queue, Worker } from 'bullmq';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { benchWorkflow } from './machine.ts';
import { drive, liveHeap, median, usedMemory } from './measure.ts';
import { openHouse, unique } from './sides.ts';

export interface ParkedOptions {
  readonly redisUrl: string;
  readonly parked: number;
  readonly contextBytes: number;
  readonly samples: number;
}

/** A start and seven activities: eight history entries. */
const BEFORE = 7;

export async function parked({ redisUrl, parked, contextBytes, samples }: ParkedOptions) {
  const waiting = new Map<string, () => void>();
  const begun = new Map<string, () => void>();
  const workflow = benchWorkflow({
    ...{ activities: BEFORE + 1, before: BEFORE, contextBytes, timer: true },
    onLine: (id, step) => step === BEFORE && begun.get(id)?.(),
  });
  const house = await openHouse(redisUrl, [workflow], {
    onCommitted: ({ id, machine }) => machine.value === 'waiting' && waiting.get(id)?.(),
  });
  const park = async (id: string): Promise<void> => {
    const parks = new Promise<void>((resolve) => waiting.set(id, resolve));
    await house.client.start(workflow, { id }, { id });
    await parks;
    waiting.delete(id);
  };
  /** From the call of `signal` to the first line of the activity it leads to. */
  const hop = async (index: number): Promise<number> => {
    const id = `h${index}`;
    await park(id);
    const line = new Promise<void>((resolve) => begun.set(id, resolve));
    const began = performance.now();
    await Promise.all([house.client.signalById(id, 'go', {}), line]);
    begun.delete(id);
    return performance.now() - began;
  };
  await drive(300, 50, (index) => park(`w${index}`));
  const [memory, heap] = [await usedMemory(house.redis), liveHeap()];
  await drive(parked, 100, (index) => park(`p${index}`));
  const bytes = ((await usedMemory(house.redis)) - memory) / parked;
  const heapBytes = (liveHeap() - heap) / parked;
  const times: number[] = [];
  await drive(samples, 1, async (index) => times.push(await hop(index)));
  await house.close();
  return { bytes, heapBytes, hopMs: median(times.slice(samples / 4)) };
}

/** Raw BullMQ's hop: from `add` to the processor's first line, on an idle worker. */
export async function rawHop({ redisUrl, contextBytes, samples }: Omit<ParkedOptions, 'parked'>) {
  const redis = createRedis(redisUrl, 'worker', { log: silentLogger() });
  const prefix = `{${unique('hop')}}`;
  const queue = new Queue('hop', {
    connection: redis,
    prefix,
    defaultJobOptions: { removeOnComplete: true },
  });
  let begun: () => void = () => {};
  const worker = new Worker('hop', async () => begun(), { connection: redis, prefix, concurrency: 50 });
  await worker.waitUntilReady();
  const times: number[] = [];
  await drive(samples, 1, async () => {
    const line = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const began = performance.now();
    await Promise.all([queue.add('hop', { ballast: 'x'.repeat(contextBytes) }), line]);
    times.push(performance.now() - began);
  });
  await worker.close();
  await queue.close();
  await closeRedis(redis);
  return { hopMs: median(times.slice(samples / 4)) };
}
