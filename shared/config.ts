/**
 * The configuration, read from the environment once, at start. Each process asks for its own parts only, so an API
 * never needs Microsoft's credentials.
 */
import type { z } from 'zod';
import {
  gdapShape,
  httpShape,
  mailboxShape,
  mailShape,
  microsoftShape,
  processShape,
  SECRET_VARIABLES,
  secretsShape,
  storeShape,
  timingShape,
  webhookShape,
  workerShape,
} from './config-variables.ts';
import { configInvalid, type Environment, parseEnvironment, type VariableProblem } from './environment.ts';
import { type RedisPlace, redisPlaceOf, redisProblems } from './redis-place.ts';
import { Secret } from './secrets.ts';

export { type ApiKey, type GdapGroup, ROLES, type Role } from './config-variables.ts';

type Of<Shape extends z.ZodRawShape> = z.output<z.ZodObject<Shape>>;

function commonOf(v: Of<typeof processShape & typeof storeShape & typeof secretsShape & typeof timingShape>) {
  return {
    process: {
      nodeEnv: v.NODE_ENV,
      logLevel: v.LOG_LEVEL,
      /** Where people and Microsoft reach the API; null when only the bound address is known. */
      publicUrl: v.PUBLIC_URL ?? null,
    },
    store: {
      redis: redisPlaceOf(v),
      namespace: v.NAMESPACE,
      shards: v.SHARDS,
      stateDir: v.STATE_DIR,
      /** Take on a store that is empty or older than the one last seen. */
      accept: v.ACCEPT_STORE,
      waitReplicas: v.REDIS_WAIT_REPLICAS,
    },
    secrets: { key: v.SECRET_KEY, oldKeys: v.SECRET_KEYS_OLD },
    /** All in milliseconds. */
    timing: {
      consentRemindersMs: v.CONSENT_REMINDERS,
      consentEscalateAfterMs: v.CONSENT_ESCALATE_AFTER,
      consentExpireAfterMs: v.CONSENT_EXPIRE_AFTER,
      consentPollMinMs: v.CONSENT_POLL_MIN,
      consentPollMaxMs: v.CONSENT_POLL_MAX,
      gdapPropagationMs: v.GDAP_PROPAGATION,
      customerVisibleWithinMs: v.CUSTOMER_VISIBLE_WITHIN,
      orderVisibleWithinMs: v.ORDER_VISIBLE_WITHIN,
      seatsUsableWithinMs: v.SEATS_USABLE_WITHIN,
      vettingPollMs: v.VETTING_POLL,
      provisioningPollMs: v.PROVISIONING_POLL,
    },
  };
}

function apiOf(v: Of<typeof httpShape & typeof webhookShape & Pick<typeof processShape, 'NODE_ENV'>>) {
  return {
    http: {
      host: v.API_HOST,
      port: v.API_PORT,
      apiKeys: v.API_KEYS,
      trustProxyHops: v.TRUST_PROXY_HOPS,
      /** The page signs its visitor in as administrator. */
      demo: v.DEMO,
      /** Nobody approves what they ordered themselves; on in production unless switched off. */
      fourEyes: v.FOUR_EYES ?? v.NODE_ENV === 'production',
    },
    webhooks: {
      certificateHosts: v.WEBHOOK_CERT_HOSTS,
      issuerHosts: v.WEBHOOK_ISSUER_HOSTS,
      rootCertificateFile: v.WEBHOOK_ROOT_CERT ?? null,
      allowLoopbackHttp: v.WEBHOOK_ALLOW_LOOPBACK_HTTP,
    },
  };
}

function workerOf(
  v: Of<
    typeof workerShape & typeof microsoftShape & typeof gdapShape & typeof mailShape & typeof mailboxShape
  >,
) {
  return {
    worker: {
      concurrency: v.WORKER_CONCURRENCY,
      /** How long a closed onboarding is kept; 0 for ever. */
      retentionMs: v.RETENTION,
      /** How long a signal that nobody claims is kept; 0 for ever. */
      unmatchedRetentionMs: v.UNMATCHED_RETENTION,
      /** Calls that Partner Center takes from this partner in a minute, all workers together. */
      partnerCenterPerMinute: v.PARTNER_CENTER_PER_MINUTE,
      /** Whether a webhook registration of another address gives way to ours. */
      takeOverWebhooks: v.WEBHOOK_TAKE_OVER,
    },
    microsoft: {
      authorityUrl: v.MS_AUTHORITY_URL,
      partnerCenterUrl: v.PARTNER_CENTER_URL,
      graphUrl: v.GRAPH_URL,
      partnerCenterScope: v.PARTNER_CENTER_SCOPE,
      graphScope: v.GRAPH_SCOPE,
      partnerTenantId: v.PARTNER_TENANT_ID,
      clientId: v.CLIENT_ID,
      clientSecret: v.CLIENT_SECRET,
      /** The first refresh token; newer ones come from the store. Null once the store has one. */
      refreshToken: v.REFRESH_TOKEN ?? null,
      requireMfa: v.REQUIRE_MFA,
      /** Where customers approve; the emulator stands in for it in demos. */
      adminCenterUrl: v.ADMIN_CENTER_URL,
      /** How our application is called in a customer's tenant, and what it may do there. */
      applicationName: v.APPLICATION_NAME,
      customerScopes: v.CUSTOMER_SCOPES,
      timeoutMs: v.MS_TIMEOUT,
    },
    gdap: { groups: v.GDAP_GROUP_IDS, duration: v.GDAP_DURATION, autoExtendDuration: v.GDAP_AUTO_EXTEND },
    mail: { smtpUrl: v.SMTP_URL, from: v.MAIL_FROM },
    /** Where Microsoft's confirmation mails arrive; null reads none. */
    mailbox: { url: v.MAILBOX_URL ?? null, senders: v.MAILBOX_SENDERS },
  };
}

const commonShape = { ...processShape, ...storeShape, ...secretsShape, ...timingShape };
const apiShape = { ...commonShape, ...httpShape, ...webhookShape };
const workerProcessShape = {
  ...commonShape,
  ...workerShape,
  ...microsoftShape,
  ...gdapShape,
  ...mailShape,
  ...mailboxShape,
};

type DeepReadonly<T> = T extends Secret<unknown> | string | number | boolean | null
  ? T
  : { readonly [Key in keyof T]: DeepReadonly<T[Key]> };

export type CommonConfig = DeepReadonly<ReturnType<typeof commonOf>>;
export type ApiConfig = CommonConfig & DeepReadonly<ReturnType<typeof apiOf>>;
export type WorkerConfig = CommonConfig & DeepReadonly<ReturnType<typeof workerOf>>;
export type Config = ApiConfig & WorkerConfig;
export type TimingConfig = CommonConfig['timing'];
export type MicrosoftConfig = WorkerConfig['microsoft'];
export type MailboxConfig = WorkerConfig['mailbox'];
export type MailConfig = WorkerConfig['mail'];
export type WebhookConfig = ApiConfig['webhooks'];

/** What is needed to reach the store. Raises `config-invalid` with every mistake in `details.errors`. */
export function loadStoreConfig(environment: Environment): {
  readonly redis: RedisPlace;
  readonly namespace: string;
  readonly shards: number;
} {
  const values = parseEnvironment(environment, storeShape, SECRET_VARIABLES);
  refuse(redisProblems(values));
  return { redis: redisPlaceOf(values), namespace: values.NAMESPACE, shards: values.SHARDS };
}

/** What the API needs. Raises `config-invalid` with every mistake in `details.errors`. */
export function loadApiConfig(environment: Environment): ApiConfig {
  const values = parseEnvironment(environment, apiShape, SECRET_VARIABLES);
  const config = { ...commonOf(values), ...apiOf(values) };
  refuse([...redisProblems(values), ...timingProblems(config), ...apiProblems(config)]);
  return config;
}

/** What a worker needs. Raises `config-invalid` with every mistake in `details.errors`. */
export function loadWorkerConfig(environment: Environment): WorkerConfig {
  const values = parseEnvironment(environment, workerProcessShape, SECRET_VARIABLES);
  const config = { ...commonOf(values), ...workerOf(values) };
  refuse([...redisProblems(values), ...timingProblems(config), ...workerProblems(config)]);
  return config;
}

/** What an API and a worker in one process need. Raises `config-invalid` with every mistake in `details.errors`. */
export function loadConfig(environment: Environment): Config {
  const values = parseEnvironment(environment, { ...apiShape, ...workerProcessShape }, SECRET_VARIABLES);
  const config = { ...commonOf(values), ...apiOf(values), ...workerOf(values) };
  refuse([
    ...redisProblems(values),
    ...timingProblems(config),
    ...apiProblems(config),
    ...workerProblems(config),
  ]);
  return config;
}

/** The configuration as JSON for people: secrets and the credentials inside addresses are masked. */
export function describeConfig(config: CommonConfig): unknown {
  return mask(config);
}

function refuse(problems: readonly VariableProblem[]): void {
  if (problems.length > 0) throw configInvalid(problems);
}

function timingProblems({ timing }: CommonConfig): VariableProblem[] {
  const problems: VariableProblem[] = [];
  const lastReminder = timing.consentRemindersMs.at(-1) ?? 0;
  if (
    lastReminder >= timing.consentExpireAfterMs ||
    timing.consentEscalateAfterMs >= timing.consentExpireAfterMs
  ) {
    problems.push({
      variable: 'CONSENT_EXPIRE_AFTER',
      problem: 'is not after the last reminder and the escalation',
    });
  }
  if (timing.consentPollMinMs < 1 || timing.consentPollMaxMs < timing.consentPollMinMs) {
    problems.push({
      variable: 'CONSENT_POLL_MAX',
      problem: 'is shorter than CONSENT_POLL_MIN, or that is 0',
    });
  }
  return problems;
}

function apiProblems({ process, http, webhooks }: ApiConfig): VariableProblem[] {
  const problems: VariableProblem[] = [];
  if (http.demo && (process.nodeEnv === 'production' || !isLoopbackHost(http.host))) {
    problems.push({
      variable: 'DEMO',
      problem:
        'makes every visitor an administrator: only outside production and with API_HOST on this machine',
    });
  }
  if (process.nodeEnv !== 'production') return problems;
  if (
    process.publicUrl !== null &&
    !process.publicUrl.startsWith('https://') &&
    !isLoopback(process.publicUrl)
  ) {
    problems.push({ variable: 'PUBLIC_URL', problem: 'is not https in production' });
  }
  if (webhooks.allowLoopbackHttp) {
    problems.push({ variable: 'WEBHOOK_ALLOW_LOOPBACK_HTTP', problem: 'is not allowed in production' });
  }
  return problems;
}

function workerProblems({ microsoft }: WorkerConfig): VariableProblem[] {
  const addresses = {
    MS_AUTHORITY_URL: microsoft.authorityUrl,
    PARTNER_CENTER_URL: microsoft.partnerCenterUrl,
    GRAPH_URL: microsoft.graphUrl,
  };
  // Credentials travel to these: in clear only on this machine.
  return Object.entries(addresses)
    .filter(([, url]) => !url.startsWith('https://') && !isLoopback(url))
    .map(([variable]) => ({ variable, problem: 'is neither https nor on this machine' }));
}

function isLoopback(url: string): boolean {
  return isLoopbackHost(new URL(url).hostname);
}

const isLoopbackHost = (host: string): boolean => ['127.0.0.1', '::1', '[::1]', 'localhost'].includes(host);

function mask(value: unknown): unknown {
  if (value instanceof Secret) return '[secret]';
  if (typeof value === 'string') return value.replace(/:\/\/[^/@\s]*@/, '://[secret]@');
  if (Array.isArray(value)) return value.map(mask);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, key === 'sha256' ? '[digest]' : mask(inner)]),
  );
}
