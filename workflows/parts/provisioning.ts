/**
 * Provisioning verified: orders complete, subscriptions exist, seats are usable in the customer's tenant, and until when
 * Microsoft takes them back. Graph's seat count is the truth; a fresh order or seat may stay invisible for a while, so one
 * read concludes nothing (facts: microsoft-apis 4.6, 4.7, 5.1).
 */
import { assign, emit, setup } from 'xstate';
import { z } from 'zod';
import { activity } from '../../engine/activity.ts';
import { defineWorkflow, type StateMeta } from '../../engine/definition.ts';
import { readSubscription } from '../activities/customers.ts';
import { readOrder, readSeats } from '../activities/ordering.ts';
import { Guid, type PlacedOrder, type Seats, type Subscription } from '../activities/shapes.ts';
import { Settings } from '../settings.ts';
import { pick, type SignalEvent } from '../signals.ts';
import { type Ending, type Failure, failing, failureOf, retrying } from './common.ts';
import {
  announcement,
  GIVE_UP,
  humanTask,
  overdue,
  stuckTask,
  type TaskOverdue,
  taskDelays,
} from './tasks.ts';

export const ProvisioningInput = z.object({
  customer: z.object({ name: z.string(), tenantId: Guid }),
  orderIds: z.array(z.string()),
  /** Subscriptions known before, e.g. one that got more seats. */
  subscriptionIds: z.array(z.string()),
  /** Seats the tenant must show, by Graph SKU. */
  expectedSeats: z.array(z.object({ skuId: Guid, enabled: z.int().min(0) })),
  settings: Settings,
});
export type ProvisioningInput = z.output<typeof ProvisioningInput>;

/** Seats the tenant must show, by Graph SKU. */
export type ExpectedSeats = readonly { readonly skuId: string; readonly enabled: number }[];

export interface VerifiedSubscription {
  readonly subscriptionId: string;
  readonly name: string;
  readonly quantity: number;
  /** Until then Microsoft takes it back (the 7-day undo), or null when it did not say. */
  readonly cancellationAllowedUntil: string | null;
}

export interface ProvisioningOutput {
  readonly outcome: Ending;
  /** False when an operator went on without waiting for the rest. */
  readonly verified: boolean;
  readonly subscriptions: readonly VerifiedSubscription[];
  readonly seats: readonly Seats[];
}

interface ProvisioningContext extends ProvisioningInput {
  /** Orders not yet complete; the first one is read next. */
  readonly openOrders: readonly string[];
  readonly openSubscriptions: readonly string[];
  readonly subscriptions: readonly VerifiedSubscription[];
  readonly seats: readonly Seats[];
  readonly verified: boolean;
  readonly orderStatus: string | null;
  readonly outcome: Ending;
  readonly failure: Failure | null;
}

const isComplete = (order: PlacedOrder | null) =>
  order !== null &&
  order.status === 'completed' &&
  order.lines.every((line) => line.subscriptionId !== null && line.fulfilled);

const subscriptionsOf = (order: PlacedOrder | null) =>
  (order?.lines ?? []).flatMap((line) => (line.subscriptionId === null ? [] : [line.subscriptionId]));

export const provisioningMachine = setup({
  types: {
    input: {} as ProvisioningInput,
    context: {} as ProvisioningContext,
    events: {} as SignalEvent<
      'provisioning.accepted' | 'retry.requested' | 'work.abandoned' | 'cancel.requested'
    >,
    output: {} as ProvisioningOutput,
    emitted: {} as TaskOverdue,
    meta: {} as StateMeta,
  },
  actors: {
    readOrder: activity(readOrder),
    readSubscription: activity(readSubscription),
    readSeats: activity(readSeats),
  },
  delays: {
    orderPoll: ({ context }) => context.settings.orderPollMs,
    orderDeadline: ({ context }) => context.settings.orderDeadlineMs,
    seatsPoll: ({ context }) => context.settings.seatsPollMs,
    seatsDeadline: ({ context }) => context.settings.seatsDeadlineMs,
    ...taskDelays<ProvisioningContext>((context) => context.settings),
  },
  guards: {
    ordersOpen: ({ context }) => context.openOrders.length > 0,
    subscriptionsOpen: ({ context }) => context.openSubscriptions.length > 0,
    seatsExpected: ({ context }) => context.expectedSeats.length > 0,
    orderComplete: (_, params: { order: PlacedOrder | null }) => isComplete(params.order),
    orderCancelled: (_, params: { order: PlacedOrder | null }) => params.order?.status === 'cancelled',
    seatsThere: ({ context }, params: { seats: readonly Seats[] }) =>
      context.expectedSeats.every(({ skuId, enabled }) =>
        params.seats.some((seats) => seats.skuId === skuId && seats.present && seats.enabled >= enabled),
      ),
    failedIn: ({ context }, params: { state: string }) => context.failure?.state === params.state,
  },
  actions: {
    noteFailure: assign({
      failure: (_, params: { state: string; error: unknown }) => failureOf(params.state, params.error),
    }),
    announceOverdue: emit((_, params: Parameters<typeof announcement>[0]) => announcement(params)),
    closeOrder: assign({
      openOrders: ({ context }) => context.openOrders.slice(1),
      openSubscriptions: ({ context }, params: { order: PlacedOrder | null }) => [
        ...new Set([...context.openSubscriptions, ...subscriptionsOf(params.order)]),
      ],
      orderStatus: (_, params: { order: PlacedOrder | null }) => params.order?.status ?? null,
    }),
    noteOrder: assign({
      orderStatus: (_, params: { order: PlacedOrder | null }) => params.order?.status ?? null,
    }),
    noteSubscription: assign({
      openSubscriptions: ({ context }) => context.openSubscriptions.slice(1),
      subscriptions: ({ context }, params: { subscription: Subscription }) => [
        ...context.subscriptions,
        {
          subscriptionId: params.subscription.subscriptionId,
          name: params.subscription.name,
          quantity: params.subscription.quantity,
          cancellationAllowedUntil: params.subscription.cancellationAllowedUntil,
        },
      ],
    }),
    noteSeats: assign({ seats: (_, params: { seats: readonly Seats[] }) => params.seats }),
    skipVerification: assign({ verified: false }),
  },
}).createMachine({
  id: 'provisioning',
  context: ({ input }) => ({
    ...input,
    openOrders: input.orderIds,
    openSubscriptions: input.subscriptionIds,
    subscriptions: [],
    seats: [],
    verified: true,
    orderStatus: null,
    outcome: 'done',
    failure: null,
  }),
  initial: 'completingOrders',
  // The money is spent: a cancel ends the wait and leaves the order as it is.
  on: { 'cancel.requested': '.canceled' },
  states: {
    completingOrders: {
      meta: {
        description: 'Waiting for Microsoft to complete the order of {customer.name}',
        waitingOn: 'microsoft',
      },
      initial: 'choosing',
      after: { orderDeadline: 'orderLate' },
      states: {
        choosing: {
          meta: { description: 'Looking which order of {customer.name} is open', waitingOn: 'us' },
          always: [
            { guard: 'ordersOpen', target: 'reading' },
            { target: '#provisioning.readingSubscriptions' },
          ],
        },
        reading: {
          meta: { description: 'Reading the order of {customer.name}', waitingOn: 'us' },
          invoke: {
            id: 'readOrder',
            src: 'readOrder',
            input: ({ context }) => ({
              customerId: context.customer.tenantId,
              orderId: context.openOrders[0] ?? '',
            }),
            onDone: [
              {
                guard: { type: 'orderComplete', params: ({ event }) => event.output },
                target: 'choosing',
                actions: { type: 'closeOrder', params: ({ event }) => event.output },
              },
              {
                guard: { type: 'orderCancelled', params: ({ event }) => event.output },
                target: '#provisioning.orderLate',
                actions: { type: 'noteOrder', params: ({ event }) => event.output },
              },
              { target: 'waiting', actions: { type: 'noteOrder', params: ({ event }) => event.output } },
            ],
            onError: failing('completingOrders', '#provisioning.needsOperator'),
          },
        },
        waiting: {
          meta: {
            description: 'Waiting for Microsoft to complete the order of {customer.name}',
            waitingOn: 'microsoft',
          },
          after: { orderPoll: 'reading' },
        },
      },
    },

    orderLate: {
      meta: {
        description: 'The order of {customer.name} is not completed',
        waitingOn: 'operator',
        task: humanTask({
          id: 'order-late',
          title: 'The order is not completed',
          instructions: 'Look at the order in Partner Center. Check again, go on without it, or give up.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Check again', signal: 'retry.requested' },
            {
              name: 'accept',
              label: 'Go on without it',
              signal: 'provisioning.accepted',
              reasonRequired: true,
            },
            GIVE_UP,
          ],
          shows: { Orders: 'openOrders', Status: 'orderStatus' },
        }),
      },
      after: overdue('order-late'),
      on: {
        'retry.requested': 'completingOrders',
        'provisioning.accepted': { target: 'readingSubscriptions', actions: 'skipVerification' },
        'work.abandoned': 'abandoned',
      },
    },

    readingSubscriptions: {
      meta: { description: 'Reading the subscriptions of {customer.name}', waitingOn: 'us' },
      initial: 'choosing',
      states: {
        choosing: {
          meta: { description: 'Looking which subscription of {customer.name} to read', waitingOn: 'us' },
          always: [
            { guard: 'subscriptionsOpen', target: 'reading' },
            { guard: 'seatsExpected', target: '#provisioning.verifyingSeats' },
            { target: '#provisioning.provisioned' },
          ],
        },
        reading: {
          meta: {
            description: 'Reading until when Microsoft takes the order of {customer.name} back',
            waitingOn: 'us',
          },
          invoke: {
            id: 'readSubscription',
            src: 'readSubscription',
            input: ({ context }) => ({
              customerId: context.customer.tenantId,
              subscriptionId: context.openSubscriptions[0] ?? '',
            }),
            onDone: {
              target: 'choosing',
              actions: { type: 'noteSubscription', params: ({ event }) => ({ subscription: event.output }) },
            },
            onError: failing('readingSubscriptions', '#provisioning.needsOperator'),
          },
        },
      },
    },

    verifyingSeats: {
      meta: {
        description: 'Waiting for the seats to show in the tenant of {customer.name}',
        waitingOn: 'microsoft',
      },
      initial: 'reading',
      after: { seatsDeadline: 'seatsLate' },
      states: {
        reading: {
          meta: { description: 'Reading the seats of {customer.name}', waitingOn: 'us' },
          invoke: {
            id: 'readSeats',
            src: 'readSeats',
            input: ({ context }) => ({
              tenantId: context.customer.tenantId,
              skuIds: context.expectedSeats.map(({ skuId }) => skuId),
            }),
            onDone: [
              {
                guard: { type: 'seatsThere', params: ({ event }) => event.output },
                target: '#provisioning.provisioned',
                actions: { type: 'noteSeats', params: ({ event }) => event.output },
              },
              { target: 'waiting', actions: { type: 'noteSeats', params: ({ event }) => event.output } },
            ],
            onError: failing('verifyingSeats', '#provisioning.needsOperator'),
          },
        },
        waiting: {
          meta: {
            description: 'Waiting for the seats to show in the tenant of {customer.name}',
            waitingOn: 'microsoft',
          },
          after: { seatsPoll: 'reading' },
        },
      },
    },

    seatsLate: {
      meta: {
        description: 'The seats do not show in the tenant of {customer.name}',
        waitingOn: 'operator',
        task: humanTask({
          id: 'seats-late',
          title: 'The seats do not show',
          instructions:
            'Look at the subscription in Partner Center. Check again, go on without waiting, or give up.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Check again', signal: 'retry.requested' },
            { name: 'accept', label: 'Go on', signal: 'provisioning.accepted', reasonRequired: true },
            GIVE_UP,
          ],
          shows: { Expected: 'expectedSeats', Seen: 'seats' },
        }),
      },
      after: overdue('seats-late'),
      on: {
        'retry.requested': 'verifyingSeats',
        'provisioning.accepted': { target: 'provisioned', actions: 'skipVerification' },
        'work.abandoned': 'abandoned',
      },
    },

    needsOperator: {
      meta: {
        description: 'Provisioning for {customer.name} is stuck: {failure.message}',
        waitingOn: 'operator',
        task: stuckTask('provisioning-stuck', 'Provisioning is stuck'),
      },
      after: overdue('provisioning-stuck'),
      on: {
        'retry.requested': retrying(['completingOrders', 'readingSubscriptions', 'verifyingSeats']),
        'work.abandoned': 'abandoned',
      },
    },

    provisioned: {
      meta: { description: 'The licences of {customer.name} can be used' },
      type: 'final',
      entry: assign({ outcome: 'done' }),
    },
    canceled: {
      meta: { description: 'Waiting for the licences of {customer.name} was canceled' },
      type: 'final',
      entry: assign({ outcome: 'canceled' }),
    },
    abandoned: {
      meta: { description: 'Waiting for the licences of {customer.name} was given up' },
      type: 'final',
      entry: assign({ outcome: 'abandoned' }),
    },
  },
  output: ({ context }) => ({
    outcome: context.outcome,
    verified: context.verified,
    subscriptions: context.subscriptions,
    seats: context.seats,
  }),
});

export const provisioning = defineWorkflow({
  name: 'provisioning',
  title: 'Provisioning',
  machine: provisioningMachine,
  input: ProvisioningInput,
  signals: pick('provisioning.accepted', 'retry.requested', 'work.abandoned', 'cancel.requested'),
  correlationKeys: (context) => context.orderIds.map((orderId) => `order:${orderId}`),
  subject: (context) => context.customer.name,
  cancelEvent: 'cancel.requested',
});
