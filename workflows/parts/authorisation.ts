/**
 * Authorisation: the customer's consents and our access to its tenant, in whichever order this customer needs them. Where
 * nothing gives us access the customer is asked; where an admin relationship turns out unusable it is asked anew. That
 * commerce is granted is told at once, since ordering waits for nothing else (facts: microsoft-apis 12, point 3).
 */
import { assign, emit, enqueueActions, sendTo, setup } from 'xstate';
import { z } from 'zod';
import { defineWorkflow, type StateMeta } from '../../engine/definition.ts';
import { AccessAssignment, Guid } from '../activities/shapes.ts';
import { Settings } from '../settings.ts';
import { pick, type SignalEvent } from '../signals.ts';
import { type AccessOutput, accessMachine } from './access.ts';
import { type Ending, type Failure, failing, failureOf, retrying } from './common.ts';
import { ConsentInput, type ConsentOutput, consentMachine } from './consent.ts';
import { announcement, overdue, stuckTask, type TaskOverdue, taskDelays } from './tasks.ts';

export const AuthorisationInput = z.object({
  customer: z.object({ name: z.string(), tenantId: Guid }),
  partnerName: z.string(),
  /** The reseller relationship is missing: the customer is asked for it and for our roles in one invitation. */
  needsCommerce: z.boolean(),
  /** Microsoft makes an admin relationship for a new customer by itself. */
  relationshipExpected: z.boolean(),
  invitation: ConsentInput.shape.invitation,
  admin: ConsentInput.shape.admin,
  assignments: z.array(AccessAssignment).min(1),
  settings: Settings,
});
export type AuthorisationInput = z.output<typeof AuthorisationInput>;

export interface AuthorisationOutput {
  readonly outcome: Ending;
  readonly consent: ConsentOutput | null;
  readonly access: AccessOutput | null;
}

interface AuthorisationContext extends AuthorisationInput {
  readonly consent: ConsentOutput | null;
  readonly access: AccessOutput | null;
  readonly cancelAsked: boolean;
  readonly outcome: Ending;
  readonly failure: Failure | null;
}

export const authorisationMachine = setup({
  types: {
    input: {} as AuthorisationInput,
    context: {} as AuthorisationContext,
    events: {} as
      | SignalEvent<'retry.requested' | 'work.abandoned' | 'cancel.requested'>
      | { type: 'commerce.granted' },
    output: {} as AuthorisationOutput,
    emitted: {} as TaskOverdue,
    meta: {} as StateMeta,
    children: {} as { consent: 'consent'; access: 'access' },
  },
  actors: { consent: consentMachine, access: accessMachine },
  delays: taskDelays<AuthorisationContext>((context) => context.settings),
  guards: {
    needsCommerce: ({ context }) => context.needsCommerce,
    isDone: ({ context }, params: { outcome: string }) => params.outcome === 'done' && !context.cancelAsked,
    isCanceled: ({ context }, params: { outcome: string }) =>
      params.outcome === 'canceled' || context.cancelAsked,
    relationshipMissing: ({ context }, params: { outcome: string }) =>
      params.outcome === 'no-relationship' && !context.cancelAsked,
    failedIn: ({ context }, params: { state: string }) => context.failure?.state === params.state,
  },
  actions: {
    noteFailure: assign({
      failure: (_, params: { state: string; error: unknown }) => failureOf(params.state, params.error),
    }),
    announceOverdue: emit((_, params: Parameters<typeof announcement>[0]) => announcement(params)),
    askCancel: assign({ cancelAsked: true }),
    cancelConsent: sendTo('consent', { type: 'cancel.requested' }),
    cancelAccess: sendTo('access', { type: 'cancel.requested' }),
    tellCommerce: enqueueActions(({ enqueue, self }) => {
      // Started by itself it has nobody to tell.
      if (self._parent !== undefined) enqueue.sendTo(self._parent, { type: 'commerce.granted' });
    }),
    noteConsent: assign({ consent: (_, params: ConsentOutput) => params }),
    noteAccess: assign({ access: (_, params: AccessOutput) => params }),
  },
}).createMachine({
  id: 'authorisation',
  context: ({ input }) => ({
    ...input,
    consent: null,
    access: null,
    cancelAsked: false,
    outcome: 'done',
    failure: null,
  }),
  initial: 'choosing',
  on: { 'cancel.requested': '.canceled' },
  states: {
    choosing: {
      meta: { description: 'Seeing what {customer.name} has to authorise', waitingOn: 'us' },
      always: [{ guard: 'needsCommerce', target: 'askingCustomer' }, { target: 'settingUpAccess' }],
    },

    askingCustomer: {
      meta: { description: 'Asking {customer.name} for its authorisation', waitingOn: 'customer' },
      on: {
        'cancel.requested': { actions: ['askCancel', 'cancelConsent'] },
        'commerce.granted': { actions: 'tellCommerce' },
      },
      invoke: {
        id: 'consent',
        src: 'consent',
        input: ({ context }) => ({
          customer: context.customer,
          partnerName: context.partnerName,
          needs: {
            commerce: context.needsCommerce && context.consent?.commerceGranted !== true,
            admin: true,
          },
          invitation: context.invitation,
          admin: context.admin,
          settings: context.settings,
        }),
        onDone: [
          {
            guard: { type: 'isDone', params: ({ event }) => event.output },
            target: 'settingUpAccess',
            actions: { type: 'noteConsent', params: ({ event }) => event.output },
          },
          {
            guard: { type: 'isCanceled', params: ({ event }) => event.output },
            target: 'canceled',
            actions: { type: 'noteConsent', params: ({ event }) => event.output },
          },
          { target: 'abandoned', actions: { type: 'noteConsent', params: ({ event }) => event.output } },
        ],
        onError: failing('askingCustomer'),
      },
    },

    settingUpAccess: {
      meta: { description: 'Setting up our access to the tenant of {customer.name}', waitingOn: 'microsoft' },
      on: { 'cancel.requested': { actions: ['askCancel', 'cancelAccess'] } },
      invoke: {
        id: 'access',
        src: 'access',
        input: ({ context }) => ({
          customer: context.customer,
          relationshipId: context.consent?.relationshipId ?? null,
          // It is waited for once; when access came back without one the customer is asked instead.
          relationshipExpected:
            context.relationshipExpected && context.consent === null && context.access === null,
          roles: context.admin.roles,
          assignments: context.assignments,
          settings: context.settings,
        }),
        onDone: [
          {
            guard: { type: 'relationshipMissing', params: ({ event }) => event.output },
            target: 'askingCustomer',
            actions: { type: 'noteAccess', params: ({ event }) => event.output },
          },
          {
            guard: { type: 'isDone', params: ({ event }) => event.output },
            target: 'authorised',
            actions: { type: 'noteAccess', params: ({ event }) => event.output },
          },
          {
            guard: { type: 'isCanceled', params: ({ event }) => event.output },
            target: 'canceled',
            actions: { type: 'noteAccess', params: ({ event }) => event.output },
          },
          { target: 'abandoned', actions: { type: 'noteAccess', params: ({ event }) => event.output } },
        ],
        onError: failing('settingUpAccess'),
      },
    },

    needsOperator: {
      meta: {
        description: 'Authorisation by {customer.name} is stuck: {failure.message}',
        waitingOn: 'operator',
        task: stuckTask('authorisation-stuck', 'The authorisation is stuck'),
      },
      after: overdue('authorisation-stuck'),
      on: {
        'retry.requested': retrying(['askingCustomer', 'settingUpAccess']),
        'work.abandoned': 'abandoned',
      },
    },

    authorised: {
      meta: { description: '{customer.name} authorised us, and we can work in its tenant' },
      type: 'final',
      entry: assign({ outcome: 'done' }),
    },
    canceled: {
      meta: { description: 'The authorisation by {customer.name} was canceled' },
      type: 'final',
      entry: assign({ outcome: 'canceled' }),
    },
    abandoned: {
      meta: { description: 'The authorisation by {customer.name} was given up' },
      type: 'final',
      entry: assign({ outcome: 'abandoned' }),
    },
  },
  output: ({ context }) => ({
    outcome: context.outcome,
    consent: context.consent,
    access: context.access,
  }),
});

export const authorisation = defineWorkflow({
  name: 'authorisation',
  title: 'Authorisation by the customer',
  machine: authorisationMachine,
  input: AuthorisationInput,
  signals: pick('retry.requested', 'work.abandoned', 'cancel.requested'),
  correlationKeys: () => [],
  subject: (context) => context.customer.name,
  cancelEvent: 'cancel.requested',
});
