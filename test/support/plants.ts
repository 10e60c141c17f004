/** Faults planted from outside, as wrappers of the store; production code knows nothing of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { readTicket, type Store } from '../../engine/index.ts';
import { shardKeys } from '../../engine/redis/keys.ts';

/** Time for a worker to take what was enqueued before the state it belongs to exists. */
const GAP_MS = 50;

/** Enqueue before commit: activities go into the outbox in a step of their own, and the commit comes behind. */
export function enqueuingFirst(store: Store): Store {
  return {
    ...store,
    async commit(entry) {
      const activities = entry.outbox.add.filter(({ body }) => body === null);
      const needs = activities.map(({ id }) => ({
        kind: 'activity' as const,
        token: readTicket(id).token,
        outboxId: id,
      }));
      if (needs.length > 0) {
        await store.putBack(entry.instanceId, needs);
        await sleep(GAP_MS);
      }
      const add = entry.outbox.add.filter(({ body }) => body !== null);
      return store.commit({ ...entry, outbox: { ...entry.outbox, add } });
    },
  };
}

/** Worker clock for timers: what is due is judged by `Date.now()` of the process that asks. */
export function clockedByWorker(store: Store, redis: Redis, namespace: string): Store {
  return {
    ...store,
    now: () => Date.now(),
    commit: (entry) => store.commit({ ...entry, notBefore: null }),
    async dueTimers(shard, limit) {
      const members = await redis.zrangebyscore(
        shardKeys(namespace, shard).timers,
        '-inf',
        Date.now(),
        'LIMIT',
        0,
        limit,
      );
      const timers = members.map((member) => {
        const cut = member.lastIndexOf('|');
        return { instanceId: member.slice(0, cut), token: member.slice(cut + 1) };
      });
      return { timers, nextDue: null };
    },
  };
}
