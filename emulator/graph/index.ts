/** Microsoft Graph: `/v1.0` (and `/beta/organization`) below the prefix `/graph`. */
import { createRoutes, type Service } from '../core/http.ts';
import type { World } from '../world.ts';
import { graphErrorBody } from './helpers.ts';
import { batchRoutes, type Dispatch } from './routes/batch.ts';
import { organizationRoutes } from './routes/organization.ts';
import { partnerRoutes } from './routes/partner.ts';
import { relationshipRoutes } from './routes/relationships.ts';
import { userRoutes } from './routes/users.ts';

export function createGraph(world: World, dispatch: Dispatch): Service {
  const routes = createRoutes('/graph');
  partnerRoutes(routes, world);
  relationshipRoutes(routes, world);
  organizationRoutes(routes, world);
  userRoutes(routes, world);
  batchRoutes(routes, world, dispatch);
  return {
    name: 'Microsoft Graph',
    prefix: '/graph',
    operations: routes.operations,
    unknown: (request) => ({
      status: 404,
      json: graphErrorBody(world, 'BadRequest', `Resource not found for the segment '${request.path}'.`),
    }),
    decorate: (request, reply) => {
      const id = String(request.headers['client-request-id'] ?? world.random.guid());
      const headers = {
        'request-id': world.random.guid(),
        'client-request-id': id,
        'x-ms-resource-unit': '1',
      };
      return { ...reply, headers: { ...headers, ...reply.headers } };
    },
    replaysByRequestId: false,
  };
}
