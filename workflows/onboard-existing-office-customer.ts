/**
 * Onboarding an existing Office 365 customer (guide 3.1, Appendix A): somebody who has a tenant but is not our customer yet.
 * We look the tenant up, check the conditions, ask for both authorisations, set up our access, find the customer in Partner
 * Center, review what it has, order, assign licences and see to the directory.
 */
import { assign, emit, sendTo, setup } from 'xstate';
import { z } from 'zod';
import { activity } from '../engine/activity.ts';
import { defineWorkflow, type StateMeta } from '../engine/definition.ts';
import { findCustomer, findTenant, listSubscriptions } from './activities/customers.ts';
import { writeClosingReport } from './activities/prerequisites.ts';
import { readRelationship, terminateAdminRelationship } from './activities/relationships.ts';
import type { CustomerMatch, OrderLine, Subscription } from './activities/shapes.ts';
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
  readonly subscriptions: readonly Subscription[];
  readonly remarks: readonly string[];
  readonly lines: readonly OrderLine[];
  readonly growth: { readonly subscriptionId: string; readonly additionalSeats: number } | null;
  readonly facts: Facts;
  readonly ending: Exclude<Ending, 'done'> | null;
  readonly closedAt: string | null;
  readonly failure: Failure | null;
}

const customerOf = ({ form, tenantId }: Context) => ({ name: form.customer.name, tenantId: tenantId ?? '' });
const skusOf = ({ facts, subscriptions }: Context) => assignableSkus(facts, subscriptions);
const reportOf = ({ form, tenantId, facts, ending }: Context) =>
  closingReport(ending, { name: form.customer.name, tenantId }, facts);

export const onboardExistingOfficeCustomerMachine = setup({
  types: {
    input: {} as Form,
    context: {} as Context,
    events: {} as SignalEvent<
      | 'domain.corrected'
      | 'subscriptions.reviewed'
      | 'retry.requested'
      | 'work.abandoned'
      | 'cancel.requested'
    >,
    output: {} as OnboardExistingOfficeCustomerOutput,
    emitted: {} as TaskOverdue,
    meta: {} as StateMeta,
  },
  actors: {
    findTenant: activity(findTenant),
    prerequisites: prerequisitesMachine,
    readRelationship: activity(readRelationship),
    consent: consentMachine,
    access: accessMachine,
    findCustomer: activity(findCustomer),
    listSubscriptions: activity(listSubscriptions),
    ordering: orderingMachine,
    seats: seatsMachine,
    licences: licencesMachine,
    directory: directoryMachine,
    terminateAdminRelationship: activity(terminateAdminRelationship),
    writeClosingReport: activity(writeClosingReport),
  },
  delays: {
    customerPoll: ({ context }) => context.form.settings.customerPollMs,
    customerDeadline: ({ context }) => context.form.settings.customerDeadlineMs,
    taskReminder: ({ context }) => context.form.settings.taskReminderMs,
  },
  guards: {
    tenantFound: (_, params: { tenantId: string | null }) => params.tenantId !== null,
    customerFound: (_, params: { matches: readonly CustomerMatch[] }) => params.matches.length > 0,
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
    noteTenant: assign({ tenantId: (_, params: { tenantId: string | null }) => params.tenantId }),
    correctDomain: assign({
      domain: ({ context, event }) => (event.type === 'domain.corrected' ? event.domain : context.domain),
    }),
    noteRelationship: assign({ alreadyReseller: (_, params: { reseller: boolean }) => params.reseller }),
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
  id: 'onboard-existing-office-customer',
  context: ({ input }) => ({
    form: input,
    domain: input.customer.domain,
    tenantId: null,
    alreadyReseller: false,
    subscriptions: [],
    remarks: [],
    lines: input.order.lines,
    growth: null,
    facts: NO_FACTS,
    ending: null,
    closedAt: null,
    failure: null,
  }),
  initial: 'findingTenant',
  on: { 'cancel.requested': { target: '.stopping', actions: 'askCancel' } },
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
        task: {
          id: 'tenant-not-found',
          title: 'No tenant owns the domain',
          instructions:
            'Ask the customer for a domain of its tenant. A customer without any tenant is a new customer.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Use this domain', signal: 'domain.corrected' },
            { name: 'retry', label: 'Look again', signal: 'retry.requested' },
            { name: 'reject', label: 'Give up', signal: 'work.abandoned', reasonRequired: true },
          ],
          shows: { Domain: 'domain' },
        },
      },
      after: overdue('tenant-not-found'),
      on: {
        'domain.corrected': { target: 'findingTenant', actions: 'correctDomain' },
        'retry.requested': 'findingTenant',
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

    readingRelationship: {
      meta: { description: 'Reading whether {form.customer.name} is our customer already', waitingOn: 'us' },
      invoke: {
        id: 'readRelationship',
        src: 'readRelationship',
        input: ({ context }) => ({ customerId: customerOf(context).tenantId }),
        onDone: {
          target: 'establishingConsent',
          actions: { type: 'noteRelationship', params: ({ event }) => event.output },
        },
        onError: failing('readingRelationship'),
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
          needs: {
            commerce: !context.alreadyReseller && context.facts.consent?.commerceGranted !== true,
            admin: true,
          },
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
            target: 'findingCustomer',
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

    findingCustomer: {
      meta: { description: 'Finding {form.customer.name} in Partner Center', waitingOn: 'microsoft' },
      initial: 'searching',
      after: { customerDeadline: 'customerNotVisible' },
      states: {
        searching: {
          meta: { description: 'Searching {form.customer.name} in Partner Center', waitingOn: 'us' },
          invoke: {
            id: 'findCustomer',
            src: 'findCustomer',
            input: ({ context }) => ({ tenantId: context.tenantId, domain: null, companyName: null }),
            onDone: [
              {
                guard: { type: 'customerFound', params: ({ event }) => event.output },
                target: '#onboard-existing-office-customer.listingSubscriptions',
              },
              { target: 'waiting' },
            ],
            onError: failing('findingCustomer', '#onboard-existing-office-customer.needsOperator'),
          },
        },
        waiting: {
          meta: {
            description: 'Waiting for {form.customer.name} to show in Partner Center',
            waitingOn: 'microsoft',
          },
          after: { customerPoll: 'searching' },
        },
      },
    },

    customerNotVisible: {
      meta: {
        description: '{form.customer.name} accepted but does not show in Partner Center',
        waitingOn: 'operator',
        task: {
          id: 'customer-not-visible',
          title: 'The customer does not show',
          instructions: 'Look at the customer list in Partner Center, then search again; or give up.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Search again', signal: 'retry.requested' },
            { name: 'reject', label: 'Give up', signal: 'work.abandoned', reasonRequired: true },
          ],
          shows: { Tenant: 'tenantId' },
        },
      },
      after: overdue('customer-not-visible'),
      on: {
        'retry.requested': 'findingCustomer',
        'work.abandoned': { target: 'stopping', actions: 'abandon' },
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
          'findingTenant',
          'checkingPrerequisites',
          'readingRelationship',
          'establishingConsent',
          'establishingAccess',
          'findingCustomer',
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

export const onboardExistingOfficeCustomer = defineWorkflow({
  name: 'onboard-existing-office-customer',
  title: 'Onboard an existing Office 365 customer',
  machine: onboardExistingOfficeCustomerMachine,
  input: OnboardExistingOfficeCustomerInput,
  signals: pick(
    'domain.corrected',
    'subscriptions.reviewed',
    'retry.requested',
    'work.abandoned',
    'cancel.requested',
  ),
  correlationKeys: (context) => [`domain:${context.domain}`],
  subject: (context) => context.form.customer.name,
  cancelEvent: 'cancel.requested',
});
