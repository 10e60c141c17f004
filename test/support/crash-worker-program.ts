/**
 * A worker process that dies where it is told. Environment: REDIS_URL, NAMESPACE, LEDGER (folder), ENQUEUE_FIRST (`1`
 * plants it).
 */
import { checkStore, createRedisStore } from '../../engine/index.ts';
import { createLogger } from '../../shared/logger.ts';
import { createRedis } from '../../shared/redis.ts';
import { startWorker } from '../../workers/worker.ts';
import { crashTrials, SHARDS, writingTo } from './crash-machine.ts';
import { awaitSentence } from './crash-points.ts';
import { enqueuingFirst } from './plants.ts';

const { REDIS_URL = '', NAMESPACE: namespace = '', LEDGER = '', ENQUEUE_FIRST } = process.env;
const log = createLogger({ name: 'crash-worker' });
const redis = createRedis(REDIS_URL, 'worker', { log });
const { epoch } = await checkStore({
  ...{ redis, namespace, shards: SHARDS },
  ...{ stateDir: null, process: 'worker', acceptStore: false },
});
const death = awaitSentence();
const store = createRedisStore({ redis, namespace, shards: SHARDS });
const worker = await startWorker({
  ...{ redis, namespace, epoch },
  store: death.store(ENQUEUE_FIRST === '1' ? enqueuingFirst(store) : store),
  workflows: crashTrials,
  activities: writingTo(LEDGER),
  concurrency: 5,
  log: createLogger({ name: 'crash-worker', level: 'error' }),
  faults: death.faults,
});
log.info({ worker: worker.id }, 'ready');
