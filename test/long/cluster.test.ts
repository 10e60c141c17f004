import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Cluster } from 'ioredis';
import { assign, createMachine, fromPromise, setup } from 'xstate';
import { checkStore, createRedisStore, defineWorkflow } from '../../engine/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { startWorker } from '../../workers/worker.ts';
import { eventually } from '../support/eventually.ts';
import { longRun } from '../support/long-run.ts';
import { reportProof } from '../support/proof-report.ts';
import { type RedisCluster, startRedisCluster } from '../support/redis-server.ts';

const SHARDS = 8;
/** Instances. */
const run = longRun('CLUSTER_INSTANCES');
/** Open at once. */
const CROWD = 40;
let cluster: RedisCluster;
const connections: Cluster[] = [];
beforeEach(async () => {
  cluster = await startRedisCluster();
}, 60_000);
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.disconnect();
  await cluster.stop();
});

function connect(): Cluster {
  const connection = new Cluster(
    cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port })),
    { redisOptions: { maxRetriesPerRequest: null } },
  );
  connection.on('error', () => undefined);
  connections.push(connection);
  return connection;
}

const kid = createMachine({
  initial: 'a',
  states: { a: { after: { 30: 'b' } }, b: { type: 'final' } },
  output: { from: 'kid' },
});
const workflow = defineWorkflow({
  name: 'clustered',
  machine: setup({
    types: {} as {
      context: { n: number; customer: string; out: unknown };
      input: { customer: string };
      events: { type: 'go' };
    },
    actors: { work: fromPromise(async ({ input }: { input: number }) => input + 1), kid },
  }).createMachine({
    context: ({ input }) => ({ n: 0, customer: input.customer, out: null }),
    initial: 'one',
    states: {
      one: {
        invoke: {
          src: 'work',
          input: ({ context }) => context.n,
          onDone: { target: 'two', actions: assign({ n: ({ event }) => event.output }) },
        },
      },
      two: {
        invoke: {
          src: 'work',
          input: ({ context }) => context.n,
          onDone: { target: 'resting', actions: assign({ n: ({ event }) => event.output }) },
        },
      },
      resting: { after: { 50: 'asking' } },
      asking: { on: { go: 'parenting' } },
      parenting: {
        invoke: {
          src: 'kid',
          onDone: { target: 'end', actions: assign({ out: ({ event }) => event.output }) },
        },
      },
      end: { type: 'final' },
    },
    output: ({ context }) => ({ n: context.n, out: context.out }),
  }),
  correlationKeys: ({ customer }) => [`tenant:${customer}`],
});

describe('a Redis Cluster of three', () => {
  it(
    'carries instances, children, timers, keys and queues over all of its nodes',
    async () => {
      const redis = connect();
      const namespace = 'clustered';
      const log = silentLogger();
      const { epoch } = await checkStore({
        ...{ redis, namespace, shards: SHARDS },
        ...{ stateDir: null, process: 'worker', acceptStore: false },
      });
      const worker = async () => {
        const own = connect();
        const store = createRedisStore({ redis: own, namespace, shards: SHARDS });
        return startWorker({ redis: own, store, namespace, workflows: [workflow], log, epoch });
      };
      const [first, second] = [await worker(), await worker()];
      const { client } = first;
      const over = run.begin();
      let early = 0;
      let started = 0;
      let completed = 0;

      async function play(n: number): Promise<void> {
        // Half of the signals come before their instance.
        if (n % 2 === 0) {
          await client.signalByKey(`tenant:${n}`, 'go', {}, { id: `go-${n}` });
          early += 1;
        }
        await client.start(workflow, { customer: String(n) }, { id: `i-${n}` });
        started += 1;
        await eventually(
          async () => {
            const view = await client.describe(`i-${n}`);
            if (view?.state === 'asking')
              await client.signalByKey(`tenant:${n}`, 'go', {}, { id: `late-${n}` });
            expect(view?.status).toBe('completed');
            expect(view?.output).toEqual({ n: 2, out: { from: 'kid' } });
          },
          { within: 60_000, every: 50 },
        );
        expect(await client.verifyHistory(`i-${n}`)).toMatchObject({ intact: true });
        completed += 1;
      }
      try {
        for (let from = 0; from < run.size && !over(); from += CROWD) {
          const crowd = Array.from({ length: Math.min(CROWD, run.size - from) }, (_, at) => play(from + at));
          for (const end of await Promise.allSettled(crowd)) if (end.status === 'rejected') throw end.reason;
        }
      } finally {
        reportProof({
          suite: 'redis cluster of three',
          injected: { 'signals ahead of their instance': early },
          ...{ done: { instances: completed }, lost: started - completed },
        });
      }

      expect(completed).toBe(run.size);
      expect(await client.count({ status: 'completed', workflow: workflow.name })).toBe(run.size);
      const used = await Promise.all(cluster.nodes.map((node) => node.command('DBSIZE')));
      for (const keys of used) expect(Number(keys)).toBeGreaterThan(0);
      await Promise.all([first.stop(2_000), second.stop(2_000)]);
    },
    run.timeoutMs,
  );
});
