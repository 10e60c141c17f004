/** The life of a GDAP relationship and its access assignments, and the events it gives off. */
import { DAY_MS } from '../core/clock.ts';
import { audit, emitEvent } from '../partner-center/events.ts';
import type { World } from '../world.ts';
import type { AccessAssignment, AdminRelationship, RelationshipStatus } from './entities.ts';

/** An invitation nobody answers expires. */
export const INVITATION_DAYS = 90;

export function setStatus(
  world: World,
  relationship: AdminRelationship,
  status: RelationshipStatus,
  change: Partial<AdminRelationship> = {},
): AdminRelationship {
  return world.directory.relationships.update(relationship.id, {
    ...change,
    status,
    modifiedAt: world.clock.now(),
    etag: newEtag(world),
  });
}

export function newEtag(world: World): string {
  return `W/"${Buffer.from(world.random.hex(12)).toString('base64')}"`;
}

export function announce(world: World, relationship: AdminRelationship, happened: string): void {
  const auditUri = audit(world, {
    operationType: `granular_admin_relationship_${happened}`,
    resourceType: 'granular_admin_relationship',
    customerId: relationship.customer?.tenantId ?? null,
    newValue: {
      Id: relationship.id,
      DisplayName: relationship.displayName,
      Customer: {
        TenantId: relationship.customer?.tenantId,
        DisplayName: relationship.customer?.displayName,
      },
      Status: relationship.status,
    },
  });
  emitEvent(world, {
    eventName: `granular-admin-relationship-${happened}`,
    resourceName: 'GranularAdminRelationship',
    resourceUri: `https://partner.microsoft.com/granularAdminRelationships/${relationship.id}`,
    auditUri,
  });
}

/** Ready for the customer; the event's name misleads, the facts say so too. */
export function openForApproval(world: World, relationshipId: string): void {
  const relationship = world.directory.relationships.get(relationshipId);
  if (relationship?.status !== 'created') return;
  announce(world, setStatus(world, relationship, 'approvalPending'), 'activated');
  world.scheduler.schedule('gdap-invitation-expires', INVITATION_DAYS * DAY_MS, { relationshipId });
}

export type ApprovalRefusal = 'unknown' | 'not-pending' | 'other-tenant';

/** The customer's answer; `tenantId` is the answering administrator's tenant. */
export function answerInvitation(
  world: World,
  relationshipId: string,
  tenantId: string,
  answer: 'approve' | 'reject',
): AdminRelationship | ApprovalRefusal {
  const relationship = world.directory.relationships.get(relationshipId);
  if (relationship === undefined) return 'unknown';
  if (relationship.customer !== null && relationship.customer.tenantId !== tenantId) return 'other-tenant';
  if (relationship.status !== 'approvalPending') return 'not-pending';
  const tenant = world.directory.tenants.get(tenantId);
  const customer = relationship.customer ?? { tenantId, displayName: tenant?.displayName ?? tenantId };
  if (answer === 'reject') {
    const ended = setStatus(world, relationship, 'terminated', { customer, endAt: world.clock.now() });
    announce(world, ended, 'terminated');
    return ended;
  }
  const approved = setStatus(world, relationship, 'approved', { customer });
  announce(world, approved, 'approved');
  const delay = world.delay('gdapActivation');
  world.scheduler.schedule('gdap-activating', delay / 2, { relationshipId });
  world.scheduler.schedule('gdap-active', delay, { relationshipId });
  return approved;
}

export function beginActivation(world: World, relationshipId: string): void {
  const relationship = world.directory.relationships.get(relationshipId);
  if (relationship?.status === 'approved') setStatus(world, relationship, 'activating');
}

export function activate(world: World, relationshipId: string): void {
  const relationship = world.directory.relationships.get(relationshipId);
  if (relationship?.status !== 'approved' && relationship?.status !== 'activating') return;
  const now = world.clock.now();
  const endAt = now + durationMs(relationship.duration);
  setStatus(world, relationship, 'active', { activatedAt: now, endAt });
  world.scheduler.schedule('gdap-ends', endAt - now, { relationshipId });
}

/** An unanswered invitation or a relationship whose time is over. */
export function expire(world: World, relationshipId: string): boolean {
  const relationship = world.directory.relationships.get(relationshipId);
  if (relationship === undefined) return false;
  if (!['created', 'approvalPending', 'active', 'expiring'].includes(relationship.status)) return false;
  announce(world, setStatus(world, relationship, 'expired', { endAt: world.clock.now() }), 'expired');
  return true;
}

export function terminate(world: World, relationshipId: string): void {
  const relationship = world.directory.relationships.get(relationshipId);
  if (relationship?.status !== 'active' && relationship?.status !== 'terminationRequested') return;
  announce(world, setStatus(world, relationship, 'terminated', { endAt: world.clock.now() }), 'terminated');
}

export function announceAssignment(world: World, assignment: AccessAssignment, happened: string): void {
  const relationship = world.directory.relationships.get(assignment.relationshipId);
  const auditUri = audit(world, {
    operationType: `granular_admin_access_assignment_${happened}`,
    resourceType: 'granular_admin_access_assignment',
    customerId: relationship?.customer?.tenantId ?? null,
    newValue: { Id: assignment.id, RelationshipId: assignment.relationshipId, GroupId: assignment.groupId },
  });
  emitEvent(world, {
    eventName: `granular-admin-access-assignment-${happened}`,
    resourceName: 'GranularAdminAccessAssignment',
    resourceUri: `https://partner.microsoft.com/granularAdminRelationships/${assignment.relationshipId}/accessAssignments/${assignment.id}`,
    auditUri,
  });
}

export function activateAssignment(world: World, assignmentId: string): void {
  const assignment = world.directory.assignments.get(assignmentId);
  if (assignment?.status !== 'pending') return;
  const active = world.directory.assignments.update(assignmentId, {
    status: 'active',
    modifiedAt: world.clock.now(),
    etag: newEtag(world),
  });
  announceAssignment(world, active, 'activated');
}

/** `P730D`, `P2Y`, `P180D`; 0 for what cannot be read. */
export function durationMs(duration: string): number {
  const parts = /^P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?/.exec(duration);
  if (parts === null) return 0;
  const [years, months, days] = [parts[1], parts[2], parts[3]].map((part) => Number(part ?? 0));
  return ((years ?? 0) * 365 + (months ?? 0) * 30 + (days ?? 0)) * DAY_MS;
}
