/**
 * Assigning licences to users (guide: "Assigning an EMS license to a user"): who gets one is chosen, imported or everybody;
 * each user has an outcome of its own; what is pending is tried again by itself, and only that; what failed is put before a
 * person.
 */
import { assign, emit, setup } from 'xstate';
import { z } from 'zod';
import { activity } from '../../engine/activity.ts';
import { defineWorkflow, type StateMeta } from '../../engine/definition.ts';
import { assignLicences, listUsers } from '../activities/directory.ts';
import { readSeats } from '../activities/ordering.ts';
import {
  CountryCode,
  type DirectoryUser,
  Guid,
  type LicenceOutcome,
  LicenceUser,
  type Seats,
} from '../activities/shapes.ts';
import { Settings } from '../settings.ts';
import { pick, type SignalEvent } from '../signals.ts';
import {
  type Ending,
  type Failure,
  failing,
  failureOf,
  overdue,
  retrying,
  type TaskOverdue,
} from './common.ts';

export const LicencesInput = z.object({
  customer: z.object({ name: z.string(), tenantId: Guid }),
  skuIds: z.array(Guid).min(1),
  defaultUsageLocation: CountryCode,
  /** `ask`: an operator chooses among the tenant's users. */
  mode: z.enum(['ask', 'all', 'listed']),
  users: z.array(LicenceUser),
  settings: Settings,
});
export type LicencesInput = z.output<typeof LicencesInput>;

export interface LicencesOutput {
  readonly outcome: Ending;
  readonly outcomes: readonly LicenceOutcome[];
  readonly counts: {
    readonly assigned: number;
    readonly already: number;
    readonly failed: number;
    readonly pending: number;
  };
}

interface LicencesContext extends LicencesInput {
  readonly found: readonly DirectoryUser[];
  readonly total: number;
  readonly chosen: readonly LicenceUser[];
  readonly outcomes: readonly LicenceOutcome[];
  readonly counts: LicencesOutput['counts'];
  readonly seats: readonly Seats[];
  /** Seats that the chosen users lack, and whether somebody said to go on with those there are. */
  readonly missing: number;
  readonly shortageAccepted: boolean;
  readonly retries: number;
  readonly outcome: Ending;
  readonly failure: Failure | null;
}

const countsOf = (outcomes: readonly LicenceOutcome[]): LicencesOutput['counts'] => ({
  assigned: outcomes.filter(({ outcome }) => outcome === 'assigned').length,
  already: outcomes.filter(({ outcome }) => outcome === 'already').length,
  failed: outcomes.filter(({ outcome }) => outcome === 'failed').length,
  pending: outcomes.filter(({ outcome }) => outcome === 'pending').length,
});

const licensable = (users: readonly DirectoryUser[]): LicenceUser[] =>
  users
    .filter((user) => user.enabled)
    .map((user) => ({ userPrincipalName: user.userPrincipalName, usageLocation: user.usageLocation }));

/** Users whose licences are not settled: all at first, then only those whose outcome is among `open`. */
function unsettled(context: LicencesContext): LicenceUser[] {
  if (context.outcomes.length === 0) return [...context.chosen];
  const open = new Set(
    context.outcomes
      .filter(({ outcome }) => outcome === 'pending')
      .map(({ userPrincipalName }) => userPrincipalName),
  );
  return context.chosen.filter((user) => open.has(user.userPrincipalName));
}

/** Users of this round who hold no seat of the SKU yet. */
const seatless = (context: LicencesContext, skuId: string) =>
  unsettled(context).filter(({ userPrincipalName }) => {
    const known = context.found.find((user) => user.userPrincipalName === userPrincipalName);
    return known === undefined || !known.holds.includes(skuId);
  }).length;

/** How many seats are missing for the users chosen, over the SKU that lacks most. */
const missingSeats = (context: LicencesContext, seats: readonly Seats[]) =>
  Math.max(
    0,
    ...context.skuIds.map(
      (skuId) => seatless(context, skuId) - (seats.find((one) => one.skuId === skuId)?.free ?? 0),
    ),
  );

export const licencesMachine = setup({
  types: {
    input: {} as LicencesInput,
    context: {} as LicencesContext,
    events: {} as SignalEvent<
      | 'users.chosen'
      | 'shortage.accepted'
      | 'outcomes.accepted'
      | 'retry.requested'
      | 'work.abandoned'
      | 'cancel.requested'
    >,
    output: {} as LicencesOutput,
    emitted: {} as TaskOverdue,
    meta: {} as StateMeta,
  },
  actors: {
    listUsers: activity(listUsers),
    readSeats: activity(readSeats),
    assignLicences: activity(assignLicences),
  },
  delays: {
    seatsPoll: ({ context }) => context.settings.seatsPollMs,
    seatsDeadline: ({ context }) => context.settings.seatsDeadlineMs,
    licenceRetry: ({ context }) => context.settings.licenceRetryMs,
    taskReminder: ({ context }) => context.settings.taskReminderMs,
  },
  guards: {
    asks: ({ context }) => context.mode === 'ask',
    anybodyChosen: ({ context }) => context.chosen.length > 0,
    nobodyWanted: ({ event }) => event.type === 'users.chosen' && event.mode === 'none',
    usersNamed: ({ context, event }) =>
      event.type === 'users.chosen' &&
      (event.mode === 'all' ? licensable(context.found).length > 0 : (event.users ?? []).length > 0),
    seatsUsable: ({ context }, params: { seats: readonly Seats[] }) =>
      context.skuIds.every((skuId) => params.seats.some((seats) => seats.skuId === skuId && seats.present)),
    seatsShort: ({ context }, params: { seats: readonly Seats[] }) =>
      !context.shortageAccepted &&
      context.skuIds.every((skuId) => params.seats.some((seats) => seats.skuId === skuId && seats.present)) &&
      missingSeats(context, params.seats) > 0,
    pendingLeft: ({ context }) =>
      context.counts.pending > 0 && context.retries < context.settings.licenceRetries,
    unsettledLeft: ({ context }) => context.counts.pending + context.counts.failed > 0,
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
    noteUsers: assign(({ context }, params: { users: readonly DirectoryUser[]; total: number }) => ({
      found: params.users,
      total: params.total,
      chosen:
        context.mode === 'all' ? licensable(params.users) : context.mode === 'listed' ? context.users : [],
    })),
    choose: assign(({ context, event }) => {
      if (event.type !== 'users.chosen') return {};
      const chosen = event.mode === 'all' ? licensable(context.found) : (event.users ?? []);
      return { chosen, outcomes: [], counts: countsOf([]), retries: 0 };
    }),
    noteSeats: assign(({ context }, params: { seats: readonly Seats[] }) => ({
      seats: params.seats,
      missing: missingSeats(context, params.seats),
    })),
    acceptShortage: assign({ shortageAccepted: true }),
    // A later outcome of a user replaces the earlier one.
    noteOutcomes: assign(({ context }, params: { outcomes: readonly LicenceOutcome[] }) => {
      const latest = new Map(
        [...context.outcomes, ...params.outcomes].map((outcome) => [outcome.userPrincipalName, outcome]),
      );
      const outcomes = [...latest.values()];
      return { outcomes, counts: countsOf(outcomes) };
    }),
    countRetry: assign({ retries: ({ context }) => context.retries + 1 }),
    reopenFailed: assign(({ context }) => {
      const outcomes = context.outcomes.map((outcome) =>
        outcome.outcome === 'failed' ? { ...outcome, outcome: 'pending' as const } : outcome,
      );
      return { outcomes, counts: countsOf(outcomes), retries: 0 };
    }),
  },
}).createMachine({
  id: 'licences',
  context: ({ input }) => ({
    ...input,
    found: [],
    total: 0,
    chosen: [],
    outcomes: [],
    counts: countsOf([]),
    seats: [],
    missing: 0,
    shortageAccepted: false,
    retries: 0,
    outcome: 'done',
    failure: null,
  }),
  initial: 'listingUsers',
  on: { 'cancel.requested': '.canceled' },
  states: {
    listingUsers: {
      meta: { description: 'Listing the users of {customer.name}', waitingOn: 'us' },
      invoke: {
        id: 'listUsers',
        src: 'listUsers',
        input: ({ context }) => ({ tenantId: context.customer.tenantId, skuIds: [...context.skuIds] }),
        onDone: { target: 'choosing', actions: { type: 'noteUsers', params: ({ event }) => event.output } },
        onError: failing('listingUsers'),
      },
    },

    choosing: {
      meta: { description: 'Seeing who gets a licence at {customer.name}', waitingOn: 'us' },
      always: [{ guard: 'anybodyChosen', target: 'awaitingSeats' }, { target: 'awaitingUsers' }],
    },

    awaitingUsers: {
      meta: {
        description: 'Who at {customer.name} gets a licence? {total} users found',
        waitingOn: 'operator',
        task: {
          id: 'choose-users',
          title: 'Choose the users',
          instructions:
            'Choose users, import a CSV file with their names, or take all. Nobody is a choice, too.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'These users', signal: 'users.chosen' },
            { name: 'recheck', label: 'List again', signal: 'retry.requested' },
            { name: 'reject', label: 'Give up', signal: 'work.abandoned', reasonRequired: true },
          ],
          shows: { Users: 'found' },
        },
      },
      after: overdue('choose-users'),
      on: {
        'users.chosen': [
          { guard: 'nobodyWanted', target: 'assigned' },
          { guard: 'usersNamed', target: 'awaitingSeats', actions: 'choose' },
        ],
        'retry.requested': 'listingUsers',
        'work.abandoned': 'abandoned',
      },
    },

    awaitingSeats: {
      meta: { description: 'Waiting for usable seats at {customer.name}', waitingOn: 'microsoft' },
      initial: 'reading',
      after: { seatsDeadline: 'seatsLate' },
      states: {
        reading: {
          meta: { description: 'Reading the seats of {customer.name}', waitingOn: 'us' },
          invoke: {
            id: 'readSeats',
            src: 'readSeats',
            input: ({ context }) => ({ tenantId: context.customer.tenantId, skuIds: [...context.skuIds] }),
            onDone: [
              {
                guard: { type: 'seatsShort', params: ({ event }) => event.output },
                target: '#licences.seatsShort',
                actions: { type: 'noteSeats', params: ({ event }) => event.output },
              },
              {
                guard: { type: 'seatsUsable', params: ({ event }) => event.output },
                target: '#licences.assigningLicences',
                actions: { type: 'noteSeats', params: ({ event }) => event.output },
              },
              { target: 'waiting', actions: { type: 'noteSeats', params: ({ event }) => event.output } },
            ],
            onError: failing('awaitingSeats', '#licences.needsOperator'),
          },
        },
        waiting: {
          meta: { description: 'Waiting for usable seats at {customer.name}', waitingOn: 'microsoft' },
          after: { seatsPoll: 'reading' },
        },
      },
    },

    seatsShort: {
      meta: {
        description: '{customer.name} has {missing} seats less than users were chosen',
        waitingOn: 'operator',
        task: {
          id: 'licence-seats-short',
          title: 'More users than seats',
          instructions:
            'Add the missing seats to the subscription (start an onboarding of the existing customer with that number, or use Partner Center) and check again; or choose fewer users; or assign as many as there are.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Seats were added: check again', signal: 'retry.requested' },
            { name: 'choose', label: 'These users instead', signal: 'users.chosen' },
            { name: 'accept', label: 'Assign as many as there are', signal: 'shortage.accepted' },
            { name: 'reject', label: 'Give up', signal: 'work.abandoned', reasonRequired: true },
          ],
          shows: { Missing: 'missing', Seats: 'seats', Users: 'chosen' },
        },
      },
      after: overdue('licence-seats-short'),
      on: {
        'retry.requested': 'awaitingSeats',
        'users.chosen': [
          { guard: 'nobodyWanted', target: 'assigned' },
          { guard: 'usersNamed', target: 'awaitingSeats', actions: 'choose' },
        ],
        'shortage.accepted': { target: 'assigningLicences', actions: 'acceptShortage' },
        'work.abandoned': 'abandoned',
      },
    },

    seatsLate: {
      meta: {
        description: 'There are no usable seats at {customer.name}',
        waitingOn: 'operator',
        task: {
          id: 'licence-seats-late',
          title: 'No usable seats',
          instructions: 'Look at the subscription in Partner Center, then check again; or give up.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Check again', signal: 'retry.requested' },
            { name: 'reject', label: 'Give up', signal: 'work.abandoned', reasonRequired: true },
          ],
          shows: { Seats: 'seats' },
        },
      },
      after: overdue('licence-seats-late'),
      on: { 'retry.requested': 'awaitingSeats', 'work.abandoned': 'abandoned' },
    },

    assigningLicences: {
      meta: { description: 'Assigning licences at {customer.name}', waitingOn: 'us' },
      invoke: {
        id: 'assignLicences',
        src: 'assignLicences',
        input: ({ context }) => ({
          tenantId: context.customer.tenantId,
          skuIds: [...context.skuIds],
          users: unsettled(context),
          defaultUsageLocation: context.defaultUsageLocation,
        }),
        onDone: {
          target: 'weighingOutcomes',
          actions: { type: 'noteOutcomes', params: ({ event }) => event.output },
        },
        onError: failing('assigningLicences'),
      },
    },

    weighingOutcomes: {
      meta: { description: 'Looking at the outcomes at {customer.name}', waitingOn: 'us' },
      always: [
        { guard: 'pendingLeft', target: 'awaitingRetry' },
        { guard: 'unsettledLeft', target: 'reviewingOutcomes' },
        { target: 'assigned' },
      ],
    },

    awaitingRetry: {
      meta: {
        description: '{counts.pending} licences at {customer.name} are tried again shortly',
        waitingOn: 'microsoft',
      },
      after: { licenceRetry: { target: 'assigningLicences', actions: 'countRetry' } },
    },

    reviewingOutcomes: {
      meta: {
        description: '{counts.failed} users of {customer.name} got no licence, {counts.pending} are pending',
        waitingOn: 'operator',
        task: {
          id: 'review-outcomes',
          title: 'Some users got no licence',
          instructions: 'Remove the causes and try those users again, or leave them unlicensed.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Try them again', signal: 'retry.requested' },
            {
              name: 'accept',
              label: 'Leave them unlicensed',
              signal: 'outcomes.accepted',
              reasonRequired: true,
            },
            { name: 'reject', label: 'Give up', signal: 'work.abandoned', reasonRequired: true },
          ],
          shows: { Outcomes: 'outcomes' },
        },
      },
      after: overdue('review-outcomes'),
      on: {
        'retry.requested': { target: 'assigningLicences', actions: 'reopenFailed' },
        'outcomes.accepted': 'assigned',
        'work.abandoned': 'abandoned',
      },
    },

    needsOperator: {
      meta: {
        description: 'Licences for {customer.name} are stuck: {failure.message}',
        waitingOn: 'operator',
        task: {
          id: 'licences-stuck',
          title: 'Licences are stuck',
          instructions: 'Remove the cause, then try again; or give up.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Try again', signal: 'retry.requested' },
            { name: 'reject', label: 'Give up', signal: 'work.abandoned', reasonRequired: true },
          ],
          shows: { Where: 'failure.state', Code: 'failure.code', Message: 'failure.message' },
        },
      },
      after: overdue('licences-stuck'),
      on: {
        'retry.requested': retrying(['listingUsers', 'awaitingSeats', 'assigningLicences']),
        'work.abandoned': 'abandoned',
      },
    },

    assigned: {
      meta: {
        description: 'Licences at {customer.name}: {counts.assigned} assigned, {counts.already} held before',
      },
      type: 'final',
      entry: assign({ outcome: 'done' }),
    },
    canceled: {
      meta: { description: 'Assigning licences at {customer.name} was canceled' },
      type: 'final',
      entry: assign({ outcome: 'canceled' }),
    },
    abandoned: {
      meta: { description: 'Assigning licences at {customer.name} was given up' },
      type: 'final',
      entry: assign({ outcome: 'abandoned' }),
    },
  },
  output: ({ context }) => ({ outcome: context.outcome, outcomes: context.outcomes, counts: context.counts }),
});

export const licences = defineWorkflow({
  name: 'licences',
  title: 'Licences for users',
  machine: licencesMachine,
  input: LicencesInput,
  signals: pick(
    'users.chosen',
    'shortage.accepted',
    'outcomes.accepted',
    'retry.requested',
    'work.abandoned',
    'cancel.requested',
  ),
  correlationKeys: () => [],
  subject: (context) => context.customer.name,
  cancelEvent: 'cancel.requested',
});
