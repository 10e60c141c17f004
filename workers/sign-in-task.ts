/**
 * A broken sign-in pauses queues; this puts it before a person, once for all of them. The task ends by itself when a new
 * token was had, and begins anew with the next trouble.
 */
import type { Client } from '../engine/index.ts';
import { isAppError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { renewSignIn } from '../workflows/renew-sign-in.ts';
import { type Loop, startLoop } from './loop.ts';

const EVERY_MS = 30_000;
const ID = 'renew-sign-in';

export interface SignInTaskOptions {
  readonly client: Pick<Client, 'start' | 'pausedQueues'>;
  readonly log: Logger;
}

export function startSignInTask(options: SignInTaskOptions): Loop {
  return startLoop('sign-in task', options.log, async () => {
    await openSignInTask(options);
    return EVERY_MS;
  });
}

/** True when there is one now. */
export async function openSignInTask({ client, log }: SignInTaskOptions): Promise<boolean> {
  const [paused] = await client.pausedQueues();
  if (paused === undefined) return false;
  try {
    const input = { problem: paused.reason } as Parameters<typeof client.start<typeof renewSignIn>>[1];
    await client.start(renewSignIn, input, { id: ID, ifExists: 'replace-closed' });
    log.warn({ queue: paused.queue, code: paused.code }, 'sign-in put before a person');
  } catch (error) {
    // It is before somebody already.
    if (!isAppError(error, 'instance-exists')) throw error;
  }
  return true;
}
