/** The API as a process that dies where it is told. Environment: REDIS_URL, NAMESPACE, API_KEY. */
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApp } from '../../api/app.ts';
import {
  checkStore,
  createClient,
  createEngine,
  createMigrations,
  createOperations,
  createRedisStore,
  createRegistry,
} from '../../engine/index.ts';
import { createLogger, silentLogger } from '../../shared/logger.ts';
import { createRedis, redisReady } from '../../shared/redis.ts';
import { createSecretBox } from '../../shared/secrets.ts';
import { crashTrial, crashTrials, SHARDS } from './crash-machine.ts';
import { awaitSentence } from './crash-points.ts';

const { REDIS_URL = '', NAMESPACE: namespace = '', API_KEY = '' } = process.env;
const log = createLogger({ name: 'crash-api' });
const redis = createRedis(REDIS_URL, 'service', { log });
await redisReady(redis, 15_000);
await checkStore({
  ...{ redis, namespace, shards: SHARDS },
  ...{ stateDir: null, process: 'api', acceptStore: false },
});
const death = awaitSentence();
const store = death.store(createRedisStore({ redis, namespace, shards: SHARDS }));
const registry = createRegistry(crashTrials);
const engine = createEngine({ store, registry, log, faults: death.faults });
const client = createClient(engine);
const sha256 = createHash('sha256').update(API_KEY).digest('hex');
const app = createApp({
  ...{ client, registry, workflows: [crashTrial], log: silentLogger() },
  operations: createOperations(engine, client),
  migrations: createMigrations(engine, { faults: death.faults }),
  auth: { keys: [{ name: 'load', role: 'admin', sha256 }], fourEyes: false, demoKey: null },
  webhookVerifier: {
    verify: async () => ({ outcome: 'refused', reason: 'signature-wrong', status: 401 }),
  },
  secretBox: createSecretBox({ key: randomBytes(32) }),
  health: {
    store: async () => ({ durable: true }),
    workers: () => client.liveWorkers(),
    signInRenewedAt: () => Promise.resolve(null),
    draining: () => false,
  },
  unpark: (key, signalId) => store.unpark(key, signalId),
  dashboardDir: null,
  publicUrl: null,
  limits: { perKey: 1e6, perAddress: 1e6, failures: 1e6 },
});
const server = createServer(app);
server.listen(0, '127.0.0.1', () => log.info({ port: (server.address() as AddressInfo).port }, 'ready'));
