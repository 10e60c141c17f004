/** The authority: token endpoints and discovery below the prefix `/login`. */
import { createRoutes, type Service } from '../core/http.ts';
import type { World } from '../world.ts';
import { discoveryRoutes } from './routes/discovery.ts';
import { tokenRoutes } from './routes/token.ts';

export function createAuthority(world: World): Service {
  const routes = createRoutes('/login');
  tokenRoutes(routes, world);
  discoveryRoutes(routes, world);
  return {
    name: 'authority',
    prefix: '/login',
    operations: routes.operations,
    unknown: () => ({ status: 404, json: { error: 'not_found' } }),
    decorate: (_request, reply) => ({ ...reply, headers: { 'Cache-Control': 'no-store', ...reply.headers } }),
    replaysByRequestId: false,
  };
}
