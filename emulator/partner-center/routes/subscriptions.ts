import { z } from 'zod';
import { ok, type Reply, type Request, type Routes } from '../../core/http.ts';
import { newEtag } from '../../directory/delegation.ts';
import type { Subscription } from '../../directory/entities.ts';
import { countedSeats, seatsOf } from '../../directory/helpers.ts';
import { productOfSku } from '../../directory/products.ts';
import { ROLES } from '../../directory/roles.ts';
import { PARTNER } from '../../options.ts';
import type { World } from '../../world.ts';
import { audit, emitEvent } from '../events.ts';
import {
  authorise,
  bodyOf,
  collection,
  customerOf,
  objectType,
  partnerError,
  requireRole,
} from '../helpers.ts';
import { CANCELLATION_MS, subscriptionShape } from '../shapes.ts';

const bodySchema = z.object({
  id: z.string(),
  quantity: z.number().int(),
  status: z.string(),
  autorenewenabled: z.boolean().nullish(),
  friendlyname: z.string().nullish(),
  billingcycle: z.string().nullish(),
});

type Body = z.output<typeof bodySchema>;

export function subscriptionRoutes(routes: Routes, world: World): void {
  routes.on('GET', '/v1/customers/:customerId/subscriptions', (request) => {
    authorise(world, request);
    const customer = customerOf(world, request);
    const orderId = request.query.get('order_id');
    const subscriptions = world.directory.subscriptions.filter(
      (subscription) =>
        subscription.tenantId === customer.id &&
        subscription.ownerTenantId === PARTNER.tenantId &&
        (orderId === null || subscription.orderId === orderId),
    );
    const items = subscriptions.map((subscription) => subscriptionShape(world, subscription));
    return ok(collection(items, `/customers/${customer.id}/subscriptions`));
  });

  routes.on('GET', '/v1/customers/:customerId/subscriptions/:subscriptionId', (request) => {
    authorise(world, request);
    return ok(subscriptionShape(world, subscriptionOf(world, request)));
  });

  routes.on('PATCH', '/v1/customers/:customerId/subscriptions/:subscriptionId', (request) => {
    authorise(world, request);
    return changeSubscription(world, request, subscriptionOf(world, request));
  });

  routes.on(
    'GET',
    '/v1/customers/:customerId/subscriptions/:subscriptionId/provisioningstatus',
    (request) => {
      const caller = authorise(world, request, 'user');
      requireRole(world, caller, customerOf(world, request), [...READERS]);
      const subscription = subscriptionOf(world, request);
      const seats = countedSeats(world, subscription);
      if (seats === 0 && !subscription.provisioningFailed)
        throw partnerError(404, 800007, 'The provisioning status was not found.');
      return ok({
        skuId: subscription.skuId.toUpperCase(),
        status: subscription.provisioningFailed
          ? 'failed'
          : seats === subscription.quantity
            ? 'success'
            : 'pending',
        quantity: seats,
        endDate: subscriptionShape(world, subscription)['commitmentEndDate'],
        attributes: objectType('SubscriptionProvisioningStatus'),
      });
    },
  );

  routes.on('GET', '/v1/customers/:customerId/subscribedskus', (request) => {
    const caller = authorise(world, request, 'user');
    const customer = customerOf(world, request);
    requireRole(world, caller, customer, [...READERS]);
    const group = request.query.get('licenseGroupIds')?.toLowerCase();
    const seats = group === 'group2' ? [] : seatsOf(world, customer.id);
    return ok(collection(seats.map(subscribedSku)));
  });
}

const READERS: ReadonlySet<string> = new Set(Object.values(ROLES));

function subscribedSku(seats: ReturnType<typeof seatsOf>[number]): unknown {
  const product = productOfSku(seats.skuId);
  const status = seats.enabled > 0 ? 'Enabled' : 'Suspended';
  return {
    availableUnits: seats.enabled - seats.consumed,
    activeUnits: seats.enabled,
    consumedUnits: seats.consumed,
    suspendedUnits: seats.suspended,
    totalUnits: seats.enabled + seats.suspended,
    warningUnits: 0,
    productSku: {
      id: seats.skuId,
      name: product?.title ?? seats.skuId,
      skuPartNumber: product?.skuPartNumber ?? '',
      targetType: 'User',
      licenseGroupId: 'group1',
    },
    servicePlans: (product?.plans ?? []).map((plan) => ({
      displayName: plan.name,
      serviceName: plan.name,
      id: plan.id,
      capabilityStatus: status,
      targetType: 'User',
    })),
    capabilityStatus: status,
    attributes: objectType('SubscribedSku'),
  };
}

function subscriptionOf(world: World, request: Request): Subscription {
  const customer = customerOf(world, request);
  const subscription = world.directory.subscriptions.get(
    request.params['subscriptionId']?.toLowerCase() ?? '',
  );
  if (subscription?.tenantId !== customer.id || subscription.ownerTenantId !== PARTNER.tenantId) {
    throw partnerError(404, 20003, 'The subscription was not found.');
  }
  return subscription;
}

function changeSubscription(world: World, request: Request, subscription: Subscription): Reply {
  const body = bodyOf(request, bodySchema);
  if (body.id.toLowerCase() !== subscription.id)
    throw partnerError(400, 2054, 'The subscription id does not match.');
  const etag = request.headers['if-match'];
  if (etag !== undefined && etag !== subscription.etag && etag !== '*') {
    throw partnerError(400, 2055, 'The entity tag is stale.');
  }
  if (subscription.changePending)
    throw partnerError(409, 900278, 'A pending operation exists for the subscription.');
  if (subscription.status === 'deleted')
    throw partnerError(400, 900279, 'A deleted subscription cannot be updated.');
  refuseChange(world, subscription, body);
  audit(world, {
    operationType: 'update_subscription',
    resourceType: 'subscription',
    customerId: subscription.tenantId,
    newValue: { Id: subscription.id, Quantity: body.quantity, Status: body.status },
  });
  const accepted =
    world.faults.take(request.operation.key, 'accepted') !== undefined ||
    world.settings().subscriptionPatch === 'accepted';
  if (!accepted) return ok(subscriptionShape(world, applyChange(world, subscription, body)));
  world.directory.subscriptions.update(subscription.id, { changePending: true });
  world.scheduler.schedule('subscription-changes', world.delay('subscriptionChange'), {
    subscriptionId: subscription.id,
    change: JSON.stringify(body),
  });
  const location = `/customers/${subscription.tenantId}/subscriptions/${subscription.id}`;
  return { status: 202, headers: { Location: location, 'Retry-After': '1' } };
}

function refuseChange(world: World, subscription: Subscription, body: Body): void {
  const status = body.status.toLowerCase();
  if (!['active', 'suspended', 'deleted'].includes(status))
    throw partnerError(400, 800002, 'The status is not valid.');
  const now = world.clock.now();
  const open = subscription.refundable
    .filter((part) => part.until > now)
    .reduce((sum, part) => sum + part.quantity, 0);
  if (status === 'deleted' && subscription.createdAt + CANCELLATION_MS <= now) {
    throw partnerError(400, 900117, 'The cancellation window of the subscription is over.');
  }
  if (body.quantity < 1) throw partnerError(400, 2002, 'The quantity is not valid.');
  const maximum = productOfSku(subscription.skuId)?.maximumQuantity ?? 0;
  if (body.quantity > maximum) {
    throw partnerError(
      403,
      800067,
      'The desired seat count exceeded the maximum seat count allowed per subscription',
    );
  }
  if (body.quantity < subscription.quantity && subscription.quantity - body.quantity > open) {
    throw partnerError(400, 800090, 'The quantity can be decreased only within the cancellation window.');
  }
  if (
    body.quantity !== subscription.quantity &&
    subscription.status === 'suspended' &&
    status === 'suspended'
  ) {
    throw partnerError(400, 800091, 'A suspended subscription cannot change its quantity.');
  }
}

/** Sets what the body says; what it leaves out is cleared, as the documents warn. */
function applyChange(world: World, subscription: Subscription, body: Body): Subscription {
  const now = world.clock.now();
  const added = body.quantity - subscription.quantity;
  const changed = world.directory.subscriptions.update(subscription.id, {
    quantity: body.quantity,
    status: body.status.toLowerCase() as Subscription['status'],
    autoRenewEnabled: body.autorenewenabled ?? false,
    friendlyName: body.friendlyname ?? subscription.friendlyName,
    refundable:
      added > 0
        ? [...subscription.refundable, { quantity: added, until: now + CANCELLATION_MS }]
        : takeBack(subscription, -added),
    seatsBefore: countedSeats(world, subscription),
    seatsVisibleAt: added === 0 ? subscription.seatsVisibleAt : now + world.delay('seatsVisible'),
    etag: newEtag(world),
    changePending: false,
  });
  emitEvent(world, {
    eventName: 'subscription-updated',
    resourceName: 'subscription',
    resourceUri: `https://api.partnercenter.microsoft.com/webhooks/v1/customers/${subscription.tenantId}/subscriptions/${subscription.id}`,
    auditUri: null,
    delayMs: world.delay('subscriptionWebhook'),
  });
  return changed;
}

/** Takes seats back from the latest additions first. */
function takeBack(subscription: Subscription, seats: number): Subscription['refundable'] {
  let left = seats;
  return [...subscription.refundable]
    .reverse()
    .map((part) => {
      const taken = Math.min(left, part.quantity);
      left -= taken;
      return { ...part, quantity: part.quantity - taken };
    })
    .filter((part) => part.quantity > 0)
    .reverse();
}

/** Effect of an accepted (202) change. */
export function performAcceptedChange(world: World, subscriptionId: string, change: string): void {
  const subscription = world.directory.subscriptions.get(subscriptionId);
  if (subscription?.changePending !== true) return;
  applyChange(world, subscription, bodySchema.parse(JSON.parse(change)));
}
