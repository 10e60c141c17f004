/** The worker process: reads the configuration, builds everything by hand, works, and shuts down in order. */

import { createConnectors, credentialExpiry } from '../connectors/index.ts';
import { openRedisStore, watchStore } from '../engine/index.ts';
import { loadWorkerConfig, type WorkerConfig } from '../shared/config.ts';
import { type AppError, messageOf } from '../shared/errors.ts';
import { createLogger, type Logger } from '../shared/logger.ts';
import { createNotices } from '../shared/notices.ts';
import { closeRedis, openRedis, redisReady } from '../shared/redis.ts';
import { createSecretBox } from '../shared/secrets.ts';
import { allWorkflows } from '../workflows/index.ts';
import { createActivities } from './activities/index.ts';
import type { Loop } from './loop.ts';
import { startMailboxWatch } from './mailbox-watch.ts';
import { startOrderReconciliation } from './order-reconciliation.ts';
import { createPace } from './pace.ts';
import { createRefreshTokenStore } from './refresh-tokens.ts';
import { startSignInCheck } from './sign-in-check.ts';
import { startSignInTask } from './sign-in-task.ts';
import { startUnmatchedRetention } from './unmatched-retention.ts';
import { startWebhookRegistration } from './webhook-registration.ts';
import { type RunningWorker, startWorker } from './worker.ts';

const REDIS_READY_MS = 15_000;
const GRACE_MS = 25_000;
/** After the grace, for what cannot be waited for, such as a store that is away. */
const LAST_MS = 5_000;
/** A terminal tells the whole group, and so does whoever started us: two signals at once are one wish. */
const SAME_WISH_MS = 1_000;
/** Exit code of a process whose store was emptied or replaced, or may lose what it keeps (EX_SOFTWARE). */
const STORE_LOST = 70;

/** Resolves with what stops it again. */
async function start(config: WorkerConfig, log: Logger): Promise<() => Promise<void>> {
  const { namespace, accept: acceptStore } = config.store;
  const redis = openRedis(config.store.redis, 'worker', { log, name: `${namespace}-worker` });
  await redisReady(redis, REDIS_READY_MS);
  const { store, report, ...known } = await openRedisStore({
    ...config.store,
    redis,
    process: 'worker',
    acceptStore,
  });
  for (const warning of report.warnings) log.warn({ warning }, 'store-warning');

  const onStoreLost = (error: AppError): never => {
    log.fatal({ ...error.details, reason: error.message }, 'store-lost');
    process.exit(STORE_LOST);
  };
  const secretBox = createSecretBox({
    key: config.secrets.key.reveal(),
    oldKeys: config.secrets.oldKeys.map((key) => key.reveal()),
  });
  const refreshTokens = createRefreshTokenStore({ redis, namespace, secretBox, log });
  const { partnerTenantId } = config.microsoft;
  const partnerCenterPace = createPace({
    redis,
    namespace,
    service: 'partner-center',
    subject: partnerTenantId,
    perMinute: config.worker.partnerCenterPerMinute,
    log,
  });
  const connectors = createConnectors(config, { log, refreshTokens, partnerCenterPace });
  const worker: RunningWorker = await startWorker({
    redis,
    store,
    ...known,
    namespace,
    workflows: allWorkflows,
    activities: createActivities({ connectors, config, log, client: () => worker.client }),
    log,
    concurrency: config.worker.concurrency,
    secretBox,
    retentionMs: config.worker.retentionMs,
    onStoreLost,
  });
  const watch = watchStore({ redis, namespace, epoch: known.epoch, log, onUnfit: onStoreLost });
  const { client } = worker;
  const { partnerCenter } = connectors;
  const reconciliation = startOrderReconciliation({ partnerCenter, client, log });
  const signInTask = startSignInTask({ client, log });
  const notices = createNotices(redis, namespace);
  const keptMs = config.worker.unmatchedRetentionMs;
  const unmatched = keptMs === 0 ? null : startUnmatchedRetention({ store, client, notices, keptMs, log });
  const signIn = startSignInCheck({
    identity: connectors.identity,
    partnerTenantId,
    tenants: connectors.graph.tenants,
    groupIds: config.gdap.groups.map(({ groupId }) => groupId),
    renewedAt: () => refreshTokens.renewedAt(),
    credentialExpiresAt: credentialExpiry(config.microsoft.clientSecret),
    store,
    notices,
    log,
  });
  const mails =
    connectors.mailbox === null
      ? null
      : startMailboxWatch({
          mailbox: connectors.mailbox,
          client: worker.client,
          redis,
          namespace,
          senders: config.mailbox.senders,
          log,
        });
  const webhooks = registerWebhooks(config, connectors.partnerCenter, log);
  ready({ worker: worker.id, redis: report.version, durable: report.durable });

  return async () => {
    watch.stop();
    await Promise.all([
      webhooks?.stop(),
      reconciliation.stop(),
      signInTask.stop(),
      signIn.stop(),
      unmatched?.stop(),
      mails?.stop(),
      worker.stop(GRACE_MS),
    ]);
    await store.close();
    connectors.close();
    await closeRedis(redis);
  };
}

function registerWebhooks(
  config: WorkerConfig,
  partnerCenter: Parameters<typeof startWebhookRegistration>[0]['partnerCenter'],
  log: Logger,
): Loop | null {
  const { publicUrl } = config.process;
  if (publicUrl === null) {
    log.warn('PUBLIC_URL is not set: no webhooks, consents are polled');
    return null;
  }
  return startWebhookRegistration({
    partnerCenter,
    publicUrl,
    takeOver: config.worker.takeOverWebhooks,
    log,
  });
}

/** Whoever started this process waits for the line, so it comes whatever the log level is. */
function ready(facts: object): void {
  const time = new Date().toISOString();
  process.stdout.write(`${JSON.stringify({ level: 30, time, name: 'worker', ...facts, msg: 'ready' })}\n`);
}

function stopOnSignal(stop: () => Promise<void>, log: Logger): void {
  let stoppingSince: number | null = null;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stoppingSince !== null) {
      if (performance.now() - stoppingSince < SAME_WISH_MS) return;
      log.warn({ signal }, 'stopped by force');
      process.exit(1);
    }
    stoppingSince = performance.now();
    log.info({ signal }, 'stopping');
    setTimeout(() => {
      log.error('not stopped in time');
      process.exit(1);
    }, GRACE_MS + LAST_MS).unref();
    stop().then(
      () => {
        log.info('stopped');
        process.exit(0);
      },
      (error: unknown) => fail(log, error, 'not stopped cleanly'),
    );
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

function fail(log: Logger, error: unknown, what: string): never {
  const stack = error instanceof Error ? error.stack : undefined;
  log.fatal({ reason: messageOf(error), stack }, what);
  process.exit(1);
}

async function main(): Promise<void> {
  const first = createLogger({ name: 'worker' });
  process.on('unhandledRejection', (error) => fail(first, error, 'unhandled-rejection'));
  process.on('uncaughtException', (error) => fail(first, error, 'uncaught-exception'));
  try {
    const config = loadWorkerConfig(process.env);
    const log = createLogger({ name: 'worker', level: config.process.logLevel });
    stopOnSignal(await start(config, log), log);
  } catch (error) {
    fail(first, error, 'start-failed');
  }
}

void main();
