/**
 * Named points at which a test may stop, fail or kill the process. Production hands in none, and a point without
 * `faults` is one comparison: no call, no promise, no turn of the event loop.
 */
export type FaultPoint =
  | 'loaded'
  | 'decided'
  | 'before-commit'
  | 'after-commit'
  | 'before-enqueue'
  | 'after-enqueue'
  | 'before-activity'
  | 'after-activity'
  | 'before-ack';

export interface FaultPoints {
  at(point: FaultPoint): Promise<void> | void;
}
