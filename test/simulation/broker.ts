/** A queue in BullMQ's place. It loses, doubles, delays and reorders jobs: no job is a record of an obligation. */
import type { ActivityTicket } from '../../engine/index.ts';
import type { Carrier } from '../../workers/queues.ts';
import type { Agenda } from './agenda.ts';
import type { Chance } from './chance.ts';
import type { Process } from './process.ts';
import type { Weather } from './weather.ts';

export interface Broker {
  /** What a worker process is handed. */
  carrier(process: Process): Carrier;
  put(tickets: readonly ActivityTicket[]): void;
}

interface Taker {
  readonly process: Process;
  readonly queue: string;
  paused: boolean;
  take(ticket: ActivityTicket): Promise<void>;
}

/** The longest a doubled or late job lies about: past a lease and a sweep. */
const LATE_MS = 8_000;

export function createBroker(agenda: Agenda, chance: Chance, weather: Weather): Broker {
  let takers: Taker[] = [];
  let waiting: ActivityTicket[] = [];

  function deliver(ticket: ActivityTicket): void {
    takers = takers.filter(({ process }) => process.alive());
    const ready = takers.filter(({ queue, paused }) => queue === ticket.queue && !paused);
    if (ready.length === 0) return void waiting.push(ticket);
    const taker = chance.pick(ready);
    taker.process.in(chance.int(10), `${taker.process.id} job ${ticket.token}`, () => {
      // A job that fails is gone; the outbox knows.
      if (taker.paused) deliver(ticket);
      else taker.take(ticket).catch(() => undefined);
    });
  }

  function put(tickets: readonly ActivityTicket[]): void {
    for (const ticket of tickets) {
      if (weather.strikes('job-lost')) continue;
      const late = weather.strikes('job-late') ? chance.int(LATE_MS) : chance.int(5);
      agenda.in(late, 'queue', () => deliver(ticket));
      if (weather.strikes('job-doubled')) agenda.in(chance.int(LATE_MS), 'queue', () => deliver(ticket));
    }
  }

  function flush(): void {
    const held = waiting;
    waiting = [];
    for (const ticket of held) deliver(ticket);
  }

  return {
    put,
    carrier(process) {
      const send = (tickets: readonly ActivityTicket[]): Promise<void> =>
        new Promise((resolve) => {
          if (!process.alive()) return;
          if (tickets.length === 0) return resolve();
          const there = chance.int(4);
          agenda.in(there, 'queue add', () => {
            if (process.reaches()) put(tickets);
          });
          process.in(there + chance.int(4), `${process.id} added`, resolve);
        });
      return {
        dispatcher: { dispatch: send, redispatch: send, close: async () => {} },
        consume(queue, take) {
          const taker: Taker = { process, queue, paused: false, take };
          takers.push(taker);
          agenda.in(0, 'queue flush', flush);
          return {
            name: queue,
            isPaused: () => taker.paused,
            async pause() {
              taker.paused = true;
            },
            resume() {
              taker.paused = false;
              flush();
            },
            async close() {
              takers = takers.filter((other) => other !== taker);
            },
          };
        },
      };
    },
  };
}
