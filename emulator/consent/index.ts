/** Pages standing in for admin.microsoft.com, below the prefix `/admin`: where a customer accepts and approves. */
import { createRoutes, type Service } from '../core/http.ts';
import type { World } from '../world.ts';
import { announceReseller, htmlPage, sendConfirmations } from './helpers.ts';
import { consentPages } from './routes/pages.ts';

export function createConsent(world: World): Service {
  const routes = createRoutes('/admin');
  consentPages(routes, world);
  world.scheduler.on('relationship-visible', ({ tenantId = '' }) => announceReseller(world, tenantId));
  world.scheduler.on('confirmation-mail', ({ tenantId = '', about = '' }) =>
    sendConfirmations(world, tenantId, about),
  );
  return {
    name: 'consent pages',
    prefix: '/admin',
    operations: routes.operations,
    unknown: () =>
      htmlPage('Not found', '<h1>Not found</h1><p><a href="/admin/partners">Partner relationships</a></p>', {
        status: 404,
      }),
    decorate: (_request, reply) => reply,
    replaysByRequestId: false,
  };
}
