/** The life of an admin relationship (GDAP) on our side: created, locked for approval, withdrawn. Facts: 2.3. */
import { type GdapRelationship, gdapInvitationUrl, wasRefused } from '../../connectors/index.ts';
import { type ActivityContext, type ActivityImplementation, implementActivity } from '../../engine/index.ts';
import { ActivityFailure } from '../../shared/errors.ts';
import { uuidFrom } from '../../shared/ids.ts';
import * as contracts from '../../workflows/activities/relationships.ts';
import { type ActivityDeps, reading, writing } from './calls.ts';

const MAX_NAME = 50;
const REPLICATION_MS = 2_000;
const ENDED = ['expired', 'terminated'];
const ENDING = ['terminationRequested', 'terminating'];

/** Unique per instance and round, and the same at each attempt: Graph refuses a name that is taken. */
export function relationshipName(instanceId: string, round: number, customerName: string): string {
  const unique = uuidFrom('admin-relationship', instanceId, round).replaceAll('-', '').slice(0, 16);
  return `onb-${unique}-${round} ${customerName}`.slice(0, MAX_NAME).trim();
}

export function createAdminRelationship({ connectors }: ActivityDeps): ActivityImplementation {
  const { gdap } = connectors.graph;
  const shown = ({ id, displayName, status }: GdapRelationship) => ({
    relationshipId: id,
    displayName,
    status,
  });

  return implementActivity(contracts.createAdminRelationship, {
    async run(input, context) {
      const relationship = await gdap.create(
        {
          displayName: relationshipName(context.instanceId, input.round, input.customerName),
          customerTenantId: input.tenantId,
          customerName: input.customerName,
          roleIds: input.roles,
          duration: input.duration,
          autoExtendDuration: input.autoExtendDuration,
        },
        writing(context),
      );
      return shown(relationship);
    },

    async verify({ tenantId, round, customerName }, context) {
      const name = relationshipName(context.instanceId, round, customerName);
      const found = await gdap.findByName(tenantId, name, reading(context));
      return found === null ? { outcome: 'not-done' } : { outcome: 'done', output: shown(found) };
    },
  });
}

export function lockAdminRelationship({ connectors, config }: ActivityDeps): ActivityImplementation {
  const { gdap } = connectors.graph;
  const locked = ({ id, status }: GdapRelationship) => ({
    status,
    adminLink: gdapInvitationUrl(id, config.microsoft.adminCenterUrl),
  });

  return implementActivity(contracts.lockAdminRelationship, {
    async run({ relationshipId }, context) {
      const relationship = await gdap.lock(relationshipId, writing(context));
      // The link leads nowhere before the customer can approve.
      if (relationship.status === 'created') throw replicating(relationshipId);
      return locked(relationship);
    },

    async verify({ relationshipId }, context) {
      const relationship = await gdap.get(relationshipId, reading(context));
      return relationship.status === 'created'
        ? { outcome: 'not-done' }
        : { outcome: 'done', output: locked(relationship) };
    },
  });
}

export function terminateAdminRelationship({ connectors }: ActivityDeps): ActivityImplementation {
  const { gdap } = connectors.graph;

  async function statusOf(relationshipId: string, context: ActivityContext): Promise<string> {
    try {
      return (await gdap.get(relationshipId, reading(context))).status;
    } catch (failure) {
      if (wasRefused(failure, 404)) return 'gone';
      throw failure;
    }
  }

  return implementActivity(contracts.terminateAdminRelationship, {
    async run({ relationshipId }, context) {
      const status = await statusOf(relationshipId, context);
      if (status === 'gone' || ENDED.includes(status)) return { outcome: 'already-ended' };
      if (ENDING.includes(status)) return { outcome: 'termination-requested' };
      try {
        if (status === 'created') {
          await gdap.remove(relationshipId, writing(context));
          return { outcome: 'deleted' };
        }
        await gdap.terminate(relationshipId, writing(context));
        return { outcome: 'termination-requested' };
      } catch (failure) {
        // One that waits for approval can neither be deleted nor ended by us; it lapses by itself.
        if (wasRefused(failure, 400, 405, 409, 422)) return { outcome: 'not-possible' };
        throw failure;
      }
    },

    async verify({ relationshipId }, context) {
      const status = await statusOf(relationshipId, context);
      if (status === 'gone') return { outcome: 'done', output: { outcome: 'deleted' } };
      if (ENDED.includes(status)) return { outcome: 'done', output: { outcome: 'already-ended' } };
      if (ENDING.includes(status)) return { outcome: 'done', output: { outcome: 'termination-requested' } };
      return { outcome: 'not-done' };
    },
  });
}

function replicating(relationshipId: string): ActivityFailure {
  const message = 'The admin relationship is not open for approval yet.';
  return new ActivityFailure('retryable', 'graph-gdap-replicating', message, {
    details: { relationshipId },
    retryAfterMs: REPLICATION_MS,
  });
}
