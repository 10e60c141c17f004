/** Partner Center: `/v1`, `/webhooks/v1` and `/auditactivity/v1` below the prefix `/pc`. */
import { createRoutes, type Service } from '../core/http.ts';
import type { World } from '../world.ts';
import { deliver } from './events.ts';
import { decoratePartnerReply } from './helpers.ts';
import { agreementRoutes } from './routes/agreements.ts';
import { auditRoutes } from './routes/audit.ts';
import { cartRoutes } from './routes/carts.ts';
import { catalogueRoutes } from './routes/catalogue.ts';
import { consentRoutes } from './routes/consents.ts';
import { createCustomerRoutes } from './routes/create-customer.ts';
import { customerRoutes } from './routes/customers.ts';
import { completeOrder, orderRoutes } from './routes/orders.ts';
import { relationshipRoutes } from './routes/relationships.ts';
import { performAcceptedChange, subscriptionRoutes } from './routes/subscriptions.ts';
import { userRoutes } from './routes/users.ts';
import { validationRoutes } from './routes/validations.ts';
import { webhookRoutes } from './routes/webhooks.ts';

export function createPartnerCenter(world: World): Service {
  const routes = createRoutes('/pc');
  relationshipRoutes(routes, world);
  customerRoutes(routes, world);
  createCustomerRoutes(routes, world);
  validationRoutes(routes, world);
  agreementRoutes(routes, world);
  consentRoutes(routes, world);
  catalogueRoutes(routes, world);
  cartRoutes(routes, world);
  orderRoutes(routes, world);
  subscriptionRoutes(routes, world);
  userRoutes(routes, world);
  webhookRoutes(routes, world);
  auditRoutes(routes, world);

  world.scheduler.on('webhook', (payload) => deliver(world, payload['deliveryId'] ?? ''));
  world.scheduler.on('order-completes', (payload) => completeOrder(world, payload['orderId'] ?? ''));
  world.scheduler.on('subscription-changes', (payload) =>
    performAcceptedChange(world, payload['subscriptionId'] ?? '', payload['change'] ?? '{}'),
  );
  world.scheduler.on('vetting-ends', (payload) => {
    const customer = world.partner.customers.get(payload['customerId'] ?? '');
    if (customer?.validation?.status !== 'UnderReview') return;
    const validation = { status: payload['status'] ?? 'Allowed', updatedAt: world.clock.now() };
    world.partner.customers.update(customer.id, { validation });
  });

  return {
    name: 'Partner Center',
    prefix: '/pc',
    operations: routes.operations,
    unknown: () => ({
      status: 404,
      json: { code: 1000, description: 'Not found', data: [], source: 'PartnerFD' },
    }),
    decorate: (request, reply) => decoratePartnerReply(world, request, reply),
    replaysByRequestId: true,
  };
}
