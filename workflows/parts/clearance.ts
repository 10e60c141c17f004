/**
 * Clearance to buy: the Microsoft Customer Agreement is accepted and Microsoft's account verification does not block
 * orders (facts: microsoft-apis 3.4, 3.5). Attesting the agreement is a legal statement, so a person says who accepted it
 * and when; nothing is attested by itself.
 */
import { assign, emit, setup } from 'xstate';
import { z } from 'zod';
import { activity } from '../../engine/activity.ts';
import { defineWorkflow, type StateMeta } from '../../engine/definition.ts';
import { attestAgreement, readAgreement, readVetting } from '../activities/customers.ts';
import { type ContactPerson, Guid } from '../activities/shapes.ts';
import { Settings } from '../settings.ts';
import { pick, type SignalEvent } from '../signals.ts';
import { type Ending, type Failure, failing, failureOf, retrying } from './common.ts';
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

export const ClearanceInput = z.object({
  customer: z.object({ name: z.string(), tenantId: Guid }),
  settings: Settings,
});
export type ClearanceInput = z.output<typeof ClearanceInput>;

export interface ClearanceOutput {
  readonly outcome: Ending;
  /** How the agreement came about, and who is named in our attestation. */
  readonly agreement: {
    readonly how: 'attested' | 'direct';
    readonly by: string | null;
    readonly on: string | null;
  } | null;
  readonly waivers: readonly string[];
}

interface ClearanceContext extends ClearanceInput {
  readonly agreement: ClearanceOutput['agreement'];
  readonly confirmed: { readonly contact: ContactPerson; readonly dateAgreed: string } | null;
  readonly vetting: string;
  readonly waivers: readonly string[];
  readonly outcome: Ending;
  readonly failure: Failure | null;
}

export const clearanceMachine = setup({
  types: {
    input: {} as ClearanceInput,
    context: {} as ClearanceContext,
    events: {} as SignalEvent<
      'agreement.confirmed' | 'task.overridden' | 'retry.requested' | 'work.abandoned' | 'cancel.requested'
    >,
    output: {} as ClearanceOutput,
    emitted: {} as TaskOverdue,
    meta: {} as StateMeta,
  },
  actors: {
    readAgreement: activity(readAgreement),
    attestAgreement: activity(attestAgreement),
    readVetting: activity(readVetting),
  },
  delays: {
    agreementPoll: ({ context }) => context.settings.agreementPollMs,
    vettingPoll: ({ context }) => context.settings.vettingPollMs,
    vettingDeadline: ({ context }) => context.settings.vettingDeadlineMs,
    ...taskDelays<ClearanceContext>((context) => context.settings),
  },
  guards: {
    isAccepted: (_, params: { accepted: boolean }) => params.accepted,
    isAllowed: (_, params: { status: string }) => params.status === 'none' || params.status === 'allowed',
    isRefused: (_, params: { status: string }) => params.status === 'not-allowed',
    failedIn: ({ context }, params: { state: string }) => context.failure?.state === params.state,
  },
  actions: {
    noteFailure: assign({
      failure: (_, params: { state: string; error: unknown }) => failureOf(params.state, params.error),
    }),
    announceOverdue: emit((_, params: Parameters<typeof announcement>[0]) => announcement(params)),
    noteAgreement: assign({
      agreement: (_, params: { how: 'attested' | 'direct' | null }) => ({
        how: params.how ?? 'direct',
        by: null,
        on: null,
      }),
    }),
    noteConfirmation: assign({
      confirmed: ({ context, event }) =>
        event.type === 'agreement.confirmed'
          ? { contact: event.contact, dateAgreed: event.dateAgreed }
          : context.confirmed,
    }),
    noteAttestation: assign({
      agreement: ({ context: { confirmed } }) => ({
        how: 'attested' as const,
        by: confirmed === null ? null : `${confirmed.contact.firstName} ${confirmed.contact.lastName}`,
        on: confirmed?.dateAgreed ?? null,
      }),
    }),
    waive: assign({
      waivers: ({ context, event }, params: { what: string }) =>
        event.type === 'task.overridden'
          ? [...context.waivers, `${params.what}: ${event.reason}`]
          : context.waivers,
    }),
    noteVetting: assign({ vetting: (_, params: { status: string }) => params.status }),
  },
}).createMachine({
  id: 'clearance',
  context: ({ input }) => ({
    ...input,
    agreement: null,
    confirmed: null,
    vetting: 'none',
    waivers: [],
    outcome: 'done',
    failure: null,
  }),
  initial: 'readingAgreement',
  on: { 'cancel.requested': '.canceled' },
  states: {
    readingAgreement: {
      meta: {
        description: 'Reading whether {customer.name} accepted the customer agreement',
        waitingOn: 'us',
      },
      invoke: {
        id: 'readAgreement',
        src: 'readAgreement',
        input: ({ context }) => ({ customerId: context.customer.tenantId }),
        onDone: [
          {
            guard: { type: 'isAccepted', params: ({ event }) => event.output },
            target: 'readingVetting',
            actions: { type: 'noteAgreement', params: ({ event }) => event.output },
          },
          { target: 'awaitingAgreement' },
        ],
        onError: failing('readingAgreement'),
      },
    },

    awaitingAgreement: {
      meta: {
        description: 'Waiting for {customer.name} to accept the Microsoft Customer Agreement, day {day}',
        waitingOn: 'customer',
        task: humanTask({
          id: 'agreement',
          title: 'Microsoft Customer Agreement',
          instructions:
            'Give the customer the agreement. When somebody who may sign for the customer accepted it, record who and when; we attest that to Microsoft. If the customer accepts it in the admin centre, we notice by ourselves.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Accepted', signal: 'agreement.confirmed' },
            { name: 'recheck', label: 'Check again', signal: 'retry.requested' },
            override('Order without it: Microsoft will judge'),
            GIVE_UP,
          ],
          verify: { how: 'api', by: 'The agreements of the customer, or its direct signature, are read.' },
          evidence: ['contact', 'dateAgreed'],
        }),
      },
      after: overdue('agreement'),
      on: {
        'agreement.confirmed': { target: 'attestingAgreement', actions: 'noteConfirmation' },
        'retry.requested': '.checking',
        'task.overridden': {
          target: 'readingVetting',
          actions: { type: 'waive', params: { what: 'customer agreement not verified' } },
        },
        'work.abandoned': 'abandoned',
      },
      initial: 'waiting',
      states: {
        waiting: {
          meta: { description: 'Waiting for the agreement of {customer.name}', waitingOn: 'customer' },
          after: { agreementPoll: 'checking' },
        },
        checking: {
          meta: {
            description: 'Reading again whether {customer.name} accepted the agreement',
            waitingOn: 'us',
          },
          invoke: {
            id: 'pollAgreement',
            src: 'readAgreement',
            input: ({ context }) => ({ customerId: context.customer.tenantId }),
            onDone: [
              {
                guard: { type: 'isAccepted', params: ({ event }) => event.output },
                target: '#clearance.readingVetting',
                actions: { type: 'noteAgreement', params: ({ event }) => event.output },
              },
              { target: 'waiting' },
            ],
            onError: failing('readingAgreement', '#clearance.needsOperator'),
          },
        },
      },
    },

    attestingAgreement: {
      meta: {
        description: 'Attesting that {customer.name} accepted the customer agreement',
        waitingOn: 'us',
      },
      invoke: {
        id: 'attestAgreement',
        src: 'attestAgreement',
        input: ({ context: { customer, confirmed } }) => ({
          customerId: customer.tenantId,
          contact: confirmed?.contact ?? { firstName: '', lastName: '', email: '', phoneNumber: null },
          dateAgreed: confirmed?.dateAgreed ?? '',
        }),
        onDone: { target: 'readingVetting', actions: 'noteAttestation' },
        onError: failing('awaitingAgreement'),
      },
    },

    readingVetting: {
      meta: { description: 'Reading the account verification of {customer.name}', waitingOn: 'us' },
      invoke: {
        id: 'readVetting',
        src: 'readVetting',
        input: ({ context }) => ({ customerId: context.customer.tenantId }),
        onDone: [
          { guard: { type: 'isAllowed', params: ({ event }) => event.output }, target: 'cleared' },
          {
            guard: { type: 'isRefused', params: ({ event }) => event.output },
            target: 'vettingRefused',
            actions: { type: 'noteVetting', params: ({ event }) => event.output },
          },
          {
            target: 'awaitingVetting',
            actions: { type: 'noteVetting', params: ({ event }) => event.output },
          },
        ],
        onError: failing('readingVetting'),
      },
    },

    awaitingVetting: {
      meta: {
        description: 'Microsoft is verifying the account of {customer.name}, day {day}',
        waitingOn: 'microsoft',
        task: humanTask({
          id: 'await-vetting',
          title: 'Microsoft is verifying the account',
          instructions:
            'It takes days. Look into Partner Center whether Microsoft asks for documents of the customer, and upload them there. We look again by ourselves.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Documents are uploaded: look now', signal: 'retry.requested' },
            override('Order now: Microsoft will judge'),
            GIVE_UP,
          ],
          shows: { Verification: 'vetting' },
          due: 'settings.vettingDeadlineMs',
          verify: { how: 'api', by: 'The verification status of the account is read.' },
          evidence: [],
        }),
      },
      initial: 'waiting',
      after: { ...overdue('await-vetting'), vettingDeadline: 'vettingLate' },
      on: {
        'retry.requested': '.checking',
        'task.overridden': {
          target: 'cleared',
          actions: { type: 'waive', params: { what: 'account verification not awaited' } },
        },
        'work.abandoned': 'abandoned',
      },
      states: {
        waiting: {
          meta: {
            description: 'Microsoft is verifying the account of {customer.name}',
            waitingOn: 'microsoft',
          },
          after: { vettingPoll: 'checking' },
        },
        checking: {
          meta: { description: 'Reading the account verification of {customer.name} again', waitingOn: 'us' },
          invoke: {
            id: 'pollVetting',
            src: 'readVetting',
            input: ({ context }) => ({ customerId: context.customer.tenantId }),
            onDone: [
              {
                guard: { type: 'isAllowed', params: ({ event }) => event.output },
                target: '#clearance.cleared',
              },
              {
                guard: { type: 'isRefused', params: ({ event }) => event.output },
                target: '#clearance.vettingRefused',
                actions: { type: 'noteVetting', params: ({ event }) => event.output },
              },
              { target: 'waiting', actions: { type: 'noteVetting', params: ({ event }) => event.output } },
            ],
            onError: failing('readingVetting', '#clearance.needsOperator'),
          },
        },
      },
    },

    vettingLate: {
      meta: {
        description: 'The account verification of {customer.name} takes unusually long',
        waitingOn: 'operator',
        task: humanTask({
          id: 'vetting-late',
          title: 'The account verification takes unusually long',
          instructions:
            'Look into Partner Center, upload documents if Microsoft asks for them, then check again.',
          responsible: 'operator',
          actions: [{ name: 'complete', label: 'Check again', signal: 'retry.requested' }, GIVE_UP],
          shows: { Verification: 'vetting' },
        }),
      },
      after: overdue('vetting-late'),
      on: { 'retry.requested': 'readingVetting', 'work.abandoned': 'abandoned' },
    },

    vettingRefused: {
      meta: {
        description: 'Microsoft refused the account of {customer.name}',
        waitingOn: 'operator',
        task: humanTask({
          id: 'vetting-refused',
          title: 'Microsoft refused the account',
          instructions: 'Appeal in Partner Center and check again, or give up.',
          responsible: 'operator',
          actions: [{ name: 'complete', label: 'Check again', signal: 'retry.requested' }, GIVE_UP],
          shows: { Verification: 'vetting' },
        }),
      },
      after: overdue('vetting-refused'),
      on: { 'retry.requested': 'readingVetting', 'work.abandoned': 'abandoned' },
    },

    needsOperator: {
      meta: {
        description: 'Clearance of {customer.name} is stuck: {failure.message}',
        waitingOn: 'operator',
        task: stuckTask('clearance-stuck', 'Clearance to buy is stuck'),
      },
      after: overdue('clearance-stuck'),
      on: {
        'retry.requested': retrying(['readingAgreement', 'awaitingAgreement', 'readingVetting']),
        'work.abandoned': 'abandoned',
      },
    },

    cleared: {
      meta: { description: '{customer.name} may buy' },
      type: 'final',
      entry: assign({ outcome: 'done' }),
    },
    canceled: {
      meta: { description: 'The clearance of {customer.name} was canceled' },
      type: 'final',
      entry: assign({ outcome: 'canceled' }),
    },
    abandoned: {
      meta: { description: 'The clearance of {customer.name} was given up' },
      type: 'final',
      entry: assign({ outcome: 'abandoned' }),
    },
  },
  output: ({ context }) => ({
    outcome: context.outcome,
    agreement: context.agreement,
    waivers: context.waivers,
  }),
});

export const clearance = defineWorkflow({
  name: 'clearance',
  title: 'Clearance to buy',
  machine: clearanceMachine,
  input: ClearanceInput,
  signals: pick(
    'agreement.confirmed',
    'task.overridden',
    'retry.requested',
    'work.abandoned',
    'cancel.requested',
  ),
  correlationKeys: () => [],
  subject: (context) => context.customer.name,
  cancelEvent: 'cancel.requested',
});
