/** Named points at which a test may stop, fail or kill the process. In production each is one empty call. */
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

export const noFaults: FaultPoints = { at: () => {} };
