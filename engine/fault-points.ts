/**
 * Named points at which a test may stop, fail or kill the process. Production hands in none, and a point without
 * `faults` is one comparison: no call, no promise, no turn of the event loop.
 */
import type { EngineEvent } from './event.ts';
import type { CommitEntry } from './store.ts';

export type FaultPoint =
  | 'loaded'
  | 'decided'
  | 'before-commit'
  | 'after-commit'
  | 'before-enqueue'
  | 'after-enqueue'
  | 'before-activity'
  | 'after-activity'
  | 'before-ack'
  | 'before-renewal'
  | 'after-renewal'
  | 'before-migration'
  | 'after-migration';

/** Which commit it is about, at the points around one. */
export interface FaultDetail {
  readonly event: EngineEvent;
  readonly entry: CommitEntry;
}

export interface FaultPoints {
  at(point: FaultPoint, about?: FaultDetail): Promise<void> | void;
}
