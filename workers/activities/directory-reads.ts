/** Reading the customer's tenant: users, organisation, synchronisation. */
import { inBatches, type Organization, type SubscribedSku, type User } from '../../connectors/index.ts';
import { type ActivityImplementation, implementActivity } from '../../engine/index.ts';
import * as contracts from '../../workflows/activities/directory.ts';
import { type ActivityDeps, instant, nowIso, reading } from './calls.ts';
import { DIRECTORY_PREMIUM_PLAN } from './products.ts';

const MAX_USERS = 2_000;
/** Guests are left out after reading, so somewhat more is read. */
const MAX_READ = 5_000;

export function listUsers({ connectors }: ActivityDeps): ActivityImplementation {
  return implementActivity(contracts.listUsers, {
    async run({ tenantId, skuIds }, context) {
      const read = await connectors.graph.users.list(tenantId, { ...reading(context), limit: MAX_READ });
      const members = read.filter(({ userType }) => userType?.toLowerCase() !== 'guest');
      const wanted = skuIds.map((skuId) => skuId.toLowerCase());
      const users = members.slice(0, MAX_USERS).map((user) => shown(user, wanted));
      return {
        users,
        total: members.length,
        synchronised: members.filter(({ onPremisesSyncEnabled }) => onPremisesSyncEnabled === true).length,
        truncated: members.length > MAX_USERS || read.length === MAX_READ,
      };
    },
  });
}

function shown(user: User, wanted: readonly string[]) {
  return {
    userId: user.id,
    userPrincipalName: user.userPrincipalName,
    displayName: user.displayName ?? user.userPrincipalName,
    enabled: user.accountEnabled ?? true,
    usageLocation: user.usageLocation,
    synchronised: user.onPremisesSyncEnabled === true,
    holds: user.licences.map(({ skuId }) => skuId).filter((skuId) => wanted.includes(skuId)),
  };
}

export function findUsers({ connectors }: ActivityDeps): ActivityImplementation {
  return implementActivity(contracts.findUsers, {
    async run({ tenantId, skuIds, names }, context) {
      const wanted = skuIds.map((skuId) => skuId.toLowerCase());
      const users = [];
      const unknown = [];
      for (const batch of inBatches(names)) {
        const found = await Promise.all(
          batch.map((name) => connectors.graph.users.find(tenantId, name.trim(), reading(context))),
        );
        users.push(...found.flatMap((user) => (user === null ? [] : [shown(user, wanted)])));
        unknown.push(...batch.filter((_, index) => found[index] === null));
      }
      return { users, unknown };
    },
  });
}

export function verifyTenant({ connectors }: ActivityDeps): ActivityImplementation {
  const { directory, licences } = connectors.graph;
  return implementActivity(contracts.verifyTenant, {
    async run({ tenantId, skuIds }, context) {
      const organization = await directory.organization(tenantId, reading(context));
      const skus = await licences.subscribedSkus(tenantId, reading(context));
      const missing = skuIds.flatMap((id) => lacking(id.toLowerCase(), skus, organization));
      return {
        name: organization.displayName,
        verifiedDomains: organization.verifiedDomains.map(({ name }) => name.toLowerCase()),
        active: missing.length === 0,
        missing,
        verifiedAt: nowIso(),
      };
    },
  });
}

/**
 * What a SKU that was bought still lacks. The directory premium plan is asked for where the product holds it, and only there:
 * the organisation's own list of plans may show it before the SKU does.
 */
function lacking(skuId: string, skus: readonly SubscribedSku[], { assignedPlans }: Organization): string[] {
  const sku = skus.find((candidate) => candidate.skuId === skuId);
  if (sku?.capabilityStatus !== 'Enabled') return [`SKU ${skuId} is not enabled`];
  const premium = sku.servicePlans.find(({ servicePlanId }) => servicePlanId === DIRECTORY_PREMIUM_PLAN);
  const provisioned =
    premium === undefined ||
    premium.provisioningStatus === 'Success' ||
    assignedPlans.some(
      (plan) => plan.servicePlanId === DIRECTORY_PREMIUM_PLAN && plan.capabilityStatus === 'Enabled',
    );
  return provisioned ? [] : ['The directory premium plan is not provisioned'];
}

export function verifySync({ connectors }: ActivityDeps): ActivityImplementation {
  const { directory } = connectors.graph;
  return implementActivity(contracts.verifySync, {
    async run({ tenantId, maxAgeMs }, context) {
      const organization = await directory.organization(tenantId, reading(context));
      const enabled = organization.onPremisesSyncEnabled === true;
      const lastSyncAt = instant(organization.onPremisesLastSyncDateTime);
      return {
        enabled,
        lastSyncAt,
        fresh: enabled && lastSyncAt !== null && Date.now() - Date.parse(lastSyncAt) <= maxAgeMs,
        synchronisedUsers: await directory.countSyncedUsers(tenantId, reading(context)),
        errors: enabled ? await directory.countProvisioningErrors(tenantId, reading(context)) : 0,
        verifiedAt: nowIso(),
      };
    },
  });
}
