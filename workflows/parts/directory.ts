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
import { addDomain, verifyDomain, verifySync, verifyTenant } from '../activities/directory.ts';
import { type DnsRecord, DomainName, Guid } from '../activities/shapes.ts';
import { Settings } from '../settings.ts';
import { pick, type SignalEvent } from '../signals.ts';
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

export const DirectoryInput = z.object({
  customer: z.object({ name: z.string(), tenantId: Guid }),
  skuIds: z.array(Guid),
  /** `ask`: an operator asks the customer. */
  model: z.enum(['ask', 'cloud-only']),
  /** A domain of the customer that the tenant has to hold; null for none. */
  domain: DomainName.nullable(),
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
  /** How the installation was carried out, in the engineer's words. */
  readonly installed: string | null;
  /** The domain verified on the way. */
  readonly domain: string | null;
  readonly waivers: readonly string[];
}

interface DirectoryContext extends Omit<DirectoryInput, 'model'> {
  readonly model: 'ask' | 'cloud-only' | 'synchronised';
  readonly tenant: TenantFacts | null;
  readonly installation: Installation | null;
  /** The same as a list for the engineer. */
  readonly checklist: readonly string[];
  readonly tool: string | null;
  readonly installed: string | null;
  /** What the customer has to publish for its domain. */
  readonly records: readonly DnsRecord[];
  readonly domainVerified: boolean;
  readonly domainProblem: string | null;
  readonly sync: SyncFacts | null;
  readonly writeBack: DirectoryOutput['writeBack'];
  readonly waivers: readonly string[];
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
      | 'task.overridden'
      | 'retry.requested'
      | 'work.abandoned'
      | 'cancel.requested'
    >,
    output: {} as DirectoryOutput,
    emitted: {} as TaskOverdue,
    meta: {} as StateMeta,
  },
  actors: {
    verifyTenant: activity(verifyTenant),
    addDomain: activity(addDomain),
    verifyDomain: activity(verifyDomain),
    verifySync: activity(verifySync),
  },
  delays: {
    tenantPoll: ({ context }) => context.settings.seatsPollMs,
    tenantDeadline: ({ context }) => context.settings.seatsDeadlineMs,
    domainPoll: ({ context }) => context.settings.domainPollMs,
    syncPoll: ({ context }) => context.settings.syncPollMs,
    ...taskDelays<DirectoryContext>((context) => context.settings),
  },
  guards: {
    tenantActive: (_, params: { active: boolean }) => params.active,
    cloudOnly: ({ context }) => context.model === 'cloud-only',
    synchronises: ({ context }) => context.model === 'synchronised',
    domainMissing: ({ context: { domain, tenant } }) =>
      domain !== null && tenant?.verifiedDomains.includes(domain) !== true,
    isVerified: (_, params: { verified: boolean }) => params.verified,
    cloudOnlyDecided: ({ event }) => event.type === 'directory.decided' && event.model === 'cloud-only',
    syncWorks: (_, params: { enabled: boolean; fresh: boolean }) => params.enabled && params.fresh,
    writeBackWanted: ({ context }) => context.installation?.passwordWriteBack === true,
    failedIn: ({ context }, params: { state: string }) => context.failure?.state === params.state,
  },
  actions: {
    noteFailure: assign({
      failure: (_, params: { state: string; error: unknown }) => failureOf(params.state, params.error),
    }),
    announceOverdue: emit((_, params: Parameters<typeof announcement>[0]) => announcement(params)),
    noteTenant: assign({
      tenant: (_, { active, missing, verifiedDomains, verifiedAt }: TenantFacts) => ({
        active,
        missing,
        verifiedDomains,
        verifiedAt,
      }),
    }),
    decide: assign(({ context, event }) => {
      if (event.type !== 'directory.decided') return {};
      const domain = event.domain ?? context.domain;
      if (event.model === 'cloud-only')
        return { model: event.model, domain, installation: null, checklist: [] };
      const installation = {
        passwordWriteBack: event.passwordWriteBack,
        organisationalUnitFiltering: event.organisationalUnitFiltering,
        groupFiltering: event.groupFiltering,
        sqlServer: event.sqlServer,
        existingServiceAccount: event.existingServiceAccount,
      };
      return { model: event.model, domain, installation, checklist: checklistOf(installation) };
    }),
    waive: assign({
      waivers: ({ context, event }, params: { what: string }) =>
        event.type === 'task.overridden'
          ? [...context.waivers, `${params.what}: ${event.reason}`]
          : context.waivers,
    }),
    noteRecords: assign({
      records: (_, params: z.output<typeof addDomain.output>) => params.records,
      domainVerified: (_, params: z.output<typeof addDomain.output>) => params.verified,
      domainProblem: (_, params: z.output<typeof addDomain.output>) => params.problem,
    }),
    noteDomain: assign({ domainVerified: true }),
    noteTool: assign({
      tool: ({ context, event }) =>
        event.type === 'sync.reported' ? `${event.tool} ${event.toolVersion}`.trim() : context.tool,
      installed: ({ context, event }) =>
        event.type === 'sync.reported' ? event.evidence : context.installed,
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
    installed: null,
    records: [],
    domainVerified: false,
    domainProblem: null,
    sync: null,
    writeBack: null,
    waivers: [],
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
        task: humanTask({
          id: 'tenant-incomplete',
          title: 'Service plans are missing',
          instructions:
            'Look at the subscriptions in Partner Center. Check again, or go on without the missing plans.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Check again', signal: 'retry.requested' },
            { name: 'accept', label: 'Go on', signal: 'provisioning.accepted', reasonRequired: true },
            GIVE_UP,
          ],
          shows: { Missing: 'tenant.missing' },
        }),
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
      always: [{ guard: 'cloudOnly', target: 'weighingDomain' }, { target: 'awaitingDecision' }],
    },

    awaitingDecision: {
      meta: {
        description: 'Does {customer.name} synchronise its users or keep them in the cloud?',
        waitingOn: 'customer',
        task: humanTask({
          id: 'decide-identities',
          title: 'Cloud-only or synchronised?',
          instructions:
            'Ask the customer. For synchronised identities the customised installation is recommended; say which options are wanted.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'Decided', signal: 'directory.decided' },
            override('Leave the identities as they are'),
            GIVE_UP,
          ],
          shows: { 'Verified domains': 'tenant.verifiedDomains', 'Domain to be verified': 'domain' },
          verify: { how: 'api', by: 'Domain and synchronisation are read from the tenant.' },
          evidence: ['model', 'domain'],
        }),
      },
      after: overdue('decide-identities'),
      on: {
        'directory.decided': { target: 'weighingDomain', actions: 'decide' },
        'task.overridden': {
          target: 'integrated',
          actions: { type: 'waive', params: { what: 'identities left as they are' } },
        },
        'work.abandoned': 'abandoned',
      },
    },

    weighingDomain: {
      meta: { description: 'Seeing whether the domain of {customer.name} is verified', waitingOn: 'us' },
      always: [{ guard: 'domainMissing', target: 'addingDomain' }, { target: 'weighingInstallation' }],
    },

    addingDomain: {
      meta: { description: 'Adding {domain} to the tenant of {customer.name}', waitingOn: 'us' },
      invoke: {
        id: 'addDomain',
        src: 'addDomain',
        input: ({ context }) => ({ tenantId: context.customer.tenantId, domain: context.domain ?? '' }),
        onDone: [
          {
            guard: { type: 'isVerified', params: ({ event }) => event.output },
            target: 'weighingInstallation',
            actions: { type: 'noteRecords', params: ({ event }) => event.output },
          },
          {
            target: 'awaitingDnsRecord',
            actions: { type: 'noteRecords', params: ({ event }) => event.output },
          },
        ],
        onError: failing('addingDomain'),
      },
    },

    awaitingDnsRecord: {
      meta: {
        description: 'Waiting for {customer.name} to publish the DNS record of {domain}, day {day}',
        waitingOn: 'customer',
        task: humanTask({
          id: 'dns-record',
          title: 'Have the DNS record published',
          instructions:
            'Give the customer the record shown; whoever runs its DNS publishes it at the registrar. It may take up to 72 hours to show. We look again and again; look at once when you hear that it is done.',
          responsible: 'operator',
          actions: [
            { name: 'complete', label: 'It is published: look now', signal: 'retry.requested' },
            override('Go on without the domain'),
            GIVE_UP,
          ],
          shows: { Domain: 'domain', Record: 'records', Problem: 'domainProblem' },
          due: 'settings.dnsDueMs',
          verify: { how: 'api', by: 'Microsoft looks the record up and marks the domain verified.' },
          evidence: [],
        }),
      },
      after: overdue('dns-record'),
      on: {
        'retry.requested': '.verifying',
        'task.overridden': {
          target: 'weighingInstallation',
          actions: { type: 'waive', params: { what: 'domain not verified' } },
        },
        'work.abandoned': 'abandoned',
      },
      initial: 'waiting',
      states: {
        waiting: {
          meta: { description: 'Waiting for the DNS record of {domain}', waitingOn: 'customer' },
          after: { domainPoll: 'verifying' },
        },
        verifying: {
          meta: { description: 'Asking Microsoft to look for the DNS record of {domain}', waitingOn: 'us' },
          invoke: {
            id: 'verifyDomain',
            src: 'verifyDomain',
            input: ({ context }) => ({ tenantId: context.customer.tenantId, domain: context.domain ?? '' }),
            onDone: [
              {
                guard: { type: 'isVerified', params: ({ event }) => event.output },
                target: '#directory.weighingInstallation',
                actions: 'noteDomain',
              },
              { target: 'waiting' },
            ],
            onError: failing('awaitingDnsRecord', '#directory.needsOperator'),
          },
        },
      },
    },

    weighingInstallation: {
      meta: { description: 'Seeing whether {customer.name} synchronises its users', waitingOn: 'us' },
      always: [{ guard: 'synchronises', target: 'awaitingSynchronisation' }, { target: 'integrated' }],
    },

    awaitingSynchronisation: {
      meta: {
        description: 'Waiting for synchronisation to be installed at {customer.name}, day {day}',
        waitingOn: 'engineer',
        task: humanTask({
          id: 'install-synchronisation',
          title: 'Install and configure synchronisation',
          instructions:
            'Install on the customer site by the checklist, run the first synchronisation, then report the tool and how each point of the checklist was carried out.',
          responsible: 'engineer',
          actions: [
            { name: 'complete', label: 'Installed', signal: 'sync.reported' },
            { name: 'change', label: 'Decide otherwise', signal: 'directory.decided' },
            override('Go on before it synchronises'),
            GIVE_UP,
          ],
          shows: { Checklist: 'checklist', 'Last synchronisation': 'sync.lastSyncAt', Errors: 'sync.errors' },
          verify: { how: 'api', by: 'Synchronisation is on, fresh, and users come from it.' },
          evidence: ['tool', 'toolVersion', 'evidence'],
        }),
      },
      after: overdue('install-synchronisation'),
      on: {
        'sync.reported': { target: '.verifying', actions: 'noteTool' },
        'directory.decided': [
          { guard: 'cloudOnlyDecided', target: 'weighingDomain', actions: 'decide' },
          { actions: 'decide' },
        ],
        'task.overridden': {
          target: 'synchronised',
          actions: { type: 'waive', params: { what: 'synchronisation not verified' } },
        },
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
        task: humanTask({
          id: 'attest-write-back',
          title: 'Prove password write-back',
          instructions:
            'Switch password write-back and self-service password reset on, reset the password of a pilot user, and write down what you saw. No API can verify this.',
          responsible: 'engineer',
          actions: [
            { name: 'complete', label: 'It works', signal: 'write-back.attested' },
            {
              name: 'override',
              label: 'Go on without it',
              signal: 'write-back.waived',
              reasonRequired: true,
            },
            GIVE_UP,
          ],
          verify: { how: 'attested', by: 'No API can verify it: the evidence counts.' },
          evidence: ['evidence', 'pilotUser'],
        }),
      },
      after: overdue('attest-write-back'),
      on: {
        'write-back.attested': { target: 'confirmingSync', actions: 'noteWriteBack' },
        'write-back.waived': { target: 'confirmingSync', actions: 'noteWriteBack' },
        'work.abandoned': 'abandoned',
      },
    },

    // Days may have passed: what the report says of the synchronisation is read at the end.
    confirmingSync: {
      meta: { description: 'Reading the synchronisation of {customer.name} once more', waitingOn: 'us' },
      invoke: {
        id: 'confirmSync',
        src: 'verifySync',
        input: ({ context }) => ({
          tenantId: context.customer.tenantId,
          maxAgeMs: context.settings.syncMaxAgeMs,
        }),
        onDone: [
          {
            guard: { type: 'syncWorks', params: ({ event }) => event.output },
            target: 'integrated',
            actions: { type: 'noteSync', params: ({ event }) => event.output },
          },
          { target: 'syncStopped', actions: { type: 'noteSync', params: ({ event }) => event.output } },
        ],
        onError: failing('confirmingSync'),
      },
    },

    syncStopped: {
      meta: {
        description: 'The users of {customer.name} are not synchronised any more',
        waitingOn: 'engineer',
        task: humanTask({
          id: 'sync-stopped',
          title: 'Synchronisation stopped',
          instructions:
            'It worked when it was installed and is off or out of date now. Look at the server of the customer, then check again; or go on.',
          responsible: 'engineer',
          actions: [
            { name: 'complete', label: 'Check again', signal: 'retry.requested' },
            override('Go on'),
            GIVE_UP,
          ],
          shows: { 'Last synchronisation': 'sync.lastSyncAt', Errors: 'sync.errors' },
          verify: { how: 'api', by: 'Synchronisation is on and fresh.' },
        }),
      },
      after: overdue('sync-stopped'),
      on: {
        'retry.requested': 'confirmingSync',
        'task.overridden': {
          target: 'integrated',
          actions: { type: 'waive', params: { what: 'synchronisation stopped' } },
        },
        'work.abandoned': 'abandoned',
      },
    },

    needsOperator: {
      meta: {
        description: 'The directory of {customer.name} is stuck: {failure.message}',
        waitingOn: 'operator',
        task: stuckTask('directory-stuck', 'The directory is stuck'),
      },
      after: overdue('directory-stuck'),
      on: {
        'retry.requested': retrying([
          'verifyingTenant',
          'addingDomain',
          'awaitingDnsRecord',
          'awaitingSynchronisation',
          'confirmingSync',
        ]),
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
    installed: context.installed,
    domain: context.domainVerified ? context.domain : null,
    waivers: context.waivers,
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
    'task.overridden',
    'retry.requested',
    'work.abandoned',
    'cancel.requested',
  ),
  correlationKeys: () => [],
  subject: (context) => context.customer.name,
  cancelEvent: 'cancel.requested',
});
