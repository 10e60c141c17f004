/** Time and chance as a worker's loops see them; the simulation hands in its own. */
export interface Scheduler {
  /** Monotonic ms since some instant; only differences mean anything. */
  now(): number;
  /** Calls back once after `ms`; returns how to call it off. */
  after(ms: number, callback: () => void): () => void;
  /** A number from 0 up to 1. */
  random(): number;
}

/** Node's timers hold 31 bits; a longer wait is as good as none. */
const LONGEST_MS = 0x7fffffff;

export const systemScheduler: Scheduler = {
  now: () => performance.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(ms, LONGEST_MS));
    return () => clearTimeout(timer);
  },
  random: () => Math.random(),
};
