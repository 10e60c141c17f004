/** A worker from an address: connection, boot checks, store, loops. What `main.ts` does with a configuration, in one call. */
import {
  type ActivityImplementation,
  type AnyWorkflow,
  type Client,
  openRedisStore,
} from '../engine/index.ts';
import { createLogger, type Logger } from '../shared/logger.ts';
import { closeRedis, createRedis, redisReady } from '../shared/redis.ts';
import { startWorker } from './worker.ts';

export interface OpenWorkerOptions {
  /** `redis://host:6379` or `unix:///path/to/socket`. */
  readonly redisUrl: string;
  /** Prefix of every key. Default `durable`. */
  readonly namespace?: string;
  readonly workflows: readonly AnyWorkflow[];
  readonly activities?: readonly ActivityImplementation[];
  /** A folder where the store last seen is remembered, so that an emptied or older one is refused. Default: not remembered. */
  readonly stateDir?: string;
  readonly shards?: number;
  readonly log?: Logger;
}

export interface OpenWorker {
  readonly client: Client;
  stop(): Promise<void>;
}

const CONNECT_MS = 5_000;

/** Raises `store-unavailable`, `store-unsafe`, `store-rewound`, `machine-not-durable` or `activity-unimplemented`. */
export async function openWorker(options: OpenWorkerOptions): Promise<OpenWorker> {
  const { namespace = 'durable', shards = 4, workflows, activities = [] } = options;
  const log = options.log ?? createLogger({ name: namespace, level: 'warn' });
  const redis = createRedis(options.redisUrl, 'worker', { log });
  try {
    await redisReady(redis, CONNECT_MS);
    const { report, ...opened } = await openRedisStore({
      ...{ redis, namespace, shards, stateDir: options.stateDir ?? null },
      ...{ process: 'worker', acceptStore: false },
    });
    for (const warning of report.warnings) log.warn(warning);
    const worker = await startWorker({ ...opened, redis, namespace, workflows, activities, log });
    return {
      client: worker.client,
      async stop() {
        await worker.stop();
        await closeRedis(redis);
      },
    };
  } catch (error) {
    await closeRedis(redis);
    throw error;
  }
}
