/** The API process: reads the configuration, builds everything by hand, listens, and shuts down in order. */

import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import {
  createClient,
  createEngine,
  createMigrations,
  createOperations,
  createRegistry,
  markRewound,
  openRedisStore,
  type Store,
  watchStore,
} from '../engine/index.ts';
import { type ApiConfig, loadApiConfig } from '../shared/config.ts';
import { messageOf } from '../shared/errors.ts';
import { createLogger, type Logger } from '../shared/logger.ts';
import { createNotices } from '../shared/notices.ts';
import { closeRedis, openRedis, redisReady } from '../shared/redis.ts';
import { createSecretBox } from '../shared/secrets.ts';
import { readRenewedAt } from '../shared/sign-in-life.ts';
import { createWebhookVerifier } from '../shared/webhook-signature.ts';
import { allWorkflows, startable } from '../workflows/index.ts';
import { type AppDeps, createApp } from './app.ts';
import { settingsFrom } from './start-defaults.ts';

const REDIS_READY_MS = 15_000;
/** Exit code of a process whose store was emptied or replaced, or may lose what it keeps (EX_SOFTWARE). */
const STORE_LOST = 70;
const DRAIN_MS = 8_000;
/** What a load balancer needs to see that this process is no longer ready. */
const UNREADY_MS = 200;

async function main(): Promise<void> {
  const config = loadApiConfig(process.env);
  const log = createLogger({ name: 'api', level: config.process.logLevel });
  const { namespace, accept: acceptStore } = config.store;

  const redis = openRedis(config.store.redis, 'service', { log, name: `${namespace}-api` });
  await redisReady(redis, REDIS_READY_MS);
  const boot = { ...config.store, redis, process: 'api', acceptStore };
  const { store, loss, report, epoch } = await openRedisStore(boot);
  for (const warning of report.warnings) log.warn({ warning }, 'store-warning');

  const registry = createRegistry(allWorkflows);
  // Without dispatch: activities stay in the outbox and the workers are woken.
  const engine = createEngine({ store, registry, log });
  // Before the first request: what it moves on must know of the loss.
  if (loss !== null) await markRewound(engine, loss, log);
  const client = createClient(engine);
  const notices = createNotices(redis, namespace);
  const watch = watchStore({
    ...{ redis, namespace, epoch, log },
    onUnfit(error) {
      log.fatal({ ...error.details, reason: error.message }, 'store-lost');
      process.exit(STORE_LOST);
    },
  });
  let draining = false;
  const app = createApp({
    client,
    operations: createOperations(engine, client),
    migrations: createMigrations(engine),
    registry,
    workflows: startable,
    log,
    ...edgesOf(config),
    health: {
      store: async () => {
        const { durable, warnings } = await watch.health();
        return { durable, warnings: [...warnings, ...(await notices.all())] };
      },
      workers: () => client.liveWorkers(),
      signInRenewedAt: () => readRenewedAt(redis, namespace),
      draining: () => draining,
    },
    unpark: (key, signalId) => store.unpark(key, signalId),
  });

  const server = harden(createServer(app));
  await listen(server, config.http.port, config.http.host);
  const stop = async (signal: string): Promise<void> => {
    if (draining) return;
    draining = true;
    log.info({ signal }, 'stopping');
    watch.stop();
    await new Promise((resolve) => setTimeout(resolve, UNREADY_MS));
    await drain(server);
    await engine.settled().catch((error: unknown) => log.warn({ error: String(error) }, 'unsettled'));
    await closeStore(store, log);
    await closeRedis(redis);
    log.info('stopped');
    process.exit(0);
  };
  process.once('SIGTERM', (signal) => void stop(signal));
  process.once('SIGINT', (signal) => void stop(signal));
  log.info({ url: config.process.publicUrl ?? addressOf(server), port: portOf(server) }, 'ready');
}

function edgesOf(config: ApiConfig) {
  const { http, secrets, webhooks, timing } = config;
  const admin = http.apiKeys.find(({ role }) => role === 'admin') ?? null;
  return {
    auth: {
      keys: http.apiKeys,
      fourEyes: http.fourEyes,
      demoKey: http.demo ? admin : null,
    },
    secretBox: createSecretBox({
      key: secrets.key.reveal(),
      oldKeys: secrets.oldKeys.map((key) => key.reveal()),
    }),
    webhookVerifier: createWebhookVerifier({
      certificateHosts: webhooks.certificateHosts,
      issuerHosts: webhooks.issuerHosts,
      allowLoopbackHttp: webhooks.allowLoopbackHttp,
      extraRoots: webhooks.rootCertificateFile === null ? [] : [readFileSync(webhooks.rootCertificateFile)],
    }),
    dashboardDir: dashboardDir(),
    errorCatalogue: errorCatalogue(),
    publicUrl: config.process.publicUrl,
    trustProxyHops: http.trustProxyHops,
    startDefaults: { settings: settingsFrom(timing) },
  } satisfies Partial<AppDeps>;
}

/** Beside this file in a build; where `vite build dashboard` puts it when run from the sources. */
function dashboardDir(): string | null {
  const built = import.meta.url.endsWith('.ts') ? '../dashboard/dist/' : '../dashboard/';
  const folder = fileURLToPath(new URL(built, import.meta.url));
  return existsSync(`${folder}index.html`) ? folder : null;
}

function errorCatalogue(): string | null {
  const candidates = ['../docs/errors.md', '../../docs/errors.md'];
  const found = candidates.map((path) => new URL(path, import.meta.url)).find((url) => existsSync(url));
  return found === undefined ? null : readFileSync(found, 'utf8');
}

/** Slow and idle connections are cut, so that they cannot crowd out others. */
function harden(server: Server): Server {
  server.headersTimeout = 10_000;
  server.requestTimeout = 20_000;
  server.keepAliveTimeout = 5_000;
  server.maxConnections = 2_000;
  return server;
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve());
  });
}

/** Takes no new connection and lets running requests end, for at most `DRAIN_MS`. */
function drain(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}

async function closeStore(store: Store, log: Logger): Promise<void> {
  await store.close().catch((error: unknown) => log.warn({ error: String(error) }, 'store-not-closed'));
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function addressOf(server: Server): string {
  const { address, family } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${portOf(server)}`;
}

main().catch((error: unknown) => {
  const log = createLogger({ name: 'api' });
  log.fatal({ reason: messageOf(error) }, 'start-failed');
  process.exit(1);
});
