import { z } from 'zod';
import { created, ok, type Request, type Routes } from '../../core/http.ts';
import type { World } from '../../world.ts';
import { currencyOf, findCatalogItem, findTerm, priceOf, renewAvailabilities } from '../catalogue.ts';
import type { Cart, CartLine, Customer, LineError, Order, Pricing } from '../entities.ts';
import { authorise, bodyOf, customerOf, objectType, partnerError } from '../helpers.ts';
import { cartShape, orderShape } from '../shapes.ts';
import { agreementExists } from './agreements.ts';
import { placeOrder } from './orders.ts';

const CART_LIFE_MS = 7 * 24 * 60 * 60 * 1_000;
const NO_PRICE: Pricing = { listPrice: 0, discountedPrice: 0, proratedPrice: 0, price: 0, extendedPrice: 0 };

const bodySchema = z.object({
  lineitems: z
    .array(
      z.object({
        id: z.number().int().nullish(),
        catalogitemid: z.string(),
        friendlyname: z.string().nullish(),
        quantity: z.number().int(),
        billingcycle: z.string(),
        termduration: z.string().nullish(),
        participants: z.array(z.unknown()).nullish(),
        provisioningcontext: z.record(z.string(), z.unknown()).nullish(),
      }),
    )
    .min(1),
});

type LineInput = z.output<typeof bodySchema>['lineitems'][number];

export function cartRoutes(routes: Routes, world: World): void {
  routes.on('POST', '/v1/customers/:customerId/carts', (request) => {
    authorise(world, request);
    const customer = customerOf(world, request);
    const now = world.clock.now();
    const cart = world.partner.carts.put({
      id: world.random.guid(),
      customerId: customer.id,
      createdAt: now,
      modifiedAt: now,
      expiresAt: now + CART_LIFE_MS,
      status: 'Active',
      lines: linesOf(world, request, customer),
      orderIds: [],
      orderErrors: [],
    });
    return created(cartShape(world, cart), { Location: `/customers/${customer.id}/carts/${cart.id}` });
  });

  routes.on('GET', '/v1/customers/:customerId/carts/:cartId', (request) => {
    authorise(world, request);
    customerOf(world, request);
    return ok(cartShape(world, cartOf(world, request)));
  });

  routes.on('PUT', '/v1/customers/:customerId/carts/:cartId', (request) => {
    authorise(world, request);
    const customer = customerOf(world, request);
    const cart = cartOf(world, request);
    if (cart.status === 'Ordered') throw partnerError(400, 800065, 'The cart was already submitted.');
    const changed = world.partner.carts.update(cart.id, {
      lines: linesOf(world, request, customer),
      modifiedAt: world.clock.now(),
    });
    return ok(cartShape(world, changed));
  });

  routes.on('POST', '/v1/customers/:customerId/carts/:cartId/checkout', (request) => {
    authorise(world, request);
    const customer = customerOf(world, request);
    const cart = cartOf(world, request);
    if (cart.status === 'Ordered') return repeatedCheckout(world, request, cart);
    refuseCheckout(world, request, customer, cart);
    return created(checkoutShape(world, checkout(world, request, customer, cart)));
  });
}

function cartOf(world: World, request: Request): Cart {
  const cart = world.partner.carts.get(request.params['cartId']?.toLowerCase() ?? '');
  const known = cart !== undefined && cart.customerId === request.params['customerId']?.toLowerCase();
  if (!known || (cart.status === 'Active' && cart.expiresAt <= world.clock.now())) {
    throw partnerError(404, 800008, 'The cart was not found.');
  }
  return cart;
}

function linesOf(world: World, request: Request, customer: Customer): CartLine[] {
  const body = bodyOf(request, bodySchema);
  const country = world.directory.tenants.get(customer.id)?.country ?? 'US';
  return body.lineitems.map((line, index) => {
    const item = findCatalogItem(world, line.catalogitemid);
    const term = findTerm(line.termduration, line.billingcycle);
    const error = lineError(world, request, line);
    return {
      id: line.id ?? index,
      catalogItemId: line.catalogitemid,
      friendlyName: line.friendlyname ?? null,
      quantity: line.quantity,
      currencyCode: currencyOf(country).code,
      billingCycle: line.billingcycle.toLowerCase(),
      termDuration: (line.termduration ?? 'P1Y').toUpperCase(),
      participants: line.participants ?? [],
      provisioningContext: line.provisioningcontext ?? {},
      orderGroup: String(index),
      pricing:
        item === undefined || term === undefined
          ? NO_PRICE
          : priceOf(item.product, term, line.quantity, country),
      error,
    };
  });
}

/** A cart is created with 201 even when a line of it cannot be bought. */
function lineError(world: World, request: Request, line: LineInput): LineError | null {
  const ordered = world.faults.take(request.operation.key, 'cart-line-error');
  if (ordered !== undefined) {
    const errorCode = Number(ordered.code ?? 10006);
    return { errorCode, errorDescription: ordered.description ?? 'The line item cannot be processed.' };
  }
  const item = findCatalogItem(world, line.catalogitemid);
  if (item === undefined || !item.current) {
    return { errorCode: 10001, errorDescription: 'The catalog item id is not valid.' };
  }
  if (line.quantity < 1 || findTerm(line.termduration, line.billingcycle) === undefined) {
    return { errorCode: 10010, errorDescription: 'Quantity, term or billing cycle is not valid.' };
  }
  if (line.quantity > item.product.maximumQuantity) {
    return {
      errorCode: 10015,
      errorDescription: 'The seat count exceeds the maximum per subscription.',
      additionalInformation: { availableQuantity: item.product.maximumQuantity, purchasedQuantity: 0 },
    };
  }
  return null;
}

/** The documents promise the first result again; other texts know 800065. */
function repeatedCheckout(world: World, request: Request, cart: Cart) {
  world.ledger.duplicate(request.operation.key, `cart ${cart.id} was already submitted`);
  const ordered = world.faults.take(request.operation.key, 'already-submitted') !== undefined;
  if (ordered || world.settings().repeatCheckout === 'already-submitted') {
    throw partnerError(400, 800065, 'The cart was already submitted.');
  }
  return created(checkoutShape(world, cart));
}

function refuseCheckout(world: World, request: Request, customer: Customer, cart: Cart): void {
  if (cart.lines.some((line) => line.error !== null))
    throw partnerError(400, 800009, 'A cart item has an error.');
  if (!agreementExists(world, customer.id)) {
    throw partnerError(403, 13605, 'The customer has not accepted the Microsoft Customer Agreement.');
  }
  const vetting = customer.validation?.status;
  if (vetting === 'UnderReview') throw partnerError(403, 800074, 'The customer account is under review.');
  if (vetting === 'NotAllowed') throw partnerError(403, 800075, 'The customer account was rejected.');
  if (vetting === 'Unknown') throw partnerError(403, 800073, 'The customer account is not verified.');
  if (world.faults.take(request.operation.key, 'availability-gone') !== undefined) {
    for (const line of cart.lines) {
      const item = findCatalogItem(world, line.catalogItemId);
      if (item !== undefined) renewAvailabilities(world, item.product);
    }
  }
  if (cart.lines.some((line) => findCatalogItem(world, line.catalogItemId)?.current !== true)) {
    throw partnerError(404, 400019, 'The availability was not found.');
  }
}

/** One order per order group; a partial checkout keeps its last group. */
function checkout(world: World, request: Request, customer: Customer, cart: Cart): Cart {
  const partial = world.faults.take(request.operation.key, 'partial-checkout');
  const groups = [...new Set(cart.lines.map((line) => line.orderGroup))];
  const refused = partial === undefined ? [] : groups.slice(-1);
  const orders = groups
    .filter((group) => !refused.includes(group))
    .map((group) =>
      placeOrder(
        world,
        customer,
        cart,
        cart.lines.filter((line) => line.orderGroup === group),
      ),
    );
  const orderErrors = refused.map((orderGroupId) => ({
    orderGroupId,
    code: Number(partial?.code ?? 800025),
    description: partial?.description ?? 'The credit limit of the partner is exceeded.',
  }));
  return world.partner.carts.update(cart.id, {
    status: 'Ordered',
    modifiedAt: world.clock.now(),
    orderIds: orders.map((order) => order.id),
    orderErrors,
  });
}

function checkoutShape(world: World, cart: Cart): unknown {
  const orders = cart.orderIds
    .map((id) => world.partner.orders.get(id))
    .filter((order): order is Order => order !== undefined);
  return {
    orders: orders.map((order) => orderShape(world, order)),
    ...(cart.orderErrors.length > 0 && { orderErrors: cart.orderErrors }),
    attributes: objectType('CartCheckoutResult'),
  };
}
