/** What broke for every customer at once, tried on a queue of its own: those it broke are paused. */
import { type ActivityImplementation, implementActivity } from '../../engine/index.ts';
import { ActivityFailure } from '../../shared/errors.ts';
import * as contracts from '../../workflows/activities/prerequisites.ts';
import { causeOf, type PauseCause } from '../../workflows/pause-causes.ts';
import { type ActivityDeps, reading } from './calls.ts';

const RESOURCES = ['partner-center', 'graph'] as const;

type Verdict = { readonly fine: boolean; readonly problem: string | null };
const FINE: Verdict = { fine: true, problem: null };
const verdict = (fine: boolean, problem: string): Verdict => (fine ? FINE : { fine, problem });

async function pausedFor({ client }: ActivityDeps, cause: PauseCause): Promise<readonly string[]> {
  const paused = await client().pausedQueues();
  return paused.filter(({ code }) => causeOf(code) === cause).map(({ queue }) => queue);
}

export function checkSignIn(deps: ActivityDeps): ActivityImplementation {
  const { connectors, config } = deps;
  const { tenants } = connectors.graph;
  const tenant = config.microsoft.partnerTenantId;

  async function takeTokens(): Promise<Verdict> {
    for (const resource of RESOURCES) {
      // A token at hand proves nothing.
      connectors.identity.forget(tenant);
      await connectors.identity.token({ tenant, resource });
    }
    return FINE;
  }

  return implementActivity(contracts.checkSignIn, {
    async run({ cause }, context) {
      if ((await pausedFor(deps, cause)).length === 0) return FINE;
      const options = reading(context);
      const tries: Readonly<Record<PauseCause, () => Promise<Verdict>>> = {
        'sign-in': takeTokens,
        'admin-agent': async () =>
          verdict(await tenants.isAdminAgent(options), 'Our user is no member of AdminAgents.'),
        'security-group': async () => {
          for (const { groupId } of config.gdap?.groups ?? []) {
            if (!(await tenants.isUsableGroup(groupId, options)))
              return verdict(false, `The security group ${groupId} is gone or empty.`);
          }
          return FINE;
        },
        mail: async () => {
          await connectors.mail.check();
          return FINE;
        },
        // Only the resumed queue itself tells.
        other: async () => ({ fine: false, problem: null }),
      };
      try {
        return await tries[cause]();
      } catch (failure) {
        if (failure instanceof ActivityFailure && failure.pausesQueue !== undefined)
          return { fine: false, problem: failure.message };
        throw failure;
      }
    },
  });
}

export function resumeQueues(deps: ActivityDeps): ActivityImplementation {
  return implementActivity(contracts.resumeQueues, {
    async run({ cause }) {
      const queues = await pausedFor(deps, cause);
      for (const queue of queues) await deps.client().resumeQueue(queue);
      return { queues: [...queues] };
    },
    // Resuming what runs changes nothing.
    verify: async () => ({ outcome: 'not-done' }),
  });
}
