/**
 * Uses the partner's sign-in once a day, so that its refresh token never dies of idleness (90 days) and a dead one is found
 * before a customer's onboarding finds it. Trouble pauses the queues, each once: one attention item, not a thousand failures.
 */
import type { Identity } from '../connectors/index.ts';
import type { Store } from '../engine/index.ts';
import { ActivityFailure, messageOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { type Loop, startLoop } from './loop.ts';

const DAY_MS = 24 * 3_600_000;
const AFTER_TROUBLE_MS = 15 * 60_000;
const RESOURCES = ['partner-center', 'graph'] as const;

export interface SignInCheckOptions {
  readonly identity: Identity;
  readonly partnerTenantId: string;
  readonly store: Pick<Store, 'pauseQueue' | 'pausedQueues'>;
  readonly log: Logger;
  readonly everyMs?: number;
}

export function startSignInCheck(options: SignInCheckOptions): Loop {
  const { everyMs = DAY_MS, log } = options;
  return startLoop('sign-in check', log, async () => {
    const fine = await checkSignIn(options);
    return fine ? everyMs : Math.min(AFTER_TROUBLE_MS, everyMs);
  });
}

/** False when the sign-in is broken or nobody could say. */
export async function checkSignIn({
  identity,
  partnerTenantId,
  store,
  log,
}: SignInCheckOptions): Promise<boolean> {
  let fine = true;
  for (const resource of RESOURCES) {
    try {
      // A token at hand proves nothing: the check wants a new one.
      identity.forget(partnerTenantId);
      await identity.token({ tenant: partnerTenantId, resource });
      log.info({ resource }, 'sign-in checked');
    } catch (error) {
      fine = false;
      log.error({ resource, error: messageOf(error) }, 'sign-in check failed');
      if (error instanceof ActivityFailure && error.pausesQueue !== undefined)
        await pause(store, error.pausesQueue, error);
    }
  }
  return fine;
}

async function pause(
  store: SignInCheckOptions['store'],
  queue: string,
  { code, message }: ActivityFailure,
): Promise<void> {
  const paused = await store.pausedQueues();
  if (paused.some((known) => known.queue === queue)) return;
  await store.pauseQueue({ queue, code, reason: message });
}
