/** Calls to the API's processes: sent again, to any of them, until one answers. */
import type { Client, Migrations, Operations } from '../../engine/index.ts';
import { type AppError, isAppError } from '../../shared/errors.ts';
import type { Agenda } from './agenda.ts';
import type { Chance } from './chance.ts';
import type { Process } from './process.ts';
import type { programmed } from './programs.ts';
import type { Weather } from './weather.ts';

export interface ApiProcess {
  readonly process: Process;
  /** What it starts. */
  readonly newest: typeof programmed;
  readonly client: Client;
  readonly operations: Operations;
  readonly migrations: Migrations;
}

export interface Answer<Value> {
  readonly value: Value | null;
  readonly error: AppError | null;
  /** Asked once, of one process. */
  readonly first: boolean;
}

export interface Calls {
  /** Until there is an answer; what the engine refuses on purpose is one. */
  ask<Value>(run: (client: Client, api: ApiProcess) => Promise<Value>): Promise<Answer<Value>>;
  sleep(ms: number): Promise<void>;
}

export interface CallsOptions {
  readonly agenda: Agenda;
  readonly chance: Chance;
  readonly weather: Weather;
  apis(): readonly ApiProcess[];
}

/** What another try may mend: the store is away, the instance is only about to be started, or this is old code. */
const MAY_PASS: ReadonlySet<string> = new Set([
  'store-unavailable',
  'commit-refused',
  'instance-unknown',
  'workflow-version-missing',
]);
const PATIENCE_MS = 2_500;
const PAUSE_MS = 400;

export function createCalls({ agenda, chance, weather, apis }: CallsOptions): Calls {
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => void agenda.in(ms, 'user', resolve));

  /** One call to one API process; rejects when it fails or nobody answers. */
  function call<Value>(api: ApiProcess, run: (api: ApiProcess) => Promise<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      const giveUp = agenda.in(PATIENCE_MS, 'user gave up', () => reject(new Error('no answer')));
      api.process.in(chance.int(5), `${api.process.id} request`, () => {
        run(api)
          .then((value) => {
            giveUp();
            resolve(value);
          })
          .catch((error: unknown) => {
            giveUp();
            reject(error instanceof Error ? error : new Error(String(error)));
          });
      });
    });
  }

  return {
    sleep,
    async ask<Value>(run: (client: Client, api: ApiProcess) => Promise<Value>): Promise<Answer<Value>> {
      const of = (api: ApiProcess): Promise<Value> => run(api.client, api);
      for (let fresh = true; ; fresh = false) {
        const running = apis();
        if (running.length === 0) {
          await sleep(chance.int(PAUSE_MS));
          continue;
        }
        const api = chance.pick(running);
        const doubled = weather.strikes('call-doubled');
        if (doubled) call(chance.pick(running), of).catch(() => undefined);
        const first = fresh && !doubled;
        try {
          return { value: await call(api, of), error: null, first };
        } catch (error) {
          if (isAppError(error) && !MAY_PASS.has(error.code)) return { value: null, error, first };
          await sleep(chance.int(PAUSE_MS));
        }
      }
    },
  };
}
