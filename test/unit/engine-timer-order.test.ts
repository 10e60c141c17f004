import { describe, expect, it } from '@jest/globals';
import { assign, raise, setup } from 'xstate';
import {
  createClient,
  createEngine,
  createMemoryStore,
  createRegistry,
  defineWorkflow,
} from '../../engine/index.ts';
import { silentLogger } from '../../shared/logger.ts';

const machine = setup({
  types: {
    context: {} as { seen: string[]; ticks: number },
    events: {} as { type: 'tick' } | { type: 'a' } | { type: 'b' },
  },
}).createMachine({
  context: { seen: [], ticks: 0 },
  on: {
    tick: {
      actions: [
        assign({ ticks: ({ context }) => context.ticks + 1 }),
        raise({ type: 'a' }, { delay: 1_000, id: 'a' }),
        raise({ type: 'b' }, { delay: 1_000, id: 'b' }),
      ],
    },
    a: { actions: assign({ seen: ({ context }) => [...context.seen, 'a'] }) },
    b: { actions: assign({ seen: ({ context }) => [...context.seen, 'b'] }) },
  },
});

describe('timers due in the same instant', () => {
  it('fire in the order they were set, in whatever order they are brought', async () => {
    let now = 1_000;
    const workflow = defineWorkflow({ name: 'ticks', machine });
    const store = createMemoryStore({ now: () => now });
    const engine = createEngine({ store, registry: createRegistry([workflow]), log: silentLogger() });
    const client = createClient(engine);
    const { instance } = await client.start(workflow, undefined);
    // Past revision 9, where the names of tokens no longer sort like their age.
    for (let tick = 0; tick < 12; tick += 1) await client.signal(workflow, instance.id, 'tick', {});

    now += 1_000;
    const due = await store.dueTimers(0, 100, 5_000);
    for (const { token } of due.timers.toReversed()) {
      await engine.handle(instance.id, { event: { kind: 'timer.fired', token } });
    }

    const view = await client.describe(instance.id);
    expect(view?.context).toEqual({ ticks: 12, seen: Array.from({ length: 12 }, () => ['a', 'b']).flat() });
    expect(view?.timers).toEqual([]);
  });
});
