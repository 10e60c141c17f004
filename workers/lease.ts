/**
 * A worker's lease: renewed every second by the store's clock, over after four. A worker that cannot renew in time stops
 * what it runs before anybody else may begin it.
 */
import { type Engine, type FaultPoints, type SeenStore, storeLost } from '../engine/index.ts';
import { AppError, messageOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { type Activations, LEASE_LOST } from './activations.ts';
import { type Loop, startLoop } from './loop.ts';
import type { Scheduler } from './scheduler.ts';

export const LEASE_TTL_MS = 4_000;
const RENEW_EVERY_MS = 1_000;
/** Given up this long before the lease ends, so that the clocks of two machines cannot disagree about it. */
const SAFETY_MS = 500;

export interface LeaseOptions {
  readonly engine: Engine;
  readonly worker: string;
  readonly activations: Activations;
  readonly log: Logger;
  readonly scheduler: Scheduler;
  /** Epoch of the store found at boot; another one, or none, means the store was lost under us. */
  readonly epoch: string;
  readonly faults?: FaultPoints;
  /** Keeps what was seen where a power cut does not reach it; left out, nothing is kept. */
  readonly remember?: ((seen: SeenStore) => Promise<void>) | undefined;
  onStoreLost(error: AppError): void;
}

export interface Lease extends Loop {
  /**
   * Resolves once this machine remembers a moment of the store that is later than all it had answered before the call: a
   * store that has lost any of it, whoever died meanwhile, is then known at the next start. Rejects when the store is
   * another one meanwhile.
   */
  confirm(): Promise<void>;
  /** Known at once by a process that has slept, before any timer of it has fired. */
  isOver(): boolean;
}

/** Takes the lease before it returns. */
export async function startLease(options: LeaseOptions): Promise<Lease> {
  const { engine, worker, activations, log, faults, scheduler } = options;
  let callOffEnd = (): void => {};
  let endsAt = Number.POSITIVE_INFINITY;

  let confirming: Promise<void> = Promise.resolve();
  let following: Promise<void> | null = null;

  /** Null when the store is another one. */
  async function renew(): Promise<SeenStore | null> {
    const asked = scheduler.now();
    if (faults !== undefined) await faults.at('before-renewal');
    const { epoch, tick } = await engine.store.renewLease(worker, LEASE_TTL_MS);
    if (faults !== undefined) await faults.at('after-renewal');
    if (epoch !== options.epoch) {
      options.onStoreLost(storeLost(options.epoch, epoch));
      return null;
    }
    callOffEnd();
    endsAt = asked + LEASE_TTL_MS - SAFETY_MS;
    callOffEnd = scheduler.after(endsAt - scheduler.now(), end);
    return { epoch, tick };
  }

  async function renewAndLook(): Promise<void> {
    const seen = await renew();
    if (seen === null) return;
    for (const field of await engine.store.lostClaims(worker, activations.running()))
      activations.abort(field, 'canceled');
    await options.remember?.(seen);
  }

  async function confirmNow(): Promise<void> {
    const seen = await renew();
    if (seen === null) throw new AppError('store-rewound', 'The store is another one than before.');
    await options.remember?.(seen);
  }

  /** Apart from the loop, because a renewal may hang for as long as the connection does. */
  function end(): void {
    log.warn({ worker }, 'lease lost');
    activations.abortAll(LEASE_LOST);
  }

  await renewAndLook();
  const loop = startLoop(
    'lease',
    log,
    async () => {
      await renewAndLook().catch((error: unknown) =>
        log.warn({ error: messageOf(error) }, 'lease not renewed'),
      );
      return RENEW_EVERY_MS;
    },
    scheduler,
  );
  return {
    nudge: loop.nudge,
    isOver: () => scheduler.now() >= endsAt,
    confirm() {
      // The one under way may have been sent before what the caller waits for; all who ask meanwhile share the next.
      following ??= confirming
        .catch(() => undefined)
        .then(() => {
          following = null;
          confirming = confirmNow();
          return confirming;
        });
      return following;
    },
    async stop() {
      await loop.stop();
      callOffEnd();
      await engine.store.dropLease(worker).catch(() => undefined);
    },
  };
}
