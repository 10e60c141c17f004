/**
 * A broken sign-in, an unusable group and the like pause queues; this puts each cause before a person, once for all the
 * queues it paused. The task ends by itself when the cause is seen to be gone, and begins anew with the next trouble.
 */
import type { Client } from '../engine/index.ts';
import { isAppError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { causeOf } from '../workflows/pause-causes.ts';
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

/** One task a cause. True when there is one now. */
export async function openSignInTask({ client, log }: SignInTaskOptions): Promise<boolean> {
  const paused = await client.pausedQueues();
  const causes = new Map(paused.map((queue) => [causeOf(queue.code), queue] as const));
  for (const [cause, { queue, code, reason }] of causes) {
    try {
      const input = { problem: reason, cause } as Parameters<typeof client.start<typeof renewSignIn>>[1];
      const id = cause === 'sign-in' ? ID : `${ID}-${cause}`;
      await client.start(renewSignIn, input, { id, ifExists: 'replace-closed' });
      log.warn({ queue, code, cause }, 'paused queue put before a person');
    } catch (error) {
      // It is before somebody already.
      if (!isAppError(error, 'instance-exists')) throw error;
    }
  }
  return causes.size > 0;
}
