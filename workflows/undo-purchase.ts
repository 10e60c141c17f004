/**
 * Taking a purchase back: Microsoft cancels a new-commerce subscription within seven days and then no more (facts:
 * microsoft-apis 4.7 and 12, point 14). The window is a timer everybody sees; an approver decides, and what was decided is
 * believed when the subscription reads deleted.
 */
import { assign, emit, setup } from 'xstate';
import { z } from 'zod';
import { activity } from '../engine/activity.ts';
import { defineWorkflow, type StateMeta } from '../engine/definition.ts';
import { cancelSubscription, changeSeats, readUndoWindow } from './activities/ordering.ts';
import { Guid } from './activities/shapes.ts';
import { type Failure, failing, failureOf } from './parts/common.ts';
import {
  announcement,
  GIVE_UP,
  humanTask,
  overdue,
  type TaskOverdue,
  TRY_AGAIN,
  taskDelays,
} from './parts/tasks.ts';
import { pick, type SignalEvent } from './signals.ts';
import { SettingsField } from './start-form.ts';

export const UndoPurchaseInput = z.object({
  customer: z
    .object({
      name: z.string().min(1).max(200).meta({ title: 'Customer' }),
      tenantId: Guid.meta({ title: 'Tenant id' }),
    })
    .meta({ title: 'Customer' }),
  subscriptionId: z.string().min(1).max(100).meta({ title: 'Subscription id, from the closing report' }),
  /** Seats before some were added: giving those back leaves the subscription. Null gives the whole subscription back. */
  restoreTo: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .meta({ title: 'Seats to go back to, when only seats were added' }),
  settings: SettingsField,
});
type Form = z.output<typeof UndoPurchaseInput>;

export interface UndoPurchaseOutput {
  readonly outcome: 'undone' | 'kept' | 'too-late';
  readonly subscriptionId: string;
  readonly until: string | null;
}

type Window = z.output<typeof readUndoWindow.output>;

interface Context extends Form {
  readonly name: string;
  readonly quantity: number;
  readonly until: string | null;
  readonly msLeft: number;
  readonly refusal: { readonly code: string; readonly message: string } | null;
  readonly outcome: UndoPurchaseOutput['outcome'];
  readonly failure: Failure | null;
}

export const undoPurchaseMachine = setup({
  types: {
    input: {} as Form,
    context: {} as Context,
    events: {} as SignalEvent<
      'undo.requested' | 'undo.declined' | 'retry.requested' | 'work.abandoned' | 'cancel.requested'
    >,
    output: {} as UndoPurchaseOutput,
    emitted: {} as TaskOverdue,
    meta: {} as StateMeta,
  },
  actors: {
    readUndoWindow: activity(readUndoWindow),
    cancelSubscription: activity(cancelSubscription),
    changeSeats: activity(changeSeats),
  },
  delays: {
    undoWindow: ({ context }) => context.msLeft,
    orderPoll: ({ context }) => context.settings.orderPollMs,
    orderDeadline: ({ context }) => context.settings.orderDeadlineMs,
    ...taskDelays<Context>((context) => context.settings),
  },
  guards: {
    isUndone: ({ context: { restoreTo } }, params: Window) =>
      params.status === 'deleted' || (restoreTo !== null && params.quantity <= restoreTo),
    onlySeats: ({ context }) => context.restoreTo !== null,
    isOpen: (_, params: Window) => params.msLeft > 0,
    isAccepted: (_, params: { outcome: string }) => params.outcome === 'accepted',
  },
  actions: {
    noteFailure: assign({
      failure: (_, params: { state: string; error: unknown }) => failureOf(params.state, params.error),
    }),
    announceOverdue: emit((_, params: Parameters<typeof announcement>[0]) => announcement(params)),
    noteWindow: assign((_, { name, quantity, until, msLeft }: Window) => ({ name, quantity, until, msLeft })),
    noteRefusal: assign({
      refusal: (
        _,
        params: { outcome: 'accepted' } | { outcome: 'refused'; code: string; message: string },
      ) => (params.outcome === 'refused' ? { code: params.code, message: params.message } : null),
    }),
  },
}).createMachine({
  id: 'undo-purchase',
  context: ({ input }) => ({
    ...input,
    name: 'the subscription',
    quantity: 0,
    until: null,
    msLeft: 0,
    refusal: null,
    outcome: 'kept',
    failure: null,
  }),
  initial: 'readingWindow',
  on: { 'cancel.requested': '.kept' },
  states: {
    readingWindow: {
      meta: {
        description: 'Reading until when the purchase of {customer.name} can be given back',
        waitingOn: 'us',
      },
      invoke: {
        id: 'readUndoWindow',
        src: 'readUndoWindow',
        input: ({ context }) => ({
          customerId: context.customer.tenantId,
          subscriptionId: context.subscriptionId,
        }),
        onDone: [
          {
            guard: { type: 'isUndone', params: ({ event }) => event.output },
            target: 'undone',
            actions: { type: 'noteWindow', params: ({ event }) => event.output },
          },
          {
            guard: { type: 'isOpen', params: ({ event }) => event.output },
            target: 'awaitingDecision',
            actions: { type: 'noteWindow', params: ({ event }) => event.output },
          },
          { target: 'tooLate', actions: { type: 'noteWindow', params: ({ event }) => event.output } },
        ],
        onError: failing('readingWindow'),
      },
    },

    awaitingDecision: {
      meta: {
        description: '{name} of {customer.name} can be given back until {until}',
        task: humanTask({
          id: 'decide-undo',
          title: 'Give the purchase back?',
          instructions:
            'Nothing has to be done. Giving it back cancels the subscription with all its licences at once, or takes the added seats away, and cannot be taken back. After the day shown Microsoft refuses it, and the term binds.',
          responsible: 'approver',
          actions: [
            { name: 'approve', label: 'Give it back', signal: 'undo.requested', reasonRequired: true },
            { name: 'reject', label: 'Keep it', signal: 'undo.declined' },
          ],
          shows: { Subscription: 'name', Licences: 'quantity', 'Back to': 'restoreTo', Until: 'until' },
          verify: { how: 'api', by: 'The subscription reads deleted.' },
          evidence: ['reason'],
          optional: true,
        }),
      },
      after: { undoWindow: 'tooLate' },
      on: {
        'undo.requested': [{ guard: 'onlySeats', target: 'givingSeatsBack' }, { target: 'givingBack' }],
        'undo.declined': 'kept',
      },
    },

    givingBack: {
      meta: { description: 'Giving {name} of {customer.name} back', waitingOn: 'us' },
      on: { 'cancel.requested': {} },
      invoke: {
        id: 'cancelSubscription',
        src: 'cancelSubscription',
        input: ({ context }) => ({
          customerId: context.customer.tenantId,
          subscriptionId: context.subscriptionId,
        }),
        onDone: [
          { guard: { type: 'isAccepted', params: ({ event }) => event.output }, target: 'confirming' },
          { target: 'refused', actions: { type: 'noteRefusal', params: ({ event }) => event.output } },
        ],
        onError: failing('givingBack'),
      },
    },

    givingSeatsBack: {
      meta: { description: 'Setting {name} of {customer.name} back to {restoreTo} seats', waitingOn: 'us' },
      on: { 'cancel.requested': {} },
      invoke: {
        id: 'changeSeats',
        src: 'changeSeats',
        input: ({ context }) => ({
          customerId: context.customer.tenantId,
          subscriptionId: context.subscriptionId,
          targetQuantity: context.restoreTo ?? 1,
        }),
        onDone: [
          { guard: { type: 'isAccepted', params: ({ event }) => event.output }, target: 'confirming' },
          { target: 'refused', actions: { type: 'noteRefusal', params: ({ event }) => event.output } },
        ],
        onError: failing('givingSeatsBack'),
      },
    },

    confirming: {
      meta: { description: 'Waiting until {name} of {customer.name} reads canceled', waitingOn: 'microsoft' },
      on: { 'cancel.requested': {} },
      initial: 'reading',
      after: { orderDeadline: 'needsOperator' },
      states: {
        reading: {
          meta: { description: 'Reading whether {name} is canceled', waitingOn: 'us' },
          invoke: {
            id: 'readAgain',
            src: 'readUndoWindow',
            input: ({ context }) => ({
              customerId: context.customer.tenantId,
              subscriptionId: context.subscriptionId,
            }),
            onDone: [
              {
                guard: { type: 'isUndone', params: ({ event }) => event.output },
                target: '#undo-purchase.undone',
              },
              { target: 'waiting' },
            ],
            onError: failing('confirming', '#undo-purchase.needsOperator'),
          },
        },
        waiting: {
          meta: { description: 'Waiting until {name} reads canceled', waitingOn: 'microsoft' },
          after: { orderPoll: 'reading' },
        },
      },
    },

    refused: {
      meta: {
        description: 'Microsoft does not take {name} of {customer.name} back: {refusal.message}',
        waitingOn: 'operator',
        task: humanTask({
          id: 'undo-refused',
          title: 'Microsoft refused to take the purchase back',
          instructions: 'Try again, or open a support request with Microsoft and give up here.',
          responsible: 'operator',
          actions: [TRY_AGAIN, GIVE_UP],
          shows: { Code: 'refusal.code', Message: 'refusal.message', Until: 'until' },
        }),
      },
      after: overdue('undo-refused'),
      on: { 'retry.requested': 'readingWindow', 'work.abandoned': 'kept' },
    },

    needsOperator: {
      meta: {
        description: 'Giving {name} of {customer.name} back is stuck: {failure.message}',
        waitingOn: 'operator',
        task: humanTask({
          id: 'undo-stuck',
          title: 'Giving the purchase back is stuck',
          instructions: 'Look at the subscription in Partner Center, then try again; or give up.',
          responsible: 'operator',
          actions: [TRY_AGAIN, GIVE_UP],
          shows: { Code: 'failure.code', Message: 'failure.message', Until: 'until' },
        }),
      },
      after: overdue('undo-stuck'),
      on: { 'retry.requested': 'readingWindow', 'work.abandoned': 'kept' },
    },

    undone: {
      meta: { description: '{name} of {customer.name} was given back' },
      type: 'final',
      entry: assign({ outcome: 'undone' }),
    },
    kept: {
      meta: { description: '{name} of {customer.name} stays' },
      type: 'final',
      entry: assign({ outcome: 'kept' }),
    },
    tooLate: {
      meta: { description: '{name} of {customer.name} can no longer be given back' },
      type: 'final',
      entry: assign({ outcome: 'too-late' }),
    },
  },
  output: ({ context: { outcome, subscriptionId, until } }) => ({ outcome, subscriptionId, until }),
});

export const undoPurchase = defineWorkflow({
  name: 'undo-purchase',
  title: 'Give a purchase back within seven days',
  machine: undoPurchaseMachine,
  input: UndoPurchaseInput,
  signals: pick('undo.requested', 'undo.declined', 'retry.requested', 'work.abandoned', 'cancel.requested'),
  correlationKeys: (context) => [`subscription:${context.subscriptionId}`],
  subject: (context) => context.customer.name,
  cancelEvent: 'cancel.requested',
});
