/** The partner's own sign-in, tried on a queue of its own: those it broke are paused. */
import { type ActivityImplementation, implementActivity } from '../../engine/index.ts';
import { ActivityFailure } from '../../shared/errors.ts';
import * as contracts from '../../workflows/activities/prerequisites.ts';
import type { ActivityDeps } from './calls.ts';

const RESOURCES = ['partner-center', 'graph'] as const;

export function checkSignIn({ connectors, config }: ActivityDeps): ActivityImplementation {
  const tenant = config.microsoft.partnerTenantId;
  return implementActivity(contracts.checkSignIn, {
    async run() {
      for (const resource of RESOURCES) {
        try {
          // A token at hand proves nothing.
          connectors.identity.forget(tenant);
          await connectors.identity.token({ tenant, resource });
        } catch (failure) {
          if (failure instanceof ActivityFailure && failure.pausesQueue !== undefined)
            return { fine: false, problem: failure.message };
          throw failure;
        }
      }
      return { fine: true, problem: null };
    },
  });
}

export function resumeQueues({ client }: ActivityDeps): ActivityImplementation {
  return implementActivity(contracts.resumeQueues, {
    async run() {
      const paused = await client().pausedQueues();
      for (const { queue } of paused) await client().resumeQueue(queue);
      return { queues: paused.map(({ queue }) => queue) };
    },
    // Resuming what runs changes nothing.
    verify: async () => ({ outcome: 'not-done' }),
  });
}
