/**
 * The instances this process committed last, so that an event for one of them is decided without a load: the commit
 * checks the revision, and what is not committed is decided on a loaded copy. Bounded, so that parked instances cost a
 * process nothing.
 */
import type { OpenInstance } from './engine.ts';

export interface Recent {
  get(instanceId: string): OpenInstance | undefined;
  /** `size` in characters of its stored form; big ones are not kept. */
  keep(open: OpenInstance, size: number): void;
  drop(instanceId: string): void;
}

const MOST = 256;
const BIGGEST = 32_000;

export function createRecent(): Recent {
  const kept = new Map<string, OpenInstance>();
  return {
    get: (instanceId) => kept.get(instanceId),
    keep(open, size) {
      const { id } = open.record;
      // Taken out first: a map remembers in the order of insertion.
      kept.delete(id);
      if (size > BIGGEST) return;
      kept.set(id, open);
      if (kept.size <= MOST) return;
      for (const oldest of kept.keys()) {
        kept.delete(oldest);
        break;
      }
    },
    drop: (instanceId) => kept.delete(instanceId),
  };
}
