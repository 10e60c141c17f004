/** The emulator in process, and connectors and activities that talk to it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Connectors, createConnectors, type RefreshTokenStore } from '../../connectors/index.ts';
import {
  createEmulator,
  DEFAULT_CLIENT,
  type Emulator,
  type EmulatorOptions,
  PARTNER,
  type Urls,
} from '../../emulator/index.ts';
import type { ActivityContext, ActivityImplementation, Client } from '../../engine/index.ts';
import { ActivityFailure } from '../../shared/errors.ts';
import { uuidFrom } from '../../shared/ids.ts';
import { type Logger, silentLogger } from '../../shared/logger.ts';
import { Secret } from '../../shared/secrets.ts';
import { createActivities } from '../../workers/activities/index.ts';

export const CUSTOMER_SCOPES = [
  'Directory.Read.All',
  'Organization.Read.All',
  'User.ReadWrite.All',
  'LicenseAssignment.ReadWrite.All',
  'Domain.ReadWrite.All',
];

export interface EmulatedMicrosoft {
  readonly emulator: Emulator;
  readonly urls: Urls;
  readonly connectors: Connectors;
  /** What the connectors were made with. */
  readonly config: Parameters<typeof createConnectors>[0];
  readonly activities: readonly ActivityImplementation[];
  /** `POST` to the control surface unless `method` says otherwise; raises on a refusal. */
  control(path: string, body?: object, method?: string): Promise<unknown>;
  close(): Promise<void>;
}

export interface EmulatedMicrosoftOptions extends EmulatorOptions {
  readonly log?: Logger;
  readonly refreshTokens?: RefreshTokenStore;
  readonly timeoutMs?: number;
  /** Whose instances an activity may start; without it none can. */
  readonly client?: () => Pick<Client, 'start' | 'pausedQueues' | 'resumeQueue'>;
}

export async function startEmulatedMicrosoft(
  options: EmulatedMicrosoftOptions = {},
): Promise<EmulatedMicrosoft> {
  const { log = silentLogger(), refreshTokens, timeoutMs = 3_000, client = noClient, ...emulated } = options;
  const emulator = createEmulator(emulated);
  const urls = await emulator.listen();
  const microsoft = {
    authorityUrl: urls.authority,
    partnerCenterUrl: urls.partnerCenter,
    graphUrl: urls.graph,
    partnerCenterScope: 'https://api.partnercenter.microsoft.com/.default',
    graphScope: 'https://graph.microsoft.com/.default',
    partnerTenantId: PARTNER.tenantId,
    clientId: DEFAULT_CLIENT.clientId,
    clientSecret: new Secret(DEFAULT_CLIENT.clientSecret),
    refreshToken: new Secret(DEFAULT_CLIENT.refreshToken),
    requireMfa: true,
    adminCenterUrl: urls.consent,
    applicationName: 'Customer onboarding',
    customerScopes: CUSTOMER_SCOPES,
    timeoutMs,
  };
  const gdap = {
    groups: [{ groupId: PARTNER.securityGroupId, roleIds: [] }],
    duration: 'P730D',
    autoExtendDuration: 'P180D',
  } as const;
  const mail = {
    smtpUrl: new Secret(`smtp://${urls.smtp.host}:${urls.smtp.port}`),
    from: 'Northwind <onboarding@partner.example>',
  };
  const connectors = createConnectors(
    { microsoft, mail },
    { log, ...(refreshTokens === undefined ? {} : { refreshTokens }) },
  );
  return {
    emulator,
    urls,
    connectors,
    config: { microsoft, mail },
    activities: createActivities({ connectors, config: { microsoft, gdap }, log, client }),
    async control(path, body = {}, method = 'POST') {
      const headers = { 'content-type': 'application/json' };
      const sent = method === 'GET' ? { method } : { method, headers, body: JSON.stringify(body) };
      const response = await fetch(`${urls.control}${path}`, sent);
      const text = await response.text();
      if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
      return text === '' ? null : JSON.parse(text);
    },
    async close() {
      connectors.close();
      await emulator.close();
    },
  };
}

/** What a process of the product is told, so that its Microsoft and its mail server are the emulator. */
export function environmentFor(urls: Urls): Readonly<Record<string, string>> {
  return {
    MS_AUTHORITY_URL: urls.authority,
    PARTNER_CENTER_URL: urls.partnerCenter,
    GRAPH_URL: urls.graph,
    ADMIN_CENTER_URL: urls.consent,
    PARTNER_TENANT_ID: PARTNER.tenantId,
    CLIENT_ID: DEFAULT_CLIENT.clientId,
    CLIENT_SECRET: DEFAULT_CLIENT.clientSecret,
    REFRESH_TOKEN: DEFAULT_CLIENT.refreshToken,
    GDAP_GROUP_IDS: PARTNER.securityGroupId,
    SMTP_URL: `smtp://${urls.smtp.host}:${urls.smtp.port}`,
    MAIL_FROM: 'onboarding@partner.example',
  };
}

function noClient(): never {
  throw new Error('This test starts no instances.');
}

export interface TestContext extends ActivityContext {
  readonly sealed: Map<string, string>;
  readonly heartbeats: unknown[];
}

/** A context as the engine would hand it over; `answers` counts answers received, as the engine does. */
export function activityContext(
  given: Partial<ActivityContext> & { readonly answers?: number } = {},
): TestContext {
  const { answers = 0, instanceId = 'wf_1', token = 'a1', ...rest } = given;
  const sealed = new Map<string, string>();
  const heartbeats: unknown[] = [];
  return {
    instanceId,
    token,
    attempt: 1,
    lossSince: null,
    idempotencyKey: uuidFrom(instanceId, token, answers),
    correlationId: uuidFrom(instanceId, token),
    signal: new AbortController().signal,
    progress: null,
    heartbeat: async (progress) => {
      heartbeats.push(progress);
    },
    seal: (name, text) => {
      sealed.set(name, text);
    },
    log: silentLogger(),
    ...rest,
    sealed,
    heartbeats,
  };
}

export interface Performed {
  readonly output: unknown;
  readonly attempts: number;
  readonly verifications: number;
  readonly sealed: ReadonlyMap<string, string>;
}

export interface PerformOptions {
  readonly attempts?: number;
  readonly instanceId?: string;
  /** As of an instance whose store was set back: the first attempt is looked up as well. */
  readonly lossSince?: number;
  /** Called before each attempt but the first. */
  between?(): void;
}

/**
 * Performs an activity as the engine does, without one: attempts until an answer, `verify` after each attempt whose outcome
 * is unknown, the same idempotency key until an answer came. Raises terminal failures at once, others after `attempts`.
 */
export async function performActivity(
  { activities }: EmulatedMicrosoft,
  name: string,
  input: unknown,
  options: PerformOptions = {},
): Promise<Performed> {
  const { attempts = 8, instanceId = 'wf_1', lossSince = null, between = () => {} } = options;
  const activity = activities.find(({ contract }) => contract.name === name);
  if (activity === undefined) throw new Error(`there is no activity ${name}`);
  const parsed = activity.contract.input.parse(input) as never;
  let progress: unknown = null;
  let answers = 0;
  let unverified = lossSince !== null;
  let verifications = 0;
  for (let attempt = 1; ; attempt += 1) {
    const heartbeat = async (value: unknown): Promise<void> => {
      progress = value;
    };
    const context = activityContext({ instanceId, attempt, answers, progress, heartbeat, lossSince });
    const done = (output: unknown): Performed => ({
      output: activity.contract.output.parse(output),
      attempts: attempt,
      verifications,
      sealed: context.sealed,
    });
    try {
      if (unverified && activity.verify !== undefined) {
        verifications += 1;
        const found = await activity.verify(parsed, context);
        if (found.outcome === 'unknown')
          throw new ActivityFailure('unknown', 'outcome-unknown', found.reason);
        if (found.outcome === 'done') return done(found.output);
      }
      return done(await activity.run(parsed, context));
    } catch (error) {
      if (!(error instanceof ActivityFailure) || error.kind === 'terminal' || attempt >= attempts)
        throw error;
      unverified = error.kind === 'unknown';
      if (error.kind !== 'unknown') answers += 1;
      between();
      await sleep(20);
    }
  }
}
