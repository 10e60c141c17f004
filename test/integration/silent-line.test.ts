/**
 * A line to Redis that swallows what is sent and stays open, as a firewall that forgot it does: nothing ever fails on it,
 * so somebody has to notice.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { assign, fromPromise, setup } from 'xstate';
import { defineWorkflow } from '../../engine/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis, redisReady } from '../../shared/redis.ts';
import { type OpenWorker, openWorker } from '../../workers/open-worker.ts';
import { eventually } from '../support/eventually.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const STEPS = 20;
const workflow = defineWorkflow({
  name: 'steps',
  machine: setup({
    types: {} as { context: { done: number } },
    actors: { step: fromPromise(async ({ input }: { input: number }) => input + 1) },
  }).createMachine({
    context: { done: 0 },
    initial: 'stepping',
    states: {
      stepping: {
        invoke: {
          src: 'step',
          input: ({ context }) => context.done,
          onDone: [
            { guard: ({ event }) => event.output >= STEPS, target: 'end' },
            {
              target: 'stepping',
              reenter: true,
              actions: assign({ done: ({ event }) => event.output }),
            },
          ],
        },
      },
      end: { type: 'final' },
    },
  }),
});

let redis: RedisServer;
let line: TcpProxy;
let worker: OpenWorker;
const log = silentLogger();

beforeEach(async () => {
  redis = await startRedisServer({ aof: 'everysec' });
  line = await startTcpProxy({ path: new URL(redis.url).pathname });
  worker = await openWorker({ redisUrl: `redis://127.0.0.1:${line.port}`, workflows: [workflow], log });
});

afterEach(async () => {
  line.setBlackHole(false);
  await worker?.stop();
  await line.close();
  await redis.stop();
});

describe('a silent line to Redis', () => {
  it('is given up by the worker, which goes on over a new one with all that it had', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 10; count += 1)
      ids.push((await worker.client.start(workflow, undefined)).instance.id);
    line.setBlackHole(true);
    await eventually(() => line.gaps() > 0);
    line.setBlackHole(false);

    await eventually(
      async () => {
        for (const id of ids) expect(await worker.client.describe(id)).toMatchObject({ status: 'completed' });
      },
      { within: 60_000 },
    );
  }, 120_000);

  it('is given up by a service, which fails fast meanwhile', async () => {
    const service = createRedis(`redis://127.0.0.1:${line.port}`, 'service', { log });
    try {
      await redisReady(service, 5_000);
      line.setBlackHole(true);
      await expect(service.ping()).rejects.toThrow('timed out');
      line.setBlackHole(false);

      await eventually(async () => expect(await service.ping()).toBe('PONG'), { within: 30_000 });
    } finally {
      await closeRedis(service);
    }
  }, 60_000);
});
