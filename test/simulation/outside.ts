/** The world the activities change: it loses requests, answers and patience, remembers every effect, and can be asked. */
import type { ActivityContext, Store } from '../../engine/index.ts';
import { ActivityFailure } from '../../shared/errors.ts';
import type { Agenda } from './agenda.ts';
import type { Chance } from './chance.ts';
import type { Process } from './process.ts';
import type { Weather } from './weather.ts';

export interface Outside {
  /** Changes the world. */
  act(process: Process, context: ActivityContext): Promise<void>;
  /** Whether it was changed. */
  look(process: Process, context: ActivityContext): Promise<boolean>;
  /** A question that changes nothing. */
  read(process: Process, context: ActivityContext): Promise<void>;
  /** How often each activity changed the world: as the owner of its claim, and by one that had lost it and hung. */
  readonly effects: ReadonlyMap<string, { rightful: number; late: number }>;
}

export interface OutsideOptions {
  readonly agenda: Agenda;
  readonly chance: Chance;
  readonly weather: Weather;
  readonly store: Store;
  onEffect(intent: string, effects: { rightful: number; late: number }): void;
}

/** Far below the time a lease holds after its worker has let go of it. */
const ON_THE_WAY_MS = 40;

export const intentOf = ({ instanceId, token }: { instanceId: string; token: string }): string =>
  `${instanceId}|${token}`;

export function createOutside({ agenda, chance, weather, store, onEffect }: OutsideOptions): Outside {
  const effects = new Map<string, { rightful: number; late: number }>();

  /** Answered after its round trip; rejected when the attempt is aborted meanwhile. */
  function request<Value>(
    process: Process,
    { signal }: ActivityContext,
    fate: { readonly arrives: boolean; readonly answers: boolean },
    arrive: () => Value,
  ): Promise<Value> {
    return new Promise((resolve, reject) => {
      if (!process.alive()) return;
      const abort = () => reject(new Error('aborted'));
      if (signal.aborted) return abort();
      signal.addEventListener('abort', abort, { once: true });
      const there = chance.int(ON_THE_WAY_MS);
      const back = there + chance.int(ON_THE_WAY_MS);
      let value: Value | undefined;
      if (fate.arrives)
        agenda.in(there, 'outside', () => {
          if (process.reaches()) value = arrive();
        });
      if (fate.arrives && fate.answers)
        process.in(back, `${process.id} answered`, () => resolve(value as Value));
    });
  }

  /** A worker that hung may still act after its lease: only the outside itself could tell. */
  async function isRightful(process: Process, instanceId: string, token: string): Promise<boolean> {
    const held = (await store.claims(store.shardOf(instanceId))).find(
      (claim) => claim.instanceId === instanceId && claim.token === token,
    );
    return held?.worker === process.id && (await store.liveWorkers()).includes(process.id);
  }

  const refused = (): never => {
    throw new ActivityFailure('retryable', 'outside-busy', 'The outside asks for another try.');
  };

  return {
    effects,
    async act(process, context) {
      if (weather.strikes('effect-refused')) {
        await request(process, context, { arrives: true, answers: true }, () => undefined);
        refused();
      }
      const fate = {
        arrives: !weather.strikes('effect-lost'),
        answers: !weather.strikes('effect-unanswered'),
      };
      const rightful = isRightful(process, context.instanceId, context.token);
      await request(process, context, fate, () => {
        const intent = intentOf(context);
        const done = effects.get(intent) ?? { rightful: 0, late: 0 };
        effects.set(intent, done);
        void rightful.then((yes) => {
          done[yes ? 'rightful' : 'late'] += 1;
          onEffect(intent, done);
        });
      });
    },
    async look(process, context) {
      if (weather.strikes('verify-fails')) {
        await request(process, context, { arrives: true, answers: true }, () => undefined);
        throw new Error('the look-up failed');
      }
      return request(process, context, { arrives: true, answers: true }, () =>
        effects.has(intentOf(context)),
      );
    },
    async read(process, context) {
      const fate = { arrives: !weather.strikes('effect-lost'), answers: true };
      await request(process, context, fate, () => undefined);
      if (weather.strikes('effect-refused')) refused();
    },
  };
}
