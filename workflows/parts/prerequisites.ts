/**
 * Before you start (guide, section 2): five conditions. Each is checked through an API where one can answer; what is left
 * is attested by a person, with evidence. A condition that the path itself brings about is not asked for.
 */
import { assign, emit, setup } from 'xstate';
import { z } from 'zod';
import { activity } from '../../engine/activity.ts';
import { defineWorkflow, type StateMeta } from '../../engine/definition.ts';
import { findTenant } from '../activities/customers.ts';
import { listUsers } from '../activities/directory.ts';
import { checkPartnerAccess, checkTooling } from '../activities/prerequisites.ts';
import { checkCustomerAccess } from '../activities/relationships.ts';
import { Guid } from '../activities/shapes.ts';
import { Settings } from '../settings.ts';
import { PREREQUISITES, type Prerequisite, pick, type SignalEvent } from '../signals.ts';
import { type Ending, type Failure, failing, failureOf, retrying } from './common.ts';
import {
  announcement,
  GIVE_UP,
  humanTask,
  overdue,
  override,
  stuckTask,
  type TaskOverdue,
  taskDelays,
} from './tasks.ts';

export const PrerequisitesInput = z.object({
  customerName: z.string(),
  /** Null for a customer without a tenant: only our own side is checked then. */
  tenantId: Guid.nullable(),
  domain: z.string().nullable(),
  groupIds: z.array(Guid),
  /** Conditions attested with the start form, by evidence. */
  attested: z.partialRecord(z.enum(PREREQUISITES), z.string()),
  settings: Settings,
});
export type PrerequisitesInput = z.output<typeof PrerequisitesInput>;

export interface PrerequisiteResult {
  readonly condition: Prerequisite;
  readonly how: 'checked' | 'attested' | 'waived';
  readonly evidence: string;
}

export interface PrerequisitesOutput {
  readonly outcome: Ending;
  readonly met: readonly PrerequisiteResult[];
}

interface PrerequisitesContext extends PrerequisitesInput {
  readonly met: readonly PrerequisiteResult[];
  /** Conditions still open, and why, in the words staff read. */
  readonly open: readonly { readonly condition: Prerequisite; readonly why: string }[];
  readonly openText: string;
  readonly outcome: Ending;
  readonly failure: Failure | null;
}

function settled(context: PrerequisitesContext, result: PrerequisiteResult): Partial<PrerequisitesContext> {
  const open = context.open.filter(({ condition }) => condition !== result.condition);
  return {
    met: [...context.met.filter(({ condition }) => condition !== result.condition), result],
    open,
    openText: textOf(open),
  };
}

function opened(
  context: PrerequisitesContext,
  condition: Prerequisite,
  why: string,
): Partial<PrerequisitesContext> {
  const evidence = context.attested[condition];
  if (evidence !== undefined) return settled(context, { condition, how: 'attested', evidence });
  const open = [...context.open.filter((other) => other.condition !== condition), { condition, why }];
  return {
    open,
    openText: textOf(open),
    met: context.met.filter((result) => result.condition !== condition),
  };
}

const textOf = (open: PrerequisitesContext['open']) => open.map(({ why }) => why).join('; ');

export const prerequisitesMachine = setup({
  types: {
    input: {} as PrerequisitesInput,
    context: {} as PrerequisitesContext,
    events: {} as SignalEvent<
      'prerequisite.attested' | 'task.overridden' | 'retry.requested' | 'work.abandoned' | 'cancel.requested'
    >,
    output: {} as PrerequisitesOutput,
    emitted: {} as TaskOverdue,
    meta: {} as StateMeta,
  },
  actors: {
    checkPartnerAccess: activity(checkPartnerAccess),
    checkTooling: activity(checkTooling),
    findTenant: activity(findTenant),
    checkCustomerAccess: activity(checkCustomerAccess),
    listUsers: activity(listUsers),
  },
  delays: { ...taskDelays<PrerequisitesContext>((context) => context.settings) },
  guards: {
    tenantExists: ({ context }) => context.tenantId !== null,
    nothingOpen: ({ context }) => context.open.length === 0,
    isOpen: ({ context, event }) =>
      event.type === 'prerequisite.attested' &&
      context.open.some(({ condition }) => condition === event.condition),
    accessMet: (_, params: { accessible: boolean }) => params.accessible,
    failedIn: ({ context }, params: { state: string }) => context.failure?.state === params.state,
  },
  actions: {
    noteFailure: assign({
      failure: (_, params: { state: string; error: unknown }) => failureOf(params.state, params.error),
    }),
    announceOverdue: emit((_, params: Parameters<typeof announcement>[0]) => announcement(params)),
    meet: assign(({ context }, params: { condition: Prerequisite; evidence: string }) =>
      settled(context, { ...params, how: 'checked' }),
    ),
    open: assign(({ context }, params: { condition: Prerequisite; why: string }) =>
      opened(context, params.condition, params.why),
    ),
    judge: assign(
      ({ context }, params: { condition: Prerequisite; met: boolean; evidence: string; why: string }) =>
        params.met
          ? settled(context, { condition: params.condition, how: 'checked', evidence: params.evidence })
          : opened(context, params.condition, params.why),
    ),
    waiveOpen: assign(({ context, event }) =>
      event.type === 'task.overridden'
        ? {
            met: [
              ...context.met,
              ...context.open.map(({ condition }) => ({
                condition,
                how: 'waived' as const,
                evidence: event.reason,
              })),
            ],
            open: [],
          }
        : {},
    ),
    attest: assign(({ context, event }) =>
      event.type === 'prerequisite.attested'
        ? {
            ...settled(context, { condition: event.condition, how: 'attested', evidence: event.evidence }),
            // Kept, so that checking again does not ask for it twice.
            attested: { ...context.attested, [event.condition]: event.evidence },
          }
        : {},
    ),
  },
}).createMachine({
  id: 'prerequisites',
  context: ({ input }) => ({ ...input, met: [], open: [], openText: '', outcome: 'done', failure: null }),
  initial: 'checkingPartnerAccess',
  on: { 'cancel.requested': '.canceled' },
  states: {
    checkingPartnerAccess: {
      meta: { description: 'Checking that we are signed in as Admin Agent', waitingOn: 'us' },
      invoke: {
        id: 'checkPartnerAccess',
        src: 'checkPartnerAccess',
        input: ({ context }) => ({ groupIds: context.groupIds }),
        onDone: {
          target: 'checkingTooling',
          actions: {
            type: 'judge',
            params: ({ event: { output } }) => ({
              condition: 'partner-access' as const,
              met: output.adminAgent && output.missingGroupIds.length === 0,
              evidence: `Signed in as ${output.signedInAs ?? 'Admin Agent'}, member of Admin Agents; security groups exist.`,
              why: output.adminAgent
                ? `security groups are missing: ${output.missingGroupIds.join(', ')}`
                : 'our user is not an Admin Agent',
            }),
          },
        },
        onError: failing('checkingPartnerAccess'),
      },
    },

    checkingTooling: {
      meta: { description: 'Checking that Graph and Partner Center answer us', waitingOn: 'us' },
      invoke: {
        id: 'checkTooling',
        src: 'checkTooling',
        input: {},
        onDone: {
          target: 'choosingChecks',
          actions: {
            type: 'judge',
            params: ({ event: { output } }) => ({
              condition: 'tooling' as const,
              met: output.ready,
              evidence: 'Graph and Partner Center answered.',
              why: output.message ?? 'Graph or Partner Center does not answer',
            }),
          },
        },
        onError: failing('checkingTooling'),
      },
    },

    choosingChecks: {
      meta: { description: 'Choosing what else to check for {customerName}', waitingOn: 'us' },
      always: [{ guard: 'tenantExists', target: 'checkingDomain' }, { target: 'weighing' }],
    },

    checkingDomain: {
      meta: { description: 'Checking that the domain of {customerName} is set up', waitingOn: 'us' },
      invoke: {
        id: 'findTenant',
        src: 'findTenant',
        input: ({ context }) => ({ domain: context.domain ?? '' }),
        onDone: {
          target: 'checkingAdminAccess',
          actions: {
            type: 'judge',
            params: ({ context, event: { output } }) => ({
              condition: 'domain' as const,
              met: output.tenantId !== null && output.tenantId === context.tenantId,
              evidence: `${context.domain ?? 'The domain'} belongs to tenant ${output.tenantId ?? ''}.`,
              why: 'the domain is not set up in the tenant',
            }),
          },
        },
        onError: failing('checkingDomain'),
      },
    },

    checkingAdminAccess: {
      meta: { description: 'Checking whether we can work in the tenant of {customerName}', waitingOn: 'us' },
      invoke: {
        id: 'checkCustomerAccess',
        src: 'checkCustomerAccess',
        input: ({ context }) => ({ tenantId: context.tenantId ?? '' }),
        onDone: [
          {
            guard: { type: 'accessMet', params: ({ event }) => event.output },
            target: 'checkingIdentities',
            actions: {
              type: 'meet',
              params: { condition: 'admin-access', evidence: 'The tenant answered us with our roles.' },
            },
          },
          {
            target: 'weighing',
            actions: [
              {
                type: 'open',
                params: {
                  condition: 'admin-access',
                  why: 'name the Global Administrator of the customer who will authorise us',
                },
              },
              {
                type: 'open',
                params: { condition: 'identities', why: 'ask whether users are synchronised or cloud-only' },
              },
            ],
          },
        ],
        onError: failing('checkingAdminAccess'),
      },
    },

    checkingIdentities: {
      meta: { description: 'Checking the identities of {customerName}', waitingOn: 'us' },
      invoke: {
        id: 'listUsers',
        src: 'listUsers',
        input: ({ context }) => ({ tenantId: context.tenantId ?? '', skuIds: [] }),
        onDone: {
          target: 'weighing',
          actions: {
            type: 'judge',
            params: ({ event: { output } }) => ({
              condition: 'identities' as const,
              met: output.total > 0,
              evidence: `${output.total} users, ${output.synchronised} of them synchronised.`,
              why: 'the tenant has no users yet',
            }),
          },
        },
        onError: failing('checkingIdentities'),
      },
    },

    weighing: {
      meta: { description: 'Weighing the conditions for {customerName}', waitingOn: 'us' },
      always: [{ guard: 'nothingOpen', target: 'met' }, { target: 'awaitingEvidence' }],
    },

    awaitingEvidence: {
      meta: {
        description: 'Before {customerName} can be taken on: {openText}',
        waitingOn: 'operator',
        task: humanTask({
          id: 'prerequisites',
          title: 'Conditions to be met',
          instructions:
            'See to each open condition and write down what you saw; or have the conditions checked again.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Attest a condition', signal: 'prerequisite.attested' },
            { name: 'recheck', label: 'Check again', signal: 'retry.requested' },
            override('Go on without them'),
            GIVE_UP,
          ],
          shows: { Open: 'openText' },
          verify: { how: 'api', by: 'Each condition that an API can answer is read again.' },
          evidence: ['condition', 'evidence'],
        }),
      },
      after: overdue('prerequisites'),
      always: { guard: 'nothingOpen', target: 'met' },
      on: {
        'prerequisite.attested': { guard: 'isOpen', actions: 'attest' },
        'retry.requested': 'checkingPartnerAccess',
        'task.overridden': { target: 'met', actions: 'waiveOpen' },
        'work.abandoned': 'abandoned',
      },
    },

    needsOperator: {
      meta: {
        description: 'A condition for {customerName} could not be checked: {failure.message}',
        waitingOn: 'operator',
        task: stuckTask('prerequisites-stuck', 'A condition could not be checked'),
      },
      after: overdue('prerequisites-stuck'),
      on: {
        'retry.requested': retrying([
          'checkingPartnerAccess',
          'checkingTooling',
          'checkingDomain',
          'checkingAdminAccess',
          'checkingIdentities',
        ]),
        'work.abandoned': 'abandoned',
      },
    },

    met: {
      meta: { description: 'All conditions for {customerName} are met' },
      type: 'final',
      entry: assign({ outcome: 'done' }),
    },
    canceled: {
      meta: { description: 'The check of the conditions was canceled' },
      type: 'final',
      entry: assign({ outcome: 'canceled' }),
    },
    abandoned: {
      meta: { description: 'The conditions for {customerName} are not met; given up' },
      type: 'final',
      entry: assign({ outcome: 'abandoned' }),
    },
  },
  output: ({ context }) => ({ outcome: context.outcome, met: context.met }),
});

export const prerequisites = defineWorkflow({
  name: 'prerequisites',
  title: 'Before you start',
  machine: prerequisitesMachine,
  input: PrerequisitesInput,
  signals: pick(
    'prerequisite.attested',
    'task.overridden',
    'retry.requested',
    'work.abandoned',
    'cancel.requested',
  ),
  correlationKeys: () => [],
  subject: (context) => context.customerName,
  cancelEvent: 'cancel.requested',
});
