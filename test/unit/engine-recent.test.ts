/** What a process remembers of the instances it committed: never a reason for a wrong answer, often one load less. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { setup } from 'xstate';
import { z } from 'zod';
import { defineWorkflow } from '../../engine/definition.ts';
import {
  type Client,
  createClient,
  createEngine,
  createMemoryStore,
  createRegistry,
} from '../../engine/index.ts';
import type { Store } from '../../engine/store.ts';
import { silentLogger } from '../../shared/logger.ts';

const machine = setup({
  types: {
    events: {} as { type: 'open' } | { type: 'shut' } | { type: 'count' },
    context: {} as { n: number },
  },
}).createMachine({
  context: { n: 0 },
  initial: 'closed',
  states: {
    closed: { on: { open: 'opened' } },
    opened: {
      on: { shut: 'closed', count: { actions: ({ context }) => void context } },
    },
  },
});
const payload = z.object({});
const door = defineWorkflow({
  name: 'door',
  machine,
  signals: {
    open: { payload, whenNotAccepted: 'reject' },
    shut: { payload, whenNotAccepted: 'reject' },
    count: { payload, whenNotAccepted: 'reject' },
  },
});

let store: Store;
let loads: number;
/** Two processes on one store. */
let here: Client;
let there: Client;
beforeEach(() => {
  const kept = createMemoryStore({ now: () => 1_800_000_000_000 });
  loads = 0;
  store = {
    ...kept,
    load: (instanceId, signalId) => {
      loads += 1;
      return kept.load(instanceId, signalId);
    },
  };
  const process = () =>
    createClient(createEngine({ store, registry: createRegistry([door]), log: silentLogger() }));
  here = process();
  there = process();
});

describe('an event for an instance this process committed last', () => {
  it('is decided without a load', async () => {
    await here.start(door, undefined, { id: 'one' });
    const { status } = await here.signalById('one', 'open', {});

    expect(status).toBe('applied');
    expect(loads).toBe(0);
  });

  it('is applied to what another process made of the instance meanwhile', async () => {
    await here.start(door, undefined, { id: 'one' });
    await there.signalById('one', 'open', {});

    // Open already: the copy here, still closed, would take it.
    expect((await here.signalById('one', 'open', {})).status).toBe('rejected');
    // The copy there, of the opening, is still good; the copy here is gone.
    expect((await here.signalById('one', 'shut', {})).status).toBe('applied');
    // Open in the copy there, which would refuse it.
    expect((await there.signalById('one', 'open', {})).status).toBe('applied');
    expect((await here.describe('one'))?.state).toEqual('opened');
  });

  it('counts once when it comes twice, here or there', async () => {
    await here.start(door, undefined, { id: 'one' });
    await here.signalById('one', 'open', {}, { id: 's' });
    await here.signalById('one', 'shut', {});

    expect((await here.signalById('one', 'open', {}, { id: 's' })).status).toBe('duplicate');
    expect((await there.signalById('one', 'open', {}, { id: 's' })).status).toBe('duplicate');
    expect((await here.describe('one'))?.state).toEqual('closed');
  });
});

describe('events of one instance that come to one process together', () => {
  it('wait for each other instead of conflicting', async () => {
    await here.start(door, undefined, { id: 'one' });
    await here.signalById('one', 'open', {});
    let refused = 0;
    const commit = store.commit;
    Object.assign(store, {
      commit: async (entry: Parameters<Store['commit']>[0]) => {
        const reply = await commit(entry);
        if (reply.status !== 'ok') refused += 1;
        return reply;
      },
    });

    const results = await Promise.all(
      Array.from({ length: 300 }, (_, n) => here.signalById('one', 'count', {}, { id: `s${n}` })),
    );

    expect(results.filter(({ status }) => status === 'applied')).toHaveLength(300);
    expect(await store.history('one', 0, 1_000)).toHaveLength(302);
    expect(refused).toBe(0);
  });

  const count = (client: Client) =>
    Promise.all(
      Array.from({ length: 300 }, (_, n) => client.signalById('one', 'count', {}, { id: `s${n}` })),
    );

  it('are decided on one load, not on one each', async () => {
    await there.start(door, undefined, { id: 'one' });
    await there.signalById('one', 'open', {});
    loads = 0;

    expect((await count(here)).every(({ status }) => status === 'applied')).toBe(true);

    expect(loads).toBe(1);
  });

  it('need no load either where the instance is a large one', async () => {
    await here.start(door, undefined, { id: 'one' });
    await here.signalById('one', 'open', {});
    await here.operate('one', { kind: 'edit-context', changes: { n: 'x'.repeat(1_000_000) } });
    loads = 0;

    await count(here);

    expect(loads).toBe(0);
  });

  it('are applied however often another process was first', async () => {
    await here.start(door, undefined, { id: 'one' });
    const { commit } = store;
    let lost = 0;
    Object.assign(store, {
      commit: async (entry: Parameters<Store['commit']>[0]) => {
        lost += 1;
        return lost <= 1_000 ? { status: 'conflict' as const } : commit(entry);
      },
    });

    expect((await here.signalById('one', 'open', {})).status).toBe('applied');
  });
});

describe('a start', () => {
  it('of an id that is taken finds the instance, from here and there', async () => {
    await here.start(door, undefined, { id: 'one' });

    for (const client of [here, there]) {
      const again = await client.start(door, undefined, { id: 'one', ifExists: 'return' });
      expect(again.created).toBe(false);
    }
    await expect(there.start(door, undefined, { id: 'one' })).rejects.toMatchObject({
      code: 'instance-exists',
    });
    expect(await store.history('one', 0, 10)).toHaveLength(1);
  });
});
