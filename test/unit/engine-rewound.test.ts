/** What an instance becomes whose store was set back: everything open in it is looked up before it runs. */
import { describe, expect, it } from '@jest/globals';
import { createMachine, fromPromise, setup } from 'xstate';
import {
  createClient,
  createEngine,
  createMemoryStore,
  createRegistry,
  defineWorkflow,
  type Engine,
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

describe('the marking of a store taken on', () => {
  const LOSS = { since: 300, at: 900 };

  function taking(workflows = [workflow]) {
    const time = { now: 500 };
    const store = createMemoryStore({ now: () => time.now, shards: 2 });
    const engine = createEngine({ store, registry: createRegistry(workflows), log: silentLogger() });
    let marked = 0;
    const mark = async (by: Engine = engine) => {
      const done = async (): Promise<void> => {
        marked += 1;
      };
      await markRewound(by, { ...LOSS, marked: done }, silentLogger());
      return marked;
    };
    const start = (id: string) =>
      engine.handle(id, { event: { kind: 'start', definition: 'two-acts@1', input: undefined } });
    const lossOf = async (id: string) => (await engine.open(id))?.record.rewound ?? null;
    return { time, store, engine, mark, start, lossOf };
  }

  it('marks whatever was open, however many, and leaves alone what is over or began later', async () => {
    const { time, engine, mark, start, lossOf } = taking();
    const open = Array.from({ length: 205 }, (_, n) => `open${n}`);
    for (const id of [...open, 'paused', 'over']) await start(id);
    const operate = (id: string, kind: 'pause' | 'cancel') =>
      engine.handle(id, { event: { kind, force: true } as never });
    await operate('paused', 'pause');
    await operate('over', 'cancel');
    time.now = LOSS.at;
    await start('then');
    time.now += 1;
    await start('later');

    expect(await mark()).toBe(1);

    const losses = await Promise.all([...open, 'paused', 'then'].map(lossOf));
    expect(losses.filter((loss) => loss?.at !== LOSS.at || loss.since !== LOSS.since)).toEqual([]);
    expect([await lossOf('over'), await lossOf('later')]).toEqual([null, null]);
  });

  it('marks a child begun since, if its parent was there before', async () => {
    const { time, engine, mark, start, lossOf } = taking();
    await start('old');
    time.now = LOSS.at + 1;
    await start('young');
    for (const id of ['old', 'young'])
      await engine.handle(id, { event: { kind: 'signal', id: 's', event: { type: 'next' } } });
    await engine.settled();
    const childOf = async (id: string) =>
      Object.values((await engine.open(id))?.record.children ?? {})[0]?.instanceId ?? '';

    await mark();

    expect(await lossOf(await childOf('old'))).toEqual(LOSS);
    expect(await lossOf(await childOf('young'))).toBeNull();
  });

  it('goes over them again until nothing is left: one that moved on meanwhile may have begun another', async () => {
    const { engine, start, mark, lossOf } = taking();
    await start('first');
    let begun = false;
    await mark({
      ...engine,
      async handle(id: string, envelope: never) {
        const handled = await engine.handle(id, envelope);
        if (!begun) await start('second');
        begun = true;
        return handled;
      },
    } as never);

    expect(await lossOf('second')).toEqual(LOSS);
  });

  it('is not over while there is trouble', async () => {
    const { start, engine, mark } = taking();
    await start('one');

    const broken = { ...engine, handle: () => Promise.reject(new Error('away')) };
    await expect(mark(broken as never)).rejects.toThrow('away');
    expect(await mark()).toBe(1);
  });
});
