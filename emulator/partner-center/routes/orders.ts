import { z } from 'zod';
import { created, ok, type Request, type Routes } from '../../core/http.ts';
import { newEtag } from '../../directory/delegation.ts';
import { PARTNER } from '../../options.ts';
import type { World } from '../../world.ts';
import { currencyOf, findCatalogItem, findTerm, priceOf } from '../catalogue.ts';
import type { Cart, CartLine, Customer, Order } from '../entities.ts';
import { audit, emitEvent } from '../events.ts';
import { authorise, bodyOf, collection, customerOf, partnerError } from '../helpers.ts';
import { CANCELLATION_MS, orderShape } from '../shapes.ts';
import { agreementExists } from './agreements.ts';

const bodySchema = z.object({
  referencecustomerid: z.string().nullish(),
  billingcycle: z.string(),
  currencycode: z.string().nullish(),
  lineitems: z
    .array(
      z.object({
        lineitemnumber: z.number().int(),
        offerid: z.string(),
        quantity: z.number().int().positive(),
        friendlyname: z.string().nullish(),
        termduration: z.string().nullish(),
      }),
    )
    .min(1),
});

export function orderRoutes(routes: Routes, world: World): void {
  routes.on('POST', '/v1/customers/:customerId/orders', (request) => {
    authorise(world, request);
    const customer = customerOf(world, request);
    if (!agreementExists(world, customer.id)) {
      throw partnerError(403, 13605, 'The customer has not accepted the Microsoft Customer Agreement.');
    }
    return created(
      orderShape(world, placeOrder(world, customer, null, directLines(world, request, customer))),
    );
  });

  routes.on('GET', '/v1/customers/:customerId/orders', (request) => {
    authorise(world, request);
    const customer = customerOf(world, request);
    const now = world.clock.now();
    const orders = world.partner.orders.filter(
      (order) => order.customerId === customer.id && order.visibleAt <= now,
    );
    return ok(
      collection(
        orders.map((order) => orderShape(world, order)),
        `/customers/${customer.id}/orders`,
      ),
    );
  });

  routes.on('GET', '/v1/customers/:customerId/orders/:orderId', (request) => {
    authorise(world, request);
    return ok(orderShape(world, orderOf(world, request)));
  });

  routes.on('GET', '/v1/customers/:customerId/orders/:orderId/provisioningstatus', (request) => {
    authorise(world, request);
    const order = orderOf(world, request);
    const provisioned =
      !order.provisioningFails &&
      order.completedAt !== null &&
      order.completedAt + world.delay('provisioningStatus') <= world.clock.now();
    const status = provisioned
      ? 'fulfilled'
      : order.completedAt === null || order.provisioningFails
        ? 'unfulfilled'
        : 'prefulfillmentPending';
    return ok(
      collection(
        order.lines.map((line) => ({
          orderLineItemId: `${order.id}-${line.lineItemNumber}`,
          lineItemNumber: line.lineItemNumber,
          status,
          quantityProvisioningInformation: [
            { quantity: line.quantity, status: provisioned ? 'fulfilled' : 'unfulfilled' },
          ],
        })),
      ),
    );
  });
}

function orderOf(world: World, request: Request): Order {
  const customer = customerOf(world, request);
  const order = world.partner.orders.get(request.params['orderId']?.toLowerCase() ?? '');
  if (order === undefined || order.customerId !== customer.id || order.visibleAt > world.clock.now()) {
    throw partnerError(404, 20000, 'The order was not found.');
  }
  return order;
}

function directLines(world: World, request: Request, customer: Customer): CartLine[] {
  const body = bodyOf(request, bodySchema);
  const country = world.directory.tenants.get(customer.id)?.country ?? 'US';
  return body.lineitems.map((line) => {
    const item = findCatalogItem(world, line.offerid);
    if (item?.current !== true) throw partnerError(404, 400019, 'The availability was not found.');
    const term = findTerm(line.termduration, body.billingcycle);
    if (term === undefined) throw partnerError(400, 800002, 'The term or billing cycle is not valid.');
    if (line.quantity > item.product.maximumQuantity) {
      throw partnerError(
        403,
        800067,
        'The desired seat count exceeded the maximum seat count allowed per subscription',
      );
    }
    return {
      id: line.lineitemnumber,
      catalogItemId: line.offerid,
      friendlyName: line.friendlyname ?? null,
      quantity: line.quantity,
      currencyCode: currencyOf(country).code,
      billingCycle: body.billingcycle.toLowerCase(),
      termDuration: term.duration,
      participants: [],
      provisioningContext: {},
      orderGroup: '0',
      pricing: priceOf(item.product, term, line.quantity, country),
      error: null,
    };
  });
}

export function placeOrder(
  world: World,
  customer: Customer,
  cart: Cart | null,
  lines: readonly CartLine[],
): Order {
  const now = world.clock.now();
  const order = world.partner.orders.put({
    id: world.random.hex(12),
    customerId: customer.id,
    cartId: cart?.id ?? null,
    billingCycle: lines[0]?.billingCycle ?? 'monthly',
    currencyCode: lines[0]?.currencyCode ?? 'USD',
    lines: lines.map((line, index) => {
      const product = findCatalogItem(world, line.catalogItemId)?.product;
      return {
        lineItemNumber: index,
        offerId: line.catalogItemId,
        skuId: product?.skuId ?? '',
        subscriptionId: null,
        termDuration: line.termDuration,
        friendlyName: line.friendlyName ?? product?.title ?? line.catalogItemId,
        quantity: line.quantity,
        pricing: line.pricing,
      };
    }),
    createdAt: now,
    visibleAt: now + world.delay('orderListed'),
    completedAt: null,
    status: 'pending',
    provisioningFails: world.faults.take('order', 'provisioning-failed') !== undefined,
    totalPrice: Math.round(lines.reduce((sum, line) => sum + line.pricing.extendedPrice, 0) * 100) / 100,
  });
  if (world.faults.take('order', 'order-stuck') === undefined) {
    world.scheduler.schedule('order-completes', world.delay('orderCompletion'), { orderId: order.id });
  }
  audit(world, {
    operationType: 'create_order',
    resourceType: 'order',
    customerId: customer.id,
    newValue: {
      Id: order.id,
      CartId: order.cartId,
      LineItems: order.lines.map((line) => ({ OfferId: line.offerId, Quantity: line.quantity })),
    },
    customizedData: [
      { key: 'OrderId', value: order.id },
      ...order.lines.map((line, index) => ({ key: `Quantity-${index}`, value: String(line.quantity) })),
    ],
  });
  return order;
}

/** Effect: the order's subscriptions come into being. */
export function completeOrder(world: World, orderId: string): void {
  const order = world.partner.orders.get(orderId);
  if (order?.status !== 'pending') return;
  const now = world.clock.now();
  const lines = order.lines.map((line) => {
    const subscription = world.directory.subscriptions.put({
      id: world.random.guid(),
      tenantId: order.customerId,
      ownerTenantId: PARTNER.tenantId,
      orderId: order.id,
      offerId: line.offerId,
      skuId: line.skuId,
      friendlyName: line.friendlyName,
      quantity: line.quantity,
      status: 'active',
      termDuration: line.termDuration,
      billingCycle: order.billingCycle,
      autoRenewEnabled: true,
      createdAt: now,
      refundable: [{ quantity: line.quantity, until: now + CANCELLATION_MS }],
      seatsVisibleAt: now + world.delay('seatsVisible'),
      seatsBefore: 0,
      etag: newEtag(world),
      changePending: false,
      provisioningFailed: order.provisioningFails,
    });
    emitEvent(world, {
      eventName: 'subscription-updated',
      resourceName: 'subscription',
      resourceUri: `https://api.partnercenter.microsoft.com/webhooks/v1/customers/${order.customerId}/subscriptions/${subscription.id}`,
      auditUri: null,
      delayMs: world.delay('subscriptionWebhook'),
    });
    return { ...line, subscriptionId: subscription.id };
  });
  world.partner.orders.update(orderId, { lines, status: 'completed', completedAt: now });
}
