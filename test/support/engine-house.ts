/** Workers on the run's real Redis, for one test: a namespace of its own, closed again in the reverse order. */
import type { Redis } from 'ioredis';
import {
  type ActivityImplementation,
  type AnyWorkflow,
  type Client,
  checkStore,
  createRedisStore,
  type FaultPoints,
  type InstanceView,
  type Store,
} from '../../engine/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { type RunningWorker, startWorker, type WorkerOptions } from '../../workers/worker.ts';
import { eventually } from './eventually.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
import { testNamespace, testRedisUrl } from './test-redis.ts';

export interface HouseOptions {
  readonly workflows: readonly AnyWorkflow[];
  readonly activities?: readonly ActivityImplementation[];
  readonly concurrency?: number;
  readonly faults?: FaultPoints;
  readonly onStoreLost?: WorkerOptions['onStoreLost'];
}

export interface House {
  readonly namespace: string;
  readonly redis: Redis;
  readonly store: Store;
  /** A worker of its own connection; of the house's workflows unless others are given. */
  worker(options?: Partial<HouseOptions> & { readonly mortal?: boolean }): Promise<RunningWorker>;
  /** Cuts a `mortal` worker off for the rest of the test, as a crash would: nothing is given back, its lease runs out. */
  crash(worker: RunningWorker): void;
  /** The instance once it looks like this. */
  until(
    client: Client,
    id: string,
    look: (view: InstanceView) => unknown,
    within?: number,
  ): Promise<InstanceView>;
  close(): Promise<void>;
}

const SHARDS = 2;

export async function openHouse(house: HouseOptions, redisUrl = testRedisUrl()): Promise<House> {
  const namespace = testNamespace();
  const log = silentLogger();
  const redis = createRedis(redisUrl, 'worker', { log });
  const store = createRedisStore({ redis, namespace, shards: SHARDS });
  const { epoch } = await checkStore({
    ...{ redis, namespace, shards: SHARDS },
    ...{ stateDir: null, process: 'worker', acceptStore: false },
  });
  const running = new Map<RunningWorker, { own: Redis; proxy: TcpProxy | null }>();
  const copies: Redis[] = [];
  const address = new URL(redisUrl);

  return {
    namespace,
    redis,
    store,
    async worker(options = {}) {
      const proxy = options.mortal
        ? await startTcpProxy(
            address.protocol === 'unix:' ? { path: address.pathname } : { port: Number(address.port) },
          )
        : null;
      const url = proxy === null ? redisUrl : `redis://127.0.0.1:${proxy.port}`;
      const own = createRedis(url, 'worker', { log });
      const duplicate = own.duplicate.bind(own);
      own.duplicate = (override) => {
        const copy = duplicate(override);
        copies.push(copy);
        return copy;
      };
      const { workflows, activities = [], concurrency = 10, faults, onStoreLost } = { ...house, ...options };
      const worker = await startWorker({
        redis: own,
        store: createRedisStore({ redis: own, namespace, shards: SHARDS }),
        ...{ namespace, workflows, activities, concurrency, log, epoch },
        ...(faults === undefined ? {} : { faults }),
        ...(onStoreLost === undefined ? {} : { onStoreLost }),
      });
      running.set(worker, { own, proxy });
      return worker;
    },
    crash(worker) {
      running.get(worker)?.proxy?.setDown(true);
    },
    async until(client, id, look, within = 15_000) {
      return eventually(
        async () => {
          const view = await client.describe(id);
          if (view === null) throw new Error(`no instance ${id}`);
          const seen = look(view);
          if (seen === false) throw new Error(`${id} is in ${JSON.stringify(view.state)} (${view.status})`);
          return view;
        },
        { within, every: 15 },
      );
    },
    async close() {
      for (const [worker, { own, proxy }] of running) {
        // A crashed one needs its connection to end its loops.
        proxy?.setDown(false);
        await eventually(() => own.status === 'ready');
        await worker.stop(200);
        await closeRedis(own);
        await proxy?.close();
      }
      // BullMQ may leave one behind that was cut off.
      for (const copy of copies) copy.disconnect();
      await closeRedis(redis);
    },
  };
}

/** A promise and its ends. */
export function deferred<Value = void>() {
  let resolve: (value: Value) => void = () => {};
  let reject: (error: unknown) => void = () => {};
  const promise = new Promise<Value>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
