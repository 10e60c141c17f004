/** A simulated process: it can die, hang, and have a clock that is wrong. */
import type { FaultPoint, FaultPoints } from '../../engine/index.ts';
import type { Scheduler } from '../../workers/scheduler.ts';
import type { Agenda } from './agenda.ts';
import type { Chance } from './chance.ts';
import type { Plant } from './plants.ts';
import type { Weather } from './weather.ts';

export interface Process {
  readonly id: string;
  readonly kind: 'api' | 'worker';
  readonly scheduler: Scheduler;
  readonly faults: FaultPoints;
  readonly alive: () => boolean;
  /** Whether what it sent can still arrive: up to a moment after its death, in the order it was sent. */
  readonly reaches: () => boolean;
  /** Its own clock of the day, off by up to a day. Nothing in production may look at one. */
  readonly wallClock: () => number;
  /** Runs `act` inside it; later when it hangs, never once it is dead. */
  in(ms: number, what: string, act: () => void): () => void;
  kill(): void;
  freeze(ms: number): void;
  jump(ms: number): void;
}

export interface ProcessOptions {
  readonly id: string;
  readonly kind: 'api' | 'worker';
  readonly agenda: Agenda;
  readonly chance: Chance;
  readonly weather: Weather;
  readonly plant: Plant | null;
  onDeath(process: Process): void;
}

const DAY_MS = 86_400_000;
/** Replies that are still on their way when it dies arrive within this. */
const LAST_WORDS_MS = 30;
/** A loaded machine: a timer comes late by up to three times its length, and no more than this. */
const SLOW_MS = 400;
const SLOWEST_MS = 1_200;
const SHORT_MS = 600;

/** A promise of a process that is gone. */
export function never<Value>(): Promise<Value> {
  return new Promise(() => {});
}

export function createProcess(options: ProcessOptions): Process {
  const { id, kind, agenda, chance, weather, plant } = options;
  let alive = true;
  let deafAfter = Number.POSITIVE_INFINITY;
  let frozenUntil = 0;
  let offset = chance.pick([0, DAY_MS, -DAY_MS, chance.int(DAY_MS)]) + DAY_MS;
  const rate = 1 + chance.pick([0, 0, 0.0005, -0.0005]);
  const start = agenda.now();
  const monotonic = (): number => offset + (agenda.now() - start) * rate;

  function book(ms: number, what: string, act: () => void): () => void {
    let callOff = agenda.in(ms, what, function run() {
      if (!alive) return;
      if (agenda.now() < frozenUntil) callOff = agenda.in(frozenUntil - agenda.now(), what, run);
      else act();
    });
    return () => callOff();
  }

  const next = plant === 'unseeded-dice' ? Math.random : chance.next;
  const below = (ms: number): number => Math.floor(next() * ms);

  const process: Process = {
    id,
    kind,
    alive: () => alive,
    reaches: () => agenda.now() <= deafAfter,
    wallClock: () => agenda.now() + offset - DAY_MS,
    in: book,
    scheduler: {
      now: monotonic,
      after: (ms, callback) =>
        book(ms + below(ms < SHORT_MS ? Math.min(3 * ms, SLOWEST_MS) : SLOW_MS), `${id} timer`, callback),
      random: next,
    },
    faults: {
      at(_point: FaultPoint) {
        if (!alive) return never<void>();
        if (!weather.strikes('crash-at-point')) return;
        process.kill();
        return never<void>();
      },
    },
    kill() {
      if (!alive) return;
      alive = false;
      deafAfter = agenda.now() + chance.int(LAST_WORDS_MS);
      options.onDeath(process);
    },
    freeze(ms) {
      frozenUntil = Math.max(frozenUntil, agenda.now() + ms);
    },
    jump(ms) {
      offset += ms;
    },
  };
  return process;
}
