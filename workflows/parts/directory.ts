/**
 * The customer's directory (guide: "Activating the Azure Active Directory Tenant", "Integrating your on-premises
 * identities"). Activation is no step any more: the tenant is verified by API. Identities stay in the cloud or are
 * synchronised, by the customised installation; synchronisation is verified by API, password write-back cannot be and is
 * attested with evidence (facts: microsoft-apis 6, 8).
 */
import { assign, emit, setup } from 'xstate';
import { z } from 'zod';
import { activity } from '../../engine/activity.ts';
import { defineWorkflow, type StateMeta } from '../../engine/definition.ts';
import { verifySync, verifyTenant } from '../activities/directory.ts';
import { Guid } from '../activities/shapes.ts';
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

export const DirectoryInput = z.object({
  customer: z.object({ name: z.string(), tenantId: Guid }),
  skuIds: z.array(Guid),
  /** `ask`: an operator asks the customer. */
  model: z.enum(['ask', 'cloud-only']),
  settings: Settings,
});
export type DirectoryInput = z.output<typeof DirectoryInput>;

interface TenantFacts {
  readonly active: boolean;
  readonly missing: readonly string[];
  readonly verifiedDomains: readonly string[];
  readonly verifiedAt: string;
}
interface SyncFacts {
  readonly enabled: boolean;
  readonly fresh: boolean;
  readonly lastSyncAt: string | null;
  readonly synchronisedUsers: number;
  readonly errors: number;
  readonly verifiedAt: string;
}
/** Options of the customised installation. */
interface Installation {
  readonly passwordWriteBack: boolean;
  readonly organisationalUnitFiltering: boolean;
  readonly groupFiltering: boolean;
  readonly sqlServer: boolean;
  readonly existingServiceAccount: boolean;
}

export interface DirectoryOutput {
  readonly outcome: Ending;
  readonly tenant: TenantFacts | null;
  readonly model: 'cloud-only' | 'synchronised' | null;
  readonly installation: Installation | null;
  readonly tool: string | null;
  readonly sync: SyncFacts | null;
  readonly writeBack:
    | { readonly state: 'attested'; readonly evidence: string; readonly pilotUser: string }
    | { readonly state: 'waived'; readonly reason: string }
    | null;
}

interface DirectoryContext extends Omit<DirectoryInput, 'model'> {
  readonly model: 'ask' | 'cloud-only' | 'synchronised';
  readonly tenant: TenantFacts | null;
  readonly installation: Installation | null;
  /** The same as a list for the engineer. */
  readonly checklist: readonly string[];
  readonly tool: string | null;
  readonly sync: SyncFacts | null;
  readonly writeBack: DirectoryOutput['writeBack'];
  readonly outcome: Ending;
  readonly failure: Failure | null;
}

function checklistOf(installation: Installation): string[] {
  const options: [keyof Installation, string][] = [
    ['passwordWriteBack', 'Enable password write-back'],
    ['organisationalUnitFiltering', 'Synchronise only the chosen organisational units'],
    ['groupFiltering', 'Filter users and devices by security groups'],
    ['sqlServer', 'Use the SQL Server database instead of SQL Express'],
    ['existingServiceAccount', 'Use the existing service account'],
  ];
  return [
    'Choose the customised installation',
    ...options.flatMap(([option, text]) => (installation[option] ? [text] : [])),
  ];
}

export const directoryMachine = setup({
  types: {
    input: {} as DirectoryInput,
    context: {} as DirectoryContext,
    events: {} as SignalEvent<
      | 'directory.decided'
      | 'sync.reported'
      | 'write-back.attested'
      | 'write-back.waived'
      | 'provisioning.accepted'
      | 'retry.requested'
      | 'work.abandoned'
      | 'cancel.requested'
    >,
    output: {} as DirectoryOutput,
    emitted: {} as TaskOverdue,
    meta: {} as StateMeta,
  },
  actors: { verifyTenant: activity(verifyTenant), verifySync: activity(verifySync) },
  delays: {
    tenantPoll: ({ context }) => context.settings.seatsPollMs,
    tenantDeadline: ({ context }) => context.settings.seatsDeadlineMs,
    syncPoll: ({ context }) => context.settings.syncPollMs,
    taskReminder: ({ context }) => context.settings.taskReminderMs,
  },
  guards: {
    tenantActive: (_, params: { active: boolean }) => params.active,
    cloudOnly: ({ context }) => context.model === 'cloud-only',
    cloudOnlyDecided: ({ event }) => event.type === 'directory.decided' && event.model === 'cloud-only',
    syncWorks: (_, params: { enabled: boolean; fresh: boolean }) => params.enabled && params.fresh,
    writeBackWanted: ({ context }) => context.installation?.passwordWriteBack === true,
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
    noteTenant: assign({
      tenant: (_, { active, missing, verifiedDomains, verifiedAt }: TenantFacts) => ({
        active,
        missing,
        verifiedDomains,
        verifiedAt,
      }),
    }),
    decide: assign(({ event }) => {
      if (event.type !== 'directory.decided') return {};
      if (event.model === 'cloud-only') return { model: event.model, installation: null, checklist: [] };
      const installation = {
        passwordWriteBack: event.passwordWriteBack,
        organisationalUnitFiltering: event.organisationalUnitFiltering,
        groupFiltering: event.groupFiltering,
        sqlServer: event.sqlServer,
        existingServiceAccount: event.existingServiceAccount,
      };
      return { model: event.model, installation, checklist: checklistOf(installation) };
    }),
    noteTool: assign({
      tool: ({ context, event }) =>
        event.type === 'sync.reported' ? `${event.tool} ${event.toolVersion}`.trim() : context.tool,
    }),
    noteSync: assign({ sync: (_, params: SyncFacts) => params }),
    noteWriteBack: assign({
      writeBack: ({ context, event }) => {
        if (event.type === 'write-back.attested') {
          return { state: 'attested' as const, evidence: event.evidence, pilotUser: event.pilotUser };
        }
        if (event.type === 'write-back.waived') return { state: 'waived' as const, reason: event.reason };
        return context.writeBack;
      },
    }),
  },
}).createMachine({
  id: 'directory',
  context: ({ input }) => ({
    ...input,
    tenant: null,
    installation: null,
    checklist: [],
    tool: null,
    sync: null,
    writeBack: null,
    outcome: 'done',
    failure: null,
  }),
  initial: 'verifyingTenant',
  on: { 'cancel.requested': '.canceled' },
  states: {
    verifyingTenant: {
      meta: { description: 'Verifying the tenant of {customer.name}', waitingOn: 'microsoft' },
      initial: 'reading',
      after: { tenantDeadline: 'tenantIncomplete' },
      states: {
        reading: {
          meta: { description: 'Reading the tenant and service plans of {customer.name}', waitingOn: 'us' },
          invoke: {
            id: 'verifyTenant',
            src: 'verifyTenant',
            input: ({ context }) => ({ tenantId: context.customer.tenantId, skuIds: [...context.skuIds] }),
            onDone: [
              {
                guard: { type: 'tenantActive', params: ({ event }) => event.output },
                target: '#directory.decidingIdentities',
                actions: { type: 'noteTenant', params: ({ event }) => event.output },
              },
              { target: 'waiting', actions: { type: 'noteTenant', params: ({ event }) => event.output } },
            ],
            onError: failing('verifyingTenant', '#directory.needsOperator'),
          },
        },
        waiting: {
          meta: { description: 'Waiting for the service plans of {customer.name}', waitingOn: 'microsoft' },
          after: { tenantPoll: 'reading' },
        },
      },
    },

    tenantIncomplete: {
      meta: {
        description: 'Service plans are missing in the tenant of {customer.name}',
        waitingOn: 'operator',
        task: {
          id: 'tenant-incomplete',
          title: 'Service plans are missing',
          instructions:
            'Look at the subscriptions in Partner Center. Check again, or go on without the missing plans.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Check again', signal: 'retry.requested' },
            { name: 'accept', label: 'Go on', signal: 'provisioning.accepted', reasonRequired: true },
            { name: 'reject', label: 'Give up', signal: 'work.abandoned', reasonRequired: true },
          ],
          shows: { Missing: 'tenant.missing' },
        },
      },
      after: overdue('tenant-incomplete'),
      on: {
        'retry.requested': 'verifyingTenant',
        'provisioning.accepted': 'decidingIdentities',
        'work.abandoned': 'abandoned',
      },
    },

    decidingIdentities: {
      meta: { description: 'Seeing how the identities of {customer.name} reach the cloud', waitingOn: 'us' },
      always: [{ guard: 'cloudOnly', target: 'integrated' }, { target: 'awaitingDecision' }],
    },

    awaitingDecision: {
      meta: {
        description: 'Does {customer.name} synchronise its users or keep them in the cloud?',
        waitingOn: 'customer',
        task: {
          id: 'decide-identities',
          title: 'Cloud-only or synchronised?',
          instructions:
            'Ask the customer. For synchronised identities the customised installation is recommended; say which options are wanted.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Decided', signal: 'directory.decided' },
            { name: 'reject', label: 'Give up', signal: 'work.abandoned', reasonRequired: true },
          ],
        },
      },
      after: overdue('decide-identities'),
      on: {
        'directory.decided': [
          { guard: 'cloudOnlyDecided', target: 'integrated', actions: 'decide' },
          { target: 'awaitingSynchronisation', actions: 'decide' },
        ],
        'work.abandoned': 'abandoned',
      },
    },

    awaitingSynchronisation: {
      meta: {
        description: 'Waiting for synchronisation to be installed at {customer.name}, day {day}',
        waitingOn: 'engineer',
        task: {
          id: 'install-synchronisation',
          title: 'Install and configure synchronisation',
          instructions:
            'Install on the customer site by the checklist, run the first synchronisation, then report the tool.',
          responsible: 'engineer',
          actions: [
            { name: 'complete', label: 'Installed', signal: 'sync.reported' },
            { name: 'change', label: 'Decide otherwise', signal: 'directory.decided' },
            { name: 'reject', label: 'Give up', signal: 'work.abandoned', reasonRequired: true },
          ],
          shows: { Checklist: 'checklist', 'Last synchronisation': 'sync.lastSyncAt', Errors: 'sync.errors' },
        },
      },
      after: overdue('install-synchronisation'),
      on: {
        'sync.reported': { target: '.verifying', actions: 'noteTool' },
        'directory.decided': [
          { guard: 'cloudOnlyDecided', target: 'integrated', actions: 'decide' },
          { actions: 'decide' },
        ],
        'work.abandoned': 'abandoned',
      },
      initial: 'waiting',
      states: {
        // The poll notices a synchronisation that nobody reported.
        waiting: {
          meta: {
            description: 'Waiting for the first synchronisation of {customer.name}',
            waitingOn: 'engineer',
          },
          after: { syncPoll: 'verifying' },
        },
        verifying: {
          meta: { description: 'Verifying the synchronisation of {customer.name}', waitingOn: 'us' },
          invoke: {
            id: 'verifySync',
            src: 'verifySync',
            input: ({ context }) => ({
              tenantId: context.customer.tenantId,
              maxAgeMs: context.settings.syncMaxAgeMs,
            }),
            onDone: [
              {
                guard: { type: 'syncWorks', params: ({ event }) => event.output },
                target: '#directory.synchronised',
                actions: { type: 'noteSync', params: ({ event }) => event.output },
              },
              { target: 'waiting', actions: { type: 'noteSync', params: ({ event }) => event.output } },
            ],
            onError: failing('awaitingSynchronisation', '#directory.needsOperator'),
          },
        },
      },
    },

    synchronised: {
      meta: { description: 'The users of {customer.name} are synchronised', waitingOn: 'us' },
      always: [{ guard: 'writeBackWanted', target: 'awaitingWriteBack' }, { target: 'integrated' }],
    },

    awaitingWriteBack: {
      meta: {
        description: 'Waiting for evidence that password write-back works at {customer.name}',
        waitingOn: 'engineer',
        task: {
          id: 'attest-write-back',
          title: 'Prove password write-back',
          instructions:
            'Switch password write-back and self-service password reset on, reset the password of a pilot user, and write down what you saw. No API can verify this.',
          responsible: 'engineer',
          actions: [
            { name: 'complete', label: 'It works', signal: 'write-back.attested' },
            { name: 'waive', label: 'Go on without it', signal: 'write-back.waived', reasonRequired: true },
            { name: 'reject', label: 'Give up', signal: 'work.abandoned', reasonRequired: true },
          ],
        },
      },
      after: overdue('attest-write-back'),
      on: {
        'write-back.attested': { target: 'integrated', actions: 'noteWriteBack' },
        'write-back.waived': { target: 'integrated', actions: 'noteWriteBack' },
        'work.abandoned': 'abandoned',
      },
    },

    needsOperator: {
      meta: {
        description: 'The directory of {customer.name} is stuck: {failure.message}',
        waitingOn: 'operator',
        task: {
          id: 'directory-stuck',
          title: 'The directory is stuck',
          instructions: 'Remove the cause, then try again; or give up.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Try again', signal: 'retry.requested' },
            { name: 'reject', label: 'Give up', signal: 'work.abandoned', reasonRequired: true },
          ],
          shows: { Where: 'failure.state', Code: 'failure.code', Message: 'failure.message' },
        },
      },
      after: overdue('directory-stuck'),
      on: {
        'retry.requested': retrying(['verifyingTenant', 'awaitingSynchronisation']),
        'work.abandoned': 'abandoned',
      },
    },

    integrated: {
      meta: { description: 'The directory of {customer.name} is ready' },
      type: 'final',
      entry: assign({ outcome: 'done' }),
    },
    canceled: {
      meta: { description: 'The work on the directory of {customer.name} was canceled' },
      type: 'final',
      entry: assign({ outcome: 'canceled' }),
    },
    abandoned: {
      meta: { description: 'The work on the directory of {customer.name} was given up' },
      type: 'final',
      entry: assign({ outcome: 'abandoned' }),
    },
  },
  output: ({ context }) => ({
    outcome: context.outcome,
    tenant: context.tenant,
    model: context.model === 'ask' ? null : context.model,
    installation: context.installation,
    tool: context.tool,
    sync: context.sync,
    writeBack: context.writeBack,
  }),
});

export const directory = defineWorkflow({
  name: 'directory',
  title: 'Directory of the customer',
  machine: directoryMachine,
  input: DirectoryInput,
  signals: pick(
    'directory.decided',
    'sync.reported',
    'write-back.attested',
    'write-back.waived',
    'provisioning.accepted',
    'retry.requested',
    'work.abandoned',
    'cancel.requested',
  ),
  correlationKeys: () => [],
  subject: (context) => context.customer.name,
  cancelEvent: 'cancel.requested',
});
