/** The settings of the local programs. They win over the shell's: a demo must never reach the real Microsoft. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { apiKeyEntry } from './local-settings.mjs';

/** Short waits, so that a demo shows in seconds what takes hours at Microsoft. The emulator answers at that pace. */
const DEMO_TIMING = {
  CONSENT_POLL_MIN: 'PT2S',
  CONSENT_POLL_MAX: 'PT30S',
  GDAP_PROPAGATION: 'PT1S',
  CUSTOMER_VISIBLE_WITHIN: 'PT1M',
  ORDER_VISIBLE_WITHIN: 'PT1M',
  SEATS_USABLE_WITHIN: 'PT1M',
  VETTING_POLL: 'PT2S',
  PROVISIONING_POLL: 'PT1S',
};
/** Of the shell's environment, what a child may have besides ours. */
const HANDED_ON = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ', 'NODE_OPTIONS', 'LOG_LEVEL', 'WORKER_CONCURRENCY'];

function handedOn(env) {
  const timing = Object.keys(DEMO_TIMING);
  const names = [...HANDED_ON, ...timing].filter((name) => env[name] !== undefined);
  return Object.fromEntries(names.map((name) => [name, env[name]]));
}

export function emulatorEnvironment({ ports, dataDir, env = process.env }) {
  return {
    ...handedOn(env),
    EMULATOR_PORT: String(ports.emulator),
    EMULATOR_SMTP_PORT: String(ports.smtp),
    EMULATOR_DATA_FILE: join(dataDir, 'emulator.journal'),
    EMULATOR_WEBHOOK_ROOT_FILE: webhookRoot(dataDir),
  };
}

/** The emulator signs its webhooks under a root of its own; the API is told to trust it, here and nowhere else. */
const webhookRoot = (dataDir) => join(dataDir, 'webhook-root.pem');

/** `emulator` is the emulator's ready entry; its fixed ids are read from the build. */
export async function productEnvironment({
  root,
  redisUrl,
  dataDir,
  secrets,
  ports,
  emulator,
  env = process.env,
}) {
  const { PARTNER, DEFAULT_CLIENT } = await import(
    pathToFileURL(join(root, 'dist', 'emulator', 'options.js')).href
  );
  return {
    ...DEMO_TIMING,
    ...handedOn(env),
    NODE_ENV: 'development',
    REDIS_URL: redisUrl,
    STATE_DIR: dataDir,
    SECRET_KEY: secrets.secretKey,
    API_HOST: '127.0.0.1',
    API_PORT: String(ports.api),
    PUBLIC_URL: `http://127.0.0.1:${ports.api}`,
    API_KEYS: apiKeyEntry('local', 'admin', secrets.apiKey),
    DEMO: '1',
    // The registration at the emulator is ours alone, also when the port has changed since.
    WEBHOOK_TAKE_OVER: '1',
    MS_AUTHORITY_URL: emulator.authority,
    PARTNER_CENTER_URL: emulator.partnerCenter,
    GRAPH_URL: emulator.graph,
    ADMIN_CENTER_URL: emulator.consent,
    PARTNER_TENANT_ID: PARTNER.tenantId,
    CLIENT_ID: DEFAULT_CLIENT.clientId,
    CLIENT_SECRET: DEFAULT_CLIENT.clientSecret,
    REFRESH_TOKEN: DEFAULT_CLIENT.refreshToken,
    GDAP_GROUP_IDS: PARTNER.securityGroupId,
    WEBHOOK_CERT_HOSTS: new URL(emulator.control).host,
    WEBHOOK_ALLOW_LOOPBACK_HTTP: 'true',
    WEBHOOK_ROOT_CERT: webhookRoot(dataDir),
    SMTP_URL: `smtp://${emulator.smtp.host}:${emulator.smtp.port}`,
    MAIL_FROM: `${PARTNER.name} <${PARTNER.adminUpn}>`,
    // Where the emulator's confirmation mails arrive.
    MAILBOX_URL: `graph://${PARTNER.adminUpn}`,
  };
}
