import { z } from 'zod';
import { DAY_MS } from '../../core/clock.ts';
import { created, noContent, ok, type Request, type Routes } from '../../core/http.ts';
import {
  activate,
  activateAssignment,
  beginActivation,
  durationMs,
  expire,
  newEtag,
  openForApproval,
  setStatus,
  terminate,
} from '../../directory/delegation.ts';
import type { AdminRelationship, AdminRequest } from '../../directory/entities.ts';
import { isAdminAgent } from '../../directory/helpers.ts';
import { ROLES } from '../../directory/roles.ts';
import type { World } from '../../world.ts';
import { accepted, BASE, guid, requireEtag, rolesSchema, stale } from '../delegation.ts';
import { badRequest, bodyOf, graphError, inPartnerTenant, list, notFound, select } from '../helpers.ts';
import { operationShape, relationshipShape, requestShape } from '../shapes.ts';
import { assignmentRoutes } from './assignments.ts';

const SCOPE = 'DelegatedAdminRelationship.ReadWrite.All';
const createSchema = z.object({
  displayName: z.string().min(1).max(50),
  duration: z.string(),
  autoExtendDuration: z.string().nullish(),
  customer: z.object({ tenantId: guid, displayName: z.string().nullish() }).nullish(),
  accessDetails: rolesSchema.nullish(),
});

export function relationshipRoutes(routes: Routes, world: World): void {
  const enter = (request: Request): void => {
    const caller = inPartnerTenant(world, request, SCOPE);
    if (!caller.isUser || !isAdminAgent(world, caller.userId)) {
      throw graphError(world, 403, 'Authorization_RequestDenied', 'The user is not an admin agent.');
    }
  };
  const relationshipOf = (request: Request): AdminRelationship => {
    const relationship = world.directory.relationships.get(
      request.params['relationshipId']?.toLowerCase() ?? '',
    );
    if (relationship === undefined) throw notFound(world, request.params['relationshipId'] ?? '');
    return relationship;
  };

  routes.on('POST', BASE, (request) => {
    enter(request);
    const relationship = createRelationship(world, request);
    return created(relationshipShape(world, relationship), {
      Location: `${world.urls().graph}${BASE}/${relationship.id}`,
    });
  });

  routes.on('GET', BASE, (request) => {
    enter(request);
    const rows = world.directory.relationships
      .all()
      .map((relationship) => relationshipShape(world, relationship));
    return list(world, request, 'tenantRelationships/delegatedAdminRelationships', rows, 300);
  });

  routes.on('GET', `${BASE}/:relationshipId`, (request) => {
    enter(request);
    return ok(select(request, relationshipShape(world, relationshipOf(request))));
  });

  routes.on('PATCH', `${BASE}/:relationshipId`, (request) => {
    enter(request);
    const relationship = relationshipOf(request);
    requireEtag(world, request, relationship.etag);
    const body = bodyOf(world, request, createSchema.partial());
    if (relationship.status === 'active') {
      if (body.autoExtendDuration === undefined)
        throw badRequest(world, 'Only autoExtendDuration can change now.');
      setStatus(world, relationship, 'active', { autoExtendDuration: body.autoExtendDuration ?? 'PT0S' });
      return accepted(world, relationship, 'delegatedAdminRelationshipUpdate');
    }
    if (relationship.status !== 'created')
      throw badRequest(world, 'The relationship can no longer be edited.');
    const changed = setStatus(world, relationship, 'created', {
      displayName: body.displayName ?? relationship.displayName,
      duration: body.duration ?? relationship.duration,
      roleIds: body.accessDetails?.unifiedRoles.map((role) => role.roleDefinitionId) ?? relationship.roleIds,
    });
    return ok(relationshipShape(world, changed));
  });

  routes.on('DELETE', `${BASE}/:relationshipId`, (request) => {
    enter(request);
    const relationship = relationshipOf(request);
    requireEtag(world, request, relationship.etag);
    if (relationship.status !== 'created')
      throw badRequest(world, 'Only a created relationship can be deleted.');
    world.directory.relationships.remove(relationship.id);
    return noContent();
  });

  routes.on('POST', `${BASE}/:relationshipId/requests`, (request) => {
    enter(request);
    const relationship = relationshipOf(request);
    const { action } = bodyOf(
      world,
      request,
      z.object({ action: z.enum(['lockForApproval', 'approve', 'reject', 'terminate']) }),
    );
    if (action === 'approve' || action === 'reject') throw badRequest(world, 'Only the customer can answer.');
    const accept = action === 'lockForApproval' ? lock : requestTermination;
    const answer = accept(world, request, relationship);
    return created(requestShape(world, answer), {
      Location: `${world.urls().graph}${BASE}/${relationship.id}/requests/${answer.id}`,
    });
  });

  routes.on('GET', `${BASE}/:relationshipId/requests`, (request) => {
    enter(request);
    const { id } = relationshipOf(request);
    const rows = world.directory.requests.filter((row) => row.relationshipId === id);
    return list(
      world,
      request,
      'requests',
      rows.map((row) => requestShape(world, row)),
    );
  });

  routes.on('GET', `${BASE}/:relationshipId/requests/:requestId`, (request) => {
    enter(request);
    const row = world.directory.requests.get(request.params['requestId'] ?? '');
    if (row?.relationshipId !== relationshipOf(request).id)
      throw notFound(world, request.params['requestId'] ?? '');
    return ok(requestShape(world, row));
  });

  routes.on('GET', `${BASE}/:relationshipId/operations`, (request) => {
    enter(request);
    const { id } = relationshipOf(request);
    const rows = world.directory.operations.filter((row) => row.relationshipId === id);
    return list(
      world,
      request,
      'operations',
      rows.map((row) => operationShape(world, row)),
    );
  });

  routes.on('GET', `${BASE}/:relationshipId/operations/:operationId`, (request) => {
    enter(request);
    const row = world.directory.operations.get(request.params['operationId'] ?? '');
    if (row?.relationshipId !== relationshipOf(request).id)
      throw notFound(world, request.params['operationId'] ?? '');
    return ok(operationShape(world, row));
  });

  assignmentRoutes(routes, world, enter, relationshipOf);
  relationshipEffects(world);
}

function relationshipEffects(world: World): void {
  world.scheduler.on('gdap-locked', ({ relationshipId = '', requestId = '' }) => {
    openForApproval(world, relationshipId);
    const request = world.directory.requests.get(requestId);
    if (request !== undefined) {
      world.directory.requests.update(requestId, { status: 'succeeded', modifiedAt: world.clock.now() });
    }
  });
  world.scheduler.on('gdap-activating', ({ relationshipId = '' }) => beginActivation(world, relationshipId));
  world.scheduler.on('gdap-active', ({ relationshipId = '' }) => activate(world, relationshipId));
  world.scheduler.on('gdap-terminated', ({ relationshipId = '' }) => terminate(world, relationshipId));
  world.scheduler.on('gdap-ends', ({ relationshipId = '' }) => {
    expire(world, relationshipId);
  });
  world.scheduler.on('gdap-invitation-expires', ({ relationshipId = '' }) => {
    if (world.directory.relationships.get(relationshipId)?.status === 'approvalPending')
      expire(world, relationshipId);
  });
  world.scheduler.on('assignment-active', ({ assignmentId = '' }) => activateAssignment(world, assignmentId));
  world.scheduler.on('operation-done', ({ operationId = '' }) => {
    if (world.directory.operations.get(operationId) === undefined) return;
    world.directory.operations.update(operationId, { status: 'succeeded', modifiedAt: world.clock.now() });
  });
}

function createRelationship(world: World, request: Request): AdminRelationship {
  const body = bodyOf(world, request, createSchema);
  const length = durationMs(body.duration);
  if (length < DAY_MS || length > 730 * DAY_MS)
    throw badRequest(world, 'duration must be between P1D and P2Y.');
  const autoExtend = body.autoExtendDuration ?? 'PT0S';
  if (!['P0D', 'PT0S', 'P180D'].includes(autoExtend))
    throw badRequest(world, 'autoExtendDuration must be PT0S or P180D.');
  const roleIds = (body.accessDetails?.unifiedRoles ?? []).map((role) => role.roleDefinitionId.toLowerCase());
  if (autoExtend === 'P180D' && roleIds.includes(ROLES.globalAdministrator)) {
    throw badRequest(world, 'A relationship with Global Administrator cannot be extended automatically.');
  }
  const name = body.displayName.toLowerCase();
  if (world.directory.relationships.all().some((known) => known.displayName.toLowerCase() === name)) {
    world.ledger.duplicate(request.operation.key, `relationship ${body.displayName} exists`);
    throw graphError(world, 409, 'conflict', 'A relationship with the same displayName already exists.');
  }
  const customerId = body.customer?.tenantId.toLowerCase();
  if (customerId !== undefined && world.directory.tenants.get(customerId) === undefined) {
    throw badRequest(world, `The tenant ${customerId} does not exist.`);
  }
  const now = world.clock.now();
  return world.directory.relationships.put({
    id: `${world.random.guid()}-${world.random.guid()}`,
    displayName: body.displayName,
    duration: body.duration,
    autoExtendDuration: autoExtend,
    customer:
      customerId === undefined
        ? null
        : {
            tenantId: customerId,
            displayName:
              body.customer?.displayName ?? world.directory.tenants.get(customerId)?.displayName ?? '',
          },
    roleIds,
    status: 'created',
    createdAt: now,
    modifiedAt: now,
    activatedAt: null,
    endAt: null,
    etag: newEtag(world),
  });
}

function lock(world: World, request: Request, relationship: AdminRelationship): AdminRequest {
  const replicated = relationship.createdAt + world.delay('gdapReplication') <= world.clock.now();
  if (!replicated || world.faults.take(request.operation.key, 'lock-not-allowed') !== undefined) {
    throw graphError(world, 405, 'methodNotAllowed', 'The relationship is not ready yet.');
  }
  const etag = request.headers['if-match'];
  if (etag !== undefined && etag !== '*' && etag !== relationship.etag) throw stale(world);
  if (relationship.roleIds.length === 0)
    throw badRequest(world, 'accessDetails must be set before lockForApproval.');
  const known = world.directory.requests.find(
    (row) => row.relationshipId === relationship.id && row.action === 'lockForApproval',
  );
  if (relationship.status !== 'created' || known !== undefined) {
    world.ledger.duplicate(
      request.operation.key,
      `relationship ${relationship.displayName} is already locked`,
    );
    throw graphError(
      world,
      409,
      'conflict',
      `The relationship is ${relationship.status} and cannot be locked.`,
    );
  }
  const answer = putRequest(world, relationship, 'lockForApproval');
  world.scheduler.schedule('gdap-locked', world.delay('gdapLock'), {
    relationshipId: relationship.id,
    requestId: answer.id,
  });
  return answer;
}

function requestTermination(world: World, _request: Request, relationship: AdminRelationship): AdminRequest {
  if (relationship.status !== 'active')
    throw badRequest(world, 'Only an active relationship can be terminated.');
  setStatus(world, relationship, 'terminationRequested');
  world.scheduler.schedule('gdap-terminated', world.delay('gdapActivation'), {
    relationshipId: relationship.id,
  });
  return putRequest(world, relationship, 'terminate');
}

function putRequest(world: World, relationship: AdminRelationship, action: string): AdminRequest {
  const now = world.clock.now();
  return world.directory.requests.put({
    id: world.random.guid(),
    relationshipId: relationship.id,
    action,
    status: 'created',
    createdAt: now,
    modifiedAt: now,
  });
}
