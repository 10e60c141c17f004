/** What Redis answers when it cannot serve now: never taken for success, and said as "again in a moment". */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { asAppError, statusOf } from '../../api/problem.ts';
import { createRedisStore } from '../../engine/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis, type RedisKind, redisReady } from '../../shared/redis.ts';
import { commitOf } from '../support/engine-stores.ts';

/** As the servers word them. */
const REFUSALS = [
  'NOSCRIPT No matching script. Please use EVAL.',
  'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
  'LOADING Redis is loading the dataset in memory',
  "READONLY You can't write against a read only replica.",
  'MOVED 3999 127.0.0.1:6381',
  'ASK 3999 127.0.0.1:6381',
  'TRYAGAIN Multiple keys request during rehashing of slot',
  'CLUSTERDOWN The cluster is down',
  "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
  'MISCONF Errors writing to the AOF file: No space left on device',
  "OOM command not allowed when used memory > 'maxmemory'.",
  'NOREPLICAS Not enough good replicas to write.',
] as const;

let server: Server;
let redis: Redis;
/** Answers the next script calls; then they succeed. */
let answers: string[];
let asked: number;

beforeEach(async () => {
  answers = [];
  asked = 0;
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      // Each command here is small enough to come whole.
      const commands = chunk.toString('latin1').split(/(?=^\*\d+\r\n\$)/m);
      for (const command of commands) socket.write(answerTo(command));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  await closeRedis(redis);
  server.close();
});

function answerTo(command: string): string {
  if (/^\*\d+\r\n\$4\r\ninfo/i.test(command)) return '$9\r\nloading:0\r\n';
  if (!/^\*\d+\r\n\$\d+\r\neval/i.test(command)) return '+OK\r\n';
  asked += 1;
  const refusal = answers.shift();
  return refusal === undefined ? '+1|1800000000000|OK\r\n' : `-${refusal}\r\n`;
}

async function connect(kind: RedisKind) {
  const { port } = server.address() as AddressInfo;
  redis = createRedis(`redis://127.0.0.1:${port}`, kind, { log: silentLogger() });
  await redisReady(redis, 5_000);
  return createRedisStore({ redis, namespace: 'refusals', shards: 1 });
}

describe.each(REFUSALS)('%s', (refusal) => {
  it('fails a commit and a read of the API at once, as a store that is away for a moment', async () => {
    const store = await connect('service');
    for (const ask of [() => store.commit(commitOf('a', 0)), () => store.load('a')]) {
      answers = [refusal, refusal];
      const failure = asAppError(
        await ask().then(
          () => 'success',
          (error: unknown) => error,
        ),
      );

      expect(failure).toMatchObject({ code: 'store-unavailable' });
      expect(statusOf(failure)).toBe(503);
      if (redis.status !== 'ready') await redisReady(redis, 5_000);
    }
  });
});

describe('a refusal that passes', () => {
  it.each(['NOSCRIPT No matching script.', "READONLY You can't write against a read only replica."])(
    'is got over without an error where the command was not executed: %s',
    async (refusal) => {
      const store = await connect('worker');
      answers = [refusal];

      expect(await store.commit(commitOf('a', 0))).toEqual({ status: 'ok' });
      expect(asked).toBe(2);
    },
  );
});
