/** Where the present comes from. Milliseconds since the epoch. */
export interface Clock {
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

export interface SimulatedClock extends Clock {
  advance(ms: number): void;
  /** Moves to an instant, backwards too: a stepped clock is a case to test. */
  set(instant: number): void;
}

/** A clock that stands still until told to move. Default start: 2026-11-02T10:00:00Z. */
export function createSimulatedClock(start: number = Date.UTC(2026, 10, 2, 10)): SimulatedClock {
  let instant = start;
  return {
    now: () => instant,
    advance: (ms) => {
      instant += ms;
    },
    set: (next) => {
      instant = next;
    },
  };
}
