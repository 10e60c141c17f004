/** Stored entities as Graph shows them. */
import type {
  AccessAssignment,
  AdminOperation,
  AdminRelationship,
  AdminRequest,
  Domain,
  Tenant,
  User,
} from '../directory/entities.ts';
import { lastSync, type Seats, seatsOf, visibleLicences } from '../directory/helpers.ts';
import { productOfSku } from '../directory/products.ts';
import type { World } from '../world.ts';
import type { Row } from './helpers.ts';

export function relationshipShape(world: World, relationship: AdminRelationship): Row {
  return {
    '@odata.etag': relationship.etag,
    id: relationship.id,
    displayName: relationship.displayName,
    duration: relationship.duration,
    autoExtendDuration: relationship.autoExtendDuration,
    customer: relationship.customer,
    accessDetails: rolesShape(relationship.roleIds),
    status: relationship.status,
    createdDateTime: world.clock.iso(relationship.createdAt),
    lastModifiedDateTime: world.clock.iso(relationship.modifiedAt),
    activatedDateTime: isoOrNull(world, relationship.activatedAt),
    endDateTime: isoOrNull(world, relationship.endAt),
  };
}

export const rolesShape = (roleIds: readonly string[]) => ({
  unifiedRoles: roleIds.map((roleDefinitionId) => ({ roleDefinitionId })),
});

export function requestShape(world: World, request: AdminRequest): Row {
  return {
    id: request.id,
    action: request.action,
    status: request.status,
    createdDateTime: world.clock.iso(request.createdAt),
    lastModifiedDateTime: world.clock.iso(request.modifiedAt),
  };
}

export function assignmentShape(world: World, assignment: AccessAssignment): Row {
  return {
    '@odata.etag': assignment.etag,
    id: assignment.id,
    status: assignment.status,
    createdDateTime: world.clock.iso(assignment.createdAt),
    lastModifiedDateTime: world.clock.iso(assignment.modifiedAt),
    accessContainer: { accessContainerId: assignment.groupId, accessContainerType: 'securityGroup' },
    accessDetails: rolesShape(assignment.roleIds),
  };
}

export function operationShape(world: World, operation: AdminOperation): Row {
  return {
    id: operation.id,
    operationType: operation.operationType,
    status: operation.status,
    data: operation.data,
    createdDateTime: world.clock.iso(operation.createdAt),
    lastModifiedDateTime: world.clock.iso(operation.modifiedAt),
  };
}

export function userShape(world: World, user: User): Row {
  const licences = visibleLicences(world, user);
  return {
    id: user.id,
    userPrincipalName: user.userPrincipalName,
    displayName: user.displayName,
    givenName: user.givenName,
    surname: user.surname,
    mail: user.userPrincipalName,
    mailNickname: user.mailNickname,
    accountEnabled: user.accountEnabled,
    usageLocation: user.usageLocation,
    userType: 'Member',
    onPremisesSyncEnabled: user.onPremisesSyncEnabled,
    onPremisesProvisioningErrors: [],
    createdDateTime: world.clock.iso(user.createdAt),
    assignedLicenses: licences.map((licence) => ({
      skuId: licence.skuId,
      disabledPlans: licence.disabledPlans,
    })),
    licenseAssignmentStates: licences.map((licence) => ({
      skuId: licence.skuId,
      assignedByGroup: null,
      disabledPlans: licence.disabledPlans,
      state: 'Active',
      error: 'None',
      lastUpdatedDateTime: world.clock.iso(licence.visibleAt),
    })),
    assignedPlans: licences.flatMap((licence) =>
      (productOfSku(licence.skuId)?.plans ?? [])
        .filter((plan) => !licence.disabledPlans.includes(plan.id))
        .map((plan) => ({
          assignedDateTime: world.clock.iso(licence.visibleAt),
          capabilityStatus: 'Enabled',
          service: plan.service,
          servicePlanId: plan.id,
        })),
    ),
  };
}

export function licenceDetails(world: World, user: User): Row[] {
  return visibleLicences(world, user).map((licence) => {
    const product = productOfSku(licence.skuId);
    return {
      id: Buffer.from(`${user.id}_${licence.skuId}`).toString('base64url'),
      skuId: licence.skuId,
      skuPartNumber: product?.skuPartNumber ?? null,
      servicePlans: (product?.plans ?? []).map((plan) => ({
        servicePlanId: plan.id,
        servicePlanName: plan.name,
        provisioningStatus: licence.disabledPlans.includes(plan.id) ? 'Disabled' : 'Success',
        appliesTo: 'User',
      })),
    };
  });
}

export function subscribedSkuShape(tenant: Tenant, seats: Seats): Row {
  const product = productOfSku(seats.skuId);
  return {
    id: `${tenant.id}_${seats.skuId}`,
    accountId: tenant.id,
    accountName: tenant.domains.find((domain) => domain.isInitial)?.name.split('.')[0] ?? '',
    skuId: seats.skuId,
    skuPartNumber: product?.skuPartNumber ?? '',
    appliesTo: 'User',
    capabilityStatus: seats.enabled > 0 ? 'Enabled' : 'Suspended',
    consumedUnits: seats.consumed,
    prepaidUnits: { enabled: seats.enabled, suspended: seats.suspended, warning: 0, lockedOut: 0 },
    subscriptionIds: seats.subscriptionIds,
    servicePlans: (product?.plans ?? []).map((plan) => ({
      servicePlanId: plan.id,
      servicePlanName: plan.name,
      provisioningStatus: 'Success',
      appliesTo: 'User',
    })),
  };
}

export function organizationShape(world: World, tenant: Tenant, beta: boolean): Row {
  const seats = seatsOf(world, tenant.id).filter((row) => row.enabled > 0);
  const plans = new Map(
    seats.flatMap((row) => productOfSku(row.skuId)?.plans ?? []).map((plan) => [plan.id, plan] as const),
  );
  const synced = lastSync(world, tenant);
  return {
    id: tenant.id,
    displayName: tenant.displayName,
    tenantType: 'AAD',
    countryLetterCode: tenant.country,
    preferredLanguage: tenant.language,
    defaultUsageLocation: null,
    createdDateTime: world.clock.iso(tenant.createdAt),
    technicalNotificationMails: [tenant.contactEmail],
    onPremisesSyncEnabled: tenant.syncEnabled,
    onPremisesLastSyncDateTime: isoOrNull(world, synced),
    ...(beta && {
      onPremisesLastPasswordSyncDateTime: tenant.passwordSyncEnabled ? isoOrNull(world, synced) : null,
    }),
    verifiedDomains: tenant.domains
      .filter((domain) => domain.isVerified)
      .map((domain) => ({
        name: domain.name,
        type: 'Managed',
        capabilities: domain.isInitial ? 'Email, OfficeCommunicationsOnline' : 'Email',
        isDefault: domain.isDefault,
        isInitial: domain.isInitial,
      })),
    assignedPlans: [...plans.values()].map((plan) => ({
      assignedDateTime: world.clock.iso(tenant.createdAt),
      capabilityStatus: 'Enabled',
      service: plan.service,
      servicePlanId: plan.id,
    })),
    provisionedPlans: [...new Set([...plans.values()].map((plan) => plan.service))].map((service) => ({
      capabilityStatus: 'Enabled',
      provisioningStatus: 'Success',
      service,
    })),
  };
}

export function domainShape(domain: Domain): Row {
  return {
    id: domain.name,
    authenticationType: 'Managed',
    isVerified: domain.isVerified,
    isDefault: domain.isDefault,
    isInitial: domain.isInitial,
    isRoot: true,
    isAdminManaged: true,
    supportedServices: domain.isVerified ? ['Email'] : [],
    passwordValidityPeriodInDays: 2_147_483_647,
    state: null,
  };
}

function isoOrNull(world: World, time: number | null): string | null {
  return time === null ? null : world.clock.iso(time);
}
