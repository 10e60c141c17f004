import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type AnyStateMachine, assign, createMachine, fromPromise, setup } from 'xstate';
import { checkStore, createRedisStore, defineWorkflow } from '../../engine/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { type RunningWorker, startWorker } from '../../workers/worker.ts';
import { eventually } from '../support/eventually.ts';
import { testNamespace, testRedisUrl } from '../support/test-redis.ts';

const cleanups: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function worker(
  machine: AnyStateMachine,
): Promise<{ running: RunningWorker; workflow: ReturnType<typeof defineWorkflow> }> {
  const namespace = testNamespace();
  const log = silentLogger();
  const redis = createRedis(testRedisUrl(), 'worker', { log });
  cleanups.push(() => closeRedis(redis));
  const { epoch } = await checkStore({
    redis,
    namespace,
    shards: 2,
    stateDir: mkdtempSync(join(tmpdir(), 'state-')),
    process: 'worker',
    acceptStore: false,
  });
  const workflow = defineWorkflow({ name: 'made-durable', machine });
  const store = createRedisStore({ redis, namespace, shards: 2 });
  const running = await startWorker({ redis, store, namespace, workflows: [workflow], log, epoch });
  cleanups.push(() => running.stop(1_000));
  return { running, workflow };
}

describe('a machine on real Redis', () => {
  it('runs activities, timers, children and signals to the end', async () => {
    const kid = createMachine({
      id: 'kid',
      initial: 'a',
      states: { a: { after: { 50: 'b' } }, b: { type: 'final' } },
      output: { from: 'kid' },
    });
    const machine = setup({
      types: { context: {} as { n: number; out: unknown }, events: {} as { type: 'next'; by: string } },
      actors: { work: fromPromise(async ({ input }: { input: number }) => input + 1), kid },
    }).createMachine({
      context: { n: 1, out: null },
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
        resting: { after: { 100: 'asking' } },
        asking: { on: { next: 'parenting' } },
        parenting: {
          invoke: {
            src: 'kid',
            onDone: { target: 'done', actions: assign({ out: ({ event }) => event.output }) },
          },
        },
        done: { type: 'final' },
      },
      output: ({ context }) => context,
    });
    const { running, workflow } = await worker(machine);
    const { instance } = await running.client.start(workflow, undefined as never);

    await eventually(async () => expect((await running.client.describe(instance.id))?.state).toBe('asking'));
    const signaled = await running.client.signalById(instance.id, 'next', { by: 'me' }, { id: 'one' });
    expect(signaled.status).toBe('applied');
    const again = await running.client.signalById(instance.id, 'next', { by: 'me' }, { id: 'one' });
    expect(again.status).toBe('duplicate');

    const end = await eventually(async () => {
      const view = await running.client.describe(instance.id);
      expect(view?.status).toBe('completed');
      return view;
    });
    expect(end?.output).toEqual({ n: 3, out: { from: 'kid' } });
    expect(await running.client.verifyHistory(instance.id)).toMatchObject({ intact: true });
    const listed = await running.client.list({ status: 'completed' });
    expect(listed.items.map(({ id }) => id)).toEqual([instance.id]);
  });
});
