/**
 * A worker process that kills itself. Environment: REDIS_URL, NAMESPACE, EFFECTS (folder), and KILL_AT `point:n`, the
 * named fault point and how many times it is passed before.
 */
import { checkStore, createRedisStore, type FaultPoint } from '../../engine/index.ts';
import { createLogger } from '../../shared/logger.ts';
import { createRedis } from '../../shared/redis.ts';
import { startWorker } from '../../workers/worker.ts';
import { tenSteps, writingTo } from './engine-fault-machine.ts';

const { REDIS_URL = '', NAMESPACE = '', EFFECTS = '', KILL_AT = '' } = process.env;
const [killAt, passes] = KILL_AT.split(':');
const shards = 2;
let left = Number(passes ?? 0);

const log = createLogger({ name: 'fault-program' });
const redis = createRedis(REDIS_URL, 'worker', { log });
const { epoch } = await checkStore({
  ...{ redis, namespace: NAMESPACE, shards },
  ...{ stateDir: null, process: 'worker', acceptStore: false },
});
const worker = await startWorker({
  redis,
  store: createRedisStore({ redis, namespace: NAMESPACE, shards }),
  namespace: NAMESPACE,
  workflows: [tenSteps],
  activities: [writingTo(EFFECTS)],
  concurrency: 5,
  log: createLogger({ name: 'fault-program', level: 'error' }),
  epoch,
  faults: {
    at(point: FaultPoint) {
      if (point !== killAt) return;
      left -= 1;
      if (left < 0) process.kill(process.pid, 'SIGKILL');
    },
  },
});
log.info({ worker: worker.id }, 'ready');
process.once('SIGTERM', () => void worker.stop(1_000).then(() => process.exit(0)));
