/**
 * `npm run deploy-check`: this build's workflows against the live instances of the configured store. One JSON document on
 * stdout, plain words on stderr; exits 0 when all fit, 1 when some do not, 2 when it could not be found out.
 */
import { checkDeploy, createRedisStore, createRegistry, describeDeploy } from '../engine/index.ts';
import { loadStoreConfig } from '../shared/config.ts';
import { messageOf } from '../shared/errors.ts';
import { createLogger } from '../shared/logger.ts';
import { closeRedis, openRedis, redisReady } from '../shared/redis.ts';
import { allWorkflows } from '../workflows/index.ts';

const REDIS_READY_MS = 15_000;

async function main(): Promise<number> {
  const { redis: place, namespace, shards } = loadStoreConfig(process.env);
  const log = createLogger({ name: 'deploy-check', level: 'fatal' });
  const redis = openRedis(place, 'service', { log, name: `${namespace}-deploy-check` });
  try {
    await redisReady(redis, REDIS_READY_MS);
    const store = createRedisStore({ redis, namespace, shards });
    const report = await checkDeploy(store, createRegistry(allWorkflows));
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
    process.stderr.write(`${describeDeploy(report)}\n`);
    return report.ok ? 0 : 1;
  } finally {
    await closeRedis(redis);
  }
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.stderr.write(`The check did not come about: ${messageOf(error)}\n`);
    process.exitCode = 2;
  },
);
