/** The variables of the environment, how each is read, and what it is when unset. */
import { z } from 'zod';
import {
  address,
  duration,
  durations,
  endpoints,
  flag,
  guid,
  integer,
  invalid,
  list,
  secretText,
  splitList,
  text,
} from './environment.ts';
import { Secret } from './secrets.ts';

export const ROLES = ['viewer', 'operator', 'approver', 'admin', 'auditor'] as const;
export type Role = (typeof ROLES)[number];

export interface ApiKey {
  readonly name: string;
  readonly role: Role;
  /** SHA-256 of the key, lower-case hex. */
  readonly sha256: string;
}

/** Entra role templates by name (microsoft-apis facts 2.3); a GUID may stand wherever a name may. */
export const GDAP_ROLES: Readonly<Record<string, string>> = {
  'directory-readers': '88d8e3e3-8f55-4a1e-953a-9b9898b8876b',
  'global-reader': 'f2ef992c-3afb-46b9-b7cf-a126ee74c451',
  'license-administrator': '4d6ac14f-3453-41d0-bef9-a3e0c569773a',
  'user-administrator': 'fe930be7-5e62-47db-91af-98c3a49a38b1',
  'application-administrator': '9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3',
  'cloud-application-administrator': '158c047a-c907-4556-b7ef-446551a6b5f7',
  'domain-name-administrator': '8329153b-31d0-4727-b945-745eb3bc5f31',
  'hybrid-identity-administrator': '8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2',
};

/** The least that reads the tenant, assigns licences, sets usage locations and consents to our application. */
const DEFAULT_GDAP_ROLES = [
  'directory-readers',
  'global-reader',
  'license-administrator',
  'user-administrator',
  'cloud-application-administrator',
];

export interface GdapGroup {
  /** Object id of a security group in the partner's tenant. */
  readonly groupId: string;
  readonly roleIds: readonly string[];
}

const secretKey = z.string().transform((value, context) => {
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length !== 32) return invalid(context, 'is not 32 bytes in base64 (openssl rand -base64 32)');
  if (new Set(bytes).size < 8) return invalid(context, 'is not random');
  return new Secret<Uint8Array>(bytes);
});

const secretKeys = z.string().transform((value, context) => {
  const keys = splitList(value).map((part) => secretKey.safeParse(part));
  if (keys.some((key) => !key.success))
    return invalid(context, 'holds a key that is not 32 random bytes in base64');
  return keys.flatMap((key) => (key.success ? [key.data] : []));
});

const apiKey = z.string().transform((value, context): ApiKey => {
  const [name = '', role, sha256 = '', ...rest] = value.split(':');
  const known = ROLES.find((candidate) => candidate === role);
  if (
    known === undefined ||
    rest.length > 0 ||
    !/^[\w.@-]{1,64}$/.test(name) ||
    !/^[0-9a-fA-F]{64}$/.test(sha256)
  ) {
    return invalid(
      context,
      `holds an entry that is not name:role:sha256hex with a role of ${ROLES.join(', ')}`,
    );
  }
  return { name, role: known, sha256: sha256.toLowerCase() };
});

const apiKeys = list.pipe(z.array(apiKey).min(1, 'names no key')).transform((keys, context) => {
  if (new Set(keys.map((key) => key.sha256)).size < keys.length)
    return invalid(context, 'holds one digest twice');
  return keys;
});

const gdapGroup = z.string().transform((value, context): GdapGroup => {
  const [groupId = '', roles, ...rest] = value.split('=');
  const names = roles === undefined ? DEFAULT_GDAP_ROLES : roles.split('+').map((name) => name.trim());
  const roleIds = names.map((name) => GDAP_ROLES[name] ?? (guid.safeParse(name).success ? name : undefined));
  if (rest.length > 0 || !guid.safeParse(groupId).success || !roleIds.every((id) => id !== undefined)) {
    return invalid(context, 'holds an entry that is not groupGuid or groupGuid=role+role');
  }
  return { groupId, roleIds };
});

const DAY_MS = 24 * 3_600_000;

/** Not shorter than the reconciliation of orders looks back, with room to spare. */
const SHORTEST_RETENTION_MS = 180 * DAY_MS;

const retention = duration.refine(
  (ms) => ms === 0 || ms >= SHORTEST_RETENTION_MS,
  'is neither 0 nor at least P180D',
);

/** Not shorter than a signal that was taken off is known by its id, and the warning before it goes. */
const SHORTEST_UNMATCHED_RETENTION_MS = 30 * DAY_MS;

const unmatchedRetention = duration.refine(
  (ms) => ms === 0 || ms >= SHORTEST_UNMATCHED_RETENTION_MS,
  'is neither 0 nor at least P30D',
);

export const processShape = {
  NODE_ENV: z
    .enum(['production', 'development', 'test'], 'is not production, development or test')
    .default('development'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], 'is not a level of pino')
    .default('info'),
  PUBLIC_URL: address('https', 'http').optional(),
};

export const storeShape = {
  REDIS_URL: address('redis', 'rediss', 'unix').optional(),
  REDIS_CLUSTER: endpoints.optional(),
  REDIS_SENTINELS: endpoints.optional(),
  REDIS_SENTINEL_MASTER: text.optional(),
  REDIS_USERNAME: text.optional(),
  REDIS_PASSWORD: secretText.optional(),
  REDIS_SENTINEL_USERNAME: text.optional(),
  REDIS_SENTINEL_PASSWORD: secretText.optional(),
  NAMESPACE: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/, 'is not 1 to 32 of a-z, 0-9 and hyphen')
    .default('csp'),
  SHARDS: integer(1, 1_024).default(8),
  STATE_DIR: text.default('.data'),
  ACCEPT_STORE: flag.default(false),
  REDIS_WAIT_REPLICAS: integer(0, 9).default(0),
};

export const secretsShape = { SECRET_KEY: secretKey, SECRET_KEYS_OLD: secretKeys.default([]) };

export const httpShape = {
  API_HOST: text.default('127.0.0.1'),
  API_PORT: integer(0, 65_535).default(3_000),
  API_KEYS: apiKeys,
  TRUST_PROXY_HOPS: integer(0, 10).default(0),
  DEMO: flag.default(false),
  FOUR_EYES: flag.optional(),
};

export const webhookShape = {
  WEBHOOK_CERT_HOSTS: list.default(['3psostorageacct.blob.core.windows.net']),
  WEBHOOK_ISSUER_HOSTS: list.default(['www.microsoft.com', 'cacerts.digicert.com']),
  WEBHOOK_ROOT_CERT: text.optional(),
  WEBHOOK_ALLOW_LOOPBACK_HTTP: flag.default(false),
};

export const workerShape = {
  WORKER_CONCURRENCY: integer(1, 1_000).default(20),
  UNMATCHED_RETENTION: unmatchedRetention.default(90 * DAY_MS),
  RETENTION: retention.default(400 * DAY_MS),
  PARTNER_CENTER_PER_MINUTE: integer(13, 100_000).default(500),
  WEBHOOK_TAKE_OVER: flag.default(false),
};

export const microsoftShape = {
  MS_AUTHORITY_URL: address('https', 'http').default('https://login.microsoftonline.com'),
  PARTNER_CENTER_URL: address('https', 'http').default('https://api.partnercenter.microsoft.com'),
  GRAPH_URL: address('https', 'http').default('https://graph.microsoft.com'),
  PARTNER_CENTER_SCOPE: text.default('https://api.partnercenter.microsoft.com/.default'),
  GRAPH_SCOPE: text.default('https://graph.microsoft.com/.default'),
  PARTNER_TENANT_ID: guid,
  CLIENT_ID: guid,
  CLIENT_SECRET: secretText,
  REFRESH_TOKEN: secretText.optional(),
  REQUIRE_MFA: flag.default(true),
  ADMIN_CENTER_URL: address('https', 'http').default('https://admin.microsoft.com'),
  APPLICATION_NAME: z.string().min(1).max(120).default('Customer onboarding'),
  CUSTOMER_SCOPES: list.default([
    'Directory.Read.All',
    'Organization.Read.All',
    'User.ReadWrite.All',
    'LicenseAssignment.ReadWrite.All',
    'Domain.ReadWrite.All',
  ]),
  MS_TIMEOUT: duration.default(30_000),
};

export const gdapShape = {
  GDAP_GROUP_IDS: list.pipe(z.array(gdapGroup).min(1, 'names no group')),
  GDAP_DURATION: z
    .string()
    .regex(/^P\d{1,3}[DMY]$/, 'is not an ISO 8601 duration from P1D to P2Y')
    .default('P730D'),
  GDAP_AUTO_EXTEND: z.enum(['P180D', 'PT0S'], 'is neither P180D nor PT0S').default('P180D'),
};

export const mailShape = {
  SMTP_URL: address('smtp', 'smtps').transform((value) => new Secret(value)),
  MAIL_FROM: z
    .string()
    .max(320)
    .regex(/^[^\r\n]*\S@\S+$|^[^\r\n]*<\S+@\S+>$/, 'is not a mail address'),
};

/** `graph://admin@partner.example` or `imaps://user:password@host/INBOX`. */
export const mailboxShape = {
  MAILBOX_URL: address('graph', 'imaps', 'imap')
    .transform((value) => new Secret(value))
    .optional(),
  MAILBOX_SENDERS: list.default(['microsoft.com', 'microsoftonline.com']),
};

const DAY = 24 * 3_600_000;
const MINUTE = 60_000;
export const timingShape = {
  CONSENT_REMINDERS: durations.default([2 * DAY, 5 * DAY, 10 * DAY]),
  CONSENT_ESCALATE_AFTER: duration.default(14 * DAY),
  CONSENT_EXPIRE_AFTER: duration.default(30 * DAY),
  CONSENT_POLL_MIN: duration.default(5 * MINUTE),
  CONSENT_POLL_MAX: duration.default(6 * 60 * MINUTE),
  GDAP_PROPAGATION: duration.default(15 * MINUTE),
  CUSTOMER_VISIBLE_WITHIN: duration.default(60 * MINUTE),
  ORDER_VISIBLE_WITHIN: duration.default(15 * MINUTE),
  SEATS_USABLE_WITHIN: duration.default(120 * MINUTE),
  VETTING_POLL: duration.default(60 * MINUTE),
  PROVISIONING_POLL: duration.default(1 * MINUTE),
};

export const SECRET_VARIABLES = [
  'SECRET_KEY',
  'SECRET_KEYS_OLD',
  'CLIENT_SECRET',
  'REFRESH_TOKEN',
  'SMTP_URL',
  'MAILBOX_URL',
  'REDIS_URL',
  'REDIS_PASSWORD',
  'REDIS_SENTINEL_PASSWORD',
  'API_KEYS',
];
