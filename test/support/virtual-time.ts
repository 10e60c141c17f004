/** Virtual time for whatever takes a `Scheduler`: nothing comes about before the test lets its time pass. */
import { setImmediate } from 'node:timers/promises';
import type { Scheduler } from '../../workers/scheduler.ts';

export interface VirtualTime {
  readonly scheduler: Scheduler;
  /** Lets `ms` pass: calls back what falls due, in order, and lets every promise go on in between. */
  pass(ms: number): Promise<void>;
  /** Ms until each of what is booked, soonest first. */
  booked(): readonly number[];
}

/** `random` is what the scheduler draws. */
export function virtualTime(random = 0): VirtualTime {
  // Far from 0, so that a sum taken for a difference shows.
  let now = 1_000_000;
  const items = new Set<{ readonly at: number; readonly callback: () => void }>();
  const inOrder = () => [...items].toSorted((a, b) => a.at - b.at);
  return {
    scheduler: {
      now: () => now,
      after(ms, callback) {
        const item = { at: now + ms, callback };
        items.add(item);
        return () => void items.delete(item);
      },
      random: () => random,
    },
    async pass(ms) {
      const end = now + ms;
      for (;;) {
        await setImmediate();
        const [next] = inOrder();
        if (next === undefined || next.at > end) break;
        items.delete(next);
        now = Math.max(now, next.at);
        next.callback();
      }
      now = end;
    },
    booked: () => inOrder().map(({ at }) => at - now),
  };
}
