/** A worker process that only fires timers. Environment: REDIS_URL, NAMESPACE, and what `skewed-clock.mjs` takes. */
import { checkStore, createRedisStore } from '../../engine/index.ts';
import { createLogger } from '../../shared/logger.ts';
import { createRedis } from '../../shared/redis.ts';
import { startWorker } from '../../workers/worker.ts';
import { alarmClock, SHARDS } from './engine-timers.ts';

const { REDIS_URL = '', NAMESPACE: namespace = '' } = process.env;
const log = createLogger({ name: 'timer-program' });
const redis = createRedis(REDIS_URL, 'worker', { log });
const { epoch } = await checkStore({
  ...{ redis, namespace, shards: SHARDS },
  ...{ stateDir: null, process: 'worker', acceptStore: false },
});
const worker = await startWorker({
  store: createRedisStore({ redis, namespace, shards: SHARDS }),
  ...{ redis, namespace, epoch, workflows: [alarmClock] },
  log: createLogger({ name: 'timer-program', level: 'error' }),
});
log.info({ worker: worker.id, clock: new Date().toISOString() }, 'ready');
process.once('SIGTERM', () => void worker.stop(1_000).then(() => process.exit(0)));
