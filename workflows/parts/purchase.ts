/**
 * Finding, reviewing and buying (guide 3.1 steps 7 and 8, 3.2 steps 3 to 8, 3.3 steps 5 to 7): the customer as Partner
 * Center shows it, what it has, what is added to it, and the seven days in which that can be given back. It needs the
 * reseller relationship alone, no rights in the customer's tenant (facts: microsoft-apis 12, point 3).
 */
import { assign, emit, sendTo, setup } from 'xstate';
import { z } from 'zod';
import { activity } from '../../engine/activity.ts';
import { defineWorkflow, type StateMeta } from '../../engine/definition.ts';
import { findCustomer, listSubscriptions } from '../activities/customers.ts';
import { openUndoWindows } from '../activities/ordering.ts';
import { CountryCode, type CustomerMatch, Guid, OrderLine, type Subscription } from '../activities/shapes.ts';
import { growable, heldSeats, remarksOn } from '../judgement.ts';
import { Settings } from '../settings.ts';
import { pick, type SignalEvent } from '../signals.ts';
import { type Ending, type Failure, failing, failureOf, retrying } from './common.ts';
import { type OrderingOutput, orderingMachine } from './ordering.ts';
import type { ExpectedSeats } from './provisioning.ts';
import { type SeatsOutput, seatsMachine } from './seats.ts';
import {
  announcement,
  GIVE_UP,
  humanTask,
  overdue,
  override,
  stuckTask,
  type TaskOverdue,
  taskDelays,
} from './tasks.ts';

export const PurchaseInput = z.object({
  customer: z.object({ name: z.string(), tenantId: Guid }),
  lines: z.array(OrderLine).min(1),
  priceCeiling: z.number().positive().nullable(),
  /** Countries we may sell to; empty for no limit of ours. */
  markets: z.array(CountryCode),
  /** A customer we just created has nothing to review, and its country was judged before. */
  fresh: z.boolean(),
  settings: Settings,
});
export type PurchaseInput = z.output<typeof PurchaseInput>;

export interface PurchaseOutput {
  readonly outcome: Ending;
  readonly subscriptions: readonly Subscription[];
  readonly ordering: OrderingOutput | null;
  readonly seats: SeatsOutput | null;
  /** What the tenant must show once we may look into it. */
  readonly expectedSeats: ExpectedSeats;
  readonly waivers: readonly string[];
}

interface PurchaseContext extends PurchaseInput {
  readonly country: string | null;
  readonly subscriptions: readonly Subscription[];
  readonly remarks: readonly string[];
  readonly growth: { readonly subscriptionId: string; readonly additionalSeats: number } | null;
  readonly ordering: OrderingOutput | null;
  readonly seats: SeatsOutput | null;
  readonly undoInstances: readonly string[];
  readonly waivers: readonly string[];
  readonly cancelAsked: boolean;
  readonly outcome: Ending;
  readonly failure: Failure | null;
}

/** What was bought and can still be given back: whole subscriptions of an order, or the seats that were added to one. */
function undoable({ growth, ordering, seats }: PurchaseContext) {
  const part = growth === null ? ordering : seats;
  const restoreTo = growth === null ? null : (seats?.baseQuantity ?? null);
  return (part?.provisioning?.subscriptions ?? [])
    .filter(({ cancellationAllowedUntil }) => cancellationAllowedUntil !== null)
    .map(({ subscriptionId }) => ({ subscriptionId, restoreTo }));
}

/** How ordering or adding seats ended. */
const partOf = ({ growth, ordering, seats }: PurchaseContext) =>
  (growth === null ? ordering?.outcome : seats?.outcome) ?? 'done';

export const purchaseMachine = setup({
  types: {
    input: {} as PurchaseInput,
    context: {} as PurchaseContext,
    events: {} as SignalEvent<
      'subscriptions.reviewed' | 'task.overridden' | 'retry.requested' | 'work.abandoned' | 'cancel.requested'
    >,
    output: {} as PurchaseOutput,
    emitted: {} as TaskOverdue,
    meta: {} as StateMeta,
    children: {} as { ordering: 'ordering'; seats: 'seats' },
  },
  actors: {
    findCustomer: activity(findCustomer),
    listSubscriptions: activity(listSubscriptions),
    ordering: orderingMachine,
    seats: seatsMachine,
    openUndoWindows: activity(openUndoWindows),
  },
  delays: {
    customerPoll: ({ context }) => context.settings.customerPollMs,
    customerDeadline: ({ context }) => context.settings.customerDeadlineMs,
    ...taskDelays<PurchaseContext>((context) => context.settings),
  },
  guards: {
    isFresh: ({ context }) => context.fresh,
    customerFound: (_, params: { matches: readonly CustomerMatch[] }) => params.matches.length > 0,
    outsideMarkets: ({ context: { markets } }, params: { matches: readonly CustomerMatch[] }) => {
      const country = params.matches[0]?.country ?? null;
      return markets.length > 0 && country !== null && !markets.includes(country);
    },
    wantsNothing: ({ event }) => event.type === 'subscriptions.reviewed' && event.plan === 'nothing',
    wantsSubscription: ({ event }) =>
      event.type === 'subscriptions.reviewed' && event.plan === 'new-subscription',
    // More seats only on a subscription that can grow, and with a number.
    wantsSeats: ({ context, event }) =>
      event.type === 'subscriptions.reviewed' &&
      event.plan === 'more-seats' &&
      event.additionalSeats !== undefined &&
      growable(context.subscriptions).some(({ subscriptionId }) => subscriptionId === event.subscriptionId),
    isRejected: ({ context }, params: { outcome: string }) =>
      params.outcome === 'rejected' && !context.cancelAsked,
    wasCanceled: ({ context }) => context.cancelAsked || partOf(context) === 'canceled',
    wasAbandoned: ({ context }) => partOf(context) === 'abandoned',
    nothingToUndo: ({ context }) => undoable(context).length === 0,
    failedIn: ({ context }, params: { state: string }) => context.failure?.state === params.state,
  },
  actions: {
    noteFailure: assign({
      failure: (_, params: { state: string; error: unknown }) => failureOf(params.state, params.error),
    }),
    announceOverdue: emit((_, params: Parameters<typeof announcement>[0]) => announcement(params)),
    askCancel: assign({ cancelAsked: true }),
    cancelOrdering: sendTo('ordering', { type: 'cancel.requested' }),
    cancelSeats: sendTo('seats', { type: 'cancel.requested' }),
    noteCountry: assign({
      country: (_, params: { matches: readonly CustomerMatch[] }) => params.matches[0]?.country ?? null,
    }),
    noteSubscriptions: assign(({ context }, params: z.output<typeof listSubscriptions.output>) => ({
      subscriptions: params.subscriptions,
      remarks: remarksOn(params, context.lines),
    })),
    noteReview: assign(({ context, event }) =>
      event.type === 'subscriptions.reviewed'
        ? {
            lines: event.lines ?? context.lines,
            growth:
              event.plan === 'more-seats'
                ? { subscriptionId: event.subscriptionId ?? '', additionalSeats: event.additionalSeats ?? 1 }
                : null,
          }
        : {},
    ),
    noteWaiver: assign(({ context, event }) =>
      event.type === 'task.overridden'
        ? {
            waivers: [
              ...context.waivers,
              `Sold to ${context.country ?? '?'} although it is not one of our markets: ${event.reason}`,
            ],
          }
        : {},
    ),
    noteOrdering: assign({ ordering: (_, params: OrderingOutput) => params }),
    noteSeats: assign({ seats: (_, params: SeatsOutput) => params }),
    noteUndo: assign({
      undoInstances: (_, params: { instanceIds: readonly string[] }) => params.instanceIds,
    }),
  },
}).createMachine({
  id: 'purchase',
  context: ({ input }) => ({
    ...input,
    country: null,
    subscriptions: [],
    remarks: [],
    growth: null,
    ordering: null,
    seats: null,
    undoInstances: [],
    waivers: [],
    cancelAsked: false,
    outcome: 'done',
    failure: null,
  }),
  initial: 'beginning',
  // Before money is spent a cancel ends the purchase; ordering and adding seats hold it back.
  on: { 'cancel.requested': '.canceled' },
  states: {
    beginning: {
      meta: { description: 'Beginning to buy for {customer.name}', waitingOn: 'us' },
      always: [{ guard: 'isFresh', target: 'orderingSubscriptions' }, { target: 'findingCustomer' }],
    },

    findingCustomer: {
      meta: { description: 'Finding {customer.name} in Partner Center', waitingOn: 'microsoft' },
      initial: 'searching',
      after: { customerDeadline: 'customerNotVisible' },
      states: {
        searching: {
          meta: { description: 'Searching {customer.name} in Partner Center', waitingOn: 'us' },
          invoke: {
            id: 'findCustomer',
            src: 'findCustomer',
            input: ({ context }) => ({
              tenantId: context.customer.tenantId,
              domain: null,
              companyName: null,
            }),
            onDone: [
              {
                guard: { type: 'outsideMarkets', params: ({ event }) => event.output },
                target: '#purchase.marketRefused',
                actions: { type: 'noteCountry', params: ({ event }) => event.output },
              },
              {
                guard: { type: 'customerFound', params: ({ event }) => event.output },
                target: '#purchase.listingSubscriptions',
                actions: { type: 'noteCountry', params: ({ event }) => event.output },
              },
              { target: 'waiting' },
            ],
            onError: failing('findingCustomer', '#purchase.needsOperator'),
          },
        },
        waiting: {
          meta: {
            description: 'Waiting for {customer.name} to show in Partner Center',
            waitingOn: 'microsoft',
          },
          after: { customerPoll: 'searching' },
        },
      },
    },

    customerNotVisible: {
      meta: {
        description: '{customer.name} does not show in Partner Center',
        waitingOn: 'operator',
        task: humanTask({
          id: 'customer-not-visible',
          title: 'The customer does not show',
          instructions: 'Look at the customer list in Partner Center, then search again; or give up.',
          responsible: 'operator',
          actions: [{ name: 'complete', label: 'Search again', signal: 'retry.requested' }, GIVE_UP],
          shows: { Tenant: 'customer.tenantId' },
        }),
      },
      after: overdue('customer-not-visible'),
      on: { 'retry.requested': 'findingCustomer', 'work.abandoned': 'abandoned' },
    },

    marketRefused: {
      meta: {
        description: '{customer.name} is in {country}, where we may not sell',
        waitingOn: 'operator',
        task: humanTask({
          id: 'market-refused',
          title: 'The customer is outside our markets',
          instructions:
            'A partner sells within the region of its own tenant only; Microsoft would refuse the order. Give up; or go on if our list of markets is out of date; or read the customer again once its billing address was corrected.',
          responsible: 'approver',
          actions: [
            { name: 'complete', label: 'Read again', signal: 'retry.requested' },
            override('Sell there all the same'),
            GIVE_UP,
          ],
          shows: { Country: 'country', 'Our markets': 'markets' },
        }),
      },
      after: overdue('market-refused'),
      on: {
        'retry.requested': 'findingCustomer',
        'task.overridden': { target: 'listingSubscriptions', actions: 'noteWaiver' },
        'work.abandoned': 'abandoned',
      },
    },

    listingSubscriptions: {
      meta: { description: 'Listing the subscriptions of {customer.name}', waitingOn: 'us' },
      invoke: {
        id: 'listSubscriptions',
        src: 'listSubscriptions',
        input: ({ context }) => ({ customerId: context.customer.tenantId }),
        onDone: {
          target: 'reviewingSubscriptions',
          actions: { type: 'noteSubscriptions', params: ({ event }) => event.output },
        },
        onError: failing('listingSubscriptions'),
      },
    },

    reviewingSubscriptions: {
      meta: {
        description: 'Review what {customer.name} has, and decide what to buy',
        waitingOn: 'operator',
        task: humanTask({
          id: 'review-subscriptions',
          title: 'Review the subscriptions',
          instructions:
            'Decide: a new subscription, more seats on an active one, or nothing because a plan already contains Enterprise Mobility + Security.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Decided', signal: 'subscriptions.reviewed' },
            { name: 'recheck', label: 'List again', signal: 'retry.requested' },
            GIVE_UP,
          ],
          shows: { Remarks: 'remarks', Subscriptions: 'subscriptions', 'Asked for': 'lines' },
        }),
      },
      after: overdue('review-subscriptions'),
      on: {
        'subscriptions.reviewed': [
          { guard: 'wantsSubscription', target: 'orderingSubscriptions', actions: 'noteReview' },
          { guard: 'wantsSeats', target: 'addingSeats', actions: 'noteReview' },
          { guard: 'wantsNothing', target: 'bought' },
        ],
        'retry.requested': 'listingSubscriptions',
        'work.abandoned': 'abandoned',
      },
    },

    orderingSubscriptions: {
      meta: { description: 'Ordering for {customer.name}', waitingOn: 'us' },
      on: { 'cancel.requested': { actions: ['askCancel', 'cancelOrdering'] } },
      invoke: {
        id: 'ordering',
        src: 'ordering',
        input: ({ context }) => ({
          customer: context.customer,
          lines: [...context.lines],
          priceCeiling: context.priceCeiling,
          held: heldSeats(context.subscriptions),
          settings: context.settings,
        }),
        onDone: [
          // A rejected order is not the end: what to buy is decided anew.
          {
            guard: { type: 'isRejected', params: ({ event }) => event.output },
            target: 'listingSubscriptions',
            actions: { type: 'noteOrdering', params: ({ event }) => event.output },
          },
          { target: 'openingUndo', actions: { type: 'noteOrdering', params: ({ event }) => event.output } },
        ],
        onError: failing('orderingSubscriptions'),
      },
    },

    addingSeats: {
      meta: { description: 'Adding seats for {customer.name}', waitingOn: 'us' },
      on: { 'cancel.requested': { actions: ['askCancel', 'cancelSeats'] } },
      invoke: {
        id: 'seats',
        src: 'seats',
        input: ({ context }) => ({
          customer: context.customer,
          subscriptionId: context.growth?.subscriptionId ?? '',
          additionalSeats: context.growth?.additionalSeats ?? 1,
          held: heldSeats(context.subscriptions),
          settings: context.settings,
        }),
        onDone: [
          {
            guard: { type: 'isRejected', params: ({ event }) => event.output },
            target: 'listingSubscriptions',
            actions: { type: 'noteSeats', params: ({ event }) => event.output },
          },
          { target: 'openingUndo', actions: { type: 'noteSeats', params: ({ event }) => event.output } },
        ],
        onError: failing('addingSeats'),
      },
    },

    // The seven days are instances of their own, so that they outlive this onboarding.
    openingUndo: {
      meta: {
        description: 'Opening the days in which {customer.name} can give the purchase back',
        waitingOn: 'us',
      },
      always: { guard: 'nothingToUndo', target: 'weighing' },
      on: { 'cancel.requested': { actions: 'askCancel' } },
      invoke: {
        id: 'openUndoWindows',
        src: 'openUndoWindows',
        input: ({ context }) => ({
          customer: context.customer,
          purchases: undoable(context),
          settings: context.settings,
        }),
        onDone: { target: 'weighing', actions: { type: 'noteUndo', params: ({ event }) => event.output } },
        onError: failing('openingUndo'),
      },
    },

    weighing: {
      meta: { description: 'Looking how the purchase of {customer.name} ended', waitingOn: 'us' },
      always: [
        { guard: 'wasCanceled', target: 'canceled' },
        { guard: 'wasAbandoned', target: 'abandoned' },
        { target: 'bought' },
      ],
    },

    needsOperator: {
      meta: {
        description: 'Buying for {customer.name} is stuck: {failure.message}',
        waitingOn: 'operator',
        task: stuckTask('purchase-stuck', 'The purchase is stuck'),
      },
      after: overdue('purchase-stuck'),
      on: {
        'retry.requested': retrying([
          'findingCustomer',
          'listingSubscriptions',
          'orderingSubscriptions',
          'addingSeats',
          'openingUndo',
        ]),
        'work.abandoned': 'abandoned',
      },
    },

    bought: {
      meta: { description: '{customer.name} has what was decided' },
      type: 'final',
      entry: assign({ outcome: 'done' }),
    },
    canceled: {
      meta: { description: 'The purchase of {customer.name} was canceled' },
      type: 'final',
      entry: assign({ outcome: 'canceled' }),
    },
    abandoned: {
      meta: { description: 'The purchase of {customer.name} was given up' },
      type: 'final',
      entry: assign({ outcome: 'abandoned' }),
    },
  },
  output: ({ context }) => ({
    outcome: context.outcome,
    subscriptions: context.subscriptions,
    ordering: context.ordering,
    seats: context.seats,
    expectedSeats: [...(context.ordering?.expectedSeats ?? []), ...(context.seats?.expectedSeats ?? [])],
    waivers: context.waivers,
  }),
});

export const purchase = defineWorkflow({
  name: 'purchase',
  title: 'Reviewing and buying',
  machine: purchaseMachine,
  input: PurchaseInput,
  signals: pick(
    'subscriptions.reviewed',
    'task.overridden',
    'retry.requested',
    'work.abandoned',
    'cancel.requested',
  ),
  correlationKeys: () => [],
  subject: (context) => context.customer.name,
  cancelEvent: 'cancel.requested',
});
