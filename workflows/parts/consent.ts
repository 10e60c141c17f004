/**
 * Consent of the end customer (guide 3.1 steps 2 to 4, Appendix A): an invitation with two links, then two waits at once,
 * commerce (reseller relationship) and admin (GDAP), in any order, weeks apart. Webhooks, mails and operators give hints
 * only: before anything advances, the relationship is read through the API. A poll catches what no hint told.
 */
import { and, assign, emit, enqueueActions, not, setup } from 'xstate';
import { z } from 'zod';
import { activity } from '../../engine/activity.ts';
import { defineWorkflow, type StateMeta } from '../../engine/definition.ts';
import { sendInvitation } from '../activities/mail.ts';
import {
  createAdminRelationship,
  lockAdminRelationship,
  readAdminRelationship,
  readRelationship,
  requestRelationship,
  terminateAdminRelationship,
} from '../activities/relationships.ts';
import { Guid } from '../activities/shapes.ts';
import { Settings } from '../settings.ts';
import { pick, type SignalEvent } from '../signals.ts';
import { type Ending, type Failure, failing, failureOf, retrying } from './common.ts';
import { type Draft, escalationDraft, invitationDraft, keepsLinks, reminderDraft } from './invitation.ts';
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

export const ConsentInput = z.object({
  customer: z.object({ name: z.string(), tenantId: Guid }),
  partnerName: z.string(),
  /** Which relationships are missing. */
  needs: z.object({ commerce: z.boolean(), admin: z.boolean() }),
  invitation: z.object({
    mode: z.enum(['review', 'send']),
    to: z.array(z.email()),
    /** Who is told when the customer stays silent. */
    escalateTo: z.array(z.email()),
    /** The partner's own words; null for ours. */
    text: z.object({ subject: z.string(), body: z.string() }).nullable().default(null),
  }),
  admin: z.object({
    roles: z.array(Guid).min(1),
    duration: z.string(),
    autoExtendDuration: z.enum(['P0D', 'P180D']),
  }),
  settings: Settings,
});
export type ConsentInput = z.output<typeof ConsentInput>;

export interface ConsentOutput {
  readonly outcome: Ending;
  /** The admin relationship this consent created, or null. */
  readonly relationshipId: string | null;
  readonly commerceGranted: boolean;
  readonly adminGranted: boolean;
  readonly reminders: number;
  readonly leftBehind: readonly string[];
  readonly waivers: readonly string[];
}

interface ConsentContext extends ConsentInput {
  readonly resellerLink: string | null;
  readonly relationshipId: string | null;
  readonly adminLink: string | null;
  readonly round: number;
  readonly draft: Draft;
  readonly commerceGranted: boolean;
  readonly adminGranted: boolean;
  /** The admin relationship lapsed or was refused: inviting again needs a new one. */
  readonly adminEnded: boolean;
  readonly declined: string | null;
  /** Ids of the mails sent, and what is known of their delivery, in the words staff read. */
  readonly messageIds: readonly string[];
  readonly delivery: string;
  readonly reminders: number;
  /** Quick polls left after a hint, for each relationship. */
  readonly quickPolls: { readonly commerce: number; readonly admin: number };
  /** Polls without news, for each relationship: the pauses between them widen. */
  readonly idlePolls: { readonly commerce: number; readonly admin: number };
  readonly ending: Exclude<Ending, 'done'> | null;
  readonly outcome: Ending;
  readonly failure: Failure | null;
  readonly leftBehind: readonly string[];
  readonly waivers: readonly string[];
}

type ConsentEvent = SignalEvent<
  | 'invitation.approved'
  | 'invitation.sent-by-hand'
  | 'invitation.bounced'
  | 'consent.reseller.granted'
  | 'consent.admin.granted'
  | 'consent.admin.ended'
  | 'consent.reseller.overridden'
  | 'consent.admin.overridden'
  | 'consent.declined'
  | 'resend.requested'
  | 'retry.requested'
  | 'work.abandoned'
  | 'cancel.requested'
>;

const facts = (context: ConsentContext) => ({
  customerName: context.customer.name,
  partnerName: context.partnerName,
  resellerLink: context.commerceGranted ? null : context.resellerLink,
  adminLink: context.adminGranted ? null : context.adminLink,
});

/** How much of a pause is left to chance, so that thousands of customers are not read in the same second. */
const JITTER = 0.2;

/** Widening from the first to the longest pause, a little shorter by a number that customer and poll decide. */
export function idlePause(context: Pick<ConsentContext, 'customer' | 'settings'>, polls: number): number {
  const { consentPollMinMs, consentPollMs } = context.settings;
  const widened = Math.min(consentPollMs, consentPollMinMs * 2 ** Math.min(polls, 30));
  const seed = `${context.customer.tenantId}${polls}`;
  const mixed = [...seed].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 9_973, 7);
  return Math.round(widened * (1 - (JITTER * mixed) / 9_973));
}

export const consentMachine = setup({
  types: {
    input: {} as ConsentInput,
    context: {} as ConsentContext,
    events: {} as ConsentEvent,
    output: {} as ConsentOutput,
    emitted: {} as TaskOverdue,
    meta: {} as StateMeta,
  },
  actors: {
    requestRelationship: activity(requestRelationship),
    createAdminRelationship: activity(createAdminRelationship),
    lockAdminRelationship: activity(lockAdminRelationship),
    sendInvitation: activity(sendInvitation),
    readRelationship: activity(readRelationship),
    readAdminRelationship: activity(readAdminRelationship),
    terminateAdminRelationship: activity(terminateAdminRelationship),
  },
  delays: {
    commercePoll: ({ context }) =>
      context.quickPolls.commerce > 0
        ? context.settings.consentHintPollMs
        : idlePause(context, context.idlePolls.commerce),
    adminPoll: ({ context }) =>
      context.quickPolls.admin > 0
        ? context.settings.consentHintPollMs
        : idlePause(context, context.idlePolls.admin),
    nextReminder: ({ context: { reminders, settings } }) =>
      settings.reminderAfterMs[reminders] ?? settings.escalateAfterMs,
    consentDeadline: ({ context }) => context.settings.consentDeadlineMs,
    ...taskDelays<ConsentContext>((context) => context.settings),
  },
  guards: {
    needsCommerce: ({ context }) => !context.commerceGranted,
    needsAdmin: ({ context }) => !context.adminGranted,
    bothGranted: ({ context }) => context.commerceGranted && context.adminGranted,
    sendsAtOnce: ({ context }) => context.invitation.mode === 'send' && context.invitation.to.length > 0,
    hasRecipient: ({ context }) => context.invitation.to.length > 0,
    linksKept: ({ context, event }) =>
      event.type === 'invitation.approved' && keepsLinks(event.body, facts(context)),
    remindersLeft: ({ context }) => context.reminders < context.settings.reminderAfterMs.length,
    escalationWanted: ({ context }) => context.invitation.escalateTo.length > 0,
    relationshipEnded: ({ context }) => context.adminEnded,
    linkAtHand: ({ context }) => context.adminGranted || context.adminLink !== null,
    ending: ({ context }) => context.ending !== null,
    endingCanceled: ({ context }) => context.ending === 'canceled',
    withdrawable: ({ context }) => context.relationshipId !== null && !context.adminEnded,
    isReseller: (_, params: { reseller: boolean }) => params.reseller,
    isActive: (_, params: { status: string }) => params.status === 'active',
    isOver: (_, params: { status: string }) =>
      ['expired', 'terminationRequested', 'terminating', 'terminated'].includes(params.status),
    failedIn: ({ context }, params: { state: string }) => context.failure?.state === params.state,
  },
  actions: {
    noteFailure: assign({
      failure: (_, params: { state: string; error: unknown }) => failureOf(params.state, params.error),
    }),
    announceOverdue: emit((_, params: Parameters<typeof announcement>[0]) => announcement(params)),
    noteEnding: assign({
      ending: ({ event }) => (event.type === 'cancel.requested' ? 'canceled' : 'abandoned'),
    }),
    expectAnswer: assign({
      quickPolls: ({ context, event }) => ({
        ...context.quickPolls,
        [event.type === 'consent.reseller.granted' ? 'commerce' : 'admin']: context.settings.consentHintPolls,
      }),
    }),
    noteLink: assign({ resellerLink: (_, params: { resellerLink: string }) => params.resellerLink }),
    noteRelationship: assign({
      relationshipId: (_, params: { relationshipId: string }) => params.relationshipId,
      adminEnded: false,
    }),
    noteAdminLink: assign({ adminLink: (_, params: { adminLink: string }) => params.adminLink }),
    countRound: assign({
      round: ({ context }) => context.round + 1,
      relationshipId: null,
      adminLink: null,
      adminEnded: false,
    }),
    writeDraft: assign({
      draft: ({ context }) => invitationDraft(facts(context), context.invitation.text),
      reminders: 0,
      declined: null,
    }),
    editDraft: assign({
      draft: ({ context, event }) =>
        event.type === 'invitation.approved' ? { subject: event.subject, body: event.body } : context.draft,
    }),
    noteSent: assign(
      ({ context }, params: { messageId: string; sentAt: string; rejected: readonly string[] }) => ({
        messageIds: [...context.messageIds, params.messageId].slice(-10),
        delivery:
          params.rejected.length === 0
            ? `Taken by the mail server on ${params.sentAt}.`
            : `Refused by the mail server for ${params.rejected.join(', ')}.`,
      }),
    ),
    noteSentByHand: assign({ delivery: 'Sent by hand.' }),
    noteBounce: assign({ delivery: 'Came back undelivered: check the addresses and invite again.' }),
    noteDecline: assign({
      declined: ({ event }) => (event.type === 'consent.declined' ? event.reason : null),
    }),
    countReminder: assign({ reminders: ({ context }) => context.reminders + 1 }),
    commerceChecked: assign({
      quickPolls: ({ context }) => ({
        ...context.quickPolls,
        commerce: Math.max(0, context.quickPolls.commerce - 1),
      }),
      idlePolls: ({ context }) => ({
        ...context.idlePolls,
        commerce: context.quickPolls.commerce > 0 ? 0 : context.idlePolls.commerce + 1,
      }),
    }),
    adminChecked: assign({
      quickPolls: ({ context }) => ({
        ...context.quickPolls,
        admin: Math.max(0, context.quickPolls.admin - 1),
      }),
      idlePolls: ({ context }) => ({
        ...context.idlePolls,
        admin: context.quickPolls.admin > 0 ? 0 : context.idlePolls.admin + 1,
      }),
    }),
    grantCommerce: assign({ commerceGranted: true }),
    grantAdmin: assign({ adminGranted: true }),
    endAdmin: assign({ adminEnded: true }),
    waive: assign({
      waivers: ({ context, event }, params: { what: string }) =>
        'reason' in event && event.reason !== undefined
          ? [...context.waivers, `${params.what}: ${event.reason}`]
          : context.waivers,
    }),
    // Ordering waits for this alone, so it is told at once.
    tellCommerce: enqueueActions(({ enqueue, self }) => {
      // Started by itself it has nobody to tell.
      if (self._parent !== undefined) enqueue.sendTo(self._parent, { type: 'commerce.granted' });
    }),
    keepRelationship: assign({
      leftBehind: ({ context }) => [
        ...context.leftBehind,
        `Admin relationship ${context.relationshipId ?? '(id unknown)'} could not be withdrawn.`,
      ],
    }),
  },
}).createMachine({
  id: 'consent',
  context: ({ input }) => ({
    ...input,
    resellerLink: null,
    relationshipId: null,
    adminLink: null,
    round: 1,
    draft: { subject: '', body: '' },
    commerceGranted: !input.needs.commerce,
    adminGranted: !input.needs.admin,
    adminEnded: false,
    declined: null,
    messageIds: [],
    delivery: 'Not sent yet.',
    reminders: 0,
    quickPolls: { commerce: 0, admin: 0 },
    idlePolls: { commerce: 0, admin: 0 },
    ending: null,
    outcome: 'done',
    failure: null,
    leftBehind: [],
    waivers: [],
  }),
  initial: 'preparingInvitation',
  on: {
    // A hint is taken in every state: it only makes the next polls quick, so early, late and repeated ones are harmless.
    'consent.reseller.granted': { actions: 'expectAnswer' },
    'consent.admin.granted': { actions: 'expectAnswer' },
    'consent.admin.ended': { actions: 'expectAnswer' },
    'invitation.bounced': { actions: 'noteBounce' },
    'cancel.requested': { target: '.ending', actions: 'noteEnding' },
  },
  states: {
    preparingInvitation: {
      meta: { description: 'Preparing the invitation for {customer.name}', waitingOn: 'us' },
      always: [
        { guard: 'bothGranted', target: 'granted' },
        { guard: 'needsCommerce', target: 'requestingRelationship' },
        { guard: 'linkAtHand', target: 'draftingInvitation' },
        { target: 'creatingAdminRelationship' },
      ],
    },

    requestingRelationship: {
      meta: { description: 'Fetching the reseller relationship link for {customer.name}', waitingOn: 'us' },
      invoke: {
        id: 'requestRelationship',
        src: 'requestRelationship',
        input: {},
        onDone: [
          {
            guard: 'linkAtHand',
            target: 'draftingInvitation',
            actions: { type: 'noteLink', params: ({ event }) => event.output },
          },
          {
            target: 'creatingAdminRelationship',
            actions: { type: 'noteLink', params: ({ event }) => event.output },
          },
        ],
        onError: failing('requestingRelationship'),
      },
    },

    creatingAdminRelationship: {
      meta: { description: 'Asking for admin rights in the tenant of {customer.name}', waitingOn: 'us' },
      // The relationship may exist although its answer is still out: a cancel waits for it, so that it can be withdrawn.
      on: { 'cancel.requested': { actions: 'noteEnding' } },
      invoke: {
        id: 'createAdminRelationship',
        src: 'createAdminRelationship',
        input: ({ context }) => ({
          tenantId: context.customer.tenantId,
          customerName: context.customer.name,
          round: context.round,
          ...context.admin,
        }),
        onDone: [
          {
            guard: 'ending',
            target: 'ending',
            actions: { type: 'noteRelationship', params: ({ event }) => event.output },
          },
          {
            target: 'lockingAdminRelationship',
            actions: { type: 'noteRelationship', params: ({ event }) => event.output },
          },
        ],
        onError: [
          { guard: 'ending', ...failing('creatingAdminRelationship', 'ending') },
          failing('creatingAdminRelationship'),
        ],
      },
    },

    lockingAdminRelationship: {
      meta: {
        description: 'Making the admin relationship ready for {customer.name} to approve',
        waitingOn: 'us',
      },
      invoke: {
        id: 'lockAdminRelationship',
        src: 'lockAdminRelationship',
        input: ({ context }) => ({ relationshipId: context.relationshipId ?? '' }),
        onDone: {
          target: 'draftingInvitation',
          actions: { type: 'noteAdminLink', params: ({ event }) => event.output },
        },
        onError: failing('lockingAdminRelationship'),
      },
    },

    draftingInvitation: {
      meta: { description: 'Writing the invitation for {customer.name}', waitingOn: 'us' },
      entry: 'writeDraft',
      always: [{ guard: 'sendsAtOnce', target: 'sendingInvitation' }, { target: 'reviewingInvitation' }],
    },

    reviewingInvitation: {
      meta: {
        description: 'The invitation for {customer.name} is ready to be sent',
        waitingOn: 'operator',
        task: humanTask({
          id: 'review-invitation',
          title: 'Send the invitation',
          instructions:
            'Read and edit the text, leave the links as they are. Send it from here, or copy it into a mail of your own and say so.',
          responsible: 'operator',
          actions: [
            { name: 'approve', label: 'Send', signal: 'invitation.approved' },
            { name: 'complete', label: 'Sent by hand', signal: 'invitation.sent-by-hand' },
            GIVE_UP,
          ],
          shows: { Subject: 'draft.subject', Text: 'draft.body', To: 'invitation.to' },
        }),
      },
      after: overdue('review-invitation'),
      on: {
        'invitation.approved': {
          guard: and(['linksKept', 'hasRecipient']),
          target: 'sendingInvitation',
          actions: 'editDraft',
        },
        'invitation.sent-by-hand': { target: 'awaitingConsent', actions: 'noteSentByHand' },
        'work.abandoned': { target: 'ending', actions: 'noteEnding' },
      },
    },

    sendingInvitation: {
      meta: { description: 'Sending the invitation to {customer.name}', waitingOn: 'us' },
      invoke: {
        id: 'sendInvitation',
        src: 'sendInvitation',
        input: ({ context }) => ({
          kind: 'invitation' as const,
          to: context.invitation.to,
          ...context.draft,
        }),
        onDone: {
          target: 'awaitingConsent',
          actions: { type: 'noteSent', params: ({ event }) => event.output },
        },
        onError: failing('sendingInvitation'),
      },
    },

    awaitingConsent: {
      meta: {
        description: 'Waiting for {customer.name} to accept, day {day} of {settings.consentDays}',
        waitingOn: 'customer',
      },
      type: 'parallel',
      always: { guard: 'bothGranted', target: 'granted' },
      after: { consentDeadline: 'consentExpired' },
      on: {
        'consent.declined': { target: 'consentDeclined', actions: 'noteDecline' },
        'resend.requested': 'preparingInvitation',
      },
      states: {
        commerce: {
          meta: { description: 'The reseller relationship with {customer.name}' },
          initial: 'open',
          states: {
            open: {
              meta: { description: 'The reseller relationship with {customer.name}' },
              always: [{ guard: 'needsCommerce', target: 'pending' }, { target: 'granted' }],
            },
            pending: {
              meta: {
                description: 'Waiting for {customer.name} to accept the reseller relationship',
                waitingOn: 'customer',
                task: humanTask({
                  id: 'accept-reseller-link',
                  title: 'The customer accepts us as its reseller',
                  instructions:
                    'A Global Administrator of the customer opens the first link, ticks the agreement and authorises us. Nothing to do here, unless the customer said yes or no, lost the mail, or another person has to be asked.',
                  responsible: 'operator',
                  actions: [
                    {
                      name: 'complete',
                      label: 'The customer did it: look now',
                      signal: 'consent.reseller.granted',
                    },
                    { name: 'resend', label: 'Invite again', signal: 'resend.requested' },
                    {
                      name: 'declined',
                      label: 'The customer declined',
                      signal: 'consent.declined',
                      reasonRequired: true,
                    },
                    override('Go on without it', 'consent.reseller.overridden'),
                  ],
                  shows: { Link: 'resellerLink', Delivery: 'delivery', Reminders: 'reminders' },
                  due: 'settings.consentDeadlineMs',
                  verify: { how: 'api', by: 'Partner Center shows the tenant as our reseller customer.' },
                  evidence: ['source'],
                }),
              },
              initial: 'checking',
              on: {
                'consent.reseller.overridden': {
                  target: 'granted',
                  actions: [
                    'grantCommerce',
                    'tellCommerce',
                    { type: 'waive', params: { what: 'reseller relationship not verified' } },
                  ],
                },
              },
              states: {
                checking: {
                  meta: {
                    description: 'Reading the reseller relationship with {customer.name}',
                    waitingOn: 'us',
                  },
                  invoke: {
                    id: 'readRelationship',
                    src: 'readRelationship',
                    input: ({ context }) => ({ customerId: context.customer.tenantId }),
                    onDone: [
                      {
                        guard: { type: 'isReseller', params: ({ event }) => event.output },
                        target: '#commerceGranted',
                        actions: ['grantCommerce', 'tellCommerce'],
                      },
                      { target: 'waiting', actions: 'commerceChecked' },
                    ],
                    onError: failing('awaitingConsent', '#consent.needsOperator'),
                  },
                },
                waiting: {
                  meta: {
                    description: 'Waiting for {customer.name} to accept the reseller relationship',
                    waitingOn: 'customer',
                  },
                  after: { commercePoll: 'checking' },
                  on: { 'consent.reseller.granted': { target: 'checking', actions: 'expectAnswer' } },
                },
              },
            },
            granted: {
              id: 'commerceGranted',
              meta: { description: '{customer.name} accepted the reseller relationship' },
              type: 'final',
            },
          },
        },
        admin: {
          meta: { description: 'The admin relationship with {customer.name}' },
          initial: 'open',
          states: {
            open: {
              meta: { description: 'The admin relationship with {customer.name}' },
              always: [{ guard: 'needsAdmin', target: 'pending' }, { target: 'granted' }],
            },
            pending: {
              meta: {
                description: 'Waiting for {customer.name} to approve the admin relationship',
                waitingOn: 'customer',
                task: humanTask({
                  id: 'approve-admin-roles',
                  title: 'The customer approves our roles',
                  instructions:
                    'A Global Administrator of the customer opens the second link, reviews the roles and approves them all. Microsoft lets the request lapse after 90 days; then it is asked anew. Nothing to do here, unless the customer said yes or no, or lost the mail.',
                  responsible: 'operator',
                  actions: [
                    {
                      name: 'complete',
                      label: 'The customer did it: look now',
                      signal: 'consent.admin.granted',
                    },
                    { name: 'resend', label: 'Invite again', signal: 'resend.requested' },
                    {
                      name: 'declined',
                      label: 'The customer declined',
                      signal: 'consent.declined',
                      reasonRequired: true,
                    },
                    override('Go on without it', 'consent.admin.overridden'),
                  ],
                  shows: { Link: 'adminLink', Delivery: 'delivery', Reminders: 'reminders' },
                  due: 'settings.consentDeadlineMs',
                  verify: { how: 'api', by: 'The admin relationship reads active.' },
                  evidence: ['source'],
                }),
              },
              initial: 'checking',
              on: {
                'consent.admin.overridden': {
                  target: 'granted',
                  actions: [
                    'grantAdmin',
                    { type: 'waive', params: { what: 'admin relationship not verified' } },
                  ],
                },
              },
              states: {
                checking: {
                  meta: {
                    description: 'Reading the admin relationship with {customer.name}',
                    waitingOn: 'us',
                  },
                  invoke: {
                    id: 'readAdminRelationship',
                    src: 'readAdminRelationship',
                    input: ({ context }) => ({ relationshipId: context.relationshipId ?? '' }),
                    onDone: [
                      {
                        guard: { type: 'isActive', params: ({ event }) => event.output },
                        target: '#adminGranted',
                        actions: 'grantAdmin',
                      },
                      {
                        guard: { type: 'isOver', params: ({ event }) => event.output },
                        target: '#consent.consentExpired',
                        actions: 'endAdmin',
                      },
                      { target: 'waiting', actions: 'adminChecked' },
                    ],
                    onError: failing('awaitingConsent', '#consent.needsOperator'),
                  },
                },
                waiting: {
                  meta: {
                    description: 'Waiting for {customer.name} to approve the admin relationship',
                    waitingOn: 'customer',
                  },
                  after: { adminPoll: 'checking' },
                  on: {
                    'consent.admin.granted': { target: 'checking', actions: 'expectAnswer' },
                    'consent.admin.ended': { target: 'checking', actions: 'expectAnswer' },
                  },
                },
              },
            },
            granted: {
              id: 'adminGranted',
              meta: { description: '{customer.name} approved the admin relationship' },
              type: 'final',
            },
          },
        },
        reminders: {
          meta: { description: 'Reminders to {customer.name}' },
          initial: 'quiet',
          states: {
            quiet: {
              meta: { description: 'Reminders sent to {customer.name}: {reminders}', waitingOn: 'customer' },
              after: {
                nextReminder: [
                  { guard: and(['remindersLeft', 'hasRecipient']), target: 'reminding' },
                  { guard: 'escalationWanted', target: 'escalating' },
                  { target: 'silent' },
                ],
              },
            },
            reminding: {
              meta: { description: 'Reminding {customer.name}', waitingOn: 'us' },
              invoke: {
                id: 'sendReminder',
                src: 'sendInvitation',
                input: ({ context }) => ({
                  kind: 'reminder' as const,
                  to: context.invitation.to,
                  ...reminderDraft(context.draft),
                }),
                onDone: {
                  target: 'quiet',
                  actions: ['countReminder', { type: 'noteSent', params: ({ event }) => event.output }],
                },
                onError: failing('awaitingConsent', 'remindersFailed'),
              },
            },
            escalating: {
              meta: { description: 'Telling our staff that {customer.name} stays silent', waitingOn: 'us' },
              invoke: {
                id: 'sendEscalation',
                src: 'sendInvitation',
                input: ({ context }) => ({
                  kind: 'escalation' as const,
                  to: context.invitation.escalateTo,
                  ...escalationDraft(facts(context), context.reminders),
                }),
                onDone: 'silent',
                onError: failing('awaitingConsent', 'remindersFailed'),
              },
            },
            remindersFailed: {
              meta: {
                description: 'A reminder to {customer.name} could not be sent: {failure.message}',
                waitingOn: 'operator',
                task: humanTask({
                  id: 'reminders-failed',
                  title: 'A reminder could not be sent',
                  instructions: 'Remove the cause, then try again. The customer can accept meanwhile.',
                  responsible: 'operator',
                  actions: [TRY_AGAIN],
                  shows: { Code: 'failure.code', Message: 'failure.message' },
                }),
              },
              after: overdue('reminders-failed'),
              on: { 'retry.requested': 'quiet' },
            },
            silent: {
              meta: {
                description: 'No further reminder to {customer.name} before the deadline',
                waitingOn: 'operator',
              },
            },
          },
        },
      },
    },

    consentDeclined: {
      meta: {
        description: '{customer.name} declined',
        waitingOn: 'operator',
        task: humanTask({
          id: 'consent-declined',
          title: 'The customer declined',
          instructions: 'Talk to the customer. Invite again, or give up.',
          responsible: 'operator',
          actions: [{ name: 'complete', label: 'Invite again', signal: 'resend.requested' }, GIVE_UP],
          shows: { Reason: 'declined' },
        }),
      },
      after: overdue('consent-declined'),
      on: {
        'consent.reseller.granted': { target: 'awaitingConsent', actions: 'expectAnswer' },
        'consent.admin.granted': { target: 'awaitingConsent', actions: 'expectAnswer' },
        'resend.requested': 'preparingInvitation',
        'work.abandoned': { target: 'ending', actions: 'noteEnding' },
      },
    },

    consentExpired: {
      meta: {
        description: '{customer.name} did not answer in time',
        waitingOn: 'operator',
        task: humanTask({
          id: 'consent-expired',
          title: 'The customer did not answer in time',
          instructions:
            'Call the customer. Invite again, with a new admin relationship if the old one lapsed, or give up.',
          responsible: 'operator',
          actions: [{ name: 'complete', label: 'Invite again', signal: 'resend.requested' }, GIVE_UP],
          shows: { Reminders: 'reminders', 'Admin relationship ended': 'adminEnded' },
        }),
      },
      after: overdue('consent-expired'),
      on: {
        // A late consent still counts, unless its relationship is gone.
        'consent.reseller.granted': {
          guard: not('relationshipEnded'),
          target: 'awaitingConsent',
          actions: 'expectAnswer',
        },
        'consent.admin.granted': {
          guard: not('relationshipEnded'),
          target: 'awaitingConsent',
          actions: 'expectAnswer',
        },
        'resend.requested': [
          { guard: 'relationshipEnded', target: 'preparingInvitation', actions: 'countRound' },
          { target: 'preparingInvitation' },
        ],
        'work.abandoned': { target: 'ending', actions: 'noteEnding' },
      },
    },

    needsOperator: {
      meta: {
        description: 'Inviting {customer.name} is stuck: {failure.message}',
        waitingOn: 'operator',
        task: humanTask({
          id: 'consent-stuck',
          title: 'The invitation is stuck',
          instructions:
            'Remove the cause, then try again; or say that you sent the invitation by hand; or give up.',
          responsible: 'operator',
          actions: [
            TRY_AGAIN,
            { name: 'sent-by-hand', label: 'Sent by hand', signal: 'invitation.sent-by-hand' },
            GIVE_UP,
          ],
          shows: { Where: 'failure.state', Code: 'failure.code', Message: 'failure.message' },
        }),
      },
      after: overdue('consent-stuck'),
      on: {
        'retry.requested': retrying([
          'requestingRelationship',
          'creatingAdminRelationship',
          'lockingAdminRelationship',
          'sendingInvitation',
          'awaitingConsent',
        ]),
        'invitation.sent-by-hand': {
          guard: { type: 'failedIn', params: { state: 'sendingInvitation' } },
          target: 'awaitingConsent',
        },
        'work.abandoned': { target: 'ending', actions: 'noteEnding' },
      },
    },

    ending: {
      meta: { description: 'Closing the invitation of {customer.name}', waitingOn: 'us' },
      always: [
        { guard: 'withdrawable', target: 'withdrawingAdminRelationship' },
        { guard: 'endingCanceled', target: 'canceled' },
        { target: 'abandoned' },
      ],
    },

    withdrawingAdminRelationship: {
      meta: { description: 'Withdrawing the admin relationship with {customer.name}', waitingOn: 'us' },
      on: { 'cancel.requested': { actions: 'noteEnding' } },
      invoke: {
        id: 'terminateAdminRelationship',
        src: 'terminateAdminRelationship',
        input: ({ context }) => ({ relationshipId: context.relationshipId ?? '' }),
        onDone: [
          { guard: 'endingCanceled', target: 'canceled', actions: 'endAdmin' },
          { target: 'abandoned', actions: 'endAdmin' },
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
          shows: { Relationship: 'relationshipId', Message: 'failure.message' },
        }),
      },
      after: overdue('withdrawal-failed'),
      on: {
        'retry.requested': 'withdrawingAdminRelationship',
        'cancel.requested': { actions: 'noteEnding' },
        'work.abandoned': [
          { guard: 'endingCanceled', target: 'canceled', actions: 'keepRelationship' },
          { target: 'abandoned', actions: 'keepRelationship' },
        ],
      },
    },

    granted: {
      meta: { description: '{customer.name} gave both authorisations' },
      type: 'final',
      entry: assign({ outcome: 'done' }),
    },
    canceled: {
      meta: { description: 'The invitation of {customer.name} was canceled' },
      type: 'final',
      entry: assign({ outcome: 'canceled' }),
    },
    abandoned: {
      meta: { description: 'The consent of {customer.name} was given up' },
      type: 'final',
      entry: assign({ outcome: 'abandoned' }),
    },
  },
  output: ({ context }) => ({
    outcome: context.outcome,
    relationshipId: context.adminEnded ? null : context.relationshipId,
    commerceGranted: context.commerceGranted,
    adminGranted: context.adminGranted,
    reminders: context.reminders,
    leftBehind: context.leftBehind,
    waivers: context.waivers,
  }),
});

export const consent = defineWorkflow({
  name: 'consent',
  title: 'Consent of the customer',
  machine: consentMachine,
  input: ConsentInput,
  signals: pick(
    'invitation.approved',
    'invitation.sent-by-hand',
    'invitation.bounced',
    'consent.reseller.granted',
    'consent.admin.granted',
    'consent.admin.ended',
    'consent.reseller.overridden',
    'consent.admin.overridden',
    'consent.declined',
    'resend.requested',
    'retry.requested',
    'work.abandoned',
    'cancel.requested',
  ),
  correlationKeys: (context) => [
    `tenant:${context.customer.tenantId}`,
    // A confirmation mail may name the customer only by its name; it is a hint, so another of that name is not harmed.
    `name:${context.customer.name.trim().toLowerCase()}`,
    ...(context.relationshipId === null ? [] : [`gdap:${context.relationshipId}`]),
    ...context.messageIds.map((messageId) => `mail:${messageId.toLowerCase()}`),
  ],
  subject: (context) => context.customer.name,
  cancelEvent: 'cancel.requested',
});
