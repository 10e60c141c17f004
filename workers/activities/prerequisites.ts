/** Checks on our own side, and the stamp of the closing report. */
import { type ActivityImplementation, implementActivity } from '../../engine/index.ts';
import { ActivityFailure } from '../../shared/errors.ts';
import * as contracts from '../../workflows/activities/prerequisites.ts';
import { type ActivityDeps, nowIso, reading } from './calls.ts';

export function checkPartnerAccess({ connectors }: ActivityDeps): ActivityImplementation {
  const { tenants } = connectors.graph;
  return implementActivity(contracts.checkPartnerAccess, {
    async run({ groupIds }, context) {
      const missingGroupIds = [];
      for (const groupId of groupIds) {
        if (!(await tenants.isUsableGroup(groupId, reading(context)))) missingGroupIds.push(groupId);
      }
      const { userPrincipalName, isAdminAgent } = await tenants.signedInUser(reading(context));
      return { adminAgent: isAdminAgent, signedInAs: userPrincipalName, missingGroupIds };
    },
  });
}

export function checkTooling({ connectors }: ActivityDeps): ActivityImplementation {
  return implementActivity(contracts.checkTooling, {
    async run(_input, context) {
      try {
        await connectors.partnerCenter.relationships.invitation(reading(context));
        await connectors.graph.tenants.signedInUser(reading(context));
        return { ready: true, message: null };
      } catch (failure) {
        const refused = failure instanceof ActivityFailure && failure.kind === 'terminal';
        if (!refused || failure.pausesQueue !== undefined) throw failure;
        return { ready: false, message: failure.message };
      }
    },
  });
}

export function writeClosingReport(): ActivityImplementation {
  return implementActivity(contracts.writeClosingReport, {
    run: async () => ({ closedAt: nowIso() }),
  });
}
