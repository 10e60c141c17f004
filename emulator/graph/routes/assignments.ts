import { z } from 'zod';
import { created, noContent, ok, type Request, type Routes } from '../../core/http.ts';
import { announceAssignment, newEtag } from '../../directory/delegation.ts';
import type { AccessAssignment, AdminRelationship } from '../../directory/entities.ts';
import type { World } from '../../world.ts';
import { accepted, BASE, requireEtag, rolesSchema } from '../delegation.ts';
import { badRequest, bodyOf, graphError, list, notFound } from '../helpers.ts';
import { assignmentShape } from '../shapes.ts';

const assignmentSchema = z.object({
  accessContainer: z.object({
    accessContainerId: z.string(),
    accessContainerType: z.literal('securityGroup'),
  }),
  accessDetails: rolesSchema,
});

export function assignmentRoutes(
  routes: Routes,
  world: World,
  enter: (request: Request) => void,
  relationshipOf: (request: Request) => AdminRelationship,
): void {
  const path = `${BASE}/:relationshipId/accessAssignments`;
  const assignmentOf = (request: Request): AccessAssignment => {
    const assignment = world.directory.assignments.get(request.params['assignmentId'] ?? '');
    if (assignment?.relationshipId !== relationshipOf(request).id)
      throw notFound(world, request.params['assignmentId'] ?? '');
    return assignment;
  };

  routes.on('POST', path, (request) => {
    enter(request);
    const assignment = createAssignment(world, request, relationshipOf(request));
    return created(assignmentShape(world, assignment), {
      Location: `${world.urls().graph}${BASE}/${assignment.relationshipId}/accessAssignments/${assignment.id}`,
    });
  });

  routes.on('GET', path, (request) => {
    enter(request);
    const { id } = relationshipOf(request);
    const rows = world.directory.assignments.filter((row) => row.relationshipId === id);
    return list(
      world,
      request,
      'accessAssignments',
      rows.map((row) => assignmentShape(world, row)),
    );
  });

  routes.on('GET', `${path}/:assignmentId`, (request) => {
    enter(request);
    return ok(assignmentShape(world, assignmentOf(request)));
  });

  routes.on('PATCH', `${path}/:assignmentId`, (request) => {
    enter(request);
    const assignment = assignmentOf(request);
    requireEtag(world, request, assignment.etag);
    const body = bodyOf(world, request, z.object({ accessDetails: rolesSchema }));
    const relationship = relationshipOf(request);
    const roleIds = rolesWithin(world, relationship, body.accessDetails);
    const changed = world.directory.assignments.update(assignment.id, {
      roleIds,
      modifiedAt: world.clock.now(),
      etag: newEtag(world),
    });
    announceAssignment(world, changed, 'updated');
    return accepted(world, relationship, 'delegatedAdminAccessAssignmentUpdate');
  });

  routes.on('DELETE', `${path}/:assignmentId`, (request) => {
    enter(request);
    const assignment = assignmentOf(request);
    requireEtag(world, request, assignment.etag);
    world.directory.assignments.remove(assignment.id);
    announceAssignment(world, assignment, 'deleted');
    return noContent();
  });
}

function createAssignment(world: World, request: Request, relationship: AdminRelationship): AccessAssignment {
  const body = bodyOf(world, request, assignmentSchema);
  if (relationship.status !== 'active') {
    throw badRequest(
      world,
      `The relationship is ${relationship.status}; access can be assigned when it is active.`,
    );
  }
  const groupId = body.accessContainer.accessContainerId.toLowerCase();
  if (world.directory.groups.get(groupId) === undefined)
    throw badRequest(world, 'The access container does not exist.');
  const roleIds = rolesWithin(world, relationship, body.accessDetails);
  const known = world.directory.assignments.find(
    (row) => row.relationshipId === relationship.id && row.groupId === groupId && row.status !== 'deleted',
  );
  if (known !== undefined) {
    world.ledger.duplicate(request.operation.key, `group ${groupId} is already assigned`);
    throw graphError(world, 409, 'conflict', 'The access container is already assigned to the relationship.');
  }
  const now = world.clock.now();
  const assignment = world.directory.assignments.put({
    id: world.random.guid(),
    relationshipId: relationship.id,
    groupId,
    roleIds,
    status: 'pending',
    createdAt: now,
    modifiedAt: now,
    etag: newEtag(world),
  });
  announceAssignment(world, assignment, 'created');
  world.scheduler.schedule('assignment-active', world.delay('assignmentActivation'), {
    assignmentId: assignment.id,
  });
  return assignment;
}

function rolesWithin(
  world: World,
  relationship: AdminRelationship,
  details: z.output<typeof rolesSchema>,
): string[] {
  const roleIds = details.unifiedRoles.map((role) => role.roleDefinitionId.toLowerCase());
  const beyond = roleIds.find((role) => !relationship.roleIds.includes(role));
  if (beyond !== undefined) throw badRequest(world, `The role ${beyond} is not part of the relationship.`);
  return roleIds;
}
