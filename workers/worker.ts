/** A worker process's whole: engine, queues, loops. Everything it needs comes in as arguments; `main.ts` makes them. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { AnyWorkflow } from '../engine/index.ts';
import {
  type ActivityImplementation,
  type Client,
  createClient,
  createEngine,
  createRegistry,
  type Engine,
  type EngineOptions,
  type FaultPoints,
  implementationMap,
  markRewound,
  type Registry,
  recordDefinitions,
  type SeenStore,
  type Store,
  type StoreLoss,
} from '../engine/index.ts';
import type { AppError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import type { RedisConnection } from '../shared/redis.ts';
import type { SecretBox } from '../shared/secrets.ts';
import { createActivations } from './activations.ts';
import { startAuditor } from './auditor.ts';
import { requireImplementations } from './coverage.ts';
import { type Lease, startLease } from './lease.ts';
import type { Loop } from './loop.ts';
import { createPausedQueues } from './paused-queues.ts';
import { type Carrier, closeConsumer, createBullCarrier } from './queues.ts';
import { startRetention } from './retention.ts';
import { type Scheduler, systemScheduler } from './scheduler.ts';
import { startClaimReaper, startOutboxSweeper } from './sweeper.ts';
import { startTimerLoop } from './timer-loop.ts';

export interface WorkerOptions extends WorkerParts {
  /** A connection of kind `worker`; BullMQ duplicates it where it blocks. */
  readonly redis: RedisConnection;
  readonly namespace: string;
  /** Activities brought by jobs that run at once, per queue; twice as many more may run that needed no job. */
  readonly concurrency?: number;
}

/** A worker but for what brings it its work. */
export interface WorkerParts {
  readonly store: Store;
  readonly workflows: readonly AnyWorkflow[];
  /** What the contracts need; plain promise actors run as they are. */
  readonly activities?: readonly ActivityImplementation[];
  readonly log: Logger;
  readonly secretBox?: SecretBox | null;
  /** How long a closed instance is kept, ms; left out, for ever. */
  readonly retentionMs?: number | null;
  /** Epoch found by `checkStore`; left out, whatever the store has. */
  readonly epoch?: string;
  /** A loss of the store that its instances are not all marked with: done before anything is taken. */
  readonly loss?: StoreLoss | null;
  readonly faults?: FaultPoints;
  readonly onCommitted?: NonNullable<EngineOptions['onCommitted']>;
  /** Keeps what was seen of the store on this machine; effects then wait until it is kept. */
  readonly remember?: ((seen: SeenStore) => Promise<void>) | undefined;
  /** The store was emptied under us: the process must stop and say so. */
  onStoreLost?(error: AppError): void;
}

export interface RunningWorker {
  readonly id: string;
  readonly engine: Engine;
  readonly client: Client;
  /** Stops taking work, lets attempts end for `graceMs`, aborts the rest, gives the lease up. */
  stop(graceMs?: number): Promise<void>;
}

const REAP_EVERY_MS = 500;
/** A job costs more than all else that begins an activity, so most places are for those that need none. */
const ROOM_TO_JOBS = 2;

export function startWorker(options: WorkerOptions): Promise<RunningWorker> {
  const { redis, namespace, concurrency = 50, log } = options;
  return runWorker(options, {
    id: `${hostname()}-${process.pid}-${randomBytes(4).toString('hex')}`,
    carrier: createBullCarrier({ connection: redis, namespace, concurrency, log }),
    room: concurrency * ROOM_TO_JOBS,
    scheduler: systemScheduler,
  });
}

/** The same over any carrier and scheduler: what the simulation runs. */
export async function runWorker(
  options: WorkerParts,
  given: {
    readonly id: string;
    readonly carrier: Carrier;
    /** Activities that may run at once without a job, per queue. */
    readonly room: number;
    readonly scheduler: Scheduler;
    /** The workflows, where they are compiled already. */
    readonly registry?: Registry;
  },
): Promise<RunningWorker> {
  const { store, log } = options;
  const { id, scheduler } = given;
  const { dispatcher } = given.carrier;
  const registry = given.registry ?? createRegistry(options.workflows);
  const implementations = implementationMap(options.activities ?? []);
  const queues = requireImplementations(registry, implementations);
  const faults = options.faults;
  let working = false;
  const engine = createEngine({
    store,
    registry,
    log,
    ...(faults === undefined ? {} : { faults }),
    ...(options.onCommitted === undefined ? {} : { onCommitted: options.onCommitted }),
    taker: {
      worker: id,
      queues: { has: (queue) => working && activations.hasRoom(queue) },
      take: (...activity) => activations.take(...activity),
    },
    async dispatch(tickets) {
      if (faults !== undefined) await faults.at('before-enqueue');
      await dispatcher.dispatch(tickets);
      if (faults !== undefined) await faults.at('after-enqueue');
    },
  });
  const paused = createPausedQueues(store, log, scheduler);
  let lease: Lease | null = null;
  const activations = createActivations({
    engine,
    worker: id,
    implementations,
    queues,
    room: given.room,
    secretBox: options.secretBox ?? null,
    log,
    scheduler,
    ...(faults === undefined ? {} : { faults }),
    pauseQueue: paused.pause,
    isPaused: paused.has,
    leaseIsOver: () => lease?.isOver() ?? false,
    ...(options.remember === undefined ? {} : { beforeEffect: async () => lease?.confirm() }),
  });

  await recordDefinitions(store, registry);
  if (options.loss) await markRewound(engine, options.loss, log);
  const epoch = options.epoch ?? (await store.renewLease(id, 0)).epoch ?? '';
  lease = await startLease({
    engine,
    worker: id,
    activations,
    log,
    scheduler,
    epoch,
    ...(faults === undefined ? {} : { faults }),
    remember: options.remember,
    onStoreLost: options.onStoreLost ?? (() => {}),
  });
  working = true;
  const consumers = queues.map((queue) => given.carrier.consume(queue, (ticket) => activations.run(ticket)));
  const sweeper = startOutboxSweeper(engine, dispatcher, activations, log, scheduler);
  const stopWaking = await store.onWake((shard) => sweeper.wake(shard));
  const loops: Loop[] = [
    startTimerLoop(engine, log, scheduler),
    sweeper,
    startClaimReaper(engine, activations, id, log, REAP_EVERY_MS, scheduler),
    startAuditor(engine, log, scheduler),
    paused.watch(consumers),
  ];

  if (options.retentionMs) loops.push(startRetention(engine, options.retentionMs, log, scheduler));

  async function stop(graceMs = 25_000): Promise<void> {
    working = false;
    const pausing = Promise.all(consumers.map((consumer) => consumer.pause(true)));
    await Promise.all([...loops.map((loop) => loop.stop()), stopWaking(), pausing]);
    const callOffAbort = scheduler.after(graceMs, () => activations.abortAll('shutdown'));
    await activations.idle();
    callOffAbort();
    await engine.settled();
    await Promise.all(consumers.map(closeConsumer));
    await lease?.stop();
    await dispatcher.close();
  }
  return { id, engine, client: createClient(engine), stop };
}

export type { Registry };
