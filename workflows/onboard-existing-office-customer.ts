/**
 * Onboarding an existing Office 365 customer (guide 3.1, Appendix A): somebody who has a tenant but is not our customer yet.
 * We look the tenant up, check the conditions, and take the customer on: it is asked for both authorisations, and as soon as it
 * accepted us as its reseller we find it in Partner Center, review what it has and order (`parts/delivery.ts`).
 */
import { assign, emit, sendTo, setup } from 'xstate';
import { z } from 'zod';
import { activity } from '../engine/activity.ts';
import { defineWorkflow, type StateMeta } from '../engine/definition.ts';
import { findTenant } from './activities/customers.ts';
import { writeClosingReport } from './activities/prerequisites.ts';
import { readRelationship } from './activities/relationships.ts';
import { type Ending, type Failure, failing, failureOf, retrying } from './parts/common.ts';
import { type DeliveryOutput, deliveryMachine } from './parts/delivery.ts';
import { prerequisitesMachine } from './parts/prerequisites.ts';
import {
  announcement,
  GIVE_UP,
  humanTask,
  overdue,
  stuckTask,
  type TaskOverdue,
  taskDelays,
} from './parts/tasks.ts';
import { asJson, type ClosingReport, closingReport, type Facts, NO_FACTS } from './report.ts';
import { pick, type SignalEvent } from './signals.ts';
import { Attested, Directory, Invitation, Licences, Order, Partner, SettingsField } from './start-form.ts';

export const OnboardExistingOfficeCustomerInput = z.object({
  customer: z
    .object({
      name: z
        .string()
        .min(1)
        .max(200)
        .meta({ title: 'Customer', examples: ['Contoso Ltd'] }),
      domain: z
        .string()
        .min(3)
        .max(253)
        .meta({ title: 'A domain of the customer', examples: ['contoso.example'] }),
    })
    .meta({ title: 'Customer' }),
  partner: Partner,
  invitation: Invitation,
  order: Order,
  licences: Licences,
  directory: Directory,
  attested: Attested,
  settings: SettingsField,
});
type Form = z.output<typeof OnboardExistingOfficeCustomerInput>;

export interface OnboardExistingOfficeCustomerOutput extends ClosingReport {
  readonly closedAt: string | null;
}

interface Context {
  readonly form: Form;
  /** The domain looked up; corrected by an operator if no tenant owns it. */
  readonly domain: string;
  readonly tenantId: string | null;
  readonly alreadyReseller: boolean;
  readonly facts: Facts;
  readonly ending: Exclude<Ending, 'done'> | null;
  readonly closedAt: string | null;
  readonly failure: Failure | null;
}

const customerOf = ({ form, tenantId }: Context) => ({ name: form.customer.name, tenantId: tenantId ?? '' });
const reportOf = ({ form, tenantId, facts, ending }: Context) =>
  closingReport(ending, { name: form.customer.name, tenantId }, facts);

export const onboardExistingOfficeCustomerMachine = setup({
  types: {
    input: {} as Form,
    context: {} as Context,
    events: {} as SignalEvent<'domain.corrected' | 'retry.requested' | 'work.abandoned' | 'cancel.requested'>,
    output: {} as OnboardExistingOfficeCustomerOutput,
    emitted: {} as TaskOverdue,
    meta: {} as StateMeta,
  },
  actors: {
    findTenant: activity(findTenant),
    prerequisites: prerequisitesMachine,
    readRelationship: activity(readRelationship),
    delivery: deliveryMachine,
    writeClosingReport: activity(writeClosingReport),
  },
  delays: {
    ...taskDelays<Context>((context) => context.form.settings),
  },
  guards: {
    tenantFound: (_, params: { tenantId: string | null }) => params.tenantId !== null,
    goesOn: ({ context }, params: { outcome: string }) =>
      params.outcome === 'done' && context.ending === null,
    endingCanceled: ({ context }) => context.ending === 'canceled',
    endingAbandoned: ({ context }) => context.ending === 'abandoned',
    failedIn: ({ context }, params: { state: string }) => context.failure?.state === params.state,
  },
  actions: {
    noteFailure: assign({
      failure: (_, params: { state: string; error: unknown }) => failureOf(params.state, params.error),
    }),
    announceOverdue: emit((_, params: Parameters<typeof announcement>[0]) => announcement(params)),
    note: assign({ facts: ({ context }, params: Partial<Facts>) => ({ ...context.facts, ...params }) }),
    askCancel: assign({ ending: ({ context }) => context.ending ?? 'canceled' }),
    abandon: assign({ ending: 'abandoned' }),
    noteEnding: assign({
      ending: ({ context }, params: { outcome: string }) =>
        context.ending ?? (params.outcome === 'canceled' ? 'canceled' : 'abandoned'),
    }),
    passCancel: sendTo((_, params: { to: string }) => params.to, { type: 'cancel.requested' as const }),
    noteDelivery: assign({
      facts: ({ context }, { facts }: DeliveryOutput) => ({
        ...facts,
        prerequisites: context.facts.prerequisites,
      }),
    }),
    noteClosing: assign({ closedAt: (_, params: { closedAt: string }) => params.closedAt }),
    noteTenant: assign({ tenantId: (_, params: { tenantId: string | null }) => params.tenantId }),
    correctDomain: assign({
      domain: ({ context, event }) => (event.type === 'domain.corrected' ? event.domain : context.domain),
    }),
    noteRelationship: assign({ alreadyReseller: (_, params: { reseller: boolean }) => params.reseller }),
  },
}).createMachine({
  id: 'onboard-existing-office-customer',
  context: ({ input }) => ({
    form: input,
    domain: input.customer.domain,
    tenantId: null,
    alreadyReseller: false,
    facts: NO_FACTS,
    ending: null,
    closedAt: null,
    failure: null,
  }),
  initial: 'findingTenant',
  on: { 'cancel.requested': { target: '.closing', actions: 'askCancel' } },
  states: {
    findingTenant: {
      meta: { description: 'Looking up the tenant of {domain}', waitingOn: 'us' },
      invoke: {
        id: 'findTenant',
        src: 'findTenant',
        input: ({ context }) => ({ domain: context.domain }),
        onDone: [
          {
            guard: { type: 'tenantFound', params: ({ event }) => event.output },
            target: 'checkingPrerequisites',
            actions: { type: 'noteTenant', params: ({ event }) => event.output },
          },
          { target: 'tenantNotFound' },
        ],
        onError: failing('findingTenant'),
      },
    },

    tenantNotFound: {
      meta: {
        description: 'No tenant owns {domain}',
        waitingOn: 'operator',
        task: humanTask({
          id: 'tenant-not-found',
          title: 'No tenant owns the domain',
          instructions:
            'Ask the customer for a domain of its tenant. A customer without any tenant is a new customer.',
          due: 'form.settings.taskDueMs',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Use this domain', signal: 'domain.corrected' },
            { name: 'retry', label: 'Look again', signal: 'retry.requested' },
            GIVE_UP,
          ],
          shows: { Domain: 'domain' },
        }),
      },
      after: overdue('tenant-not-found'),
      on: {
        'domain.corrected': { target: 'findingTenant', actions: 'correctDomain' },
        'retry.requested': 'findingTenant',
        'work.abandoned': { target: 'closing', actions: 'abandon' },
      },
    },

    checkingPrerequisites: {
      meta: { description: 'Checking the conditions for {form.customer.name}', waitingOn: 'us' },
      on: {
        'cancel.requested': {
          actions: ['askCancel', { type: 'passCancel', params: { to: 'prerequisites' } }],
        },
      },
      invoke: {
        id: 'prerequisites',
        src: 'prerequisites',
        input: ({ context }) => ({
          customerName: context.form.customer.name,
          tenantId: context.tenantId,
          domain: context.domain,
          groupIds: context.form.partner.access.map(({ groupId }) => groupId),
          attested: context.form.attested,
          settings: context.form.settings,
        }),
        onDone: [
          {
            guard: { type: 'goesOn', params: ({ event }) => event.output },
            target: 'readingRelationship',
            actions: { type: 'note', params: ({ event }) => ({ prerequisites: event.output }) },
          },
          {
            target: 'closing',
            actions: [
              { type: 'note', params: ({ event }) => ({ prerequisites: event.output }) },
              { type: 'noteEnding', params: ({ event }) => event.output },
            ],
          },
        ],
        onError: failing('checkingPrerequisites'),
      },
    },

    readingRelationship: {
      meta: { description: 'Reading whether {form.customer.name} is our customer already', waitingOn: 'us' },
      invoke: {
        id: 'readRelationship',
        src: 'readRelationship',
        input: ({ context }) => ({ customerId: customerOf(context).tenantId }),
        onDone: {
          target: 'takingOn',
          actions: { type: 'noteRelationship', params: ({ event }) => event.output },
        },
        onError: failing('readingRelationship'),
      },
    },

    takingOn: {
      meta: {
        description: 'Taking {form.customer.name} on: authorisation, order, licences, directory',
        waitingOn: 'us',
      },
      on: {
        'cancel.requested': { actions: ['askCancel', { type: 'passCancel', params: { to: 'delivery' } }] },
      },
      invoke: {
        id: 'delivery',
        src: 'delivery',
        input: ({ context }) => ({
          customer: customerOf(context),
          needsCommerce: !context.alreadyReseller,
          fresh: false,
          partner: context.form.partner,
          invitation: context.form.invitation,
          order: context.form.order,
          licences: context.form.licences,
          directory: context.form.directory,
          settings: context.form.settings,
        }),
        onDone: [
          {
            guard: { type: 'goesOn', params: ({ event }) => event.output },
            target: 'closing',
            actions: { type: 'noteDelivery', params: ({ event }) => event.output },
          },
          {
            target: 'closing',
            actions: [
              { type: 'noteDelivery', params: ({ event }) => event.output },
              { type: 'noteEnding', params: ({ event }) => event.output },
            ],
          },
        ],
        onError: failing('takingOn'),
      },
    },

    needsOperator: {
      meta: {
        description: 'Onboarding {form.customer.name} is stuck: {failure.message}',
        waitingOn: 'operator',
        task: stuckTask('onboarding-stuck', 'The onboarding is stuck', { due: 'form.settings.taskDueMs' }),
      },
      after: overdue('onboarding-stuck'),
      on: {
        'retry.requested': retrying([
          'findingTenant',
          'checkingPrerequisites',
          'readingRelationship',
          'takingOn',
          'closing',
        ]),
        'work.abandoned': { target: 'closing', actions: 'abandon' },
      },
    },

    closing: {
      meta: { description: 'Writing the closing report of {form.customer.name}', waitingOn: 'us' },
      on: { 'cancel.requested': { actions: 'askCancel' } },
      invoke: {
        id: 'writeClosingReport',
        src: 'writeClosingReport',
        input: ({ context }) => ({ report: asJson(reportOf(context)) }),
        onDone: [
          {
            guard: 'endingCanceled',
            target: 'canceled',
            actions: { type: 'noteClosing', params: ({ event }) => event.output },
          },
          {
            guard: 'endingAbandoned',
            target: 'abandoned',
            actions: { type: 'noteClosing', params: ({ event }) => event.output },
          },
          { target: 'completed', actions: { type: 'noteClosing', params: ({ event }) => event.output } },
        ],
        onError: failing('closing'),
      },
    },

    completed: { meta: { description: '{form.customer.name} is on board' }, type: 'final' },
    canceled: { meta: { description: 'The onboarding of {form.customer.name} was canceled' }, type: 'final' },
    abandoned: {
      meta: { description: 'The onboarding of {form.customer.name} was given up' },
      type: 'final',
    },
  },
  output: ({ context }) => ({ ...reportOf(context), closedAt: context.closedAt }),
});

export const onboardExistingOfficeCustomer = defineWorkflow({
  name: 'onboard-existing-office-customer',
  title: 'Onboard an existing Office 365 customer',
  machine: onboardExistingOfficeCustomerMachine,
  input: OnboardExistingOfficeCustomerInput,
  signals: pick('domain.corrected', 'retry.requested', 'work.abandoned', 'cancel.requested'),
  correlationKeys: (context) => [`domain:${context.domain}`],
  subject: (context) => context.form.customer.name,
  cancelEvent: 'cancel.requested',
});
