/** Store time as a process knows it between two answers of the store. */
export interface StoreClock {
  /** Ms; never before an answer already seen, unless the store's clock was set back, and 0 before the first. */
  now(): number;
  /** Takes in the store's time from an answer to what was asked at `askedAt`, by this process's monotonic clock. */
  learn(ms: number, askedAt: number): void;
}

const SILENCE_MS = 5_000;

/**
 * The `TIME` of an answer plus the monotonic time since. The wall clock of this process plays no part, so a worker whose
 * clock is a day off sets and fires no timer early.
 *
 * The store's time when an answer arrives lies between what the answer says and that plus the whole round trip. An
 * estimate inside these bounds is kept; one outside (the process slept, its clock jumped or runs too fast) is moved to
 * the nearer bound, backwards too: time that runs ahead would set every timer late. For the same reason no more time
 * passes between two answers than a worker without answers has leave to work, and none is further ahead of the newest.
 *
 * An answer that puts the store further back than that, however long it was under way, is the word of a store whose clock
 * was set back: it is followed, or every timer set here would be as late.
 */
export function createStoreClock(monotonic: () => number): StoreClock {
  let base = 0;
  let seenAt = 0;
  let newest = 0;
  const estimate = (at: number): number =>
    Math.min(base + Math.min(at - seenAt, SILENCE_MS), newest + SILENCE_MS);
  return {
    now: () => (newest === 0 ? 0 : Math.max(newest, Math.floor(estimate(monotonic())))),
    learn(ms, askedAt) {
      const at = monotonic();
      const known = estimate(at);
      const latest = ms + Math.max(0, at - askedAt);
      base = Math.min(Math.max(known, ms), latest);
      newest = newest > latest + SILENCE_MS ? ms : Math.max(newest, ms);
      seenAt = at;
    },
  };
}
