/** Wall-clock time plus a durable offset, so that a test can let ninety days pass. */
import type { Database, Entity } from './database.ts';

export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** `2026-11-02T10:00:00.123Z`, of now or of the time given. */
  iso(time?: number): string;
  advance(ms: number): void;
}

interface Offset extends Entity {
  readonly ms: number;
}

export const DAY_MS = 24 * 60 * 60 * 1_000;

export function createClock(database: Database): Clock {
  const offsets = database.collection<Offset>('clock');
  const now = (): number => Date.now() + (offsets.get('offset')?.ms ?? 0);
  return {
    now,
    iso: (time) => new Date(time ?? now()).toISOString(),
    advance: (ms) => {
      offsets.put({ id: 'offset', ms: (offsets.get('offset')?.ms ?? 0) + ms });
    },
  };
}
