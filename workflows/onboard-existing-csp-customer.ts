/**
 * Onboarding an existing CSP customer (guide 3.2): find the customer, check the conditions, and take it on: review what it has,
 * add a subscription or seats, and meanwhile ask for admin rights where none give us access (`parts/delivery.ts`).
 */
import { assign, emit, sendTo, setup } from 'xstate';
import { z } from 'zod';
import { activity } from '../engine/activity.ts';
import { defineWorkflow, type StateMeta } from '../engine/definition.ts';
import { findCustomer } from './activities/customers.ts';
import { writeClosingReport } from './activities/prerequisites.ts';
import { type CustomerMatch, Guid } from './activities/shapes.ts';
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

export const OnboardExistingCspCustomerInput = z.object({
  customer: z
    .object({
      name: z
        .string()
        .min(1)
        .max(200)
        .meta({ title: 'Company name begins with', examples: ['Contoso'] }),
      domain: z
        .string()
        .min(3)
        .max(253)
        .nullable()
        .default(null)
        .meta({ title: 'A domain of the customer', examples: ['contoso.example'] }),
      tenantId: Guid.nullable().default(null).meta({ title: 'Tenant id, when known' }),
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
type Form = z.output<typeof OnboardExistingCspCustomerInput>;

export interface OnboardExistingCspCustomerOutput extends ClosingReport {
  readonly closedAt: string | null;
}

interface Search {
  readonly tenantId: string | null;
  readonly domain: string | null;
  readonly companyName: string | null;
}

interface Context {
  readonly form: Form;
  readonly search: Search;
  readonly matches: readonly CustomerMatch[];
  readonly chosen: CustomerMatch | null;
  readonly facts: Facts;
  readonly ending: Exclude<Ending, 'done'> | null;
  readonly closedAt: string | null;
  readonly failure: Failure | null;
}

const customerOf = ({ form, chosen }: Context) => ({
  name: chosen?.name ?? form.customer.name,
  tenantId: chosen?.customerId ?? '',
});
const reportOf = ({ form, chosen, facts, ending }: Context) =>
  closingReport(
    ending,
    { name: chosen?.name ?? form.customer.name, tenantId: chosen?.customerId ?? null },
    facts,
  );

export const onboardExistingCspCustomerMachine = setup({
  types: {
    input: {} as Form,
    context: {} as Context,
    events: {} as SignalEvent<
      'search.changed' | 'customer.chosen' | 'retry.requested' | 'work.abandoned' | 'cancel.requested'
    >,
    output: {} as OnboardExistingCspCustomerOutput,
    emitted: {} as TaskOverdue,
    meta: {} as StateMeta,
  },
  actors: {
    findCustomer: activity(findCustomer),
    prerequisites: prerequisitesMachine,
    delivery: deliveryMachine,
    writeClosingReport: activity(writeClosingReport),
  },
  delays: { ...taskDelays<Context>((context) => context.form.settings) },
  guards: {
    oneMatch: (_, params: { matches: readonly CustomerMatch[] }) => params.matches.length === 1,
    noMatch: (_, params: { matches: readonly CustomerMatch[] }) => params.matches.length === 0,
    isMatch: ({ context, event }) =>
      event.type === 'customer.chosen' &&
      context.matches.some(({ customerId }) => customerId === event.customerId),
    saysWhat: ({ event }) =>
      event.type === 'search.changed' && (event.companyName !== undefined || event.domain !== undefined),
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
    noteMatches: assign({
      matches: (_, params: { matches: readonly CustomerMatch[] }) => params.matches,
      chosen: (_, params: { matches: readonly CustomerMatch[] }) =>
        params.matches.length === 1 ? (params.matches[0] ?? null) : null,
    }),
    choose: assign({
      chosen: ({ context, event }) =>
        event.type === 'customer.chosen'
          ? (context.matches.find(({ customerId }) => customerId === event.customerId) ?? null)
          : context.chosen,
    }),
    changeSearch: assign({
      search: ({ context, event }) =>
        event.type === 'search.changed'
          ? { tenantId: null, domain: event.domain ?? null, companyName: event.companyName ?? null }
          : context.search,
    }),
  },
}).createMachine({
  id: 'onboard-existing-csp-customer',
  context: ({ input: form }) => ({
    form,
    search: {
      tenantId: form.customer.tenantId,
      domain: form.customer.tenantId === null ? form.customer.domain : null,
      companyName:
        form.customer.tenantId === null && form.customer.domain === null ? form.customer.name : null,
    },
    matches: [],
    chosen: null,
    facts: NO_FACTS,
    ending: null,
    closedAt: null,
    failure: null,
  }),
  initial: 'findingCustomer',
  on: { 'cancel.requested': { target: '.closing', actions: 'askCancel' } },
  states: {
    findingCustomer: {
      meta: { description: 'Searching {form.customer.name} among our customers', waitingOn: 'us' },
      invoke: {
        id: 'findCustomer',
        src: 'findCustomer',
        input: ({ context }) => context.search,
        onDone: [
          {
            guard: { type: 'oneMatch', params: ({ event }) => event.output },
            target: 'checkingPrerequisites',
            actions: { type: 'noteMatches', params: ({ event }) => event.output },
          },
          {
            guard: { type: 'noMatch', params: ({ event }) => event.output },
            target: 'customerNotFound',
          },
          {
            target: 'choosingCustomer',
            actions: { type: 'noteMatches', params: ({ event }) => event.output },
          },
        ],
        onError: failing('findingCustomer'),
      },
    },

    customerNotFound: {
      meta: {
        description: '{form.customer.name} is not among our customers',
        waitingOn: 'operator',
        task: humanTask({
          id: 'customer-not-found',
          title: 'The customer is not among ours',
          instructions:
            'Search with other words. Somebody with a tenant who is not our customer yet is an existing Office 365 customer.',
          due: 'form.settings.taskDueMs',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Search with other words', signal: 'search.changed' },
            { name: 'retry', label: 'Search again', signal: 'retry.requested' },
            GIVE_UP,
          ],
          shows: { 'Searched for': 'search' },
        }),
      },
      after: overdue('customer-not-found'),
      on: {
        'search.changed': { guard: 'saysWhat', target: 'findingCustomer', actions: 'changeSearch' },
        'retry.requested': 'findingCustomer',
        'work.abandoned': { target: 'closing', actions: 'abandon' },
      },
    },

    choosingCustomer: {
      meta: {
        description: 'Several customers match {form.customer.name}',
        waitingOn: 'operator',
        task: humanTask({
          id: 'choose-customer',
          title: 'Choose the customer',
          instructions: 'Choose the customer among the matches, or search with other words.',
          due: 'form.settings.taskDueMs',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'This one', signal: 'customer.chosen' },
            { name: 'search', label: 'Search with other words', signal: 'search.changed' },
            GIVE_UP,
          ],
          shows: { Matches: 'matches' },
        }),
      },
      after: overdue('choose-customer'),
      on: {
        'customer.chosen': { guard: 'isMatch', target: 'checkingPrerequisites', actions: 'choose' },
        'search.changed': { guard: 'saysWhat', target: 'findingCustomer', actions: 'changeSearch' },
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
          tenantId: customerOf(context).tenantId,
          domain: context.form.customer.domain ?? context.chosen?.domain ?? null,
          groupIds: context.form.partner.access.map(({ groupId }) => groupId),
          attested: context.form.attested,
          settings: context.form.settings,
        }),
        onDone: [
          {
            guard: { type: 'goesOn', params: ({ event }) => event.output },
            target: 'takingOn',
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
          needsCommerce: false,
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
        'retry.requested': retrying(['findingCustomer', 'checkingPrerequisites', 'takingOn', 'closing']),
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

export const onboardExistingCspCustomer = defineWorkflow({
  name: 'onboard-existing-csp-customer',
  title: 'Onboard an existing CSP customer',
  machine: onboardExistingCspCustomerMachine,
  input: OnboardExistingCspCustomerInput,
  signals: pick('search.changed', 'customer.chosen', 'retry.requested', 'work.abandoned', 'cancel.requested'),
  correlationKeys: () => [],
  subject: (context) => context.form.customer.name,
  cancelEvent: 'cancel.requested',
});
