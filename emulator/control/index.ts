/** The control API below the prefix `/control`: customers' answers, faults, delays and the books. */
import { createRoutes, type Service } from '../core/http.ts';
import type { World } from '../world.ts';
import { controlRoutes } from './routes/control.ts';

export function createControl(world: World, reset: () => void): Service {
  const routes = createRoutes('/control');
  controlRoutes(routes, world, reset);
  return {
    name: 'control',
    prefix: '/control',
    operations: routes.operations,
    unknown: () => ({ status: 404, json: { error: 'No such control.' } }),
    decorate: (_request, reply) => reply,
    replaysByRequestId: false,
  };
}
