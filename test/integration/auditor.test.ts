import { afterEach, describe, expect, it } from '@jest/globals';
import { type AnyStateMachine, createMachine, fromPromise, setup } from 'xstate';
import {
  createClient,
  createEngine,
  createRedisStore,
  createRegistry,
  defineWorkflow,
} from '../../engine/index.ts';
import { shardKeys } from '../../engine/redis/keys.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { audit } from '../../workers/auditor.ts';
import { testNamespace, testRedisUrl } from '../support/test-redis.ts';

const log = silentLogger();
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function startParked(machine: AnyStateMachine) {
  const namespace = testNamespace();
  const redis = createRedis(testRedisUrl(), 'worker', { log });
  closing.push(() => closeRedis(redis));
  const workflow = defineWorkflow({ name: 'parked', machine });
  const store = createRedisStore({ redis, namespace, shards: 1 });
  const engine = createEngine({ store, registry: createRegistry([workflow]), log });
  const { instance } = await createClient(engine).start(workflow, undefined);
  return { redis, engine, id: instance.id, keys: shardKeys(namespace, 0) };
}

describe('the auditor', () => {
  it('finds nothing where the store is whole', async () => {
    const { engine, id } = await startParked(
      createMachine({ initial: 'a', states: { a: { after: { 60000: 'b' } }, b: {} } }),
    );

    expect(await audit(engine, id, log)).toEqual([]);
  });

  it('puts back a timer that the store lost', async () => {
    const { redis, engine, id, keys } = await startParked(
      createMachine({ initial: 'a', states: { a: { after: { 60000: 'b' } }, b: {} } }),
    );
    const [member, score] = await redis.zrange(keys.timers, '0', '0', 'WITHSCORES');
    await redis.del(keys.timers);

    expect(await audit(engine, id, log)).toHaveLength(1);

    expect(await redis.zrange(keys.timers, '0', '0', 'WITHSCORES')).toEqual([member, score]);
    expect(await audit(engine, id, log)).toEqual([]);
  });

  it('puts back an activity that stands neither in the outbox nor in a claim', async () => {
    const machine = setup({ actors: { work: fromPromise(async () => 1) } }).createMachine({
      initial: 'a',
      states: { a: { invoke: { src: 'work', onDone: 'b' } }, b: { type: 'final' } },
    });
    const { redis, engine, id, keys } = await startParked(machine);
    const [entry] = await redis.zrange(keys.outbox, '0', '0');
    await redis.del(keys.outbox);

    expect(await audit(engine, id, log)).toHaveLength(1);

    expect(await redis.zrange(keys.outbox, '0', '0')).toEqual([entry]);
  });
});
