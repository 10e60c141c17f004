import { describe, expect, it } from '@jest/globals';
import { assign, createMachine, fromPromise, setup } from 'xstate';
import { createClient, createEngine, createMemoryStore, createRegistry, defineWorkflow } from '../../engine/index.ts';
import { silentLogger } from '../../shared/logger.ts';

describe('engine', () => {
  it('runs a machine with a child, timer and activity', async () => {
    let now = 1_700_000_000_000;
    const child = createMachine({ id: 'kid', initial: 'a', states: { a: { on: { go: 'b' } }, b: { type: 'final' } }, output: { from: 'kid' } });
    const machine = setup({
      types: { context: {} as { n: number; out: unknown }, events: {} as { type: 'next' } | { type: 'poke' } },
      actors: { work: fromPromise(async ({ input }: { input: number }) => input + 1), kid: child },
    }).createMachine({
      id: 'm',
      context: { n: 1, out: null },
      initial: 'working',
      states: {
        working: {
          invoke: { id: 'w', src: 'work', input: ({ context }) => context.n, onDone: { target: 'waiting', actions: assign({ n: ({ event }) => event.output }) } },
        },
        waiting: { after: { 1000: 'kidding' } },
        kidding: {
          invoke: { id: 'k', src: 'kid', onDone: { target: 'done', actions: assign({ out: ({ event }) => event.output }) } },
          on: { poke: { actions: ({ self }) => void self } },
        },
        done: { type: 'final' },
      },
      output: ({ context }) => context,
    });
    const workflow = defineWorkflow({ name: 'w', machine });
    const store = createMemoryStore({ now: () => now });
    const engine = createEngine({ store, registry: createRegistry([workflow]), log: silentLogger() });
    const client = createClient(engine);
    const { instance } = await client.start(workflow, undefined as never);
    expect(instance.state).toBe('working');
    const done = await client.operate(instance.id, { kind: 'complete-activity', token: instance.activities[0]?.token ?? '', output: 2 });
    expect(done.state).toBe('waiting');
    expect(done.context).toEqual({ n: 2, out: null });
    now += 1000;
    const due = await store.dueTimers(0, 10, 1000);
    expect(due.timers).toHaveLength(1);
    await engine.handle(instance.id, { event: { kind: 'timer.fired', token: due.timers[0]?.token ?? '' } });
    await engine.settled();
    const kidding = await client.describe(instance.id);
    expect(kidding?.state).toBe('kidding');
    const kid = kidding?.children[0]?.instanceId ?? '';
    const r = await client.signalById(kid, 'go', {}, { id: 's1' });
    expect(r.status).toBe('applied');
    await engine.settled();
    const end = await client.describe(instance.id);
    expect(end?.status).toBe('completed');
    expect(end?.output).toEqual({ n: 2, out: { from: 'kid' } });
    expect((await client.verifyHistory(instance.id)).intact).toBe(true);
  });
});
