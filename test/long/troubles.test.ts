/**
 * What befalls a Redis and its workers without anybody dying: orders come in all the while, through a real API and real
 * workers, and each trouble is over before the next begins.
 */
import { readdirSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { closeConsumer, createBullCarrier } from '../../workers/queues.ts';
import { bundlePrograms } from '../support/bundle.ts';
import { CRASH_PROGRAMS, type CrashLane, openLane } from '../support/crash-run.ts';
import { eventually } from '../support/eventually.ts';

let programs: string;
let lane: CrashLane;
/** An operator's own connection, from before a trouble: by some of them no other gets in. */
let operator: Redis;

beforeAll(async () => {
  programs = await bundlePrograms(CRASH_PROGRAMS);
  lane = await openLane(programs);
  operator = createRedis(lane.redis.url, 'worker', { log: silentLogger() });
}, 120_000);
afterAll(async () => {
  await closeRedis(operator);
  await lane.close();
  rmSync(programs, { recursive: true });
});

/** Longer than a lease lasts. */
const ZOMBIE_MS = 5_500;

/** Orders under way before a trouble, so that it meets work. */
const ENOUGH = 5;

/** An order has a ledger from its first effect on. */
const ordersBegun = () => readdirSync(lane.ledger).length;

const config = (...setting: [string, string]) => operator.call('CONFIG', 'SET', ...setting);

async function bothAsleep(): Promise<void> {
  const workers = lane.workers.map((slot) => slot.current());
  for (const worker of workers) worker.freeze();
  await sleep(ZOMBIE_MS);
  for (const worker of workers) worker.thaw();
}

async function oneAsleep(): Promise<void> {
  const worker = lane.workers[0]?.current();
  worker?.freeze();
  await sleep(ZOMBIE_MS);
  worker?.thaw();
}

async function killedConnections(): Promise<void> {
  for (let kill = 0; kill < 20; kill += 1) {
    await operator.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await sleep(50);
  }
}

async function busy(): Promise<void> {
  await config('busy-reply-threshold', '20');
  const endless = operator.duplicate();
  const script = endless.call('EVAL', 'while true do end', 0).catch(() => undefined);
  await sleep(1_000);
  await operator.call('SCRIPT', 'KILL');
  await script;
  endless.disconnect();
}

/** A password that nobody was told, and every connection cut. */
async function lockedOut(): Promise<void> {
  await config('requirepass', 'another');
  await operator.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await sleep(1_000);
  await config('requirepass', '');
}

async function setFor(ms: number, name: string, during: string, after: string): Promise<void> {
  await config(name, during);
  await sleep(ms);
  await config(name, after);
}

async function replica(): Promise<void> {
  await operator.call('REPLICAOF', '127.0.0.1', '1');
  await sleep(1_000);
  await operator.call('REPLICAOF', 'NO', 'ONE');
}

/** Everything that BullMQ keeps: its jobs are no record of anything. */
async function jobsGone(): Promise<void> {
  for (let round = 0; round < 5; round += 1) {
    const keys = await operator.keys('{crash:q:*');
    expect(keys).not.toEqual([]);
    await operator.del(...keys);
    await sleep(100);
  }
}

async function claimsGone(): Promise<void> {
  await operator.del('{crash:s0}:claims', '{crash:s1}:claims');
}

describe('orders come in, and nothing is lost or done twice, while', () => {
  it.each<[string, () => Promise<unknown>]>([
    [
      'both workers sleep for longer than their leases last, and wake in the middle of what they did',
      bothAsleep,
    ],
    ['one worker sleeps, and wakes when the other has gone on with its work', oneAsleep],
    ['every connection to Redis is killed, again and again', killedConnections],
    ['Redis is busy with somebody’s endless script', busy],
    ['Redis lets nobody in', lockedOut],
    ['Redis has no memory left', () => setFor(1_000, 'maxmemory', '1', '0')],
    ['Redis is made a replica', replica],
    ['the queues’ jobs are deleted', jobsGone],
    ['the claims of those at work are deleted', claimsGone],
  ])(
    '%s',
    async (name, trouble) => {
      const before = ordersBegun();
      const run = await lane.under(name.replaceAll(/\W/g, ''), async () => {
        await eventually(() => ordersBegun() >= before + ENOUGH, { within: 60_000, what: 'work' });
        await trouble();
      });

      expect(run.problems).toEqual([]);
      expect(run.accepted).toBe(run.orders.length * 2);
      expect(run.orders.length).toBeGreaterThanOrEqual(ENOUGH);
    },
    180_000,
  );
});

describe('a Redis that refuses', () => {
  it('is not asked again at once by those who wait for jobs, who go on when it has given in', async () => {
    const words: string[] = [];
    const log = pino({ level: 'warn' }, { write: (line: string) => void words.push(line) });
    const connection = operator.duplicate();
    const carrier = createBullCarrier({ connection, namespace: 'refused', concurrency: 2, log });
    let done = 0;
    const consumer = carrier.consume('default', async () => {
      done += 1;
      await sleep(20);
    });
    const refusals = async () =>
      Number(/errorstat_NOPERM:count=(\d+)/.exec(await operator.info('errorstats'))?.[1] ?? 0);
    const tickets = Array.from({ length: 100 }, (_, at) => {
      const instanceId = `i${at}`;
      return { instanceId, token: '1-0', queue: 'default', outboxId: `a|${instanceId}|1-0|default` };
    });
    await carrier.dispatcher.dispatch(tickets);
    await eventually(() => done > 0);

    const before = await refusals();
    await operator.call('ACL', 'SETUSER', 'default', '-evalsha');
    await eventually(async () => (await refusals()) > before);
    await sleep(1_000);
    const asked = (await refusals()) - before;
    const doneBefore = done;
    await operator.call('ACL', 'SETUSER', 'default', '+evalsha');

    await eventually(() => done > doneBefore);
    expect(asked).toBeLessThan(50);
    expect(words.filter((line) => line.includes('queue trouble'))).toHaveLength(1);
    await closeConsumer(consumer);
    await carrier.dispatcher.close();
    await closeRedis(connection);
  }, 60_000);
});
