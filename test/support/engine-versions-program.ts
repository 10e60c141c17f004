/**
 * A process that has some versions of a workflow. Environment: REDIS_URL, NAMESPACE, EFFECTS (folder), VERSIONS (`1`,
 * `1,2`), NAME. With MIGRATE it is no worker: it takes every instance to version 2 and ends; KILL_AT `point:n` is the fault
 * point around a migration at which it kills itself, and how many it passes before.
 */
import {
  checkStore,
  createEngine,
  createMigrations,
  createRedisStore,
  createRegistry,
  type FaultDetail,
  type FaultPoint,
} from '../../engine/index.ts';
import { createLogger, silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { startWorker } from '../../workers/worker.ts';
import { notingTo, versionsOf } from './engine-versions-machine.ts';

const {
  REDIS_URL = '',
  NAMESPACE = '',
  EFFECTS = '',
  VERSIONS = '',
  NAME = '',
  MIGRATE,
  KILL_AT,
} = process.env;
const shards = 2;
const log = createLogger({ name: NAME });
const redis = createRedis(REDIS_URL, 'worker', { log });
const workflows = versionsOf(VERSIONS);
const store = createRedisStore({ redis, namespace: NAMESPACE, shards });

if (MIGRATE === undefined) {
  const { epoch } = await checkStore({
    ...{ redis, namespace: NAMESPACE, shards },
    ...{ stateDir: null, process: 'worker', acceptStore: false },
  });
  const worker = await startWorker({
    ...{ redis, store, namespace: NAMESPACE, workflows, epoch, concurrency: 5 },
    activities: [notingTo(EFFECTS, NAME)],
    log: silentLogger(),
  });
  log.info({ worker: worker.id }, 'ready');
  process.once('SIGTERM', () => void worker.stop(1_000).then(() => process.exit(0)));
} else {
  const [at, passes = 'Infinity'] = (KILL_AT ?? '').split(':');
  let left = Number(passes);
  const faults = {
    at(point: FaultPoint, about?: FaultDetail) {
      if (point !== at || about?.event.kind !== 'migrate') return;
      left -= 1;
      if (left < 0) process.kill(process.pid, 'SIGKILL');
    },
  };
  const engine = createEngine({ store, registry: createRegistry(workflows), log: silentLogger(), faults });
  const report = await createMigrations(engine).migrate({ name: 'versioned', version: 2, reason: 'a test' });
  log.info({ report }, 'ready');
  await closeRedis(redis);
}
