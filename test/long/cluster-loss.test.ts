/** A cluster of three with a replica for the node that dies: who lives on it waits for the promotion, the others do not. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Cluster } from 'ioredis';
import { checkStore, createRedisStore, type Store } from '../../engine/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { startWorker } from '../../workers/worker.ts';
import { listener } from '../support/engine-workflows.ts';
import { eventually } from '../support/eventually.ts';
import {
  type RedisCluster,
  type RedisServer,
  startRedisCluster,
  startRedisServer,
} from '../support/redis-server.ts';

const PLACE = { namespace: 'losing', shards: 12 };
const workflow = listener();

let cluster: RedisCluster;
let spare: RedisServer;
const connections: Cluster[] = [];

beforeEach(async () => {
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
}, 60_000);
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.disconnect();
  await spare.stop();
  await cluster.stop();
});

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

describe('a cluster of three that loses a node', () => {
  it('serves the other shards meanwhile, and those of the lost node after its replica took over', async () => {
    const redis = connect();
    const { epoch } = await checkStore({
      redis,
      ...PLACE,
      stateDir: null,
      process: 'worker',
      acceptStore: false,
    });
    const store = createRedisStore({ redis, ...PLACE });
    const worker = await startWorker({
      ...{ redis, store, epoch, namespace: PLACE.namespace },
      ...{ workflows: [workflow], log: silentLogger() },
    });
    const { client } = worker;
    const ids = Array.from({ length: 30 }, (_, number) => `i-${number}`);
    for (const id of ids) await client.start(workflow, { customer: id }, { id });
    const homes = new Map(await Promise.all(ids.map(async (id) => [id, await homeOf(store, id)] as const)));
    const there = ids.filter((id) => homes.get(id) === 0);
    const elsewhere = ids.filter((id) => homes.get(id) !== 0);
    expect(Math.min(there.length, elsewhere.length)).toBeGreaterThan(2);
    await eventually(async () =>
      expect(await spare.command('DBSIZE')).toBe(await cluster.nodes[0]?.command('DBSIZE')),
    );

    await cluster.nodes[0]?.kill9();
    // The store is away for them, and says so; whoever asks again under the same id gets through once it is back.
    const onLost = Promise.all(
      there.map((id) =>
        eventually(() => client.signal(workflow, id, 'open', {}, { id: 'meanwhile' }), {
          within: 40_000,
          every: 200,
        }),
      ),
    );
    const onOthers = await Promise.all(
      elsewhere.map((id) => client.signal(workflow, id, 'open', {}, { id: 'meanwhile' })),
    );
    const promotedBefore = String(await spare.command('ROLE')).includes('master');

    expect(promotedBefore).toBe(false);
    expect(onOthers.map(({ status }) => status)).toEqual(elsewhere.map(() => 'applied'));
    for (const { status } of await onLost) expect(['applied', 'duplicate']).toContain(status);
    for (const id of ids) expect(await client.describe(id)).toMatchObject({ state: 'listening' });
    expect(String(await spare.command('ROLE'))).toContain('master');
    for (const id of ids) expect(await client.verifyHistory(id)).toMatchObject({ intact: true });
    await worker.stop(2_000);
  }, 120_000);
});
