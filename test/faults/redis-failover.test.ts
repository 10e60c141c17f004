import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { type Client, checkStore, createRedisStore } from '../../engine/index.ts';
import type { AppError } from '../../shared/errors.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { type RunningWorker, startWorker } from '../../workers/worker.ts';
import { listener } from '../support/engine-workflows.ts';
import { eventually } from '../support/eventually.ts';
import { reportProof } from '../support/proof-report.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const PLACE = { namespace: 'failover', shards: 2 };
const log = silentLogger();
const workflow = listener();

let primary: RedisServer;
let replica: RedisServer;
/** Between primary and replica. */
let link: TcpProxy;
/** The one address that clients know. */
let address: TcpProxy;
let redis: Redis;
let worker: RunningWorker;
let client: Client;
let lost: AppError[];

beforeEach(async () => {
  primary = await startRedisServer({ listen: 'tcp', aof: 'always' });
  link = await startTcpProxy({ port: primary.port });
  replica = await startRedisServer({ listen: 'tcp', replicaOf: { ...primary, port: link.port } });
  await eventually(async () =>
    String(await replica.command('INFO', 'replication')).includes('link_status:up'),
  );
  address = await startTcpProxy({ port: primary.port });
  redis = createRedis(`redis://127.0.0.1:${address.port}`, 'worker', { log });
  lost = [];
});
afterEach(async () => {
  await worker.stop(200);
  await closeRedis(redis);
  await Promise.all([address.close(), link.close()]);
  await Promise.all([primary.stop(), replica.stop()]);
});

const check = (acceptStore = false) =>
  checkStore({ redis, ...PLACE, stateDir: null, process: 'worker', acceptStore });

async function work(waitReplicas: number): Promise<void> {
  const { epoch } = await check();
  const store = createRedisStore({ redis, ...PLACE, waitReplicas });
  const onStoreLost = (error: AppError) => void lost.push(error);
  worker = await startWorker({
    ...{ redis, store, log, epoch, onStoreLost },
    namespace: PLACE.namespace,
    workflows: [workflow],
  });
  client = worker.client;
}

async function start(customers: number): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let number = 0; number < customers; number += 1) {
    ids.push((await client.start(workflow, { customer: `customer-${number}` })).instance.id);
  }
  return ids;
}

async function failOver(): Promise<void> {
  await primary.kill9();
  await replica.command('REPLICAOF', 'NO', 'ONE');
  address.retarget({ port: replica.port });
}

/** Further from the primary than a client is. */
const REPLICA_LATE_MS = 150;

/** Starts many, fails over at the last answer, and counts the accepted ones that the new primary does not know. */
async function acceptedAndGone(waitReplicas: number, customers: number): Promise<number> {
  await work(waitReplicas);
  link.setLatency(REPLICA_LATE_MS);
  const ids = await Promise.all(Array.from({ length: customers }, () => start(1)));
  await failOver();
  const views = await Promise.all(ids.flat().map((id) => client.describe(id)));
  return views.filter((view) => view === null).length;
}

describe('a failover', () => {
  it('that loses answered commits stops the engine, and nothing begins again before an operator accepts it', async () => {
    await work(0);
    await start(5);
    await eventually(async () =>
      expect(await replica.command('DBSIZE')).toBe(await primary.command('DBSIZE')),
    );
    link.setBlackHole(true);
    await start(20);

    await failOver();

    await expect(start(20)).rejects.toMatchObject({ code: 'store-rewound' });
    await eventually(() => expect(lost[0]).toMatchObject({ code: 'store-rewound' }), { within: 5_000 });
    await expect(check()).rejects.toMatchObject({ code: 'store-rewound' });
    expect(await check(true)).toMatchObject({ epoch: expect.any(String) });
    await expect(check()).resolves.toMatchObject({ epoch: expect.any(String) });
    reportProof({
      suite: 'redis: failover to a replica that is behind',
      injected: { failovers: 1, 'commits the replica never had': 20 },
      ...{ done: { 'stores refused until accepted': 1 }, lost: 0 },
    });
  }, 60_000);

  it('that sets back an engine that commits nothing stops it as well', async () => {
    await work(0);
    const renewals = async () =>
      Number(await primary.command('HGET', `{${PLACE.namespace}:meta}:epoch`, 'tick'));
    link.setBlackHole(true);
    const before = await renewals();
    await eventually(async () => expect(await renewals()).toBeGreaterThan(before + 1));

    await failOver();

    await eventually(() => expect(lost[0]).toMatchObject({ code: 'store-rewound' }), { within: 10_000 });
  }, 60_000);

  it('loses nothing where a replica has to have each commit', async () => {
    const gone = await acceptedAndGone(1, 25);
    reportProof({
      suite: 'redis: failover with WAIT',
      ...{ injected: { failovers: 1 }, done: { 'instances accepted': 25 }, lost: gone },
    });

    expect(gone).toBe(0);
    expect(lost).toEqual([]);
    // Nobody replicates the new primary, so nothing more counts as kept, and that is said.
    await expect(start(1)).rejects.toMatchObject({ code: 'store-unavailable' });
  }, 60_000);

  it('loses accepted ones where none has to, which this very check sees', async () => {
    const gone = await acceptedAndGone(0, 25);

    reportProof({
      suite: 'control: no WAIT before a failover',
      injected: { failovers: 1, 'plants caught': Math.min(1, gone) },
      ...{ done: { 'instances accepted': 25 }, lost: 0 },
    });
    expect(gone).toBeGreaterThan(0);
  }, 60_000);

  it('is not prepared for by a replica that has lost the line: then no commit counts as made', async () => {
    await work(1);
    await start(1);
    link.setBlackHole(true);

    await expect(start(1)).rejects.toMatchObject({ code: 'store-unavailable' });
  }, 60_000);
});
