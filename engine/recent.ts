/**
 * The instances this process committed last, so that an event for one of them is decided without a load: the commit
 * checks the revision, and what is not committed is decided on a loaded copy. Bounded, so that parked instances cost a
 * process nothing.
 */
import type { OpenInstance } from './engine.ts';

export interface Recent {
  get(instanceId: string): OpenInstance | undefined;
  /** `size` in characters of its stored form. */
  keep(open: OpenInstance, size: number): void;
  drop(instanceId: string): void;
}

const MOST = 256;
/** Characters of all of them; one that is bigger by itself is not kept. */
const MOST_CHARACTERS = 8_000_000;

export function createRecent(): Recent {
  const kept = new Map<string, { readonly open: OpenInstance; readonly size: number }>();
  let characters = 0;

  function drop(instanceId: string): void {
    characters -= kept.get(instanceId)?.size ?? 0;
    kept.delete(instanceId);
  }

  return {
    get: (instanceId) => kept.get(instanceId)?.open,
    keep(open, size) {
      const { id } = open.record;
      // Taken out first: a map remembers in the order of insertion.
      drop(id);
      kept.set(id, { open, size });
      characters += size;
      for (const oldest of kept.keys()) {
        if (kept.size <= MOST && characters <= MOST_CHARACTERS) break;
        drop(oldest);
      }
    },
    drop,
  };
}
