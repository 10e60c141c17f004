/**
 * Assigning licences to users (guide: "Assigning an EMS license to a user"): who gets one is chosen, imported or everybody;
 * each user has an outcome of its own; what is pending is tried again by itself, and only that; what failed is put before a
 * person.
 */
import { assign, emit, sendTo, setup } from 'xstate';
import { z } from 'zod';
import { activity } from '../../engine/activity.ts';
import { defineWorkflow, type StateMeta } from '../../engine/definition.ts';
import { assignLicences, findUsers, listUsers } from '../activities/directory.ts';
import { readSeats } from '../activities/ordering.ts';
import {
  CountryCode,
  type DirectoryUser,
  Guid,
  type LicenceOutcome,
  LicenceUser,
  type Seats,
  Subscription,
} from '../activities/shapes.ts';
import { Settings } from '../settings.ts';
import { pick, type SignalEvent } from '../signals.ts';
import { type Ending, type Failure, failing, failureOf, retrying } from './common.ts';
import { type SeatsOutput, seatsMachine } from './seats.ts';
import {
  announcement,
  GIVE_UP,
  humanTask,
  overdue,
  stuckTask,
  type TaskOverdue,
  taskDelays,
} from './tasks.ts';

export const LicencesInput = z.object({
  customer: z.object({ name: z.string(), tenantId: Guid }),
  skuIds: z.array(Guid).min(1),
  defaultUsageLocation: CountryCode,
  /** `ask`: an operator chooses among the tenant's users. */
  mode: z.enum(['ask', 'all', 'listed']),
  users: z.array(LicenceUser),
  /** Subscriptions that take more seats when there are too few. */
  growable: z.array(Subscription),
  held: z.array(z.object({ skuId: Guid, enabled: z.int().min(0) })),
  settings: Settings,
});
export type LicencesInput = z.output<typeof LicencesInput>;

export interface LicencesOutput {
  readonly outcome: Ending;
  readonly outcomes: readonly LicenceOutcome[];
  /** Seats added on the way, because there were too few. */
  readonly seats: SeatsOutput | null;
  readonly counts: {
    readonly assigned: number;
    readonly already: number;
    readonly failed: number;
    readonly pending: number;
  };
}

const allPresent = ({ skuIds }: LicencesInput, seats: readonly Seats[]) =>
  skuIds.every((skuId) => seats.some((one) => one.skuId === skuId && one.present));

/** A row of the list that cannot be licensed, by the number it has there. */
interface RowProblem {
  readonly row: number;
  readonly field: 'userPrincipalName';
  readonly value: string;
  readonly problem: string;
}

interface LicencesContext extends LicencesInput {
  readonly truncated: boolean;
  readonly rowProblems: readonly RowProblem[];
  readonly added: SeatsOutput | null;
  readonly growth: { readonly subscriptionId: string; readonly additionalSeats: number } | null;
  readonly found: readonly DirectoryUser[];
  readonly total: number;
  readonly chosen: readonly LicenceUser[];
  readonly outcomes: readonly LicenceOutcome[];
  readonly counts: LicencesOutput['counts'];
  readonly seatsRead: readonly Seats[];
  /** Seats that the chosen users lack, and whether somebody said to go on with those there are. */
  readonly missing: number;
  readonly shortageAccepted: boolean;
  readonly cancelAsked: boolean;
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

/** What is wrong with the chosen list, row by row: names given twice and names the tenant does not know. */
function rowProblemsOf(chosen: readonly LicenceUser[], unknown: readonly string[]): RowProblem[] {
  const strangers = new Set(unknown.map((name) => name.toLowerCase()));
  const seen = new Set<string>();
  return chosen.flatMap(({ userPrincipalName: value }, index): RowProblem[] => {
    const name = value.trim().toLowerCase();
    const twice = seen.has(name);
    seen.add(name);
    const problem = twice ? 'is given twice' : strangers.has(name) ? 'is no user of this tenant' : null;
    return problem === null ? [] : [{ row: index + 1, field: 'userPrincipalName', value, problem }];
  });
}

export const licencesMachine = setup({
  types: {
    input: {} as LicencesInput,
    context: {} as LicencesContext,
    events: {} as SignalEvent<
      | 'users.chosen'
      | 'rows.dropped'
      | 'seats.wanted'
      | 'shortage.accepted'
      | 'outcomes.accepted'
      | 'retry.requested'
      | 'work.abandoned'
      | 'cancel.requested'
    >,
    output: {} as LicencesOutput,
    emitted: {} as TaskOverdue,
    meta: {} as StateMeta,
    children: {} as { seats: 'seats' },
  },
  actors: {
    listUsers: activity(listUsers),
    findUsers: activity(findUsers),
    seats: seatsMachine,
    readSeats: activity(readSeats),
    assignLicences: activity(assignLicences),
  },
  delays: {
    seatsPoll: ({ context }) => context.settings.seatsPollMs,
    seatsDeadline: ({ context }) => context.settings.seatsDeadlineMs,
    licenceRetry: ({ context }) => context.settings.licenceRetryMs,
    ...taskDelays<LicencesContext>((context) => context.settings),
  },
  guards: {
    listed: ({ context }) => context.mode === 'listed' && context.users.length > 0,
    wantsAllOfMany: ({ context }, params: { truncated: boolean }) =>
      context.mode === 'all' && params.truncated,
    rowsWrong: ({ context }, params: { unknown: readonly string[] }) =>
      rowProblemsOf(context.chosen, params.unknown).length > 0,
    rowsLeft: ({ context }) => context.rowProblems.length < context.chosen.length,
    everybodyNamed: ({ context, event }) =>
      event.type === 'users.chosen' &&
      event.mode === 'all' &&
      !context.truncated &&
      licensable(context.found).length > 0,
    canGrow: ({ context, event }) =>
      event.type === 'seats.wanted' &&
      context.growable.some(({ subscriptionId }) => subscriptionId === event.subscriptionId),
    isDone: (_, params: { outcome: string }) => params.outcome === 'done',
    isCanceled: ({ context }, params: { outcome: string }) =>
      params.outcome === 'canceled' || context.cancelAsked,
    wasRejected: (_, params: { outcome: string }) => params.outcome === 'rejected',
    anybodyChosen: ({ context }) => context.chosen.length > 0,
    nobodyWanted: ({ event }) => event.type === 'users.chosen' && event.mode === 'none',
    usersNamed: ({ event }) =>
      event.type === 'users.chosen' && event.mode === 'chosen' && (event.users ?? []).length > 0,
    seatsUsable: ({ context }, params: { seats: readonly Seats[] }) =>
      allPresent(context, params.seats) &&
      (context.shortageAccepted || missingSeats(context, params.seats) === 0),
    // Seats added a moment ago are waited for before anybody hears that there are too few.
    seatsShort: ({ context }, params: { seats: readonly Seats[] }) =>
      !context.shortageAccepted &&
      allPresent(context, params.seats) &&
      (context.added?.expectedSeats ?? []).every(({ skuId, enabled }) =>
        params.seats.some((seats) => seats.skuId === skuId && seats.enabled >= enabled),
      ) &&
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
    announceOverdue: emit((_, params: Parameters<typeof announcement>[0]) => announcement(params)),
    noteUsers: assign(({ context }, params: z.output<typeof listUsers.output>) => ({
      found: params.users,
      total: params.total,
      truncated: params.truncated,
      chosen: context.mode === 'all' && !params.truncated ? licensable(params.users) : [],
    })),
    takeList: assign({ chosen: ({ context }) => context.users }),
    noteFound: assign({ found: (_, params: { users: readonly DirectoryUser[] }) => params.users }),
    noteRows: assign({
      rowProblems: ({ context }, params: { unknown: readonly string[] }) =>
        rowProblemsOf(context.chosen, params.unknown),
    }),
    dropRows: assign(({ context }) => {
      const wrong = new Set(context.rowProblems.map(({ row }) => row));
      return { chosen: context.chosen.filter((_, index) => !wrong.has(index + 1)), rowProblems: [] };
    }),
    noteGrowth: assign({
      growth: ({ context, event }) =>
        event.type === 'seats.wanted'
          ? {
              subscriptionId: event.subscriptionId,
              additionalSeats: event.additionalSeats ?? Math.max(1, context.missing),
            }
          : context.growth,
    }),
    noteAdded: assign(({ context }, params: SeatsOutput) => ({
      added: params,
      held: context.held.map((seats) => {
        const expected = params.expectedSeats.find(({ skuId }) => skuId === seats.skuId);
        return expected === undefined ? seats : { ...seats, enabled: expected.enabled };
      }),
    })),
    askCancel: assign({ cancelAsked: true }),
    cancelSeats: sendTo('seats', { type: 'cancel.requested' }),
    choose: assign(({ context, event }) => {
      if (event.type !== 'users.chosen') return {};
      const chosen = event.mode === 'all' ? licensable(context.found) : (event.users ?? []);
      return {
        chosen,
        outcomes: [],
        counts: countsOf([]),
        retries: 0,
        rowProblems: [],
        shortageAccepted: false,
      };
    }),
    noteSeats: assign(({ context }, params: { seats: readonly Seats[] }) => ({
      seatsRead: params.seats,
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
    seatsRead: [],
    missing: 0,
    shortageAccepted: false,
    cancelAsked: false,
    truncated: false,
    rowProblems: [],
    added: null,
    growth: null,
    retries: 0,
    outcome: 'done',
    failure: null,
  }),
  initial: 'beginning',
  on: { 'cancel.requested': '.canceled' },
  states: {
    beginning: {
      meta: { description: 'Seeing who gets a licence at {customer.name}', waitingOn: 'us' },
      always: [{ guard: 'listed', target: 'checkingUsers', actions: 'takeList' }, { target: 'listingUsers' }],
    },

    listingUsers: {
      meta: { description: 'Listing the users of {customer.name}', waitingOn: 'us' },
      invoke: {
        id: 'listUsers',
        src: 'listUsers',
        input: ({ context }) => ({ tenantId: context.customer.tenantId, skuIds: [...context.skuIds] }),
        onDone: [
          {
            guard: { type: 'wantsAllOfMany', params: ({ event }) => event.output },
            target: 'tooManyUsers',
            actions: { type: 'noteUsers', params: ({ event }) => event.output },
          },
          { target: 'choosing', actions: { type: 'noteUsers', params: ({ event }) => event.output } },
        ],
        onError: failing('listingUsers'),
      },
    },

    choosing: {
      meta: { description: 'Seeing who gets a licence at {customer.name}', waitingOn: 'us' },
      always: [{ guard: 'anybodyChosen', target: 'awaitingSeats' }, { target: 'awaitingUsers' }],
    },

    tooManyUsers: {
      meta: {
        description: '{customer.name} has more users than can be taken at once; lists are needed',
        waitingOn: 'operator',
        task: humanTask({
          id: 'too-many-users',
          title: 'More users than one list holds',
          instructions:
            'At most 2,000 users are licensed at a time. Import a list of up to 2,000 of them here, and start an onboarding of the existing customer for each further list. Nobody has been licensed yet.',
          responsible: 'operator',
          actions: [{ name: 'complete', label: 'These users', signal: 'users.chosen' }, GIVE_UP],
          shows: { 'Users found so far': 'total' },
          evidence: ['users'],
        }),
      },
      after: overdue('too-many-users'),
      on: {
        'users.chosen': [
          { guard: 'nobodyWanted', target: 'assigned' },
          { guard: 'usersNamed', target: 'checkingUsers', actions: 'choose' },
        ],
        'work.abandoned': 'abandoned',
      },
    },

    // Every name is looked up before anybody is licensed, so that a list is either right or comes back with its rows.
    checkingUsers: {
      meta: { description: 'Looking up the chosen users of {customer.name}', waitingOn: 'us' },
      invoke: {
        id: 'findUsers',
        src: 'findUsers',
        input: ({ context }) => ({
          tenantId: context.customer.tenantId,
          skuIds: [...context.skuIds],
          names: context.chosen.map(({ userPrincipalName }) => userPrincipalName),
        }),
        onDone: [
          {
            guard: { type: 'rowsWrong', params: ({ event }) => event.output },
            target: 'rowsWrong',
            actions: { type: 'noteRows', params: ({ event }) => event.output },
          },
          { target: 'awaitingSeats', actions: { type: 'noteFound', params: ({ event }) => event.output } },
        ],
        onError: failing('checkingUsers'),
      },
    },

    rowsWrong: {
      meta: {
        description: 'The list of users of {customer.name} has rows that do not fit',
        waitingOn: 'operator',
        task: humanTask({
          id: 'licence-rows-wrong',
          title: 'Rows of the list do not fit',
          instructions:
            'Nobody has been licensed yet. Import a corrected list, leave out the rows named here, or look again once the users exist.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'This list', signal: 'users.chosen' },
            { name: 'accept', label: 'Leave these rows out', signal: 'rows.dropped', reasonRequired: true },
            { name: 'recheck', label: 'Look again', signal: 'retry.requested' },
            GIVE_UP,
          ],
          shows: { Rows: 'rowProblems' },
          evidence: ['users'],
        }),
      },
      after: overdue('licence-rows-wrong'),
      on: {
        'users.chosen': [
          { guard: 'nobodyWanted', target: 'assigned' },
          { guard: 'usersNamed', target: 'checkingUsers', actions: 'choose' },
        ],
        'rows.dropped': [
          { guard: 'rowsLeft', target: 'checkingUsers', actions: 'dropRows' },
          { target: 'assigned' },
        ],
        'retry.requested': 'checkingUsers',
        'work.abandoned': 'abandoned',
      },
    },

    awaitingUsers: {
      meta: {
        description: 'Who at {customer.name} gets a licence? {total} users found',
        waitingOn: 'operator',
        task: humanTask({
          id: 'choose-users',
          title: 'Choose the users',
          instructions:
            'Choose users, import a CSV file with their names, or take all. Nobody is a choice, too.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'These users', signal: 'users.chosen' },
            { name: 'recheck', label: 'List again', signal: 'retry.requested' },
            GIVE_UP,
          ],
          shows: { Users: 'found' },
        }),
      },
      after: overdue('choose-users'),
      on: {
        'users.chosen': [
          { guard: 'nobodyWanted', target: 'assigned' },
          { guard: 'everybodyNamed', target: 'awaitingSeats', actions: 'choose' },
          { guard: 'usersNamed', target: 'checkingUsers', actions: 'choose' },
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
        task: humanTask({
          id: 'licence-seats-short',
          title: 'More users than seats',
          instructions:
            'Add the missing seats to one of the subscriptions shown, after an approval; or choose fewer users; or assign as many as there are. Seats added elsewhere are found by checking again.',
          responsible: 'operator',
          actions: [
            { name: 'add', label: 'Add seats', signal: 'seats.wanted' },
            { name: 'choose', label: 'These users instead', signal: 'users.chosen' },
            { name: 'accept', label: 'Assign as many as there are', signal: 'shortage.accepted' },
            { name: 'complete', label: 'Check again', signal: 'retry.requested' },
            GIVE_UP,
          ],
          shows: { Missing: 'missing', Subscriptions: 'growable', Seats: 'seatsRead', Users: 'chosen' },
        }),
      },
      after: overdue('licence-seats-short'),
      on: {
        'retry.requested': 'awaitingSeats',
        'users.chosen': [
          { guard: 'nobodyWanted', target: 'assigned' },
          { guard: 'everybodyNamed', target: 'awaitingSeats', actions: 'choose' },
          { guard: 'usersNamed', target: 'checkingUsers', actions: 'choose' },
        ],
        'seats.wanted': { guard: 'canGrow', target: 'addingSeats', actions: 'noteGrowth' },
        'shortage.accepted': { target: 'assigningLicences', actions: 'acceptShortage' },
        'work.abandoned': 'abandoned',
      },
    },

    addingSeats: {
      meta: { description: 'Adding the missing seats for {customer.name}', waitingOn: 'us' },
      on: { 'cancel.requested': { actions: ['askCancel', 'cancelSeats'] } },
      invoke: {
        id: 'seats',
        src: 'seats',
        input: ({ context }) => ({
          customer: context.customer,
          subscriptionId: context.growth?.subscriptionId ?? '',
          additionalSeats: context.growth?.additionalSeats ?? 1,
          held: context.held,
          settings: context.settings,
        }),
        onDone: [
          {
            guard: { type: 'isCanceled', params: ({ event }) => event.output },
            target: 'canceled',
            actions: { type: 'noteAdded', params: ({ event }) => event.output },
          },
          {
            guard: { type: 'wasRejected', params: ({ event }) => event.output },
            target: 'awaitingSeats',
          },
          {
            guard: { type: 'isDone', params: ({ event }) => event.output },
            target: 'awaitingSeats',
            actions: { type: 'noteAdded', params: ({ event }) => event.output },
          },
          { target: 'abandoned', actions: { type: 'noteAdded', params: ({ event }) => event.output } },
        ],
        onError: failing('addingSeats'),
      },
    },

    seatsLate: {
      meta: {
        description: 'There are no usable seats at {customer.name}',
        waitingOn: 'operator',
        task: humanTask({
          id: 'licence-seats-late',
          title: 'No usable seats',
          instructions: 'Look at the subscription in Partner Center, then check again; or give up.',
          responsible: 'operator',
          actions: [{ name: 'complete', label: 'Check again', signal: 'retry.requested' }, GIVE_UP],
          shows: { Seats: 'seatsRead' },
        }),
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
        task: humanTask({
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
            GIVE_UP,
          ],
          shows: { Outcomes: 'outcomes' },
        }),
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
        task: stuckTask('licences-stuck', 'Licences are stuck'),
      },
      after: overdue('licences-stuck'),
      on: {
        'retry.requested': retrying([
          'listingUsers',
          'checkingUsers',
          'awaitingSeats',
          'addingSeats',
          'assigningLicences',
        ]),
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
  output: ({ context }) => ({
    outcome: context.outcome,
    outcomes: context.outcomes,
    counts: context.counts,
    seats: context.added,
  }),
});

export const licences = defineWorkflow({
  name: 'licences',
  title: 'Licences for users',
  machine: licencesMachine,
  input: LicencesInput,
  signals: pick(
    'users.chosen',
    'rows.dropped',
    'seats.wanted',
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
