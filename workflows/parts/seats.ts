/**
 * More seats on an existing subscription (guide 3.2). The target is an absolute number, computed once and approved, so that
 * setting it twice is setting it once (facts: microsoft-apis 4.7).
 */
import { assign, emit, sendTo, setup } from 'xstate';
import { z } from 'zod';
import { activity } from '../../engine/activity.ts';
import { defineWorkflow, type StateMeta } from '../../engine/definition.ts';
import { readSubscription } from '../activities/customers.ts';
import { changeSeats } from '../activities/ordering.ts';
import { Guid, type Subscription } from '../activities/shapes.ts';
import { Settings } from '../settings.ts';
import { pick, type SignalEvent } from '../signals.ts';
import { type ClearanceOutput, clearanceMachine } from './clearance.ts';
import { type Ending, type Failure, failing, failureOf, retrying } from './common.ts';
import { type ExpectedSeats, type ProvisioningOutput, provisioningMachine } from './provisioning.ts';
import {
  announcement,
  GIVE_UP,
  humanTask,
  overdue,
  stuckTask,
  type TaskOverdue,
  TRY_AGAIN,
  taskDelays,
} from './tasks.ts';

export const SeatsInput = z.object({
  customer: z.object({ name: z.string(), tenantId: Guid }),
  subscriptionId: z.string(),
  additionalSeats: z.int().min(1),
  /** Seats by Graph SKU that the customer has from us already. */
  held: z.array(z.object({ skuId: Guid, enabled: z.int().min(0) })).default([]),
  settings: Settings,
});
export type SeatsInput = z.output<typeof SeatsInput>;

export interface SeatsOutput {
  readonly outcome: Ending | 'rejected';
  readonly subscriptionId: string;
  readonly baseQuantity: number;
  readonly targetQuantity: number;
  /** Microsoft accepted the new number. */
  readonly changed: boolean;
  readonly skuIds: readonly string[];
  /** What the tenant must show; verified once we may look into it. */
  readonly expectedSeats: ExpectedSeats;
  readonly agreement: ClearanceOutput['agreement'];
  readonly waivers: readonly string[];
  readonly provisioning: ProvisioningOutput | null;
}

interface SeatsContext extends SeatsInput {
  readonly subscription: Subscription | null;
  readonly baseQuantity: number;
  /** 0 until computed; never computed again. */
  readonly targetQuantity: number;
  readonly changed: boolean;
  readonly refusal: string | null;
  readonly agreement: ClearanceOutput['agreement'];
  readonly waivers: readonly string[];
  readonly provisioning: ProvisioningOutput | null;
  readonly cancelAsked: boolean;
  readonly outcome: SeatsOutput['outcome'];
  readonly failure: Failure | null;
}

/** What the tenant held of the SKU, or at least this subscription's own seats, and what was added. */
function expectedSeats({ subscription, held, baseQuantity, additionalSeats }: SeatsContext): ExpectedSeats {
  const skuId = subscription?.graphSkuId ?? null;
  if (skuId === null) return [];
  const before = held.find((seats) => seats.skuId === skuId)?.enabled ?? baseQuantity;
  return [{ skuId, enabled: before + additionalSeats }];
}

type SeatChange = z.output<typeof changeSeats.output>;

export const seatsMachine = setup({
  types: {
    input: {} as SeatsInput,
    context: {} as SeatsContext,
    events: {} as SignalEvent<
      'seats.approved' | 'seats.rejected' | 'retry.requested' | 'work.abandoned' | 'cancel.requested'
    >,
    output: {} as SeatsOutput,
    emitted: {} as TaskOverdue,
    meta: {} as StateMeta,
    children: {} as { clearance: 'clearance'; provisioning: 'provisioning' },
  },
  actors: {
    clearance: clearanceMachine,
    readSubscription: activity(readSubscription),
    changeSeats: activity(changeSeats),
    provisioning: provisioningMachine,
  },
  delays: {
    seatsPoll: ({ context }) => context.settings.orderPollMs,
    seatsDeadline: ({ context }) => context.settings.orderDeadlineMs,
    ...taskDelays<SeatsContext>((context) => context.settings),
  },
  guards: {
    isDone: (_, params: { outcome: string }) => params.outcome === 'done',
    isCanceled: (_, params: { outcome: string }) => params.outcome === 'canceled',
    canGrow: (_, params: Subscription) => params.status === 'active' && params.commerce === 'new',
    isThisTarget: ({ context, event }) =>
      event.type === 'seats.approved' &&
      event.subscriptionId === context.subscriptionId &&
      event.targetQuantity === context.targetQuantity,
    isAccepted: (_, params: SeatChange) => params.outcome === 'accepted',
    targetReached: ({ context }, params: Subscription) => params.quantity === context.targetQuantity,
    cancelAsked: ({ context }) => context.cancelAsked,
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
    noteSubscription: assign(({ context }, params: Subscription) => ({
      subscription: params,
      ...(context.targetQuantity === 0
        ? { baseQuantity: params.quantity, targetQuantity: params.quantity + context.additionalSeats }
        : {}),
    })),
    noteChange: assign({ changed: true }),
    noteRefusal: assign({
      refusal: (_, params: SeatChange) =>
        params.outcome === 'refused' ? `${params.message} (${params.code})` : null,
    }),
    noteProvisioning: assign({ provisioning: (_, params: ProvisioningOutput) => params }),
  },
}).createMachine({
  id: 'seats',
  context: ({ input }) => ({
    ...input,
    subscription: null,
    baseQuantity: 0,
    targetQuantity: 0,
    changed: false,
    refusal: null,
    agreement: null,
    waivers: [],
    provisioning: null,
    cancelAsked: false,
    outcome: 'done',
    failure: null,
  }),
  initial: 'clearing',
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
            target: 'readingSubscription',
            actions: { type: 'noteClearance', params: ({ event }) => event.output },
          },
          { guard: { type: 'isCanceled', params: ({ event }) => event.output }, target: 'canceled' },
          { target: 'abandoned' },
        ],
        onError: failing('clearing'),
      },
    },

    readingSubscription: {
      meta: { description: 'Reading the subscription of {customer.name}', waitingOn: 'us' },
      invoke: {
        id: 'readSubscription',
        src: 'readSubscription',
        input: ({ context: { customer, subscriptionId } }) => ({
          customerId: customer.tenantId,
          subscriptionId,
        }),
        onDone: [
          {
            guard: { type: 'canGrow', params: ({ event }) => event.output },
            target: 'awaitingApproval',
            actions: { type: 'noteSubscription', params: ({ event }) => event.output },
          },
          {
            target: 'seatsRefused',
            actions: { type: 'noteSubscription', params: ({ event }) => event.output },
          },
        ],
        onError: failing('readingSubscription'),
      },
    },

    awaitingApproval: {
      meta: {
        description: '{customer.name}: from {baseQuantity} to {targetQuantity} seats waits for approval',
        waitingOn: 'operator',
        task: humanTask({
          id: 'approve-seats',
          title: 'Approve the seats',
          instructions:
            'The new number is absolute. The term of the subscription binds the customer; Microsoft takes added seats back for 7 days only.',
          responsible: 'approver',
          actions: [
            { name: 'approve', label: 'Approve', signal: 'seats.approved' },
            { name: 'reject', label: 'Reject', signal: 'seats.rejected', reasonRequired: true },
          ],
          shows: {
            Subscription: 'subscription.name',
            'Subscription id': 'subscriptionId',
            'Seats today': 'baseQuantity',
            'Seats then': 'targetQuantity',
          },
        }),
      },
      after: overdue('approve-seats'),
      on: {
        'seats.approved': { guard: 'isThisTarget', target: 'changingSeats' },
        'seats.rejected': 'rejected',
      },
    },

    changingSeats: {
      meta: { description: 'Setting {targetQuantity} seats for {customer.name}', waitingOn: 'us' },
      on: { 'cancel.requested': { actions: 'askCancel' } },
      invoke: {
        id: 'changeSeats',
        src: 'changeSeats',
        input: ({ context: { customer, subscriptionId, targetQuantity } }) => ({
          customerId: customer.tenantId,
          subscriptionId,
          targetQuantity,
        }),
        onDone: [
          {
            guard: { type: 'isAccepted', params: ({ event }) => event.output },
            target: 'confirmingSeats',
            actions: 'noteChange',
          },
          { guard: 'cancelAsked', target: 'canceled' },
          { target: 'seatsRefused', actions: { type: 'noteRefusal', params: ({ event }) => event.output } },
        ],
        // The number is absolute: reading it tells whether it was set, and setting it again is harmless.
        onError: failing('changingSeats', 'confirmingSeats'),
      },
    },

    confirmingSeats: {
      meta: {
        description: 'Waiting for Microsoft to show {targetQuantity} seats for {customer.name}',
        waitingOn: 'microsoft',
      },
      on: { 'cancel.requested': { actions: 'askCancel' } },
      initial: 'reading',
      after: { seatsDeadline: 'seatsUnconfirmed' },
      states: {
        reading: {
          meta: { description: 'Reading the subscription of {customer.name} again', waitingOn: 'us' },
          invoke: {
            id: 'confirmSubscription',
            src: 'readSubscription',
            input: ({ context: { customer, subscriptionId } }) => ({
              customerId: customer.tenantId,
              subscriptionId,
            }),
            onDone: [
              {
                guard: { type: 'targetReached', params: ({ event }) => event.output },
                target: '#seats.weighingCancel',
                actions: 'noteChange',
              },
              { target: 'waiting' },
            ],
            onError: failing('confirmingSeats', '#seats.needsOperator'),
          },
        },
        waiting: {
          meta: {
            description: 'Waiting for Microsoft to show the seats of {customer.name}',
            waitingOn: 'microsoft',
          },
          after: { seatsPoll: 'reading' },
        },
      },
    },

    seatsUnconfirmed: {
      meta: {
        description: 'The new number of seats for {customer.name} does not show',
        waitingOn: 'operator',
        task: humanTask({
          id: 'seats-unconfirmed',
          title: 'The new number of seats does not show',
          instructions: 'Look at the subscription in Partner Center. Set the number again, or give up.',
          responsible: 'operator',
          actions: [{ name: 'complete', label: 'Set it again', signal: 'retry.requested' }, GIVE_UP],
          shows: { 'Seats then': 'targetQuantity', 'Last error': 'failure.message' },
        }),
      },
      after: overdue('seats-unconfirmed'),
      on: { 'retry.requested': 'changingSeats', 'work.abandoned': 'abandoned' },
    },

    seatsRefused: {
      meta: {
        description: 'The seats of {customer.name} cannot be changed: {refusal}',
        waitingOn: 'operator',
        task: humanTask({
          id: 'seats-refused',
          title: 'The seats cannot be changed',
          instructions:
            'Only active new-commerce subscriptions take more seats. Try again, or leave the seats as they are.',
          responsible: 'operator',
          actions: [
            TRY_AGAIN,
            { name: 'reject', label: 'Leave the seats', signal: 'seats.rejected', reasonRequired: true },
          ],
          shows: { Why: 'refusal', Status: 'subscription.status' },
        }),
      },
      after: overdue('seats-refused'),
      on: { 'retry.requested': 'readingSubscription', 'seats.rejected': 'rejected' },
    },

    weighingCancel: {
      meta: { description: '{customer.name} has {targetQuantity} seats', waitingOn: 'us' },
      always: [{ guard: 'cancelAsked', target: 'canceled' }, { target: 'provisioning' }],
    },

    provisioning: {
      meta: { description: 'Microsoft is providing the seats of {customer.name}', waitingOn: 'microsoft' },
      on: { 'cancel.requested': { actions: 'cancelProvisioning' } },
      invoke: {
        id: 'provisioning',
        src: 'provisioning',
        input: ({ context }) => ({
          customer: context.customer,
          orderIds: [],
          subscriptionIds: [context.subscriptionId],
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
        description: 'Adding seats for {customer.name} is stuck: {failure.message}',
        waitingOn: 'operator',
        task: stuckTask('seats-stuck', 'Adding seats is stuck'),
      },
      after: overdue('seats-stuck'),
      on: {
        'retry.requested': retrying(['clearing', 'readingSubscription', 'confirmingSeats', 'provisioning']),
        'work.abandoned': 'abandoned',
      },
    },

    provisioned: {
      meta: { description: '{customer.name} has {targetQuantity} seats' },
      type: 'final',
      entry: assign({ outcome: 'done' }),
    },
    rejected: {
      meta: { description: 'The seats of {customer.name} stay as they are' },
      type: 'final',
      entry: assign({ outcome: 'rejected' }),
    },
    canceled: {
      meta: { description: 'Adding seats for {customer.name} was canceled' },
      type: 'final',
      entry: assign({ outcome: 'canceled' }),
    },
    abandoned: {
      meta: { description: 'Adding seats for {customer.name} was given up' },
      type: 'final',
      entry: assign({ outcome: 'abandoned' }),
    },
  },
  output: ({ context }) => ({
    outcome: context.outcome,
    subscriptionId: context.subscriptionId,
    baseQuantity: context.baseQuantity,
    targetQuantity: context.targetQuantity,
    changed: context.changed,
    skuIds: context.subscription?.graphSkuId == null ? [] : [context.subscription.graphSkuId],
    expectedSeats: context.changed ? expectedSeats(context) : [],
    agreement: context.agreement,
    waivers: context.waivers,
    provisioning: context.provisioning,
  }),
});

export const seats = defineWorkflow({
  name: 'seats',
  title: 'More seats on a subscription',
  machine: seatsMachine,
  input: SeatsInput,
  signals: pick('seats.approved', 'seats.rejected', 'retry.requested', 'work.abandoned', 'cancel.requested'),
  correlationKeys: () => [],
  subject: (context) => context.customer.name,
  cancelEvent: 'cancel.requested',
});
