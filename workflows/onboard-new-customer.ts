/**
 * Onboarding a new customer (guide 3.3): somebody without a tenant. The form is judged by the rules of the country, the domain
 * and the address before anything is created; then customer and tenant are created, the sign-in data handed over, and the
 * customer is taken on: subscriptions ordered while access is set up, licences, directory (`parts/delivery.ts`). The admin
 * password is sealed by the activity that gets it; this statechart never sees it.
 */
import { assign, emit, sendTo, setup } from 'xstate';
import { z } from 'zod';
import { activity } from '../engine/activity.ts';
import { defineWorkflow, type StateMeta } from '../engine/definition.ts';
import { checkDomain, createCustomer, readCountryRules, validateAddress } from './activities/customers.ts';
import { writeClosingReport } from './activities/prerequisites.ts';
import { readRelationship } from './activities/relationships.ts';
import { Address, ContactPerson } from './activities/shapes.ts';
import { type Ending, type Failure, failing, failureOf, retrying } from './parts/common.ts';
import { type DeliveryOutput, deliveryMachine } from './parts/delivery.ts';
import { type CountryRules, type CustomerForm, domainOf, formProblems } from './parts/form.ts';
import { prerequisitesMachine } from './parts/prerequisites.ts';
import {
  announcement,
  GIVE_UP,
  humanTask,
  overdue,
  override,
  stuckTask,
  type TaskOverdue,
  taskDelays,
} from './parts/tasks.ts';
import { asJson, type ClosingReport, closingReport, type Facts, NO_FACTS } from './report.ts';
import { pick, type SignalEvent } from './signals.ts';
import { Attested, Directory, Invitation, Licences, Order, Partner, SettingsField } from './start-form.ts';

export const OnboardNewCustomerInput = z.object({
  customer: z
    .object({
      name: z
        .string()
        .min(2)
        .max(200)
        .meta({ title: 'Company name', examples: ['Fabrikam GmbH'] }),
      domainPrefix: z
        .string()
        .min(1)
        .max(27)
        .meta({
          title: 'Domain prefix',
          description: 'What comes before .onmicrosoft.com',
          examples: ['fabrikam'],
        }),
      contact: ContactPerson.meta({ title: 'Contact' }),
      address: Address.meta({ title: 'Address' }),
      registrationNumber: z
        .string()
        .max(50)
        .nullable()
        .default(null)
        .meta({ title: 'Organisation registration number' }),
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
type Form = z.output<typeof OnboardNewCustomerInput>;

export interface OnboardNewCustomerOutput extends ClosingReport {
  readonly closedAt: string | null;
  readonly domain: string;
  /** To whom the sign-in data went, or null. */
  readonly signInHandedTo: string | null;
}

type Creation = z.output<typeof createCustomer.output>;

interface Context {
  readonly form: Form;
  /** The form as corrected by operators. */
  readonly data: CustomerForm;
  readonly domain: string;
  readonly rules: CountryRules | null;
  readonly problems: readonly string[];
  readonly suggestions: readonly Address[];
  /** Domains whose creation was asked for and got no clear answer. */
  readonly doubtful: readonly string[];
  readonly tenantId: string | null;
  readonly signIn: { readonly userName: string; readonly passwordSealed: boolean } | null;
  readonly handedOver: { readonly to: string; readonly evidence: string } | null;
  readonly cleanUp: { readonly ticket: string; readonly evidence: string } | null;
  readonly waivers: readonly string[];
  readonly facts: Facts;
  readonly ending: Exclude<Ending, 'done'> | null;
  readonly closedAt: string | null;
  readonly failure: Failure | null;
}

const noted = (creation: Creation) =>
  creation.outcome === 'created'
    ? {
        tenantId: creation.customerId,
        domain: creation.domain,
        signIn: { userName: creation.userName, passwordSealed: creation.passwordSealed },
        problems: [],
      }
    : { problems: [`${creation.message} (${creation.field}, ${creation.code})`] };

const customerOf = ({ data, tenantId }: Context) => ({ name: data.companyName, tenantId: tenantId ?? '' });

function reportOf({
  data,
  domain,
  doubtful,
  tenantId,
  handedOver,
  cleanUp,
  waivers,
  facts,
  ending,
}: Context): ClosingReport {
  const report = closingReport(ending, { name: data.companyName, tenantId }, facts);
  return {
    ...report,
    waived: [...report.waived, ...waivers],
    attested: [
      ...report.attested,
      ...(handedOver === null
        ? []
        : [{ what: 'sign-in data handed over', evidence: `To ${handedOver.to}: ${handedOver.evidence}` }]),
      ...(cleanUp === null
        ? []
        : [{ what: 'clean-up of the tenant requested', evidence: `${cleanUp.ticket}: ${cleanUp.evidence}` }]),
    ],
    leftBehind: [
      ...(ending === null || tenantId === null
        ? []
        : [`The tenant ${domain} stays; it cannot be deleted through the API.`]),
      ...doubtful.map((name) => `The tenant ${name} may have been created: look for it in Partner Center.`),
      ...report.leftBehind,
    ],
  };
}

export const onboardNewCustomerMachine = setup({
  types: {
    input: {} as Form,
    context: {} as Context,
    events: {} as SignalEvent<
      | 'form.corrected'
      | 'address.chosen'
      | 'sign-in.handed-over'
      | 'clean-up.requested'
      | 'task.overridden'
      | 'retry.requested'
      | 'work.abandoned'
      | 'cancel.requested'
    >,
    output: {} as OnboardNewCustomerOutput,
    emitted: {} as TaskOverdue,
    meta: {} as StateMeta,
  },
  actors: {
    prerequisites: prerequisitesMachine,
    readCountryRules: activity(readCountryRules),
    checkDomain: activity(checkDomain),
    validateAddress: activity(validateAddress),
    createCustomer: activity(createCustomer),
    readRelationship: activity(readRelationship),
    delivery: deliveryMachine,
    writeClosingReport: activity(writeClosingReport),
  },
  delays: {
    customerPoll: ({ context }) => context.form.settings.customerPollMs,
    customerDeadline: ({ context }) => context.form.settings.customerDeadlineMs,
    ...taskDelays<Context>((context) => context.form.settings),
  },
  guards: {
    formComplete: ({ context }) => context.problems.length === 0,
    domainFree: (_, params: { available: boolean }) => params.available,
    addressAccepted: (_, params: { status: string }) => params.status === 'accepted',
    addressSuggested: (_, params: { status: string; suggestions: readonly unknown[] }) =>
      params.status === 'suggested' && params.suggestions.length > 0,
    isCreated: (_, params: Creation) => params.outcome === 'created',
    passwordSealed: ({ context }) => context.signIn?.passwordSealed === true,
    isReseller: (_, params: { reseller: boolean }) => params.reseller,
    cancelAsked: ({ context }) => context.ending !== null,
    goesOn: ({ context }, params: { outcome: string }) =>
      params.outcome === 'done' && context.ending === null,
    tenantStays: ({ context }) => context.tenantId !== null,
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
    noteRules: assign({
      rules: (_, params: CountryRules) => params,
      problems: ({ context }, params: CountryRules) =>
        formProblems(context.data, params, context.form.partner.markets),
    }),
    noteProblem: assign({ problems: (_, params: { problem: string }) => [params.problem] }),
    noteSuggestions: assign({
      suggestions: (_, params: { suggestions: readonly Address[] }) => params.suggestions,
    }),
    chooseAddress: assign({
      data: ({ context, event }) =>
        event.type === 'address.chosen' ? { ...context.data, address: event.address } : context.data,
    }),
    correctForm: assign(({ context, event }) => {
      if (event.type !== 'form.corrected') return {};
      const data: CustomerForm = {
        companyName: event.companyName ?? context.data.companyName,
        domainPrefix: event.domainPrefix ?? context.data.domainPrefix,
        contact: event.contact ?? context.data.contact,
        address: event.address ?? context.data.address,
        registrationNumber: event.registrationNumber ?? context.data.registrationNumber,
      };
      return { data, domain: domainOf(data), problems: [] };
    }),
    noteDoubt: assign({
      doubtful: ({ context }) => [...new Set([...context.doubtful, context.domain])],
    }),
    noteCreation: assign(({ context }, params: Creation) => ({
      // An answer ends the doubt about the domain it is about.
      doubtful: context.doubtful.filter((domain) => domain !== context.domain),
      ...noted(params),
    })),
    noteHandOver: assign({
      handedOver: ({ context, event }) =>
        event.type === 'sign-in.handed-over'
          ? { to: event.to, evidence: event.evidence }
          : context.handedOver,
    }),
    noteCleanUp: assign({
      cleanUp: ({ context, event }) =>
        event.type === 'clean-up.requested'
          ? { ticket: event.ticket, evidence: event.evidence }
          : context.cleanUp,
    }),
    waive: assign({
      waivers: ({ context, event }, params: { what: string }) =>
        'reason' in event && event.reason !== undefined
          ? [...context.waivers, `${params.what}: ${event.reason}`]
          : context.waivers,
    }),
  },
}).createMachine({
  id: 'onboard-new-customer',
  context: ({ input: form }) => {
    const { name: companyName, domainPrefix, contact, address, registrationNumber } = form.customer;
    const data: CustomerForm = { companyName, domainPrefix, contact, address, registrationNumber };
    return {
      form,
      data,
      domain: domainOf(data),
      rules: null,
      problems: [],
      suggestions: [],
      doubtful: [],
      tenantId: null,
      signIn: null,
      handedOver: null,
      cleanUp: null,
      waivers: [],
      facts: NO_FACTS,
      ending: null,
      closedAt: null,
      failure: null,
    };
  },
  initial: 'checkingPrerequisites',
  on: { 'cancel.requested': { target: '.stopping', actions: 'askCancel' } },
  states: {
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
          tenantId: null,
          domain: null,
          groupIds: context.form.partner.access.map(({ groupId }) => groupId),
          attested: context.form.attested,
          settings: context.form.settings,
        }),
        onDone: [
          {
            guard: { type: 'goesOn', params: ({ event }) => event.output },
            target: 'readingCountryRules',
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

    readingCountryRules: {
      meta: { description: 'Reading the rules of {data.address.country}', waitingOn: 'us' },
      invoke: {
        id: 'readCountryRules',
        src: 'readCountryRules',
        input: ({ context }) => ({ country: context.data.address.country }),
        onDone: {
          target: 'judgingForm',
          actions: { type: 'noteRules', params: ({ event }) => event.output },
        },
        onError: failing('readingCountryRules'),
      },
    },

    judgingForm: {
      meta: {
        description: 'Judging the data of {form.customer.name} by the rules of the country',
        waitingOn: 'us',
      },
      always: [{ guard: 'formComplete', target: 'checkingDomain' }, { target: 'correctingForm' }],
    },

    checkingDomain: {
      meta: { description: 'Checking that {domain} is free', waitingOn: 'us' },
      invoke: {
        id: 'checkDomain',
        src: 'checkDomain',
        input: ({ context }) => ({ domain: context.domain }),
        onDone: [
          { guard: { type: 'domainFree', params: ({ event }) => event.output }, target: 'validatingAddress' },
          {
            target: 'correctingForm',
            actions: {
              type: 'noteProblem',
              params: ({ context }) => ({ problem: `${context.domain} is taken.` }),
            },
          },
        ],
        onError: failing('checkingDomain'),
      },
    },

    validatingAddress: {
      meta: { description: 'Validating the address of {form.customer.name}', waitingOn: 'us' },
      invoke: {
        id: 'validateAddress',
        src: 'validateAddress',
        input: ({ context }) => ({ address: context.data.address }),
        onDone: [
          {
            guard: { type: 'addressAccepted', params: ({ event }) => event.output },
            target: 'creatingCustomer',
          },
          {
            guard: { type: 'addressSuggested', params: ({ event }) => event.output },
            target: 'choosingAddress',
            actions: { type: 'noteSuggestions', params: ({ event }) => event.output },
          },
          {
            target: 'correctingForm',
            actions: {
              type: 'noteProblem',
              params: ({ event }) => ({ problem: event.output.message ?? 'The address is not valid.' }),
            },
          },
        ],
        onError: failing('validatingAddress'),
      },
    },

    choosingAddress: {
      meta: {
        description: 'Microsoft suggests another address for {form.customer.name}',
        waitingOn: 'operator',
        task: humanTask({
          id: 'choose-address',
          title: 'Choose the address',
          instructions:
            'Choose a suggested address, or keep the given one by choosing it; or correct the data.',
          due: 'form.settings.taskDueMs',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Use this address', signal: 'address.chosen' },
            { name: 'correct', label: 'Correct the data', signal: 'form.corrected' },
            GIVE_UP,
          ],
          shows: { Given: 'data.address', Suggested: 'suggestions' },
        }),
      },
      after: overdue('choose-address'),
      on: {
        'address.chosen': { target: 'creatingCustomer', actions: 'chooseAddress' },
        'form.corrected': { target: 'readingCountryRules', actions: 'correctForm' },
        'work.abandoned': { target: 'stopping', actions: 'abandon' },
      },
    },

    correctingForm: {
      meta: {
        description: 'The data of {form.customer.name} need correction',
        waitingOn: 'operator',
        task: humanTask({
          id: 'correct-form',
          title: 'Correct the customer data',
          instructions: 'Mend what is listed; fields left out stay as they are.',
          due: 'form.settings.taskDueMs',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Corrected', signal: 'form.corrected' },
            override('Send it as it is: Microsoft will judge'),
            GIVE_UP,
          ],
          shows: { Problems: 'problems', Data: 'data' },
          verify: { how: 'api', by: 'Country rules, domain and address are checked again.' },
          evidence: ['companyName', 'domainPrefix', 'contact', 'address', 'registrationNumber'],
        }),
      },
      after: overdue('correct-form'),
      on: {
        'form.corrected': { target: 'readingCountryRules', actions: 'correctForm' },
        'task.overridden': {
          target: 'creatingCustomer',
          actions: { type: 'waive', params: { what: 'customer data sent unchecked' } },
        },
        'work.abandoned': { target: 'stopping', actions: 'abandon' },
      },
    },

    creatingCustomer: {
      meta: { description: 'Creating {form.customer.name} with the tenant {domain}', waitingOn: 'us' },
      // However it is left, the doubt stands until an answer takes it back: a repetition adopts what the first one made.
      exit: 'noteDoubt',
      // A tenant cannot be deleted: a cancel waits for the answer, so that the report names what exists.
      on: { 'cancel.requested': { actions: 'askCancel' } },
      invoke: {
        id: 'createCustomer',
        src: 'createCustomer',
        input: ({ context: { data, domain, doubtful, rules } }) => ({
          companyName: data.companyName,
          domain,
          contact: data.contact,
          address: data.address,
          culture: rules?.defaultCulture ?? 'en-US',
          language: rules?.defaultLanguage ?? 'en',
          registrationNumber: data.registrationNumber,
          askedBefore: doubtful.includes(domain),
        }),
        onDone: [
          {
            guard: { type: 'isCreated', params: ({ event }) => event.output },
            target: 'handingOverSignIn',
            actions: { type: 'noteCreation', params: ({ event }) => event.output },
          },
          {
            guard: 'cancelAsked',
            target: 'stopping',
            actions: { type: 'noteCreation', params: ({ event }) => event.output },
          },
          {
            target: 'correctingForm',
            actions: { type: 'noteCreation', params: ({ event }) => event.output },
          },
        ],
        onError: failing('creatingCustomer'),
      },
    },

    handingOverSignIn: {
      meta: { description: '{form.customer.name} exists as {domain}', waitingOn: 'us' },
      always: [
        { guard: 'cancelAsked', target: 'stopping' },
        { guard: 'passwordSealed', target: 'awaitingHandOver' },
        { target: 'awaitingPasswordReset' },
      ],
    },

    awaitingHandOver: {
      meta: {
        description: 'The sign-in data of {domain} wait to be handed to {form.customer.name}',
        waitingOn: 'operator',
        task: humanTask({
          id: 'hand-over-sign-in',
          title: 'Hand over the sign-in data',
          instructions:
            'Reveal the password, once, and give it to the customer by a safe way. The customer changes it at the first sign-in. Say to whom it went and how.',
          due: 'form.settings.taskDueMs',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Handed over', signal: 'sign-in.handed-over' },
            override('Go on: it will be seen to later'),
          ],
          shows: { User: 'signIn.userName', Domain: 'domain' },
          verify: {
            how: 'attested',
            by: 'Receiver and way are written down; the first sign-in cannot be read.',
          },
          evidence: ['to', 'evidence'],
          reveals: 'admin-password',
        }),
      },
      after: overdue('hand-over-sign-in'),
      on: {
        'sign-in.handed-over': { target: 'awaitingRelationship', actions: 'noteHandOver' },
        'task.overridden': {
          target: 'awaitingRelationship',
          actions: { type: 'waive', params: { what: 'sign-in data not handed over yet' } },
        },
      },
    },

    awaitingPasswordReset: {
      meta: {
        description: 'The password of {domain} got lost on the way and has to be set anew',
        waitingOn: 'operator',
        task: humanTask({
          id: 'reset-password',
          title: 'Reset the admin password',
          instructions:
            'Microsoft shows the first password only once, and the answer was lost. Reset the password of the admin in Partner Center and hand it over. Say to whom it went and how.',
          due: 'form.settings.taskDueMs',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Reset and handed over', signal: 'sign-in.handed-over' },
            override('Go on: it will be seen to later'),
          ],
          shows: { User: 'signIn.userName', Domain: 'domain' },
          verify: {
            how: 'attested',
            by: 'Receiver and way are written down; the first sign-in cannot be read.',
          },
          evidence: ['to', 'evidence'],
        }),
      },
      after: overdue('reset-password'),
      on: {
        'sign-in.handed-over': { target: 'awaitingRelationship', actions: 'noteHandOver' },
        'task.overridden': {
          target: 'awaitingRelationship',
          actions: { type: 'waive', params: { what: 'admin password not reset yet' } },
        },
      },
    },

    awaitingRelationship: {
      meta: {
        description: 'Waiting for {form.customer.name} to show as our customer',
        waitingOn: 'microsoft',
      },
      initial: 'reading',
      after: { customerDeadline: 'customerNotVisible' },
      states: {
        reading: {
          meta: { description: 'Reading the relationship with {form.customer.name}', waitingOn: 'us' },
          invoke: {
            id: 'readRelationship',
            src: 'readRelationship',
            input: ({ context }) => ({ customerId: customerOf(context).tenantId }),
            onDone: [
              {
                guard: { type: 'isReseller', params: ({ event }) => event.output },
                target: '#onboard-new-customer.takingOn',
              },
              { target: 'waiting' },
            ],
            onError: failing('awaitingRelationship', '#onboard-new-customer.needsOperator'),
          },
        },
        waiting: {
          meta: {
            description: 'Waiting for {form.customer.name} to show as our customer',
            waitingOn: 'microsoft',
          },
          after: { customerPoll: 'reading' },
        },
      },
    },

    customerNotVisible: {
      meta: {
        description: '{form.customer.name} was created but does not show as our customer',
        waitingOn: 'operator',
        task: humanTask({
          id: 'customer-not-visible',
          title: 'The customer does not show',
          instructions: 'Look at the customer list in Partner Center, then look again; or give up.',
          due: 'form.settings.taskDueMs',
          responsible: 'operator',
          actions: [{ name: 'complete', label: 'Look again', signal: 'retry.requested' }, GIVE_UP],
          shows: { Tenant: 'tenantId' },
        }),
      },
      after: overdue('customer-not-visible'),
      on: {
        'retry.requested': 'awaitingRelationship',
        'work.abandoned': { target: 'stopping', actions: 'abandon' },
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
          fresh: true,
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
            target: 'stopping',
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
          'checkingPrerequisites',
          'readingCountryRules',
          'checkingDomain',
          'validatingAddress',
          'creatingCustomer',
          'awaitingRelationship',
          'takingOn',
          'closing',
        ]),
        'work.abandoned': { target: 'stopping', actions: 'abandon' },
      },
    },

    stopping: {
      meta: { description: 'Stopping the onboarding of {form.customer.name}', waitingOn: 'us' },
      always: [{ guard: 'tenantStays', target: 'awaitingCleanUp' }, { target: 'closing' }],
    },

    awaitingCleanUp: {
      meta: {
        description: 'The tenant {domain} was created and is not wanted any more',
        waitingOn: 'operator',
        task: humanTask({
          id: 'clean-up-tenant',
          title: 'Have the tenant cleaned up',
          instructions:
            'A tenant cannot be deleted through the API. Cancel what was bought, remove the reseller relationship in Partner Center, ask Microsoft support to delete the tenant, and name the request; or leave the tenant to the customer.',
          due: 'form.settings.taskDueMs',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Requested', signal: 'clean-up.requested' },
            override('Leave the tenant'),
          ],
          shows: { Domain: 'domain', Tenant: 'tenantId' },
          verify: { how: 'attested', by: 'The number of the support request.' },
          evidence: ['ticket', 'evidence'],
        }),
      },
      after: overdue('clean-up-tenant'),
      on: {
        'cancel.requested': { actions: 'askCancel' },
        'clean-up.requested': { target: 'closing', actions: 'noteCleanUp' },
        'task.overridden': {
          target: 'closing',
          actions: { type: 'waive', params: { what: 'tenant left as it is' } },
        },
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
  output: ({ context }) => ({
    ...reportOf(context),
    closedAt: context.closedAt,
    domain: context.domain,
    signInHandedTo: context.handedOver?.to ?? null,
  }),
});

export const onboardNewCustomer = defineWorkflow({
  name: 'onboard-new-customer',
  title: 'Onboard a new customer',
  machine: onboardNewCustomerMachine,
  input: OnboardNewCustomerInput,
  signals: pick(
    'form.corrected',
    'address.chosen',
    'sign-in.handed-over',
    'clean-up.requested',
    'task.overridden',
    'retry.requested',
    'work.abandoned',
    'cancel.requested',
  ),
  correlationKeys: (context) => [
    `domain:${context.domain}`,
    ...(context.tenantId === null ? [] : [`tenant:${context.tenantId}`]),
  ],
  subject: (context) => context.form.customer.name,
  cancelEvent: 'cancel.requested',
});
