/** What an instance becomes whose store was set back: everything open in it is looked up before it runs. */
import { expect, it } from '@jest/globals';
import { createMachine, fromPromise, setup } from 'xstate';
import {
  createClient,
  createEngine,
  createMemoryStore,
  createRegistry,
  defineWorkflow,
  markRewound,
} from '../../engine/index.ts';
import { silentLogger } from '../../shared/logger.ts';

const child = createMachine({});
const workflow = defineWorkflow({
  name: 'two-acts',
  machine: setup({ actors: { act: fromPromise(async () => 1), child } }).createMachine({
    initial: 'first',
    states: {
      first: { invoke: { src: 'act' }, on: { next: 'second' } },
      second: { invoke: [{ src: 'act' }, { src: 'child' }] },
    },
  }),
});

it('is marked once a loss, from the earliest doubt on, and hands it down', async () => {
  const store = createMemoryStore({ now: () => 1_000, shards: 1 });
  const engine = createEngine({ store, registry: createRegistry([workflow]), log: silentLogger() });
  const doubts = async () =>
    Object.values((await engine.open('a'))?.record.activities ?? {}).map(({ unverified }) => unverified);
  await engine.handle('a', { event: { kind: 'start', definition: 'two-acts@1', input: undefined } });
  expect(await doubts()).toEqual([false]);

  const mark = (since: number, at: number) =>
    engine.handle('a', { event: { kind: 'rewound', since, at } }).then(({ reply }) => reply.status);
  expect(await mark(300, 900)).toBe('applied');
  expect(await mark(300, 900)).toBe('stale');
  expect(await mark(500, 950)).toBe('applied');

  expect((await engine.open('a'))?.record.rewound).toEqual({ since: 300, at: 950 });
  expect(await doubts()).toEqual([true]);
  await engine.handle('a', { event: { kind: 'signal', id: 's', event: { type: 'next' } } });
  expect(await doubts()).toEqual([true]);
  await engine.settled();
  const [begun] = Object.values((await engine.open('a'))?.record.children ?? {});
  expect((await engine.open(begun?.instanceId ?? ''))?.record.rewound).toEqual({ since: 300, at: 950 });
});

it('is marked by a process that lacks its version too, and goes on where the version is', async () => {
  let now = 1_000;
  const store = createMemoryStore({ now: () => now, shards: 2 });
  const log = silentLogger();
  const engine = createEngine({ store, registry: createRegistry([workflow]), log });
  const stranger = createEngine({ store, registry: createRegistry([]), log });
  const client = createClient(engine);
  for (const id of ['a', 'b'])
    await engine.handle(id, { event: { kind: 'start', definition: 'two-acts@1', input: undefined } });
  await engine.handle('b', { event: { kind: 'signal', id: 's', event: { type: 'next' } } });
  await engine.settled();
  now = 2_000;
  const [child = ''] = (await client.list({ children: true })).items.flatMap(({ id }) =>
    id.startsWith('b.') ? [id] : [],
  );
  const marks: number[] = [];
  const mark = (since: number, at: number) =>
    markRewound(stranger, { since, at, marked: async () => void marks.push(at) }, log);

  await mark(300, 1_500);
  await mark(300, 1_500);
  await mark(500, 1_900);

  expect(marks).toEqual([1_500, 1_500, 1_900]);
  expect(await client.count({ rewound: true })).toBe(3);
  for (const id of ['a', 'b', child]) {
    const open = await engine.open(id);
    expect(open?.record).toMatchObject({ rewound: { since: 300, at: 1_900 }, updatedAt: 2_000 });
    for (const { unverified } of Object.values(open?.record.activities ?? {})) expect(unverified).toBe(true);
    expect(await client.verifyHistory(id)).toMatchObject({ intact: true });
    const history = await client.history(id);
    expect(history.filter(({ event }) => event.kind === 'rewound')).toHaveLength(2);
  }
  await engine.handle('a', { event: { kind: 'signal', id: 's', event: { type: 'next' } } });
  expect(await client.describe('a')).toMatchObject({ state: 'second' });
  expect(await client.count({ rewound: true })).toBeGreaterThanOrEqual(3);
});
