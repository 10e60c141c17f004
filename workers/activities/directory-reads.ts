/** Reading the customer's tenant: users, organisation, synchronisation. */
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
      const users = members.slice(0, MAX_USERS).map((user) => ({
        userId: user.id,
        userPrincipalName: user.userPrincipalName,
        displayName: user.displayName ?? user.userPrincipalName,
        enabled: user.accountEnabled ?? true,
        usageLocation: user.usageLocation,
        synchronised: user.onPremisesSyncEnabled === true,
        holds: user.licences.map(({ skuId }) => skuId).filter((skuId) => wanted.includes(skuId)),
      }));
      return {
        users,
        total: members.length,
        synchronised: members.filter(({ onPremisesSyncEnabled }) => onPremisesSyncEnabled === true).length,
        truncated: members.length > MAX_USERS || read.length === MAX_READ,
      };
    },
  });
}

export function verifyTenant({ connectors }: ActivityDeps): ActivityImplementation {
  const { directory, licences } = connectors.graph;
  return implementActivity(contracts.verifyTenant, {
    async run({ tenantId, skuIds }, context) {
      const organization = await directory.organization(tenantId, reading(context));
      const skus = await licences.subscribedSkus(tenantId, reading(context));
      const premium =
        organization.assignedPlans.some(
          (plan) => plan.servicePlanId === DIRECTORY_PREMIUM_PLAN && plan.capabilityStatus === 'Enabled',
        ) ||
        skus.some(({ servicePlans }) =>
          servicePlans.some(
            (plan) => plan.servicePlanId === DIRECTORY_PREMIUM_PLAN && plan.provisioningStatus === 'Success',
          ),
        );
      const missing = [
        ...skuIds
          .map((skuId) => skuId.toLowerCase())
          .filter((id) => !skus.some((sku) => sku.skuId === id && sku.capabilityStatus === 'Enabled'))
          .map((id) => `SKU ${id} is not enabled`),
        ...(premium ? [] : ['The directory premium plan is not provisioned']),
      ];
      return {
        name: organization.displayName,
        verifiedDomains: organization.verifiedDomains.map(({ name }) => name),
        active: missing.length === 0,
        missing,
        verifiedAt: nowIso(),
      };
    },
  });
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
