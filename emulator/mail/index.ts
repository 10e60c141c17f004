/** Mail: the inbox in the browser below the prefix `/inbox`; the SMTP sink beside it. */

import { htmlPage } from '../consent/helpers.ts';
import { createRoutes, type Service } from '../core/http.ts';
import type { World } from '../world.ts';
import { followInvitation } from './auto-consent.ts';
import { inboxRoutes } from './routes/inbox.ts';

export function createMail(world: World): Service {
  const routes = createRoutes('/inbox');
  inboxRoutes(routes, world);
  world.scheduler.on('auto-consent', ({ mailId = '' }) => followInvitation(world, mailId));
  return {
    name: 'mail',
    prefix: '/inbox',
    operations: routes.operations,
    unknown: () =>
      htmlPage('Not found', '<h1>Not found</h1><p><a href="/inbox">Inbox</a></p>', { status: 404 }),
    decorate: (_request, reply) => reply,
    replaysByRequestId: false,
  };
}
