/** Buying: catalogue, cart, checkout, orders, seats. Facts: microsoft-apis 4, reliability 3.1. */
import { z } from 'zod';
import { defineActivity } from '../../engine/activity.ts';
import { Settings } from '../settings.ts';
import { Cart, CatalogueLine, CustomerId, Guid, OrderLine, PlacedOrder, Seats, Timestamp } from './shapes.ts';

/** Finds, for each line, the availability that this customer may buy today. Never stored as configuration. */
export const resolveCatalogue = defineActivity({
  name: 'resolveCatalogue',
  description: 'Reading the catalogue',
  queue: 'partner-center',
  input: z.object({ customerId: CustomerId, lines: z.array(OrderLine).min(1) }),
  output: z.object({ lines: z.array(CatalogueLine) }),
});

/**
 * Creates a cart. It costs nothing and expires by itself, so a cart created twice is harmless; not effectful in the sense
 * of the paid-order protocol. Line errors come with the cart, not as a failure.
 */
export const createCart = defineActivity({
  name: 'createCart',
  description: 'Putting the order together',
  queue: 'partner-center',
  input: z.object({ customerId: CustomerId, lines: z.array(CatalogueLine).min(1) }),
  output: Cart,
});

export const readCart = defineActivity({
  name: 'readCart',
  description: 'Reading the cart again',
  queue: 'partner-center',
  input: z.object({ customerId: CustomerId, cartId: z.string(), lines: z.array(CatalogueLine) }),
  /** `cart` is null when Partner Center does not know it (any more). */
  output: z.object({ cart: Cart.nullable(), readAt: Timestamp }),
});

/**
 * Turns the cart into orders: the one call that spends money. Any answer but a clean 201 or a clean business refusal is
 * thrown as `unknown`; `verify` then looks at the cart and at the orders placed since. Attempts that stay unknown end as
 * an error, and the statechart looks the order up and asks a person.
 */
export const checkoutCart = defineActivity({
  name: 'checkoutCart',
  description: 'Placing the order',
  queue: 'partner-center',
  effectful: true,
  timeoutMs: 120_000,
  retry: { maxAttempts: 4, whenExhausted: 'error' },
  input: z.object({
    customerId: CustomerId,
    cartId: z.string(),
    /** The approved price; the order found by `verify` must carry these lines. */
    lines: z.array(z.object({ catalogItemId: z.string(), quantity: z.int() })),
    /** When the cart was approved: older orders are never adopted. */
    notBefore: Timestamp,
  }),
  output: z.discriminatedUnion('outcome', [
    z.object({
      outcome: z.literal('ordered'),
      orders: z.array(PlacedOrder),
      /** Order groups of the cart that were refused while others were placed. */
      refusedGroups: z.array(z.object({ orderGroup: z.string(), code: z.string(), message: z.string() })),
    }),
    z.object({
      outcome: z.literal('refused'),
      reason: z.enum([
        'agreement-missing',
        'account-under-review',
        'account-refused',
        'catalogue-changed',
        'credit',
        'partner',
        'other',
      ]),
      code: z.string(),
      message: z.string(),
    }),
  ]),
});

/** Lists the customer's orders placed since `notBefore` that hold these lines. One read, no conclusion. */
export const findOrder = defineActivity({
  name: 'findOrder',
  description: 'Looking for the order',
  queue: 'partner-center',
  input: z.object({
    customerId: CustomerId,
    lines: z.array(z.object({ catalogItemId: z.string(), quantity: z.int() })),
    notBefore: Timestamp,
  }),
  output: z.object({ orders: z.array(PlacedOrder) }),
});

/** Reads the order with its provisioning status and subscriptions; `order` is null while it does not show yet. */
export const readOrder = defineActivity({
  name: 'readOrder',
  description: 'Reading the order',
  queue: 'partner-center',
  input: z.object({ customerId: CustomerId, orderId: z.string() }),
  output: z.object({ order: PlacedOrder.nullable() }),
});

/** Sets the seats of a subscription to an absolute number, so that doing it twice is doing it once. */
export const changeSeats = defineActivity({
  name: 'changeSeats',
  description: 'Changing the number of seats',
  queue: 'partner-center',
  effectful: true,
  retry: { maxAttempts: 4, whenExhausted: 'error' },
  input: z.object({ customerId: CustomerId, subscriptionId: z.string(), targetQuantity: z.int().min(1) }),
  output: z.discriminatedUnion('outcome', [
    /** `quantity` may still be the old one while Microsoft works (202). */
    z.object({ outcome: z.literal('accepted'), quantity: z.int() }),
    z.object({ outcome: z.literal('refused'), code: z.string(), message: z.string() }),
  ]),
});

/** Graph `subscribedSkus` of the customer: the truth about usable seats. One entry for each SKU asked for. */
export const readSeats = defineActivity({
  name: 'readSeats',
  description: 'Reading the seats',
  queue: 'graph',
  input: z.object({ tenantId: Guid, skuIds: z.array(Guid).min(1) }),
  output: z.object({ seats: z.array(Seats) }),
});

/** Whether and until when Microsoft takes a subscription back (7 days after purchase). `msLeft` is 0 when it does not. */
export const readUndoWindow = defineActivity({
  name: 'readUndoWindow',
  description: 'Reading until when the purchase can be given back',
  queue: 'partner-center',
  input: z.object({ customerId: CustomerId, subscriptionId: z.string() }),
  output: z.object({
    name: z.string(),
    quantity: z.int().min(0),
    status: z.enum(['none', 'active', 'pending', 'suspended', 'expired', 'disabled', 'deleted']),
    until: Timestamp.nullable(),
    msLeft: z.int().min(0),
  }),
});

/** Gives a subscription back. The wanted status is absolute, so that doing it twice is doing it once. */
export const cancelSubscription = defineActivity({
  name: 'cancelSubscription',
  description: 'Giving the subscription back',
  queue: 'partner-center',
  effectful: true,
  retry: { maxAttempts: 4, whenExhausted: 'error' },
  input: z.object({ customerId: CustomerId, subscriptionId: z.string() }),
  output: z.discriminatedUnion('outcome', [
    z.object({ outcome: z.literal('accepted') }),
    z.object({ outcome: z.literal('refused'), code: z.string(), message: z.string() }),
  ]),
});

/**
 * Starts one undo instance a subscription, a root of its own under an id made of the subscription's, so that it outlives the
 * onboarding and a repetition finds the one that is there.
 */
export const openUndoWindows = defineActivity({
  name: 'openUndoWindows',
  description: 'Opening the days in which the purchase can be given back',
  effectful: true,
  input: z.object({
    customer: z.object({ name: z.string(), tenantId: Guid }),
    purchases: z.array(z.object({ subscriptionId: z.string(), restoreTo: z.int().min(1).nullable() })).min(1),
    settings: Settings,
  }),
  output: z.object({ instanceIds: z.array(z.string()) }),
});
