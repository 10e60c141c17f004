/**
 * Access to the customer's tenant: an active admin relationship is worth nothing until our security groups have their
 * roles and our application has consent (facts: microsoft-apis 2.3, 10). Everything propagates slowly, so each answer of
 * the API is read again until it holds.
 */
import { assign, emit, setup } from 'xstate';
import { z } from 'zod';
import { activity } from '../../engine/activity.ts';
import { defineWorkflow, type StateMeta } from '../../engine/definition.ts';
import {
  assignAccess,
  checkCustomerAccess,
  findAdminRelationship,
  grantAppConsent,
  readAccess,
} from '../activities/relationships.ts';
import { AccessAssignment, Guid } from '../activities/shapes.ts';
import { Settings } from '../settings.ts';
import { pick, type SignalEvent } from '../signals.ts';
import { type Ending, type Failure, failing, failureOf, retrying } from './common.ts';
import {
  announcement,
  GIVE_UP,
  humanTask,
  overdue,
  override,
  type TaskOverdue,
  TRY_AGAIN,
  taskDelays,
} from './tasks.ts';

export const AccessInput = z.object({
  customer: z.object({ name: z.string(), tenantId: Guid }),
  /** Null when it has to be found. */
  relationshipId: z.string().nullable(),
  /** A relationship must turn up (Microsoft makes one for a new customer): wait for it rather than ask for a new one. */
  relationshipExpected: z.boolean(),
  roles: z.array(Guid).min(1),
  assignments: z.array(AccessAssignment).min(1),
  settings: Settings,
});
export type AccessInput = z.output<typeof AccessInput>;

export interface AccessOutput {
  /** `no-relationship`: nothing to build on, the customer has to be asked. */
  readonly outcome: Ending | 'no-relationship';
  readonly relationshipId: string | null;
  readonly groupIds: readonly string[];
  readonly waivers: readonly string[];
}

interface AccessContext extends AccessInput {
  readonly obstacle: string | null;
  readonly waivers: readonly string[];
  readonly outcome: AccessOutput['outcome'];
  readonly failure: Failure | null;
}

export const accessMachine = setup({
  types: {
    input: {} as AccessInput,
    context: {} as AccessContext,
    events: {} as SignalEvent<
      'task.overridden' | 'retry.requested' | 'work.abandoned' | 'resend.requested' | 'cancel.requested'
    >,
    output: {} as AccessOutput,
    emitted: {} as TaskOverdue,
    meta: {} as StateMeta,
  },
  actors: {
    checkCustomerAccess: activity(checkCustomerAccess),
    findAdminRelationship: activity(findAdminRelationship),
    assignAccess: activity(assignAccess),
    readAccess: activity(readAccess),
    grantAppConsent: activity(grantAppConsent),
  },
  delays: {
    accessPoll: ({ context }) => context.settings.accessPollMs,
    accessSettling: ({ context }) => context.settings.accessSettleMs,
    accessDeadline: ({ context }) => context.settings.accessDeadlineMs,
    ...taskDelays<AccessContext>((context) => context.settings),
  },
  guards: {
    relationshipKnown: ({ context }) => context.relationshipId !== null,
    relationshipExpected: ({ context }) => context.relationshipExpected,
    isAccessible: (_, params: { accessible: boolean }) => params.accessible,
    // Waiting does not mend these; a person has to.
    isBlocked: (_, params: { reason: string | null }) =>
      params.reason === 'conditional-access' || params.reason === 'guest-account',
    // Conditional Access of the customer, in Partner Center's words (facts: microsoft-apis 1.4).
    isBlockedCall: (_, params: { code: string }) => params.code === 'partner-center-900309',
    isFound: (_, params: { relationshipId: string | null; status: string | null }) =>
      params.relationshipId !== null && params.status === 'active',
    allActive: (_, params: { allActive: boolean }) => params.allActive,
    notReady: (_, params: { outcome: string }) => params.outcome === 'not-ready',
    failedIn: ({ context }, params: { state: string }) => context.failure?.state === params.state,
  },
  actions: {
    noteFailure: assign({
      failure: (_, params: { state: string; error: unknown }) => failureOf(params.state, params.error),
    }),
    announceOverdue: emit((_, params: Parameters<typeof announcement>[0]) => announcement(params)),
    noteRelationship: assign({
      relationshipId: (_, params: { relationshipId: string | null }) => params.relationshipId,
    }),
    waive: assign({
      waivers: ({ context, event }, params: { what: string }) =>
        'reason' in event && event.reason !== undefined
          ? [...context.waivers, `${params.what}: ${event.reason}`]
          : context.waivers,
    }),
    noteObstacle: assign({ obstacle: (_, params: { message: string | null }) => params.message }),
  },
}).createMachine({
  id: 'access',
  context: ({ input }) => ({ ...input, obstacle: null, waivers: [], outcome: 'done', failure: null }),
  initial: 'probingAccess',
  on: { 'cancel.requested': '.canceled' },
  states: {
    probingAccess: {
      meta: {
        description: 'Checking whether we can already work in the tenant of {customer.name}',
        waitingOn: 'us',
      },
      invoke: {
        id: 'probeAccess',
        src: 'checkCustomerAccess',
        input: ({ context }) => ({ tenantId: context.customer.tenantId }),
        onDone: [
          { guard: { type: 'isAccessible', params: ({ event }) => event.output }, target: 'accessible' },
          {
            guard: { type: 'isBlocked', params: ({ event }) => event.output },
            target: 'accessBlocked',
            actions: { type: 'noteObstacle', params: ({ event }) => event.output },
          },
          { target: 'establishing' },
        ],
        onError: failing('probingAccess'),
      },
    },

    establishing: {
      meta: { description: 'Setting up our access to the tenant of {customer.name}', waitingOn: 'microsoft' },
      initial: 'choosing',
      after: { accessDeadline: 'accessLate' },
      states: {
        choosing: {
          meta: { description: 'Setting up our access to the tenant of {customer.name}', waitingOn: 'us' },
          always: [
            { guard: 'relationshipKnown', target: 'assigningAccess' },
            { target: 'findingRelationship' },
          ],
        },
        findingRelationship: {
          meta: {
            description: 'Looking for an active admin relationship with {customer.name}',
            waitingOn: 'us',
          },
          invoke: {
            id: 'findAdminRelationship',
            src: 'findAdminRelationship',
            input: ({ context }) => ({ tenantId: context.customer.tenantId, roles: context.roles }),
            onDone: [
              {
                guard: { type: 'isFound', params: ({ event }) => event.output },
                target: 'assigningAccess',
                actions: { type: 'noteRelationship', params: ({ event }) => event.output },
              },
              { guard: 'relationshipExpected', target: 'waitingForRelationship' },
              { target: '#access.noRelationship' },
            ],
            onError: failing('establishing', '#access.needsOperator'),
          },
        },
        waitingForRelationship: {
          meta: {
            description: 'Waiting for the admin relationship with {customer.name} to appear',
            waitingOn: 'microsoft',
          },
          after: { accessPoll: 'findingRelationship' },
        },
        assigningAccess: {
          meta: { description: 'Giving our security groups their roles at {customer.name}', waitingOn: 'us' },
          invoke: {
            id: 'assignAccess',
            src: 'assignAccess',
            input: ({ context }) => ({
              relationshipId: context.relationshipId ?? '',
              assignments: [...context.assignments],
            }),
            onDone: 'checkingAssignments',
            onError: failing('establishing', '#access.needsOperator'),
          },
        },
        checkingAssignments: {
          meta: {
            description: 'Reading the roles of our security groups at {customer.name}',
            waitingOn: 'us',
          },
          invoke: {
            id: 'readAccess',
            src: 'readAccess',
            input: ({ context }) => ({
              relationshipId: context.relationshipId ?? '',
              groupIds: context.assignments.map((assignment) => assignment.groupId),
            }),
            onDone: [
              { guard: { type: 'allActive', params: ({ event }) => event.output }, target: 'settling' },
              { target: 'waitingForAssignments' },
            ],
            onError: failing('establishing', '#access.needsOperator'),
          },
        },
        waitingForAssignments: {
          meta: {
            description: 'Waiting for the roles at {customer.name} to become active',
            waitingOn: 'microsoft',
          },
          after: { accessPoll: 'checkingAssignments' },
        },
        settling: {
          meta: {
            description: 'Letting the fresh roles at {customer.name} spread through Microsoft',
            waitingOn: 'microsoft',
          },
          after: { accessSettling: 'consentingApplication' },
        },
        consentingApplication: {
          meta: { description: 'Consenting to our application at {customer.name}', waitingOn: 'us' },
          invoke: {
            id: 'grantAppConsent',
            src: 'grantAppConsent',
            input: ({ context }) => ({ tenantId: context.customer.tenantId }),
            onDone: [
              {
                guard: { type: 'notReady', params: ({ event }) => event.output },
                target: 'waitingForApplication',
              },
              { target: 'checkingAccess' },
            ],
            onError: [
              {
                guard: { type: 'isBlockedCall', params: ({ event }) => failureOf('', event.error) },
                target: '#access.accessBlocked',
                actions: { type: 'noteObstacle', params: ({ event }) => failureOf('', event.error) },
              },
              failing('establishing', '#access.needsOperator'),
            ],
          },
        },
        waitingForApplication: {
          meta: {
            description: 'Waiting until {customer.name} takes our application',
            waitingOn: 'microsoft',
          },
          after: { accessPoll: 'consentingApplication' },
        },
        checkingAccess: {
          meta: { description: 'Checking our access to the tenant of {customer.name}', waitingOn: 'us' },
          invoke: {
            id: 'checkCustomerAccess',
            src: 'checkCustomerAccess',
            input: ({ context }) => ({ tenantId: context.customer.tenantId }),
            onDone: [
              {
                guard: { type: 'isAccessible', params: ({ event }) => event.output },
                target: '#access.accessible',
              },
              {
                guard: { type: 'isBlocked', params: ({ event }) => event.output },
                target: '#access.accessBlocked',
                actions: { type: 'noteObstacle', params: ({ event }) => event.output },
              },
              {
                target: 'waitingForAccess',
                actions: { type: 'noteObstacle', params: ({ event }) => event.output },
              },
            ],
            onError: failing('establishing', '#access.needsOperator'),
          },
        },
        waitingForAccess: {
          meta: {
            description: 'Waiting for our access to {customer.name}: {obstacle}',
            waitingOn: 'microsoft',
          },
          after: { accessPoll: 'checkingAccess' },
        },
      },
    },

    accessBlocked: {
      meta: {
        description: '{customer.name} blocks our access: {obstacle}',
        waitingOn: 'customer',
        task: humanTask({
          id: 'access-blocked',
          title: 'The customer blocks our access',
          instructions:
            'Ask the customer to exclude service provider users from the Conditional Access policy, or to remove the guest account of our user; then try again.',
          responsible: 'operator',
          actions: [TRY_AGAIN, override('Go on: it will be seen to later'), GIVE_UP],
          shows: { Obstacle: 'obstacle' },
          verify: { how: 'api', by: 'A token for the tenant is taken and its organization read.' },
          evidence: [],
        }),
      },
      after: overdue('access-blocked'),
      on: {
        'retry.requested': 'probingAccess',
        'task.overridden': {
          target: 'accessible',
          actions: { type: 'waive', params: { what: 'access to the tenant not verified' } },
        },
        'work.abandoned': 'abandoned',
      },
    },

    accessLate: {
      meta: {
        description: 'Our access to {customer.name} is overdue',
        waitingOn: 'operator',
        task: humanTask({
          id: 'access-late',
          title: 'Access to the customer tenant is overdue',
          instructions:
            'Check the admin relationship and its security groups in Partner Center, then try again; or ask the customer for a new admin relationship.',
          responsible: 'operator',
          actions: [
            TRY_AGAIN,
            { name: 'resend', label: 'Ask the customer anew', signal: 'resend.requested' },
            GIVE_UP,
          ],
          shows: { Relationship: 'relationshipId', Obstacle: 'obstacle' },
        }),
      },
      after: overdue('access-late'),
      on: {
        'retry.requested': 'probingAccess',
        'resend.requested': 'noRelationship',
        'work.abandoned': 'abandoned',
      },
    },

    needsOperator: {
      meta: {
        description: 'Our access to {customer.name} is stuck: {failure.message}',
        waitingOn: 'operator',
        task: humanTask({
          id: 'access-stuck',
          title: 'Access is stuck',
          instructions:
            'Remove the cause, then try again; or ask the customer for a new admin relationship; or give up.',
          responsible: 'operator',
          actions: [
            TRY_AGAIN,
            { name: 'resend', label: 'Ask the customer anew', signal: 'resend.requested' },
            GIVE_UP,
          ],
          shows: { Code: 'failure.code', Message: 'failure.message' },
        }),
      },
      after: overdue('access-stuck'),
      on: {
        'retry.requested': retrying(['probingAccess', 'establishing']),
        'resend.requested': 'noRelationship',
        'work.abandoned': 'abandoned',
      },
    },

    accessible: {
      meta: { description: 'We can work in the tenant of {customer.name}' },
      type: 'final',
      entry: assign({ outcome: 'done' }),
    },
    noRelationship: {
      meta: { description: 'There is no admin relationship with {customer.name} to build on' },
      type: 'final',
      entry: assign({ outcome: 'no-relationship' }),
    },
    canceled: {
      meta: { description: 'Setting up access to {customer.name} was canceled' },
      type: 'final',
      entry: assign({ outcome: 'canceled' }),
    },
    abandoned: {
      meta: { description: 'Setting up access to {customer.name} was given up' },
      type: 'final',
      entry: assign({ outcome: 'abandoned' }),
    },
  },
  output: ({ context }) => ({
    outcome: context.outcome,
    relationshipId: context.relationshipId,
    groupIds: context.assignments.map((assignment) => assignment.groupId),
    waivers: context.waivers,
  }),
});

export const access = defineWorkflow({
  name: 'access',
  title: 'Access to the customer tenant',
  machine: accessMachine,
  input: AccessInput,
  signals: pick(
    'task.overridden',
    'retry.requested',
    'resend.requested',
    'work.abandoned',
    'cancel.requested',
  ),
  correlationKeys: (context) => (context.relationshipId === null ? [] : [`gdap:${context.relationshipId}`]),
  subject: (context) => context.customer.name,
  cancelEvent: 'cancel.requested',
});
