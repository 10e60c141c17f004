/** What may go wrong in a run, how often it may, and how often it did. */
import type { Chance } from './chance.ts';

/** Every fault the simulation knows. Its liveness floor asks that each of them really happens. */
export const FAULTS = [
  'crash',
  'crash-at-point',
  'freeze',
  'clock-jump',
  'store-resent',
  'store-refused',
  'store-unsure',
  'store-late',
  'job-lost',
  'job-doubled',
  'job-late',
  'wake-lost',
  'event-again',
  'call-doubled',
  'effect-lost',
  'effect-unanswered',
  'effect-refused',
  'verify-fails',
] as const;
export type Fault = (typeof FAULTS)[number];

export interface Weather {
  /** Rolls for a fault, and counts it when it comes. */
  strikes(fault: Fault): boolean;
  /** Counts one that was decided elsewhere. */
  struck(fault: Fault): void;
  /** From now on nothing goes wrong any more. */
  clear(): void;
  isOver(): boolean;
  readonly counts: Readonly<Record<Fault, number>>;
}

const PROBABILITY: Readonly<Record<Fault, number>> = {
  crash: 0,
  freeze: 0,
  'clock-jump': 0,
  'event-again': 0,
  'crash-at-point': 0.006,
  'store-resent': 0.03,
  'store-refused': 0.015,
  'store-unsure': 0.015,
  'store-late': 0.01,
  'job-lost': 0.08,
  'job-doubled': 0.15,
  'job-late': 0.1,
  'wake-lost': 0.2,
  'call-doubled': 0.15,
  'effect-lost': 0.1,
  'effect-unanswered': 0.2,
  'effect-refused': 0.08,
  'verify-fails': 0.5,
};

/** Each run has its own climate: some faults do not come at all, some three times as often. */
export function createWeather(chance: Chance): Weather {
  const probability = { ...PROBABILITY };
  const counts = Object.fromEntries(FAULTS.map((fault) => [fault, 0])) as Record<Fault, number>;
  const harshness = chance.pick([0.3, 1, 1, 2]);
  for (const fault of FAULTS) probability[fault] *= chance.pick([0, 1, 1, 3]) * harshness;
  let over = false;
  return {
    strikes(fault) {
      if (over || !chance.happens(probability[fault])) return false;
      counts[fault] += 1;
      return true;
    },
    struck(fault) {
      counts[fault] += 1;
    },
    clear() {
      over = true;
    },
    isOver: () => over,
    counts,
  };
}
