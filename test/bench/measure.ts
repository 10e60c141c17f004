/** What the parts of the bench have in common: lanes, CPU, percentiles. */
import type { Redis } from 'ioredis';

/** A pool: never more than `inFlight` of `count` under way. */
export async function drive(
  count: number,
  inFlight: number,
  one: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await one(next++);
  };
  await Promise.all(Array.from({ length: Math.min(inFlight, count) }, lane));
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => percentile(values, 0.5);

export interface Spent {
  readonly seconds: number;
  /** CPU of this process, ms. */
  readonly nodeMs: number;
  /** CPU of Redis, ms. */
  readonly redisMs: number;
}

/** Runs `work` and says what it took. */
export async function spend(redis: Redis, work: () => Promise<unknown>): Promise<Spent> {
  const redisBefore = await redisCpuMs(redis);
  const cpuBefore = process.cpuUsage();
  const began = performance.now();
  await work();
  const seconds = (performance.now() - began) / 1_000;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { seconds, nodeMs: (user + system) / 1_000, redisMs: (await redisCpuMs(redis)) - redisBefore };
}

async function redisCpuMs(redis: Redis): Promise<number> {
  const info = await redis.info('cpu');
  const read = (name: string) => Number(new RegExp(`^${name}:(.*)$`, 'm').exec(info)?.[1] ?? Number.NaN);
  return (read('used_cpu_sys') + read('used_cpu_user')) * 1_000;
}

export async function usedMemory(redis: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1] ?? Number.NaN);
}

/** Bytes of live objects; needs `--expose-gc`. */
export function liveHeap(): number {
  for (let round = 0; round < 3; round += 1) globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}
