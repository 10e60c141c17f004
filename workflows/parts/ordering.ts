/**
 * Ordering (guide 3.1 to 3.3: add, review, submit): clearance, catalogue, cart, line errors, approval bound to cart and
 * price, checkout by the one-order protocol, provisioning. At most one paid order: the cart is the anchor, a checkout whose
 * outcome is unknown is looked up, the same cart is tried again, and what stays unknown is decided by a person (facts:
 * reliability 3.1, microsoft-apis 4.4 to 4.6).
 */
import { assign, emit, sendTo, setup } from 'xstate';
import { z } from 'zod';
import { activity } from '../../engine/activity.ts';
import { defineWorkflow, type HumanTask, type StateMeta } from '../../engine/definition.ts';
import {
  checkoutCart,
  createCart,
  findOrder,
  readCart,
  readOrder,
  resolveCatalogue,
} from '../activities/ordering.ts';
import { type Cart, type CatalogueLine, Guid, OrderLine, type PlacedOrder } from '../activities/shapes.ts';
import { Settings } from '../settings.ts';
import { pick, type SignalEvent } from '../signals.ts';
import { type ClearanceOutput, clearanceMachine } from './clearance.ts';
import { type Ending, type Failure, failing, failureOf, retrying } from './common.ts';
import { type ExpectedSeats, type ProvisioningOutput, provisioningMachine } from './provisioning.ts';
import { announcement, humanTask, overdue, stuckTask, type TaskOverdue, taskDelays } from './tasks.ts';

export const OrderingInput = z.object({
  customer: z.object({ name: z.string(), tenantId: Guid }),
  lines: z.array(OrderLine).min(1),
  /** No cart above it is put before an approver; null for no limit. */
  priceCeiling: z.number().positive().nullable().default(null),
  /** Seats by Graph SKU that the customer has from us already. */
  held: z.array(z.object({ skuId: Guid, enabled: z.int().min(0) })).default([]),
  settings: Settings,
});
export type OrderingInput = z.output<typeof OrderingInput>;

export interface OrderSummary {
  readonly orderId: string;
  readonly totalPrice: number | null;
  readonly currency: string | null;
  readonly placedAt: string;
}

export interface OrderingOutput {
  readonly outcome: Ending | 'rejected';
  readonly orders: readonly OrderSummary[];
  readonly lines: readonly { readonly name: string; readonly quantity: number }[];
  readonly skuIds: readonly string[];
  /** What the tenant must show; verified once we may look into it. */
  readonly expectedSeats: ExpectedSeats;
  readonly agreement: ClearanceOutput['agreement'];
  readonly waivers: readonly string[];
  readonly provisioning: ProvisioningOutput | null;
}

/** How often the same cart is checked out before a person decides. */
const CHECKOUTS = 3;
/** Look-ups, a pause apart, before "not placed" is believed. */
const LOOKUPS = 2;

type CheckoutOutcome = z.output<typeof checkoutCart.output>;
const ordersOf = (outcome: CheckoutOutcome) => (outcome.outcome === 'ordered' ? outcome.orders : []);

interface OrderingContext extends OrderingInput {
  /** The lines joined with today's catalogue. */
  readonly catalogue: readonly CatalogueLine[];
  /** The catalogue lines of all carts that became orders. */
  readonly bought: readonly CatalogueLine[];
  readonly cart: Cart | null;
  readonly priceChanged: boolean;
  /** Bound to one cart and one price; `at` is when the cart was read again after the approval. */
  readonly approval: {
    readonly cartId: string;
    readonly priceHash: string;
    readonly by: string | null;
    readonly at: string | null;
  } | null;
  readonly checkouts: number;
  readonly lookups: number;
  readonly orders: readonly PlacedOrder[];
  readonly adoptedOrderId: string | null;
  readonly refusal: { readonly code: string; readonly message: string } | null;
  readonly refusedGroups: readonly {
    readonly orderGroup: string;
    readonly code: string;
    readonly message: string;
  }[];
  /** Order lines left out or refused, in the words staff read. */
  readonly problems: readonly string[];
  readonly agreement: ClearanceOutput['agreement'];
  readonly waivers: readonly string[];
  readonly provisioning: ProvisioningOutput | null;
  readonly cancelAsked: boolean;
  readonly outcome: OrderingOutput['outcome'];
  readonly failure: Failure | null;
}

const cartLines = (context: OrderingContext) =>
  (context.cart?.lines ?? []).map(({ catalogItemId, quantity }) => ({ catalogItemId, quantity }));

const skuIdsOf = (lines: readonly CatalogueLine[]) => [
  ...new Set(lines.flatMap(({ graphSkuId }) => (graphSkuId === null ? [] : [graphSkuId]))),
];

const lineKeys = (lines: readonly { catalogItemId: string; quantity: number }[]) =>
  lines.map(({ catalogItemId, quantity }) => `${catalogItemId} x ${quantity}`).sort();

/** The orders hold the cart's lines, each once: nothing missing, nothing twice. */
function coversCart(context: OrderingContext, orders: readonly PlacedOrder[]): boolean {
  const ordered = lineKeys(orders.flatMap((order) => order.lines));
  const wanted = lineKeys(cartLines(context));
  return ordered.length === wanted.length && ordered.every((key, index) => key === wanted[index]);
}

/** Seats the tenant must show: what it had before, plus what was ordered. */
function expectedSeats(context: OrderingContext) {
  const ordered = context.orders.flatMap((order) => order.lines);
  return skuIdsOf(context.bought).map((skuId) => {
    const before = context.held.find((seats) => seats.skuId === skuId)?.enabled ?? 0;
    const items = context.bought
      .filter((line) => line.graphSkuId === skuId)
      .map((line) => line.catalogItemId);
    const added = ordered
      .filter((line) => items.includes(line.catalogItemId))
      .reduce((sum, line) => sum + line.quantity, 0);
    return { skuId, enabled: before + added };
  });
}

/** Lines of the cart whose order group was refused: what a second cart would hold. */
function refusedLines(context: OrderingContext): OrderLine[] {
  const groups = new Set(context.refusedGroups.map(({ orderGroup }) => orderGroup));
  const refused = (context.cart?.lines ?? []).filter(
    (line) => line.orderGroup !== null && groups.has(line.orderGroup),
  );
  return refused.flatMap((line) => context.lines[line.line] ?? []);
}

/** What is wrong with the cart's price as a whole, or null. */
function ceilingProblem({ priceCeiling }: OrderingContext, cart: Cart): string | null {
  return priceCeiling !== null && cart.totalPrice > priceCeiling
    ? `The total of ${cart.totalPrice} ${cart.currency ?? ''} is above the ceiling of ${priceCeiling}.`
    : null;
}

/** Still open, and still the price that was approved. */
const isApprovedCart = (context: OrderingContext, cart: Cart | null) =>
  cart !== null &&
  cart.status === 'active' &&
  !cart.expired &&
  cart.priceHash === context.approval?.priceHash;

const CLEAN = {
  cart: null,
  approval: null,
  checkouts: 0,
  lookups: 0,
  refusal: null,
  priceChanged: false,
} as const;

/** What staff read and may do when Microsoft took no order, whoever has to see to it. */
const REFUSED = {
  actions: [
    { name: 'complete', label: 'Put together anew', signal: 'retry.requested' },
    { name: 'change', label: 'Order something else', signal: 'order.lines-changed' },
    { name: 'reject', label: 'Reject the order', signal: 'order.rejected', reasonRequired: true },
  ],
  shows: { Code: 'refusal.code', Message: 'refusal.message' },
} satisfies Partial<HumanTask>;

const afterRefusal = {
  'retry.requested': 'resolvingCatalogue',
  'order.lines-changed': { target: 'resolvingCatalogue', actions: 'changeLines' },
  'order.rejected': [{ guard: 'paid', target: 'provisioning' }, { target: 'rejected' }],
} as const;

export const orderingMachine = setup({
  types: {
    input: {} as OrderingInput,
    context: {} as OrderingContext,
    events: {} as SignalEvent<
      | 'order.approved'
      | 'order.rejected'
      | 'order.lines-changed'
      | 'order.rest-dropped'
      | 'order.found'
      | 'order.not-placed'
      | 'retry.requested'
      | 'work.abandoned'
      | 'cancel.requested'
    >,
    output: {} as OrderingOutput,
    emitted: {} as TaskOverdue,
    meta: {} as StateMeta,
    children: {} as { clearance: 'clearance'; provisioning: 'provisioning' },
  },
  actors: {
    clearance: clearanceMachine,
    resolveCatalogue: activity(resolveCatalogue),
    createCart: activity(createCart),
    readCart: activity(readCart),
    checkoutCart: activity(checkoutCart),
    findOrder: activity(findOrder),
    readOrder: activity(readOrder),
    provisioning: provisioningMachine,
  },
  delays: {
    cartLifetime: ({ context }) => context.settings.cartLifetimeMs,
    orderLookup: ({ context }) => context.settings.orderLookupMs,
    ...taskDelays<OrderingContext>((context) => context.settings),
  },
  guards: {
    isDone: (_, params: { outcome: string }) => params.outcome === 'done',
    isCanceled: (_, params: { outcome: string }) => params.outcome === 'canceled',
    allPurchasable: (_, params: { lines: readonly CatalogueLine[] }) =>
      params.lines.every((line) => line.catalogItemId !== null && line.problem === null),
    linesClean: ({ context }, params: { cart: Cart }) =>
      params.cart.lines.every((line) => line.error === null) && ceilingProblem(context, params.cart) === null,
    // The approval names what was seen; anything else is a different order.
    isThisCart: ({ context, event }) =>
      event.type === 'order.approved' &&
      context.cart !== null &&
      event.cartId === context.cart.cartId &&
      event.priceHash === context.cart.priceHash,
    cartUnchanged: ({ context }, params: { cart: Cart | null }) => isApprovedCart(context, params.cart),
    cartOpenAndCancelAsked: ({ context }, params: { cart: Cart | null }) =>
      context.cancelAsked && isApprovedCart(context, params.cart),
    cartOpenAndCheckoutsLeft: ({ context }, params: { cart: Cart | null }) =>
      context.checkouts < CHECKOUTS && isApprovedCart(context, params.cart),
    cartRepriced: ({ context }, params: { cart: Cart | null }) =>
      params.cart !== null &&
      params.cart.status === 'active' &&
      !params.cart.expired &&
      ceilingProblem(context, params.cart) === null,
    cartOrdered: (_, params: { cart: Cart | null }) => params.cart?.status === 'ordered',
    lookupsLeft: ({ context }) => context.lookups < LOOKUPS,
    ordered: (_, params: CheckoutOutcome) => params.outcome === 'ordered',
    orderedInFull: (_, params: CheckoutOutcome) =>
      params.outcome === 'ordered' && params.refusedGroups.length === 0,
    clearanceMissing: (_, params: CheckoutOutcome) =>
      params.outcome === 'refused' &&
      ['agreement-missing', 'account-under-review', 'account-refused'].includes(params.reason),
    creditRefused: (_, params: CheckoutOutcome) => params.outcome === 'refused' && params.reason === 'credit',
    partnerRefused: (_, params: CheckoutOutcome) =>
      params.outcome === 'refused' && params.reason === 'partner',
    catalogueChanged: (_, params: CheckoutOutcome) =>
      params.outcome === 'refused' && params.reason === 'catalogue-changed',
    ordersCoverCart: ({ context }, params: { orders: readonly PlacedOrder[] }) =>
      coversCart(context, params.orders),
    anyOrders: (_, params: { orders: readonly PlacedOrder[] }) => params.orders.length > 0,
    orderVisible: (_, params: { order: PlacedOrder | null }) => params.order !== null,
    cancelAsked: ({ context }) => context.cancelAsked,
    paid: ({ context }) => context.orders.length > 0,
    failedIn: ({ context }, params: { state: string }) => context.failure?.state === params.state,
  },
  actions: {
    noteFailure: assign({
      failure: (_, params: { state: string; error: unknown }) => failureOf(params.state, params.error),
    }),
    announceOverdue: emit((_, params: Parameters<typeof announcement>[0]) => announcement(params)),
    askCancel: assign({ cancelAsked: true }),
    cancelClearance: sendTo('clearance', { type: 'cancel.requested' }),
    cancelProvisioning: sendTo('provisioning', { type: 'cancel.requested' }),
    noteClearance: assign({
      agreement: (_, params: ClearanceOutput) => params.agreement,
      waivers: ({ context }, params: ClearanceOutput) => [...context.waivers, ...params.waivers],
    }),
    noteCatalogue: assign({
      catalogue: (_, params: { lines: readonly CatalogueLine[] }) => params.lines,
      problems: (_, params: { lines: readonly CatalogueLine[] }) =>
        params.lines.flatMap((line) => (line.problem === null ? [] : [`${line.name}: ${line.problem}`])),
    }),
    noteCart: assign(({ context }, params: { cart: Cart | null }) => ({
      ...CLEAN,
      cart: params.cart,
      priceChanged: context.cart !== null && context.cart.priceHash !== params.cart?.priceHash,
      problems: [
        ...(params.cart?.lines ?? []).flatMap((line) =>
          line.error === null
            ? []
            : [`${context.lines[line.line]?.name ?? line.catalogItemId}: ${line.error.message}`],
        ),
        ...(params.cart === null ? [] : [ceilingProblem(context, params.cart) ?? []].flat()),
      ],
    })),
    changeLines: assign(({ context, event }) => ({
      ...CLEAN,
      lines: event.type === 'order.lines-changed' ? event.lines : context.lines,
      priceCeiling:
        (event.type === 'order.lines-changed' ? event.priceCeiling : undefined) ?? context.priceCeiling,
      problems: [],
    })),
    orderRest: assign(({ context }) => ({
      ...CLEAN,
      lines: refusedLines(context),
      refusedGroups: [],
      problems: [],
    })),
    noteApproval: assign({
      approval: ({ context, event }) =>
        event.type === 'order.approved'
          ? { cartId: event.cartId, priceHash: event.priceHash, by: event.by ?? null, at: null }
          : context.approval,
    }),
    stampApproval: assign({
      approval: ({ context }, params: { readAt: string }) =>
        context.approval === null ? null : { ...context.approval, at: context.approval.at ?? params.readAt },
    }),
    countCheckout: assign({ checkouts: ({ context }) => context.checkouts + 1, lookups: 0 }),
    countLookup: assign({ lookups: ({ context }) => context.lookups + 1 }),
    noteOrders: assign(({ context }, params: { orders: readonly PlacedOrder[] }) => {
      const known = new Map([...context.orders, ...params.orders].map((order) => [order.orderId, order]));
      return {
        orders: [...known.values()],
        bought: [...context.bought, ...context.catalogue],
        refusal: null,
      };
    }),
    noteRefusedGroups: assign((_, params: CheckoutOutcome) =>
      params.outcome === 'ordered' ? { refusedGroups: params.refusedGroups } : {},
    ),
    noteRefusal: assign((_, params: CheckoutOutcome) =>
      params.outcome === 'refused' ? { refusal: { code: params.code, message: params.message } } : {},
    ),
    adopt: assign({
      adoptedOrderId: ({ context, event }) =>
        event.type === 'order.found' ? event.orderId : context.adoptedOrderId,
    }),
    forgetCart: assign(CLEAN),
    noteProvisioning: assign({ provisioning: (_, params: ProvisioningOutput) => params }),
  },
}).createMachine({
  id: 'ordering',
  context: ({ input }) => ({
    ...input,
    ...CLEAN,
    catalogue: [],
    bought: [],
    orders: [],
    adoptedOrderId: null,
    refusedGroups: [],
    problems: [],
    agreement: null,
    waivers: [],
    provisioning: null,
    cancelAsked: false,
    outcome: 'done',
    failure: null,
  }),
  initial: 'clearing',
  // Before money is spent a cancel ends the ordering; the states around the checkout hold it back.
  on: { 'cancel.requested': '.canceled' },
  states: {
    clearing: {
      meta: { description: 'Clearing {customer.name} to buy', waitingOn: 'us' },
      on: { 'cancel.requested': { actions: 'cancelClearance' } },
      invoke: {
        id: 'clearance',
        src: 'clearance',
        input: ({ context: { customer, settings } }) => ({ customer, settings }),
        onDone: [
          {
            guard: { type: 'isDone', params: ({ event }) => event.output },
            target: 'resolvingCatalogue',
            actions: { type: 'noteClearance', params: ({ event }) => event.output },
          },
          { guard: { type: 'isCanceled', params: ({ event }) => event.output }, target: 'canceled' },
          { target: 'abandoned' },
        ],
        onError: failing('clearing'),
      },
    },

    resolvingCatalogue: {
      meta: { description: 'Reading what {customer.name} may buy today', waitingOn: 'us' },
      entry: 'forgetCart',
      invoke: {
        id: 'resolveCatalogue',
        src: 'resolveCatalogue',
        input: ({ context }) => ({ customerId: context.customer.tenantId, lines: context.lines }),
        onDone: [
          {
            guard: { type: 'allPurchasable', params: ({ event }) => event.output },
            target: 'creatingCart',
            actions: { type: 'noteCatalogue', params: ({ event }) => event.output },
          },
          { target: 'linesRefused', actions: { type: 'noteCatalogue', params: ({ event }) => event.output } },
        ],
        onError: failing('resolvingCatalogue'),
      },
    },

    creatingCart: {
      meta: { description: 'Putting the order for {customer.name} together', waitingOn: 'us' },
      invoke: {
        id: 'createCart',
        src: 'createCart',
        input: ({ context }) => ({ customerId: context.customer.tenantId, lines: [...context.catalogue] }),
        onDone: [
          {
            guard: { type: 'linesClean', params: ({ event }) => ({ cart: event.output }) },
            target: 'awaitingApproval',
            actions: { type: 'noteCart', params: ({ event }) => ({ cart: event.output }) },
          },
          {
            target: 'linesRefused',
            actions: { type: 'noteCart', params: ({ event }) => ({ cart: event.output }) },
          },
        ],
        onError: failing('creatingCart'),
      },
    },

    linesRefused: {
      meta: {
        description: 'Microsoft does not take the order for {customer.name} as it is',
        waitingOn: 'operator',
        task: humanTask({
          id: 'lines-refused',
          title: 'The order cannot be placed as it is',
          instructions: 'Order something else, try again, or reject the order.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Order this instead', signal: 'order.lines-changed' },
            { name: 'retry', label: 'Try again', signal: 'retry.requested' },
            { name: 'reject', label: 'Reject the order', signal: 'order.rejected', reasonRequired: true },
          ],
          shows: { Problems: 'problems', Lines: 'lines' },
        }),
      },
      after: overdue('lines-refused'),
      on: {
        'order.lines-changed': { target: 'resolvingCatalogue', actions: 'changeLines' },
        'retry.requested': 'resolvingCatalogue',
        'order.rejected': [{ guard: 'paid', target: 'provisioning' }, { target: 'rejected' }],
      },
    },

    awaitingApproval: {
      meta: {
        description:
          'The order for {customer.name} over {cart.totalPrice} {cart.currency} waits for approval',
        waitingOn: 'operator',
        task: humanTask({
          id: 'approve-order',
          title: 'Approve the order',
          instructions:
            'Check lines, term and price. The term binds the customer; Microsoft takes the order back for 7 days only. Your approval holds for this cart at this price.',
          responsible: 'approver',
          actions: [
            { name: 'approve', label: 'Approve', signal: 'order.approved' },
            { name: 'change', label: 'Order something else', signal: 'order.lines-changed' },
            { name: 'reject', label: 'Reject', signal: 'order.rejected', reasonRequired: true },
          ],
          shows: {
            Lines: 'cart.lines',
            Total: 'cart.totalPrice',
            Currency: 'cart.currency',
            Cart: 'cart.cartId',
            'Price hash': 'cart.priceHash',
            'Price changed since the last approval': 'priceChanged',
          },
          verify: { how: 'api', by: 'The cart is read again: open, and at the approved price.' },
          evidence: ['cartId', 'priceHash'],
        }),
      },
      // The cart would lapse: it is put together anew, at the price of that day.
      after: { ...overdue('approve-order'), cartLifetime: 'resolvingCatalogue' },
      on: {
        'order.approved': { guard: 'isThisCart', target: 'confirmingCart', actions: 'noteApproval' },
        'order.lines-changed': { target: 'resolvingCatalogue', actions: 'changeLines' },
        'order.rejected': [{ guard: 'paid', target: 'provisioning' }, { target: 'rejected' }],
      },
    },

    confirmingCart: {
      meta: { description: 'Reading the approved cart of {customer.name} again', waitingOn: 'us' },
      invoke: {
        id: 'readCart',
        src: 'readCart',
        input: ({ context }) => ({
          customerId: context.customer.tenantId,
          cartId: context.cart?.cartId ?? '',
          lines: [...context.catalogue],
        }),
        onDone: [
          {
            guard: { type: 'cartUnchanged', params: ({ event }) => event.output },
            target: 'checkingOut',
            actions: [{ type: 'stampApproval', params: ({ event }) => event.output }, 'countCheckout'],
          },
          {
            guard: { type: 'cartOrdered', params: ({ event }) => event.output },
            target: 'orderUnknown',
            actions: { type: 'stampApproval', params: ({ event }) => event.output },
          },
          {
            guard: { type: 'cartRepriced', params: ({ event }) => event.output },
            target: 'awaitingApproval',
            actions: { type: 'noteCart', params: ({ event }) => event.output },
          },
          { target: 'resolvingCatalogue' },
        ],
        onError: failing('confirmingCart'),
      },
    },

    checkingOut: {
      meta: { description: 'Placing the order for {customer.name}', waitingOn: 'us' },
      on: { 'cancel.requested': { actions: 'askCancel' } },
      invoke: {
        id: 'checkoutCart',
        src: 'checkoutCart',
        input: ({ context }) => ({
          customerId: context.customer.tenantId,
          cartId: context.cart?.cartId ?? '',
          lines: cartLines(context),
          notBefore: context.approval?.at ?? '',
        }),
        onDone: [
          {
            guard: { type: 'orderedInFull', params: ({ event }) => event.output },
            target: 'weighingCancel',
            actions: { type: 'noteOrders', params: ({ event }) => ({ orders: ordersOf(event.output) }) },
          },
          {
            guard: { type: 'ordered', params: ({ event }) => event.output },
            target: 'partlyOrdered',
            actions: [
              { type: 'noteOrders', params: ({ event }) => ({ orders: ordersOf(event.output) }) },
              { type: 'noteRefusedGroups', params: ({ event }) => event.output },
            ],
          },
          { guard: 'cancelAsked', target: 'canceled' },
          {
            guard: { type: 'clearanceMissing', params: ({ event }) => event.output },
            target: 'clearing',
            actions: { type: 'noteRefusal', params: ({ event }) => event.output },
          },
          {
            guard: { type: 'catalogueChanged', params: ({ event }) => event.output },
            target: 'resolvingCatalogue',
          },
          {
            guard: { type: 'creditRefused', params: ({ event }) => event.output },
            target: 'creditRefused',
            actions: { type: 'noteRefusal', params: ({ event }) => event.output },
          },
          {
            guard: { type: 'partnerRefused', params: ({ event }) => event.output },
            target: 'partnerRefused',
            actions: { type: 'noteRefusal', params: ({ event }) => event.output },
          },
          { target: 'orderRefused', actions: { type: 'noteRefusal', params: ({ event }) => event.output } },
        ],
        onError: failing('checkingOut', 'lookingForOrder'),
      },
    },

    lookingForOrder: {
      meta: { description: 'Looking whether the order for {customer.name} was placed', waitingOn: 'us' },
      on: { 'cancel.requested': { actions: 'askCancel' } },
      entry: 'countLookup',
      invoke: {
        id: 'findOrder',
        src: 'findOrder',
        input: ({ context }) => ({
          customerId: context.customer.tenantId,
          lines: cartLines(context),
          notBefore: context.approval?.at ?? '',
        }),
        onDone: [
          {
            guard: { type: 'ordersCoverCart', params: ({ event }) => event.output },
            target: 'weighingCancel',
            actions: { type: 'noteOrders', params: ({ event }) => event.output },
          },
          // Some lines only, or more than was asked for: no conclusion a program may draw.
          { guard: { type: 'anyOrders', params: ({ event }) => event.output }, target: 'orderUnknown' },
          { guard: 'lookupsLeft', target: 'waitingForOrder' },
          { target: 'readingCartAgain' },
        ],
        onError: failing('lookingForOrder', 'orderUnknown'),
      },
    },

    waitingForOrder: {
      meta: {
        description: 'The outcome of the order for {customer.name} is unknown; it is looked up again shortly',
        waitingOn: 'microsoft',
      },
      on: { 'cancel.requested': { actions: 'askCancel' } },
      after: { orderLookup: 'lookingForOrder' },
    },

    readingCartAgain: {
      meta: { description: 'Reading whether the cart of {customer.name} is still open', waitingOn: 'us' },
      on: { 'cancel.requested': { actions: 'askCancel' } },
      invoke: {
        id: 'readCartAgain',
        src: 'readCart',
        input: ({ context }) => ({
          customerId: context.customer.tenantId,
          cartId: context.cart?.cartId ?? '',
          lines: [...context.catalogue],
        }),
        onDone: [
          {
            guard: { type: 'cartOpenAndCancelAsked', params: ({ event }) => event.output },
            target: 'canceled',
          },
          {
            guard: { type: 'cartOpenAndCheckoutsLeft', params: ({ event }) => event.output },
            target: 'checkingOut',
            actions: 'countCheckout',
          },
          { target: 'orderUnknown' },
        ],
        onError: failing('readingCartAgain', 'orderUnknown'),
      },
    },

    orderUnknown: {
      meta: {
        description: 'Nobody knows whether the order for {customer.name} was placed',
        waitingOn: 'operator',
        task: humanTask({
          id: 'order-unknown',
          title: 'Was the order placed?',
          instructions:
            'Look at the order history of the customer in Partner Center. If the order is there, name it. Only if it is certainly not there, say so: a new cart then needs a new approval.',
          responsible: 'approver',
          actions: [
            { name: 'complete', label: 'It was placed', signal: 'order.found' },
            { name: 'retry', label: 'Look again', signal: 'retry.requested' },
            {
              name: 'not-placed',
              label: 'It was not placed',
              signal: 'order.not-placed',
              reasonRequired: true,
            },
          ],
          shows: { Cart: 'cart.cartId', Lines: 'cart.lines', 'Last error': 'failure.message' },
        }),
      },
      after: overdue('order-unknown'),
      on: {
        'cancel.requested': { actions: 'askCancel' },
        'order.found': { target: 'readingFoundOrder', actions: 'adopt' },
        'retry.requested': 'lookingForOrder',
        'order.not-placed': [{ guard: 'cancelAsked', target: 'canceled' }, { target: 'resolvingCatalogue' }],
      },
    },

    readingFoundOrder: {
      meta: { description: 'Reading the order that was found for {customer.name}', waitingOn: 'us' },
      on: { 'cancel.requested': { actions: 'askCancel' } },
      invoke: {
        id: 'readOrder',
        src: 'readOrder',
        input: ({ context }) => ({
          customerId: context.customer.tenantId,
          orderId: context.adoptedOrderId ?? '',
        }),
        onDone: [
          {
            guard: { type: 'orderVisible', params: ({ event }) => event.output },
            target: 'weighingCancel',
            actions: {
              type: 'noteOrders',
              params: ({ event: { output } }) => ({ orders: output.order === null ? [] : [output.order] }),
            },
          },
          { target: 'orderUnknown' },
        ],
        onError: failing('readingFoundOrder', 'orderUnknown'),
      },
    },

    partlyOrdered: {
      meta: {
        description: 'A part of the order for {customer.name} was refused',
        waitingOn: 'operator',
        task: humanTask({
          id: 'partly-ordered',
          title: 'A part of the order was refused',
          instructions:
            'Order the rest in a new cart, which needs a new approval, or go on with what was ordered.',
          responsible: 'approver',
          actions: [
            { name: 'retry', label: 'Order the rest', signal: 'retry.requested' },
            {
              name: 'complete',
              label: 'Go on without it',
              signal: 'order.rest-dropped',
              reasonRequired: true,
            },
          ],
          shows: { Refused: 'refusedGroups', Ordered: 'orders' },
        }),
      },
      after: overdue('partly-ordered'),
      on: {
        'cancel.requested': { target: 'canceled' },
        'retry.requested': { target: 'resolvingCatalogue', actions: 'orderRest' },
        'order.rest-dropped': 'provisioning',
      },
    },

    creditRefused: {
      meta: {
        description: 'Our credit at Microsoft does not cover the order for {customer.name}',
        waitingOn: 'operator',
        task: humanTask({
          id: 'credit-refused',
          title: 'Our credit does not cover the order',
          instructions:
            'Nothing was ordered. Pay what is open, or ask Microsoft for a higher credit limit (Partner Center, Billing); then put the order together anew, which needs a new approval. Fewer seats or monthly billing may fit the limit.',
          responsible: 'operator',
          ...REFUSED,
          verify: { how: 'api', by: 'A new cart, a new approval, and the checkout itself.' },
        }),
      },
      after: overdue('credit-refused'),
      on: afterRefusal,
    },

    partnerRefused: {
      meta: {
        description: 'Microsoft does not let us order for {customer.name}: {refusal.message}',
        waitingOn: 'operator',
        task: humanTask({
          id: 'partner-refused',
          title: 'Our own account may not order',
          instructions:
            'Nothing was ordered. Our Microsoft Partner Agreement is unsigned, our programme is inactive, or our account is blocked: an administrator of ours has to see to it in Partner Center. It concerns every customer.',
          responsible: 'operator',
          ...REFUSED,
          verify: { how: 'api', by: 'A new cart, a new approval, and the checkout itself.' },
        }),
      },
      after: overdue('partner-refused'),
      on: afterRefusal,
    },

    orderRefused: {
      meta: {
        description: 'Microsoft refused the order for {customer.name}: {refusal.message}',
        waitingOn: 'operator',
        task: humanTask({
          id: 'order-refused',
          title: 'Microsoft refused the order',
          instructions:
            'Remove the cause and put the order together anew, order something else, or reject the order.',
          responsible: 'operator',
          ...REFUSED,
        }),
      },
      after: overdue('order-refused'),
      on: afterRefusal,
    },

    weighingCancel: {
      meta: { description: 'The order for {customer.name} is placed', waitingOn: 'us' },
      always: [{ guard: 'cancelAsked', target: 'canceled' }, { target: 'provisioning' }],
    },

    provisioning: {
      meta: { description: 'Microsoft is providing the licences of {customer.name}', waitingOn: 'microsoft' },
      on: { 'cancel.requested': { actions: 'cancelProvisioning' } },
      invoke: {
        id: 'provisioning',
        src: 'provisioning',
        input: ({ context }) => ({
          customer: context.customer,
          orderIds: context.orders.map(({ orderId }) => orderId),
          subscriptionIds: [],
          expectedSeats: [],
          settings: context.settings,
        }),
        onDone: [
          {
            guard: { type: 'isDone', params: ({ event }) => event.output },
            target: 'provisioned',
            actions: { type: 'noteProvisioning', params: ({ event }) => event.output },
          },
          {
            guard: { type: 'isCanceled', params: ({ event }) => event.output },
            target: 'canceled',
            actions: { type: 'noteProvisioning', params: ({ event }) => event.output },
          },
          { target: 'abandoned', actions: { type: 'noteProvisioning', params: ({ event }) => event.output } },
        ],
        onError: failing('provisioning'),
      },
    },

    needsOperator: {
      meta: {
        description: 'The order for {customer.name} is stuck: {failure.message}',
        waitingOn: 'operator',
        task: stuckTask('ordering-stuck', 'The order is stuck'),
      },
      after: overdue('ordering-stuck'),
      on: {
        'retry.requested': retrying([
          'clearing',
          'resolvingCatalogue',
          'creatingCart',
          'confirmingCart',
          'provisioning',
        ]),
        'work.abandoned': 'abandoned',
      },
    },

    provisioned: {
      meta: { description: '{customer.name} has what was ordered' },
      type: 'final',
      entry: assign({ outcome: 'done' }),
    },
    rejected: {
      meta: { description: 'The order for {customer.name} was rejected' },
      type: 'final',
      entry: assign({ outcome: 'rejected' }),
    },
    canceled: {
      meta: { description: 'Ordering for {customer.name} was canceled' },
      type: 'final',
      entry: assign({ outcome: 'canceled' }),
    },
    abandoned: {
      meta: { description: 'Ordering for {customer.name} was given up' },
      type: 'final',
      entry: assign({ outcome: 'abandoned' }),
    },
  },
  output: ({ context }) => ({
    outcome: context.outcome,
    orders: context.orders.map(({ orderId, totalPrice, currency, placedAt }) => ({
      orderId,
      totalPrice,
      currency,
      placedAt,
    })),
    lines: context.orders
      .flatMap((order) => order.lines)
      .map((line) => ({
        name:
          context.bought.find((item) => item.catalogItemId === line.catalogItemId)?.name ??
          line.catalogItemId,
        quantity: line.quantity,
      })),
    skuIds: skuIdsOf(context.bought),
    expectedSeats: context.orders.length === 0 ? [] : expectedSeats(context),
    agreement: context.agreement,
    waivers: context.waivers,
    provisioning: context.provisioning,
  }),
});

export const ordering = defineWorkflow({
  name: 'ordering',
  title: 'Ordering subscriptions',
  machine: orderingMachine,
  input: OrderingInput,
  signals: pick(
    'order.approved',
    'order.rejected',
    'order.lines-changed',
    'order.rest-dropped',
    'order.found',
    'order.not-placed',
    'retry.requested',
    'work.abandoned',
    'cancel.requested',
  ),
  correlationKeys: (context) => context.orders.map(({ orderId }) => `order:${orderId}`),
  subject: (context) => context.customer.name,
  cancelEvent: 'cancel.requested',
});
