/** A cluster of three with a replica for the node that dies: who lives on it waits for the promotion, the others do not. */
import { describe, expect, it } from '@jest/globals';
import { Cluster } from 'ioredis';
import { checkStore, createRedisStore, type Store } from '../../engine/index.ts';
import { type AppError, messageOf } from '../../shared/errors.ts';
import { silentLogger } from '../../shared/logger.ts';
import { startWorker } from '../../workers/worker.ts';
import { commitOf } from '../support/engine-stores.ts';
import { listener } from '../support/engine-workflows.ts';
import { eventually } from '../support/eventually.ts';
import { longRun } from '../support/long-run.ts';
import { reportProof } from '../support/proof-report.ts';
import {
  type RedisCluster,
  type RedisServer,
  startRedisCluster,
  startRedisServer,
} from '../support/redis-server.ts';

const PLACE = { namespace: 'losing', shards: 12 };
const workflow = listener();

/** Clusters, each of which loses a node. */
const run = longRun('CLUSTER_LOSSES');
const INSTANCES = 30;

let cluster: RedisCluster;
let spare: RedisServer;
const connections: Cluster[] = [];

async function openCluster(): Promise<void> {
  cluster = await startRedisCluster({ aof: 'always', args: ['--cluster-require-full-coverage', 'no'] });
  spare = await startRedisServer({
    aof: 'always',
    cluster: true,
    args: ['--cluster-require-full-coverage', 'no'],
  });
  const [victim] = cluster.nodes;
  await spare.command('CLUSTER', 'MEET', '127.0.0.1', victim?.port ?? 0);
  const id = String(await victim?.command('CLUSTER', 'MYID'));
  await eventually(async () => expect(await spare.command('CLUSTER', 'REPLICATE', id)).toBe('OK'), {
    within: 20_000,
  });
  await eventually(
    async () => expect(String(await spare.command('INFO', 'replication'))).toContain('link_status:up'),
    {
      within: 20_000,
    },
  );
  for (const node of cluster.nodes) {
    await eventually(async () => expect(String(await node.command('CLUSTER', 'NODES'))).toContain('slave'), {
      within: 20_000,
    });
  }
}
async function closeCluster(): Promise<void> {
  for (const connection of connections.splice(0)) connection.disconnect();
  await spare.stop();
  await cluster.stop();
}

function connect(): Cluster {
  const connection = new Cluster(
    [...cluster.nodes, spare].map(({ port }) => ({ host: '127.0.0.1', port })),
    { redisOptions: { maxRetriesPerRequest: null }, slotsRefreshInterval: 500 },
  );
  connection.on('error', () => undefined);
  connections.push(connection);
  return connection;
}

/** The node that holds an instance's shard. */
async function homeOf(store: Store, id: string): Promise<number> {
  const [first] = cluster.nodes;
  const tag = `{${PLACE.namespace}:s${store.shardOf(id)}}`;
  const slot = Number(await first?.command('CLUSTER', 'KEYSLOT', tag));
  return Math.floor(slot / Math.ceil(16_384 / cluster.nodes.length));
}

interface Loss {
  /** Instances that live on the node that dies, and on the others. */
  readonly there: number;
  readonly elsewhere: number;
  readonly problems: readonly string[];
}

/** `emptied` plants a replica that has nothing of what it takes over. */
async function loseNode(emptied: boolean): Promise<Loss> {
  const redis = connect();
  const boot = { stateDir: null, process: 'worker', acceptStore: false };
  const { epoch } = await checkStore({ redis, ...PLACE, ...boot });
  const store = createRedisStore({ redis, ...PLACE });
  const worker = await startWorker({
    ...{ redis, store, epoch, namespace: PLACE.namespace },
    ...{ workflows: [workflow], log: silentLogger() },
  });
  const { client } = worker;
  const ids = Array.from({ length: INSTANCES }, (_, number) => `i-${number}`);
  for (const id of ids) await client.start(workflow, { customer: id }, { id });
  const homes = new Map(await Promise.all(ids.map(async (id) => [id, await homeOf(store, id)] as const)));
  const there = ids.filter((id) => homes.get(id) === 0);
  const elsewhere = ids.filter((id) => homes.get(id) !== 0);
  await eventually(async () =>
    expect(await spare.command('DBSIZE')).toBe(await cluster.nodes[0]?.command('DBSIZE')),
  );
  const problems: string[] = [];
  const promoted = async () => String(await spare.command('ROLE')).includes('master');

  await cluster.nodes[0]?.kill9();
  // The store is away for them, and says so; whoever asks again under the same id gets through once it is back.
  const onLost = Promise.all(
    there.map(async (id) => {
      const ask = () => client.signal(workflow, id, 'open', {}, { id: 'meanwhile' });
      const { status } = await eventually(ask, { within: 40_000, every: 200 });
      if (status !== 'applied' && status !== 'duplicate') problems.push(`${id}: its signal was ${status}`);
    }),
  ).catch((error: unknown) => void problems.push(`not served again: ${messageOf(error)}`));
  for (const id of elsewhere) {
    const { status } = await client.signal(workflow, id, 'open', {}, { id: 'meanwhile' });
    if (status !== 'applied') problems.push(`${id}, elsewhere: its signal was ${status}`);
  }
  if (await promoted()) problems.push('the others were served only after the promotion');
  await onLost;
  if (!(await promoted())) problems.push('the replica has not taken over');
  if (emptied) await spare.command('FLUSHALL');
  for (const id of ids) {
    const view = await client.describe(id);
    if (view === null) problems.push(`${id} is gone`);
    else if (!(await client.verifyHistory(id)).intact) problems.push(`${id}: its history is broken`);
    else if (view.state !== 'listening') problems.push(`${id} is ${JSON.stringify(view.state)}`);
  }
  await worker.stop(2_000);
  return { there: there.length, elsewhere: elsewhere.length, problems };
}

async function lose(emptied = false): Promise<Loss> {
  try {
    await openCluster();
    return await loseNode(emptied);
  } finally {
    await closeCluster();
  }
}

describe('a cluster where only one node has a replica', () => {
  it('confirms what that replica has, and nothing of the other nodes', async () => {
    try {
      await openCluster();
      const store = createRedisStore({ redis: connect(), ...PLACE, waitReplicas: 1 });
      const outcomes = new Map<number, Set<string>>();
      for (let number = 0; number < 12; number += 1) {
        const home = await homeOf(store, `i-${number}`);
        const outcome = await store.commit(commitOf(`i-${number}`, 0)).then(
          ({ status }) => status,
          (error: AppError) => error.code,
        );
        outcomes.set(home, (outcomes.get(home) ?? new Set()).add(outcome));
      }

      expect(outcomes.size).toBe(cluster.nodes.length);
      for (const [home, seen] of outcomes)
        expect([...seen]).toEqual([home === 0 ? 'ok' : 'store-unavailable']);
    } finally {
      await closeCluster();
    }
  }, 60_000);
});

describe('a cluster of three that loses a node', () => {
  it(
    'serves the other shards meanwhile, and those of the lost node after its replica took over',
    async () => {
      const over = run.begin();
      const losses: Loss[] = [];
      while (losses.length < run.size && !over()) losses.push(await lose());

      const sum = (of: (loss: Loss) => number) => losses.reduce((total, loss) => total + of(loss), 0);
      const problems = losses.flatMap((loss) => loss.problems);
      reportProof({
        ...{ suite: 'redis cluster: a node lost', lost: problems.length },
        injected: { 'nodes killed': losses.length },
        done: {
          'instances on the lost node': sum(({ there }) => there),
          'instances elsewhere': sum(({ elsewhere }) => elsewhere),
        },
      });
      expect(problems).toEqual([]);
      expect(losses).toHaveLength(run.size);
      for (const { there, elsewhere } of losses) expect(Math.min(there, elsewhere)).toBeGreaterThan(2);
    },
    run.timeoutMs,
  );

  it('is not proved by a replica that has lost its copy: this very check sees it', async () => {
    const { problems } = await lose(true);

    reportProof({
      suite: 'control: a replica that has lost its copy',
      injected: { faults: 1, 'plants caught': Math.min(1, problems.length) },
      ...{ done: { 'instances asked for': INSTANCES }, lost: 0 },
    });
    expect(problems.join('\n')).toMatch(/i-\d+ is gone/);
  }, 180_000);
});
