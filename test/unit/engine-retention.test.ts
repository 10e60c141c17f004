/** Closed instances go after their time, whole trees or nothing. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { createMachine, setup } from 'xstate';
import { z } from 'zod';
import {
  type Client,
  createClient,
  createEngine,
  createMemoryStore,
  createRegistry,
  defineWorkflow,
  type Engine,
  removeTree,
} from '../../engine/index.ts';
import type { InstanceRecord } from '../../engine/record.ts';
import type { Store } from '../../engine/store.ts';
import { readRecord, writeBody } from '../../engine/stored.ts';
import { silentLogger } from '../../shared/logger.ts';
import { startRetention } from '../../workers/retention.ts';
import { eventually } from '../support/eventually.ts';

const DAY_MS = 86_400_000;
const KEPT_MS = 400 * DAY_MS;

const grandchild = createMachine({ initial: 'over', states: { over: { type: 'final' } } });
const child = setup({ actors: { grandchild } }).createMachine({
  initial: 'working',
  states: { working: { invoke: { src: 'grandchild', onDone: 'over' } }, over: { type: 'final' } },
});
const family = defineWorkflow({
  name: 'family',
  machine: setup({ types: { events: {} as { type: 'end' } }, actors: { child } }).createMachine({
    initial: 'working',
    states: {
      working: { invoke: { src: 'child', onDone: 'waiting' } },
      waiting: { on: { end: 'over' } },
      over: { type: 'final' },
    },
  }),
  signals: { end: { payload: z.object({}), whenNotAccepted: 'defer' } },
});

let now: number;
let store: Store;
let engine: Engine;
let client: Client;
beforeEach(() => {
  now = 1_800_000_000_000;
  store = createMemoryStore({ now: () => now, shards: 3 });
  engine = createEngine({ store, registry: createRegistry([family]), log: silentLogger() });
  client = createClient(engine);
});

async function startFamily(id: string): Promise<void> {
  await client.start(family, undefined as never, { id });
  await eventually(async () => expect(await client.describe(id)).toMatchObject({ state: 'waiting' }));
}
const ids = async () => (await client.list({ children: true })).items.map(({ id }) => id);
const remove = (id: string) => removeTree(store, id, now - KEPT_MS);

describe('a tree', () => {
  it('goes whole once it was closed long enough, and leaves the others', async () => {
    await startFamily('old');
    await startFamily('open');
    await client.signalById('old', 'end', {});
    now += KEPT_MS;
    expect(await remove('old')).toBe(0);
    now += 1;

    expect([await remove('old'), await remove('open')]).toEqual([3, 0]);

    expect(await client.describe('old')).toBeNull();
    const left = await ids();
    expect(left).toHaveLength(3);
    expect(left.every((id) => id.startsWith('open'))).toBe(true);
    expect(await client.count({ status: 'completed' })).toBe(2);
    expect(await remove('old')).toBe(0);
  });

  it('stays while anything below it is open or wants attention', async () => {
    await startFamily('one');
    await client.signalById('one', 'end', {});
    const [below = ''] = (await ids()).filter((id) => id !== 'one');
    now += 2 * KEPT_MS;
    const load = store.load;
    const asIf = async (change: Partial<InstanceRecord>) => {
      const changed = {
        ...store,
        load: async (id: string) => {
          const stored = await load(id);
          if (id !== below || stored === null) return stored;
          return { ...stored, body: writeBody({ ...readRecord(stored), ...change }) };
        },
      };
      return removeTree(changed as Store, 'one', now - KEPT_MS);
    };

    expect(await asIf({ status: 'running' })).toBe(0);
    expect(await asIf({ attention: { code: 'instance-failed', message: 'm', at: 1 } })).toBe(0);
    expect(await asIf({ updatedAt: now - KEPT_MS })).toBe(0);
    expect(await ids()).toHaveLength(3);
    expect(await asIf({})).toBe(3);
  });

  it('is finished by the next call when a removal was cut short', async () => {
    await startFamily('one');
    await client.signalById('one', 'end', {});
    now += 2 * KEPT_MS;
    let commits = 0;
    const dying: Store = {
      ...store,
      async commit(entry) {
        commits += 1;
        if (commits === 2) throw new Error('the process died');
        return store.commit(entry);
      },
    };

    await expect(removeTree(dying, 'one', now - KEPT_MS)).rejects.toThrow('died');
    expect(await ids()).toHaveLength(2);
    expect(await ids()).toContain('one');

    expect(await remove('one')).toBe(2);
    expect(await ids()).toEqual([]);
  });
});

describe('the retention loop', () => {
  it('removes all that are old, page after page, and no other', async () => {
    for (let index = 0; index < 25; index += 1) {
      await startFamily(`old-${index}`);
      await client.signalById(`old-${index}`, 'end', {});
      now += 1;
    }
    now += 2 * KEPT_MS;
    await startFamily('young');
    await client.signalById('young', 'end', {});

    const loop = startRetention(engine, KEPT_MS, silentLogger());
    await eventually(async () => expect(await client.count({ status: 'completed' })).toBe(3), {
      within: 20_000,
    });
    await loop.stop();

    expect(await client.describe('young')).not.toBeNull();
  });
});
