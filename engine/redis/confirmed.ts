/** Scripts whose writes count only once replicas have them. */
import { Cluster, type Redis } from 'ioredis';
import { AppError } from '../../shared/errors.ts';
import type { RedisConnection } from '../../shared/redis.ts';
import type { RunScript } from './scripts.ts';

/** Ms for the replicas to say that they have it; longer than a hiccup, shorter than a service's patience. */
const WAIT_MS = 1_000;

/**
 * A commit that too few replicas have is not confirmed: it stands on the primary, and a failover may take it away. Replicas
 * answer for what came over one connection, so one that was changed meanwhile proves nothing; on a cluster, neither does
 * one to a node that the slot has left.
 */
export function confirmedBy(redis: RedisConnection, run: RunScript, replicas: number): RunScript {
  const lineTo = redis instanceof Cluster ? linesOf(redis) : async (): Promise<Redis> => redis;
  return async (name, keys, args) => {
    const [key = ''] = keys;
    const line = await lineTo(key);
    const { stream } = line;
    const reply = await run(name, keys, args);
    const having = await line.wait(replicas, WAIT_MS);
    if (having < replicas || line.stream !== stream || (await lineTo(key)) !== line)
      throw new AppError('store-unavailable', `${having} of ${replicas} replicas have the commit.`);
    return reply;
  };
}

/** The connection over which the cluster's client sends what belongs to a key. */
function linesOf(cluster: Cluster): (key: string) => Promise<Redis> {
  const slots = new Map<string, number>();
  return async (key) => {
    let slot = slots.get(key);
    if (slot === undefined) {
      slot = Number(await cluster.cluster('KEYSLOT', key));
      slots.set(key, slot);
    }
    const [address] = cluster.slots[slot] ?? [];
    const line = cluster.nodes('master').find(({ options }) => `${options.host}:${options.port}` === address);
    if (line === undefined) throw new AppError('store-unavailable', `No node serves slot ${slot} now.`);
    // The client opens a line when it first needs it.
    if (line.stream === undefined) await line.ping();
    return line;
  };
}
