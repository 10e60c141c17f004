/** A long suite's size, and when it must have come to its end. */
import { boundOf, type SizeName, sizeOf } from '../../scripts/lib/proof-sizes.mjs';

export interface LongRun {
  readonly size: number;
  /** For jest: past it the run has stopped by itself, and has had the time to tidy up. */
  readonly timeoutMs: number;
  /** From `begin` on. */
  readonly boundMs: number;
  begin(): Bound;
}

/** Whether it should stop: looked at between two of whatever it counts. */
export type Bound = () => boolean;

export const unbounded: Bound = () => false;

const TIDY_MS = 300_000;

export function longRun(name: SizeName): LongRun {
  const size = sizeOf(name);
  const boundMs = boundOf(name, size);
  return {
    size,
    boundMs,
    timeoutMs: boundMs + TIDY_MS,
    begin() {
      const end = performance.now() + boundMs;
      return () => performance.now() > end;
    },
  };
}
