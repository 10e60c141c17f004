/** What relationships and access assignments share: paths, role lists, entity tags, 202 answers. */
import { z } from 'zod';
import type { Refusal, Reply, Request } from '../core/http.ts';
import type { AdminOperation, AdminRelationship } from '../directory/entities.ts';
import type { World } from '../world.ts';
import { badRequest, graphError } from './helpers.ts';

export const BASE = '/v1.0/tenantRelationships/delegatedAdminRelationships';
export const guid = z.guid();
export const rolesSchema = z.object({ unifiedRoles: z.array(z.object({ roleDefinitionId: guid })).min(1) });

export function accepted(
  world: World,
  relationship: AdminRelationship,
  operationType: AdminOperation['operationType'],
): Reply {
  const now = world.clock.now();
  const operation = world.directory.operations.put({
    id: world.random.guid(),
    relationshipId: relationship.id,
    operationType,
    status: 'running',
    data: JSON.stringify({ relationshipId: relationship.id }),
    createdAt: now,
    modifiedAt: now,
  });
  world.scheduler.schedule('operation-done', world.delay('assignmentActivation'), {
    operationId: operation.id,
  });
  const location = `${world.urls().graph}${BASE}/${relationship.id}/operations/${operation.id}`;
  return { status: 202, headers: { Location: location, 'Retry-After': '1' } };
}

export function requireEtag(world: World, request: Request, etag: string): void {
  const given = request.headers['if-match'];
  if (given === undefined) throw badRequest(world, 'The If-Match header is required.');
  if (given !== '*' && given !== etag) throw stale(world);
}

export const stale = (world: World): Refusal =>
  graphError(world, 412, 'preconditionFailed', 'The entity tag is stale.');
