/** What an instance becomes whose store was set back: everything open in it is looked up before it runs. */
import { expect, it } from '@jest/globals';
import { createMachine, fromPromise, setup } from 'xstate';
import { createEngine, createMemoryStore, createRegistry, defineWorkflow } from '../../engine/index.ts';
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
