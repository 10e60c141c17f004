/**
 * Onboarding an existing CSP customer (guide 3.2): find the customer, review what it has, add a subscription or seats, assign
 * licences and see to the directory. An admin relationship is asked for only where none gives us access.
 */
import { assign, emit, sendTo, setup } from 'xstate';
import { z } from 'zod';
import { activity } from '../engine/activity.ts';
import { defineWorkflow, type StateMeta } from '../engine/definition.ts';
import { findCustomer, listSubscriptions } from './activities/customers.ts';
import { writeClosingReport } from './activities/prerequisites.ts';
import { terminateAdminRelationship } from './activities/relationships.ts';
import { type CustomerMatch, Guid, type OrderLine, type Subscription } from './activities/shapes.ts';
import { accessMachine } from './parts/access.ts';
import {
  type Ending,
  type Failure,
  failing,
  failureOf,
  overdue,
  retrying,
  type TaskOverdue,
} from './parts/common.ts';
import { consentMachine } from './parts/consent.ts';
import { directoryMachine } from './parts/directory.ts';
import { licencesMachine } from './parts/licences.ts';
import { orderingMachine } from './parts/ordering.ts';
import { prerequisitesMachine } from './parts/prerequisites.ts';
import { seatsMachine } from './parts/seats.ts';
import {
  asJson,
  assignableSkus,
  type ClosingReport,
  closingReport,
  type Facts,
  NO_FACTS,
  remarksOn,
  withdrawableRelationship,
} from './report.ts';
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
  readonly subscriptions: readonly Subscription[];
  readonly remarks: readonly string[];
  readonly lines: readonly OrderLine[];
  readonly growth: { readonly subscriptionId: string; readonly additionalSeats: number } | null;
  readonly facts: Facts;
  readonly ending: Exclude<Ending, 'done'> | null;
  readonly closedAt: string | null;
  readonly failure: Failure | null;
}

const customerOf = ({ form, chosen }: Context) => ({
  name: chosen?.name ?? form.customer.name,
  tenantId: chosen?.customerId ?? '',
});
const skusOf = ({ facts, subscriptions }: Context) => assignableSkus(facts, subscriptions);
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
      | 'search.changed'
      | 'customer.chosen'
      | 'subscriptions.reviewed'
      | 'retry.requested'
      | 'work.abandoned'
      | 'cancel.requested'
    >,
    output: {} as OnboardExistingCspCustomerOutput,
    emitted: {} as TaskOverdue,
    meta: {} as StateMeta,
  },
  actors: {
    findCustomer: activity(findCustomer),
    prerequisites: prerequisitesMachine,
    access: accessMachine,
    consent: consentMachine,
    listSubscriptions: activity(listSubscriptions),
    ordering: orderingMachine,
    seats: seatsMachine,
    licences: licencesMachine,
    directory: directoryMachine,
    terminateAdminRelationship: activity(terminateAdminRelationship),
    writeClosingReport: activity(writeClosingReport),
  },
  delays: { taskReminder: ({ context }) => context.form.settings.taskReminderMs },
  guards: {
    oneMatch: (_, params: { matches: readonly CustomerMatch[] }) => params.matches.length === 1,
    noMatch: (_, params: { matches: readonly CustomerMatch[] }) => params.matches.length === 0,
    isMatch: ({ context, event }) =>
      event.type === 'customer.chosen' &&
      context.matches.some(({ customerId }) => customerId === event.customerId),
    saysWhat: ({ event }) =>
      event.type === 'search.changed' && (event.companyName !== undefined || event.domain !== undefined),
    wantsNothing: ({ event }) => event.type === 'subscriptions.reviewed' && event.plan === 'nothing',
    wantsSubscription: ({ event }) =>
      event.type === 'subscriptions.reviewed' && event.plan === 'new-subscription',
    // More seats only on a subscription that can grow, and with a number.
    wantsSeats: ({ context, event }) =>
      event.type === 'subscriptions.reviewed' &&
      event.plan === 'more-seats' &&
      event.additionalSeats !== undefined &&
      context.subscriptions.some(
        ({ subscriptionId, status, commerce }) =>
          subscriptionId === event.subscriptionId && status === 'active' && commerce === 'new',
      ),
    goesOn: ({ context }, params: { outcome: string }) =>
      params.outcome === 'done' && context.ending === null,
    isRejected: ({ context }, params: { outcome: string }) =>
      params.outcome === 'rejected' && context.ending === null,
    relationshipMissing: ({ context }, params: { outcome: string }) =>
      params.outcome === 'no-relationship' && context.ending === null,
    skusKnown: ({ context }) => skusOf(context).length > 0,
    withdrawable: ({ context }) => withdrawableRelationship(context.facts) !== null,
    endingCanceled: ({ context }) => context.ending === 'canceled',
    endingAbandoned: ({ context }) => context.ending === 'abandoned',
    failedIn: ({ context }, params: { state: string }) => context.failure?.state === params.state,
  },
  actions: {
    noteFailure: assign({
      failure: (_, params: { state: string; error: unknown }) => failureOf(params.state, params.error),
    }),
    announceOverdue: emit((_, params: { task: string }) => ({
      type: 'task.overdue' as const,
      task: params.task,
    })),
    note: assign({ facts: ({ context }, params: Partial<Facts>) => ({ ...context.facts, ...params }) }),
    askCancel: assign({ ending: 'canceled' }),
    abandon: assign({ ending: 'abandoned' }),
    noteEnding: assign({
      ending: ({ context }, params: { outcome: string }) =>
        context.ending ?? (params.outcome === 'canceled' ? 'canceled' : 'abandoned'),
    }),
    passCancel: sendTo((_, params: { to: string }) => params.to, { type: 'cancel.requested' as const }),
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
    noteSubscriptions: assign((_, params: z.output<typeof listSubscriptions.output>) => ({
      subscriptions: params.subscriptions,
      remarks: remarksOn(params.subscriptions, params.elsewhere),
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
    subscriptions: [],
    remarks: [],
    lines: form.order.lines,
    growth: null,
    facts: NO_FACTS,
    ending: null,
    closedAt: null,
    failure: null,
  }),
  initial: 'findingCustomer',
  on: { 'cancel.requested': { target: '.stopping', actions: 'askCancel' } },
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
        task: {
          id: 'customer-not-found',
          title: 'The customer is not among ours',
          instructions:
            'Search with other words. Somebody with a tenant who is not our customer yet is an existing Office 365 customer.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Search with other words', signal: 'search.changed' },
            { name: 'retry', label: 'Search again', signal: 'retry.requested' },
            { name: 'reject', label: 'Give up', signal: 'work.abandoned', reasonRequired: true },
          ],
          shows: { 'Searched for': 'search' },
        },
      },
      after: overdue('customer-not-found'),
      on: {
        'search.changed': { guard: 'saysWhat', target: 'findingCustomer', actions: 'changeSearch' },
        'retry.requested': 'findingCustomer',
        'work.abandoned': { target: 'stopping', actions: 'abandon' },
      },
    },

    choosingCustomer: {
      meta: {
        description: 'Several customers match {form.customer.name}',
        waitingOn: 'operator',
        task: {
          id: 'choose-customer',
          title: 'Choose the customer',
          instructions: 'Choose the customer among the matches, or search with other words.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'This one', signal: 'customer.chosen' },
            { name: 'search', label: 'Search with other words', signal: 'search.changed' },
            { name: 'reject', label: 'Give up', signal: 'work.abandoned', reasonRequired: true },
          ],
          shows: { Matches: 'matches' },
        },
      },
      after: overdue('choose-customer'),
      on: {
        'customer.chosen': { guard: 'isMatch', target: 'checkingPrerequisites', actions: 'choose' },
        'search.changed': { guard: 'saysWhat', target: 'findingCustomer', actions: 'changeSearch' },
        'work.abandoned': { target: 'stopping', actions: 'abandon' },
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
            target: 'establishingAccess',
            actions: { type: 'note', params: ({ event }) => ({ prerequisites: event.output }) },
          },
          {
            target: 'stopping',
            actions: [
              { type: 'note', params: ({ event }) => ({ prerequisites: event.output }) },
              { type: 'noteEnding', params: ({ event }) => event.output },
            ],
          },
        ],
        onError: failing('checkingPrerequisites'),
      },
    },

    establishingAccess: {
      meta: {
        description: 'Setting up our access to the tenant of {form.customer.name}',
        waitingOn: 'microsoft',
      },
      on: {
        'cancel.requested': { actions: ['askCancel', { type: 'passCancel', params: { to: 'access' } }] },
      },
      invoke: {
        id: 'access',
        src: 'access',
        input: ({ context }) => ({
          customer: customerOf(context),
          relationshipId: context.facts.consent?.relationshipId ?? null,
          relationshipExpected: false,
          roles: context.form.partner.roles,
          assignments: context.form.partner.access,
          settings: context.form.settings,
        }),
        onDone: [
          // Nothing to build on, or to be asked anew: the customer has to approve an admin relationship.
          {
            guard: { type: 'relationshipMissing', params: ({ event }) => event.output },
            target: 'establishingConsent',
            actions: { type: 'note', params: ({ event }) => ({ access: event.output }) },
          },
          {
            guard: { type: 'goesOn', params: ({ event }) => event.output },
            target: 'listingSubscriptions',
            actions: { type: 'note', params: ({ event }) => ({ access: event.output }) },
          },
          {
            target: 'stopping',
            actions: [
              { type: 'note', params: ({ event }) => ({ access: event.output }) },
              { type: 'noteEnding', params: ({ event }) => event.output },
            ],
          },
        ],
        onError: failing('establishingAccess'),
      },
    },

    establishingConsent: {
      meta: { description: 'Asking {form.customer.name} for its authorisation', waitingOn: 'customer' },
      on: {
        'cancel.requested': { actions: ['askCancel', { type: 'passCancel', params: { to: 'consent' } }] },
      },
      invoke: {
        id: 'consent',
        src: 'consent',
        input: ({ context }) => ({
          customer: customerOf(context),
          partnerName: context.form.partner.name,
          needs: { commerce: false, admin: true },
          invitation: {
            ...context.form.invitation,
            escalateTo: context.form.partner.escalateTo,
            text: context.form.partner.invitationText,
          },
          admin: {
            roles: context.form.partner.roles,
            duration: context.form.partner.duration,
            autoExtendDuration: context.form.partner.autoExtendDuration,
          },
          settings: context.form.settings,
        }),
        onDone: [
          {
            guard: { type: 'goesOn', params: ({ event }) => event.output },
            target: 'establishingAccess',
            actions: { type: 'note', params: ({ event }) => ({ consent: event.output }) },
          },
          {
            target: 'stopping',
            actions: [
              { type: 'note', params: ({ event }) => ({ consent: event.output }) },
              { type: 'noteEnding', params: ({ event }) => event.output },
            ],
          },
        ],
        onError: failing('establishingConsent'),
      },
    },

    listingSubscriptions: {
      meta: { description: 'Listing the subscriptions of {form.customer.name}', waitingOn: 'us' },
      invoke: {
        id: 'listSubscriptions',
        src: 'listSubscriptions',
        input: ({ context }) => ({ customerId: customerOf(context).tenantId }),
        onDone: {
          target: 'reviewingSubscriptions',
          actions: { type: 'noteSubscriptions', params: ({ event }) => event.output },
        },
        onError: failing('listingSubscriptions'),
      },
    },

    reviewingSubscriptions: {
      meta: {
        description: 'Review what {form.customer.name} has, and decide what to buy',
        waitingOn: 'operator',
        task: {
          id: 'review-subscriptions',
          title: 'Review the subscriptions',
          instructions:
            'Decide: a new subscription, more seats on an active one, or nothing because a plan already contains Enterprise Mobility + Security.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Decided', signal: 'subscriptions.reviewed' },
            { name: 'recheck', label: 'List again', signal: 'retry.requested' },
            { name: 'reject', label: 'Give up', signal: 'work.abandoned', reasonRequired: true },
          ],
          shows: { Remarks: 'remarks', Subscriptions: 'subscriptions', 'Asked for': 'lines' },
        },
      },
      after: overdue('review-subscriptions'),
      on: {
        'subscriptions.reviewed': [
          { guard: 'wantsSubscription', target: 'orderingSubscriptions', actions: 'noteReview' },
          { guard: 'wantsSeats', target: 'addingSeats', actions: 'noteReview' },
          { guard: 'wantsNothing', target: 'choosingLicences' },
        ],
        'retry.requested': 'listingSubscriptions',
        'work.abandoned': { target: 'stopping', actions: 'abandon' },
      },
    },

    orderingSubscriptions: {
      meta: { description: 'Ordering for {form.customer.name}', waitingOn: 'us' },
      on: {
        'cancel.requested': { actions: ['askCancel', { type: 'passCancel', params: { to: 'ordering' } }] },
      },
      invoke: {
        id: 'ordering',
        src: 'ordering',
        input: ({ context }) => ({
          customer: customerOf(context),
          lines: [...context.lines],
          priceCeiling: context.form.order.priceCeiling,
          settings: context.form.settings,
        }),
        onDone: [
          // A rejected order is not the end: the review decides anew.
          {
            guard: { type: 'isRejected', params: ({ event }) => event.output },
            target: 'reviewingSubscriptions',
            actions: { type: 'note', params: ({ event }) => ({ ordering: event.output }) },
          },
          {
            guard: { type: 'goesOn', params: ({ event }) => event.output },
            target: 'choosingLicences',
            actions: { type: 'note', params: ({ event }) => ({ ordering: event.output }) },
          },
          {
            target: 'stopping',
            actions: [
              { type: 'note', params: ({ event }) => ({ ordering: event.output }) },
              { type: 'noteEnding', params: ({ event }) => event.output },
            ],
          },
        ],
        onError: failing('orderingSubscriptions'),
      },
    },

    addingSeats: {
      meta: { description: 'Adding seats for {form.customer.name}', waitingOn: 'us' },
      on: { 'cancel.requested': { actions: ['askCancel', { type: 'passCancel', params: { to: 'seats' } }] } },
      invoke: {
        id: 'seats',
        src: 'seats',
        input: ({ context }) => ({
          customer: customerOf(context),
          subscriptionId: context.growth?.subscriptionId ?? '',
          additionalSeats: context.growth?.additionalSeats ?? 1,
          settings: context.form.settings,
        }),
        onDone: [
          // A rejected order is not the end: the review decides anew.
          {
            guard: { type: 'isRejected', params: ({ event }) => event.output },
            target: 'reviewingSubscriptions',
            actions: { type: 'note', params: ({ event }) => ({ seats: event.output }) },
          },
          {
            guard: { type: 'goesOn', params: ({ event }) => event.output },
            target: 'choosingLicences',
            actions: { type: 'note', params: ({ event }) => ({ seats: event.output }) },
          },
          {
            target: 'stopping',
            actions: [
              { type: 'note', params: ({ event }) => ({ seats: event.output }) },
              { type: 'noteEnding', params: ({ event }) => event.output },
            ],
          },
        ],
        onError: failing('addingSeats'),
      },
    },

    choosingLicences: {
      meta: { description: 'Seeing which licences {form.customer.name} can give its users', waitingOn: 'us' },
      always: [{ guard: 'skusKnown', target: 'assigningLicences' }, { target: 'integratingDirectory' }],
    },

    assigningLicences: {
      meta: { description: 'Assigning licences to the users of {form.customer.name}', waitingOn: 'us' },
      on: {
        'cancel.requested': { actions: ['askCancel', { type: 'passCancel', params: { to: 'licences' } }] },
      },
      invoke: {
        id: 'licences',
        src: 'licences',
        input: ({ context }) => ({
          customer: customerOf(context),
          skuIds: skusOf(context),
          defaultUsageLocation: context.form.licences.usageLocation,
          mode: context.form.licences.mode,
          users: context.form.licences.users,
          settings: context.form.settings,
        }),
        onDone: [
          {
            guard: { type: 'goesOn', params: ({ event }) => event.output },
            target: 'integratingDirectory',
            actions: { type: 'note', params: ({ event }) => ({ licences: event.output }) },
          },
          {
            target: 'stopping',
            actions: [
              { type: 'note', params: ({ event }) => ({ licences: event.output }) },
              { type: 'noteEnding', params: ({ event }) => event.output },
            ],
          },
        ],
        onError: failing('assigningLicences'),
      },
    },

    integratingDirectory: {
      meta: { description: 'Seeing to the directory of {form.customer.name}', waitingOn: 'us' },
      on: {
        'cancel.requested': { actions: ['askCancel', { type: 'passCancel', params: { to: 'directory' } }] },
      },
      invoke: {
        id: 'directory',
        src: 'directory',
        input: ({ context }) => ({
          customer: customerOf(context),
          skuIds: skusOf(context),
          model: context.form.directory.model,
          settings: context.form.settings,
        }),
        onDone: [
          {
            guard: { type: 'goesOn', params: ({ event }) => event.output },
            target: 'closing',
            actions: { type: 'note', params: ({ event }) => ({ directory: event.output }) },
          },
          {
            target: 'stopping',
            actions: [
              { type: 'note', params: ({ event }) => ({ directory: event.output }) },
              { type: 'noteEnding', params: ({ event }) => event.output },
            ],
          },
        ],
        onError: failing('integratingDirectory'),
      },
    },

    needsOperator: {
      meta: {
        description: 'Onboarding {form.customer.name} is stuck: {failure.message}',
        waitingOn: 'operator',
        task: {
          id: 'onboarding-stuck',
          title: 'The onboarding is stuck',
          instructions: 'Remove the cause, then try again; or give up.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Try again', signal: 'retry.requested' },
            { name: 'reject', label: 'Give up', signal: 'work.abandoned', reasonRequired: true },
          ],
          shows: { Where: 'failure.state', Code: 'failure.code', Message: 'failure.message' },
        },
      },
      after: overdue('onboarding-stuck'),
      on: {
        'retry.requested': retrying([
          'findingCustomer',
          'checkingPrerequisites',
          'establishingAccess',
          'establishingConsent',
          'listingSubscriptions',
          'orderingSubscriptions',
          'addingSeats',
          'assigningLicences',
          'integratingDirectory',
          'closing',
        ]),
        'work.abandoned': { target: 'stopping', actions: 'abandon' },
      },
    },

    stopping: {
      meta: { description: 'Stopping the onboarding of {form.customer.name}', waitingOn: 'us' },
      always: [{ guard: 'withdrawable', target: 'withdrawingAdminRelationship' }, { target: 'closing' }],
    },

    withdrawingAdminRelationship: {
      meta: { description: 'Withdrawing our admin relationship with {form.customer.name}', waitingOn: 'us' },
      on: { 'cancel.requested': { actions: 'askCancel' } },
      invoke: {
        id: 'terminateAdminRelationship',
        src: 'terminateAdminRelationship',
        input: ({ context }) => ({ relationshipId: withdrawableRelationship(context.facts) ?? '' }),
        onDone: { target: 'closing', actions: { type: 'note', params: { withdrawn: true } } },
        onError: failing('withdrawingAdminRelationship', 'withdrawalFailed'),
      },
    },

    withdrawalFailed: {
      meta: {
        description:
          'The admin relationship with {form.customer.name} could not be withdrawn: {failure.message}',
        waitingOn: 'operator',
        task: {
          id: 'withdrawal-failed',
          title: 'Withdraw the admin relationship',
          instructions: 'Try again, or leave the relationship as it is; the closing report names it.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Try again', signal: 'retry.requested' },
            { name: 'reject', label: 'Leave it', signal: 'work.abandoned', reasonRequired: true },
          ],
          shows: { Message: 'failure.message' },
        },
      },
      after: overdue('withdrawal-failed'),
      on: {
        'cancel.requested': { actions: 'askCancel' },
        'retry.requested': 'withdrawingAdminRelationship',
        'work.abandoned': 'closing',
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
  signals: pick(
    'search.changed',
    'customer.chosen',
    'subscriptions.reviewed',
    'retry.requested',
    'work.abandoned',
    'cancel.requested',
  ),
  correlationKeys: () => [],
  subject: (context) => context.form.customer.name,
  cancelEvent: 'cancel.requested',
});
