/** Rules of the emulated directory: who may do what in which tenant, which seats count, what reads may show yet. */
import { PARTNER } from '../options.ts';
import type { World } from '../world.ts';
import type { AssignedLicence, Domain, Subscription, Tenant, User } from './entities.ts';

export function tenantOfDomain(world: World, domain: string): Tenant | undefined {
  const wanted = domain.toLowerCase();
  return world.directory.tenants.find((tenant) =>
    tenant.domains.some((candidate) => candidate.isVerified && candidate.name === wanted),
  );
}

/** By tenant id or by verified domain. */
export function findTenant(world: World, idOrDomain: string): Tenant | undefined {
  return world.directory.tenants.get(idOrDomain.toLowerCase()) ?? tenantOfDomain(world, idOrDomain);
}

export function initialDomain(tenant: Tenant): string {
  return tenant.domains.find((domain) => domain.isInitial)?.name ?? '';
}

export function defaultDomain(tenant: Tenant): string {
  return tenant.domains.find((domain) => domain.isDefault)?.name ?? initialDomain(tenant);
}

export function domainOf(name: string, fields: Partial<Domain> & { addedAt: number }): Domain {
  return { name: name.toLowerCase(), isInitial: false, isDefault: false, isVerified: true, ...fields };
}

export function globalAdminOf(world: World, tenantId: string): User | undefined {
  return world.directory.users.find((user) => user.tenantId === tenantId && user.isGlobalAdmin);
}

export function usersOf(world: World, tenantId: string): User[] {
  const now = world.clock.now();
  return world.directory.users.filter((user) => user.tenantId === tenantId && user.visibleAt <= now);
}

/** By object id or user principal name, once reads may show it. */
export function findUser(world: World, tenantId: string, idOrUpn: string): User | undefined {
  const wanted = idOrUpn.toLowerCase();
  return usersOf(world, tenantId).find(
    (user) => user.id === wanted || user.userPrincipalName.toLowerCase() === wanted,
  );
}

/** Role templates the user holds in a customer tenant through active relationships and active assignments. */
export function delegatedRoles(world: World, tenantId: string, userId: string): Set<string> {
  const roles = new Set<string>();
  for (const relationship of world.directory.relationships.all()) {
    if (relationship.status !== 'active' || relationship.customer?.tenantId !== tenantId) continue;
    for (const assignment of world.directory.assignments.all()) {
      if (assignment.relationshipId !== relationship.id || assignment.status !== 'active') continue;
      const group = world.directory.groups.get(assignment.groupId);
      if (group?.memberIds.includes(userId) !== true) continue;
      for (const role of assignment.roleIds) roles.add(role);
    }
  }
  return roles;
}

export function isAdminAgent(world: World, userId: string): boolean {
  return world.directory.groups.get(PARTNER.adminAgentsGroupId)?.memberIds.includes(userId) === true;
}

/** Scopes the application holds in a customer tenant; empty before the consent took effect. */
export function consentedScopes(world: World, tenantId: string): Set<string> {
  const consent = world.directory.consents.get(tenantId);
  if (consent === undefined || consent.effectiveAt > world.clock.now()) return new Set();
  return new Set(
    consent.grants
      .flatMap((grant) => grant.scope.split(',').map((scope) => scope.trim()))
      .filter((scope) => scope !== ''),
  );
}

/** Seats of a subscription that Graph counts at this moment. */
export function countedSeats(world: World, subscription: Subscription): number {
  if (subscription.provisioningFailed) return subscription.seatsBefore;
  return subscription.seatsVisibleAt <= world.clock.now() ? subscription.quantity : subscription.seatsBefore;
}

export interface Seats {
  readonly skuId: string;
  readonly subscriptionIds: readonly string[];
  readonly enabled: number;
  readonly suspended: number;
  readonly consumed: number;
}

/** Seats by product as the tenant sees them, whoever sold them. */
export function seatsOf(world: World, tenantId: string): Seats[] {
  const bySku = new Map<string, Subscription[]>();
  for (const subscription of world.directory.subscriptions.all()) {
    if (subscription.tenantId !== tenantId || subscription.status === 'deleted') continue;
    if (countedSeats(world, subscription) === 0) continue;
    bySku.set(subscription.skuId, [...(bySku.get(subscription.skuId) ?? []), subscription]);
  }
  return [...bySku].map(([skuId, subscriptions]) => {
    const sum = (status: string): number =>
      subscriptions
        .filter((subscription) => subscription.status === status)
        .reduce((seats, subscription) => seats + countedSeats(world, subscription), 0);
    return {
      skuId,
      subscriptionIds: subscriptions.map((subscription) => subscription.id),
      enabled: sum('active'),
      suspended: sum('suspended'),
      consumed: consumedSeats(world, tenantId, skuId),
    };
  });
}

/** Counts at once, unlike reads: seats must never be handed out twice. */
export function consumedSeats(world: World, tenantId: string, skuId: string): number {
  return world.directory.users.filter(
    (user) => user.tenantId === tenantId && user.licences.some((licence) => licence.skuId === skuId),
  ).length;
}

export function visibleLicences(world: World, user: User): AssignedLicence[] {
  const now = world.clock.now();
  return user.licences.filter((licence) => licence.visibleAt <= now);
}

/** When the emulated Connect server last synchronised; null when it never did. */
export function lastSync(world: World, tenant: Tenant): number | null {
  if (tenant.syncChangedAt === null || tenant.syncEnabled === null) return null;
  if (!tenant.syncEnabled) return tenant.syncChangedAt;
  const cycle = Math.max(1, world.delay('syncInterval'));
  return tenant.syncChangedAt + Math.floor((world.clock.now() - tenant.syncChangedAt) / cycle) * cycle;
}
