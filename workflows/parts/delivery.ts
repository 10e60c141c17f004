/**
 * What every path does once it knows the customer: authorisation and purchase side by side, since ordering waits for the
 * reseller relationship alone; then, with both, the seats are verified and the guide's common chapters follow: licences
 * for users, the tenant, the directory. Stopping takes back what can be taken back.
 */
import { assign, emit, raise, sendTo, setup } from 'xstate';
import { z } from 'zod';
import { activity } from '../../engine/activity.ts';
import { defineWorkflow, type StateMeta } from '../../engine/definition.ts';
import { terminateAdminRelationship } from '../activities/relationships.ts';
import { Guid } from '../activities/shapes.ts';
import { assignableSkus, growable, heldSeats } from '../judgement.ts';
import { type Facts, NO_FACTS, withdrawableRelationship } from '../report.ts';
import { pick, type SignalEvent } from '../signals.ts';
import { Directory, Invitation, Licences, Order, Partner, SettingsField } from '../start-form.ts';
import { type AuthorisationOutput, authorisationMachine } from './authorisation.ts';
import { type Ending, type Failure, failing, failureOf, retrying } from './common.ts';
import { directoryMachine } from './directory.ts';
import { licencesMachine } from './licences.ts';
import { provisioningMachine } from './provisioning.ts';
import { type PurchaseOutput, purchaseMachine } from './purchase.ts';
import {
  announcement,
  humanTask,
  overdue,
  stuckTask,
  type TaskOverdue,
  TRY_AGAIN,
  taskDelays,
} from './tasks.ts';

export const DeliveryInput = z.object({
  customer: z.object({ name: z.string(), tenantId: Guid }),
  /** The reseller relationship has still to be accepted. */
  needsCommerce: z.boolean(),
  /** We just created the customer: nothing to review, and Microsoft makes an admin relationship. */
  fresh: z.boolean(),
  partner: Partner,
  invitation: Invitation,
  order: Order,
  licences: Licences,
  directory: Directory,
  settings: SettingsField,
});
export type DeliveryInput = z.output<typeof DeliveryInput>;

export interface DeliveryOutput {
  readonly outcome: Ending;
  readonly facts: Omit<Facts, 'prerequisites'>;
}

interface DeliveryContext extends DeliveryInput {
  readonly facts: Facts;
  readonly purchase: PurchaseOutput | null;
  readonly ending: Exclude<Ending, 'done'> | null;
  readonly failure: Failure | null;
}

const skusOf = ({ facts }: DeliveryContext) =>
  assignableSkus([...(facts.ordering?.skuIds ?? []), ...(facts.seats?.skuIds ?? [])], facts.subscriptions);

export const deliveryMachine = setup({
  types: {
    input: {} as DeliveryInput,
    context: {} as DeliveryContext,
    events: {} as
      | SignalEvent<'retry.requested' | 'work.abandoned' | 'cancel.requested'>
      | { type: 'commerce.granted' },
    output: {} as DeliveryOutput,
    emitted: {} as TaskOverdue,
    meta: {} as StateMeta,
  },
  actors: {
    authorisation: authorisationMachine,
    purchase: purchaseMachine,
    provisioning: provisioningMachine,
    licences: licencesMachine,
    directory: directoryMachine,
    terminateAdminRelationship: activity(terminateAdminRelationship),
  },
  delays: taskDelays<DeliveryContext>((context) => context.settings),
  guards: {
    commerceThere: ({ context }) => !context.needsCommerce || context.facts.access !== null,
    goesOn: ({ context }, params: { outcome: string }) =>
      params.outcome === 'done' && context.ending === null,
    ending: ({ context }) => context.ending !== null,
    endingCanceled: ({ context }) => context.ending === 'canceled',
    seatsExpected: ({ context }) => (context.purchase?.expectedSeats.length ?? 0) > 0,
    skusKnown: ({ context }) => skusOf(context).length > 0,
    withdrawable: ({ context }) => withdrawableRelationship(context.facts) !== null,
    failedIn: ({ context }, params: { state: string }) => context.failure?.state === params.state,
  },
  actions: {
    noteFailure: assign({
      failure: (_, params: { state: string; error: unknown }) => failureOf(params.state, params.error),
    }),
    announceOverdue: emit((_, params: Parameters<typeof announcement>[0]) => announcement(params)),
    note: assign({ facts: ({ context }, params: Partial<Facts>) => ({ ...context.facts, ...params }) }),
    noteAuthorisation: assign({
      facts: ({ context }, { consent, access }: AuthorisationOutput) => ({
        ...context.facts,
        consent,
        access,
      }),
    }),
    notePurchase: assign(({ context }, params: PurchaseOutput) => ({
      purchase: params,
      facts: {
        ...context.facts,
        subscriptions: params.subscriptions,
        ordering: params.ordering,
        seats: params.seats,
        waivers: [...context.facts.waivers, ...params.waivers],
      },
    })),
    askCancel: assign({ ending: ({ context }) => context.ending ?? 'canceled' }),
    abandon: assign({ ending: 'abandoned' }),
    noteEnding: assign({
      ending: ({ context }, params: { outcome: string }) =>
        context.ending ?? (params.outcome === 'canceled' ? 'canceled' : 'abandoned'),
    }),
    // One side ended, so the other one has nothing left to work for; it cleans up and ends, too.
    endTheOther: raise({ type: 'cancel.requested' }),
    passCancel: sendTo((_, params: { to: string }) => params.to, { type: 'cancel.requested' as const }),
  },
}).createMachine({
  id: 'delivery',
  context: ({ input }) => ({ ...input, facts: NO_FACTS, purchase: null, ending: null, failure: null }),
  initial: 'takingOn',
  on: { 'cancel.requested': { target: '.stopping', actions: 'askCancel' } },
  states: {
    takingOn: {
      meta: { description: 'Authorisation by {customer.name} and its order, side by side' },
      type: 'parallel',
      onDone: [{ guard: 'ending', target: 'stopping' }, { target: 'weighingSeats' }],
      states: {
        authorisation: {
          meta: { description: 'The authorisation by {customer.name}' },
          initial: 'authorising',
          states: {
            authorising: {
              meta: {
                description: 'Getting authorised by {customer.name}, and access to its tenant',
                waitingOn: 'customer',
              },
              on: {
                'cancel.requested': {
                  actions: ['askCancel', { type: 'passCancel', params: { to: 'authorisation' } }],
                },
              },
              invoke: {
                id: 'authorisation',
                src: 'authorisation',
                input: ({ context: { customer, partner, invitation, settings, needsCommerce, fresh } }) => ({
                  customer,
                  partnerName: partner.name,
                  needsCommerce,
                  relationshipExpected: fresh,
                  invitation: {
                    ...invitation,
                    escalateTo: partner.escalateTo,
                    text: invitation.text ?? partner.invitationText,
                  },
                  admin: {
                    roles: partner.roles,
                    duration: partner.duration,
                    autoExtendDuration: partner.autoExtendDuration,
                  },
                  assignments: partner.access,
                  settings,
                }),
                onDone: [
                  {
                    guard: { type: 'goesOn', params: ({ event }) => event.output },
                    target: 'authorised',
                    actions: { type: 'noteAuthorisation', params: ({ event }) => event.output },
                  },
                  {
                    target: 'ended',
                    actions: [
                      { type: 'noteAuthorisation', params: ({ event }) => event.output },
                      { type: 'noteEnding', params: ({ event }) => event.output },
                      'endTheOther',
                    ],
                  },
                ],
                onError: failing('authorising', 'stuck'),
              },
            },
            stuck: {
              meta: {
                description: 'The authorisation by {customer.name} broke off: {failure.message}',
                waitingOn: 'operator',
                task: stuckTask('authorisation-broken', 'The authorisation broke off'),
              },
              after: overdue('authorisation-broken'),
              on: {
                'retry.requested': 'authorising',
                'work.abandoned': { target: 'ended', actions: ['abandon', 'endTheOther'] },
                'cancel.requested': { target: 'ended', actions: 'askCancel' },
              },
            },
            authorised: { meta: { description: '{customer.name} authorised us' }, type: 'final' },
            ended: { meta: { description: 'The authorisation by {customer.name} ended' }, type: 'final' },
          },
        },

        purchase: {
          meta: { description: 'The purchase of {customer.name}' },
          initial: 'awaitingCommerce',
          states: {
            awaitingCommerce: {
              meta: {
                description: 'Buying waits for {customer.name} to accept the reseller relationship',
                waitingOn: 'customer',
              },
              always: { guard: 'commerceThere', target: 'buying' },
              on: {
                'commerce.granted': 'buying',
                'cancel.requested': { target: 'ended', actions: 'askCancel' },
              },
            },
            buying: {
              meta: { description: 'Reviewing and buying for {customer.name}', waitingOn: 'us' },
              on: {
                'cancel.requested': {
                  actions: ['askCancel', { type: 'passCancel', params: { to: 'purchase' } }],
                },
              },
              invoke: {
                id: 'purchase',
                src: 'purchase',
                input: ({ context: { customer, order, partner, fresh, settings } }) => ({
                  customer,
                  lines: order.lines,
                  priceCeiling: order.priceCeiling,
                  markets: partner.markets,
                  fresh,
                  settings,
                }),
                onDone: [
                  {
                    guard: { type: 'goesOn', params: ({ event }) => event.output },
                    target: 'bought',
                    actions: { type: 'notePurchase', params: ({ event }) => event.output },
                  },
                  {
                    target: 'ended',
                    actions: [
                      { type: 'notePurchase', params: ({ event }) => event.output },
                      { type: 'noteEnding', params: ({ event }) => event.output },
                      'endTheOther',
                    ],
                  },
                ],
                onError: failing('buying', 'stuck'),
              },
            },
            stuck: {
              meta: {
                description: 'The purchase of {customer.name} broke off: {failure.message}',
                waitingOn: 'operator',
                task: humanTask({
                  id: 'purchase-broken',
                  title: 'The purchase broke off',
                  instructions:
                    'Look at the orders of the customer in Partner Center first: trying again begins with the review.',
                  responsible: 'approver',
                  actions: [
                    TRY_AGAIN,
                    { name: 'reject', label: 'Give up', signal: 'work.abandoned', reasonRequired: true },
                  ],
                  shows: { Code: 'failure.code', Message: 'failure.message' },
                }),
              },
              after: overdue('purchase-broken'),
              on: {
                'retry.requested': 'buying',
                'work.abandoned': { target: 'ended', actions: ['abandon', 'endTheOther'] },
                'cancel.requested': { target: 'ended', actions: 'askCancel' },
              },
            },
            bought: { meta: { description: '{customer.name} has what was decided' }, type: 'final' },
            ended: { meta: { description: 'The purchase of {customer.name} ended' }, type: 'final' },
          },
        },
      },
    },

    weighingSeats: {
      meta: { description: 'Seeing which seats {customer.name} should have', waitingOn: 'us' },
      always: [{ guard: 'seatsExpected', target: 'verifyingSeats' }, { target: 'choosingLicences' }],
    },

    verifyingSeats: {
      meta: { description: 'Verifying the seats in the tenant of {customer.name}', waitingOn: 'microsoft' },
      on: {
        'cancel.requested': {
          actions: ['askCancel', { type: 'passCancel', params: { to: 'provisioning' } }],
        },
      },
      invoke: {
        id: 'provisioning',
        src: 'provisioning',
        input: ({ context }) => ({
          customer: context.customer,
          orderIds: [],
          subscriptionIds: [],
          expectedSeats: [...(context.purchase?.expectedSeats ?? [])],
          settings: context.settings,
        }),
        onDone: [
          {
            guard: { type: 'goesOn', params: ({ event }) => event.output },
            target: 'choosingLicences',
            actions: { type: 'note', params: ({ event }) => ({ seatsVerified: event.output }) },
          },
          {
            target: 'stopping',
            actions: [
              { type: 'note', params: ({ event }) => ({ seatsVerified: event.output }) },
              { type: 'noteEnding', params: ({ event }) => event.output },
            ],
          },
        ],
        onError: failing('verifyingSeats'),
      },
    },

    choosingLicences: {
      meta: { description: 'Seeing which licences {customer.name} can give its users', waitingOn: 'us' },
      always: [{ guard: 'skusKnown', target: 'assigningLicences' }, { target: 'integratingDirectory' }],
    },

    assigningLicences: {
      meta: { description: 'Assigning licences to the users of {customer.name}', waitingOn: 'us' },
      on: {
        'cancel.requested': { actions: ['askCancel', { type: 'passCancel', params: { to: 'licences' } }] },
      },
      invoke: {
        id: 'licences',
        src: 'licences',
        input: ({ context }) => ({
          customer: context.customer,
          skuIds: skusOf(context),
          defaultUsageLocation: context.licences.usageLocation,
          mode: context.licences.mode,
          users: context.licences.users,
          growable: growable(context.facts.subscriptions),
          held: heldSeats(context.facts.subscriptions),
          settings: context.settings,
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
      meta: { description: 'Seeing to the directory of {customer.name}', waitingOn: 'us' },
      on: {
        'cancel.requested': { actions: ['askCancel', { type: 'passCancel', params: { to: 'directory' } }] },
      },
      invoke: {
        id: 'directory',
        src: 'directory',
        input: ({ context }) => ({
          customer: context.customer,
          skuIds: skusOf(context),
          model: context.directory.model,
          domain: context.directory.domain,
          settings: context.settings,
        }),
        onDone: [
          {
            guard: { type: 'goesOn', params: ({ event }) => event.output },
            target: 'delivered',
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
        description: 'Taking {customer.name} on is stuck: {failure.message}',
        waitingOn: 'operator',
        task: stuckTask('delivery-stuck', 'Taking the customer on is stuck'),
      },
      after: overdue('delivery-stuck'),
      on: {
        'retry.requested': retrying(['verifyingSeats', 'assigningLicences', 'integratingDirectory']),
        'work.abandoned': { target: 'stopping', actions: 'abandon' },
      },
    },

    stopping: {
      meta: { description: 'Stopping the work for {customer.name}', waitingOn: 'us' },
      always: [
        { guard: 'withdrawable', target: 'withdrawingAdminRelationship' },
        { guard: 'endingCanceled', target: 'canceled' },
        { target: 'abandoned' },
      ],
    },

    withdrawingAdminRelationship: {
      meta: { description: 'Withdrawing our admin relationship with {customer.name}', waitingOn: 'us' },
      on: { 'cancel.requested': { actions: 'askCancel' } },
      invoke: {
        id: 'terminateAdminRelationship',
        src: 'terminateAdminRelationship',
        input: ({ context }) => ({ relationshipId: withdrawableRelationship(context.facts) ?? '' }),
        onDone: [
          {
            guard: 'endingCanceled',
            target: 'canceled',
            actions: { type: 'note', params: { withdrawn: true } },
          },
          { target: 'abandoned', actions: { type: 'note', params: { withdrawn: true } } },
        ],
        onError: failing('withdrawingAdminRelationship', 'withdrawalFailed'),
      },
    },

    withdrawalFailed: {
      meta: {
        description: 'The admin relationship with {customer.name} could not be withdrawn: {failure.message}',
        waitingOn: 'operator',
        task: humanTask({
          id: 'withdrawal-failed',
          title: 'Withdraw the admin relationship',
          instructions: 'Try again, or leave the relationship as it is; the closing report names it.',
          responsible: 'operator',
          actions: [
            TRY_AGAIN,
            { name: 'reject', label: 'Leave it', signal: 'work.abandoned', reasonRequired: true },
          ],
          shows: { Message: 'failure.message' },
        }),
      },
      after: overdue('withdrawal-failed'),
      on: {
        'cancel.requested': { actions: 'askCancel' },
        'retry.requested': 'withdrawingAdminRelationship',
        'work.abandoned': [{ guard: 'endingCanceled', target: 'canceled' }, { target: 'abandoned' }],
      },
    },

    delivered: { meta: { description: '{customer.name} has everything it was to get' }, type: 'final' },
    canceled: { meta: { description: 'The work for {customer.name} was canceled' }, type: 'final' },
    abandoned: { meta: { description: 'The work for {customer.name} was given up' }, type: 'final' },
  },
  output: ({ context: { ending, facts } }) => ({ outcome: ending ?? 'done', facts }),
});

export const delivery = defineWorkflow({
  name: 'delivery',
  title: 'Taking the customer on',
  machine: deliveryMachine,
  input: DeliveryInput,
  signals: pick('retry.requested', 'work.abandoned', 'cancel.requested'),
  correlationKeys: () => [],
  subject: (context) => context.customer.name,
  cancelEvent: 'cancel.requested',
});
