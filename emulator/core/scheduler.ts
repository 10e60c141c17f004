/**
 * Delayed effects (activations, webhook deliveries, confirmation mails) as durable entities: a killed emulator runs
 * what is overdue when it starts again. An effect and the changes it makes are committed together.
 */
import type { Clock } from './clock.ts';
import type { Database, Entity } from './database.ts';
import type { Random } from './random.ts';

export interface Effect extends Entity {
  readonly kind: string;
  readonly dueAt: number;
  readonly payload: Readonly<Record<string, string>>;
}

export type EffectHandler = (payload: Effect['payload']) => void | Promise<void>;

export interface Scheduler {
  /** Names what an effect of this kind does. */
  on(kind: string, handler: EffectHandler): void;
  schedule(kind: string, delayMs: number, payload: Effect['payload']): void;
  /** Looks at the clock again, after it was moved. */
  wake(): void;
  start(): void;
  stop(): Promise<void>;
  pending(): Effect[];
}

/** Longer waits are taken in laps: `setTimeout` overflows beyond 24.8 days. */
const LONGEST_NAP_MS = 60 * 60 * 1_000;

export function createScheduler(deps: {
  readonly database: Database;
  readonly clock: Clock;
  readonly random: Random;
  readonly onProblem: (error: unknown) => void;
}): Scheduler {
  const { database, clock, random } = deps;
  const effects = database.collection<Effect>('effects');
  const handlers = new Map<string, EffectHandler>();
  const running = new Map<string, Promise<void>>();
  let timer: NodeJS.Timeout | undefined;
  let started = false;

  const perform = async (effect: Effect): Promise<void> => {
    try {
      // no await for a synchronous handler: its changes and the removal must share one commit
      const outcome = handlers.get(effect.kind)?.(effect.payload);
      if (outcome !== undefined) await outcome;
    } catch (error) {
      deps.onProblem(error);
    } finally {
      effects.remove(effect.id);
      database.commit();
      running.delete(effect.id);
    }
  };

  const arm = (): void => {
    clearTimeout(timer);
    if (!started) return;
    const waiting = effects.filter((effect) => !running.has(effect.id));
    const next = waiting.reduce(
      (soonest, effect) => Math.min(soonest, effect.dueAt),
      Number.POSITIVE_INFINITY,
    );
    if (next === Number.POSITIVE_INFINITY) return;
    timer = setTimeout(run, Math.min(Math.max(next - clock.now(), 0), LONGEST_NAP_MS));
  };

  const run = (): void => {
    const now = clock.now();
    const due = effects
      .filter((effect) => effect.dueAt <= now && !running.has(effect.id))
      .sort((left, right) => left.dueAt - right.dueAt);
    for (const effect of due) {
      const done = perform(effect).then(arm);
      if (effects.get(effect.id) !== undefined) running.set(effect.id, done);
    }
    arm();
  };

  return {
    on: (kind, handler) => {
      handlers.set(kind, handler);
    },
    schedule: (kind, delayMs, payload) => {
      effects.put({ id: random.guid(), kind, dueAt: clock.now() + delayMs, payload });
      arm();
    },
    wake: arm,
    start: () => {
      started = true;
      arm();
    },
    stop: async () => {
      started = false;
      clearTimeout(timer);
      await Promise.all(running.values());
    },
    pending: () => effects.all(),
  };
}
