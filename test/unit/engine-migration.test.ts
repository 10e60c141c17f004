/** Instances of version 1 taken to version 2: looked at, a share, all, and back. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { assign, fromPromise, setup } from 'xstate';
import { z } from 'zod';
import {
  type Client,
  createClient,
  createEngine,
  createMemoryStore,
  createMigrations,
  createRegistry,
  defineWorkflow,
  type Engine,
  type Migrations,
} from '../../engine/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { recordOne } from '../support/histories.ts';
import { expectReplays } from '../support/replays.ts';

type Old = { customer: string; seats: string };
type New = { customer: { name: string }; seats: number };

const child = setup({}).createMachine({
  id: 'child',
  initial: 'on',
  states: { on: { on: { leave: 'off' } }, off: { type: 'final' } },
});
const actors = { work: fromPromise(async () => 1), child };

const v1 = defineWorkflow({
  name: 'order',
  machine: setup({ types: { context: {} as Old, input: {} as Old }, actors }).createMachine({
    id: 'v1',
    context: ({ input }) => input,
    initial: 'waiting',
    states: {
      waiting: { after: { 60000: 'late' }, on: { go: 'working', follow: 'parent', odd: 'gone' } },
      working: { invoke: { src: 'work', onDone: 'ended' } },
      parent: { invoke: { id: 'kid', src: 'child', onDone: 'ended' } },
      gone: { on: { go: 'working' } },
      late: { on: { go: 'working' } },
      ended: { type: 'final' },
    },
  }),
  signals: Object.fromEntries(
    ['go', 'follow', 'odd', 'note'].map((type) => [type, { payload: z.object({}) }]),
  ) as never,
});

/** Another machine id, `waiting` renamed and nested, no `gone`, a context of another shape. */
const v2 = defineWorkflow({
  name: 'order',
  version: 2,
  machine: setup({ types: { context: {} as New, input: {} as New }, actors }).createMachine({
    id: 'v2',
    context: ({ input }) => input,
    initial: 'asking',
    states: {
      asking: {
        initial: 'customer',
        states: { customer: { after: { 60000: '#v2.late' }, on: { go: '#v2.working' } } },
      },
      working: { invoke: { src: 'work', onDone: { target: 'ended', actions: assign({ seats: 0 }) } } },
      parent: { invoke: { id: 'kid', src: 'child', onDone: 'ended' } },
      late: { invoke: { src: 'work' }, on: { go: 'working' } },
      ended: { type: 'final' },
    },
  }),
  signals: { go: { payload: z.object({}) } },
  context: z.object({ customer: z.object({ name: z.string() }), seats: z.number() }),
  subject: (context) => context.customer.name,
  correlationKeys: (context) => [`customer:${context.customer.name}`],
  migrate({ context }) {
    const { customer, seats } = context as Old;
    if (customer === 'Nobody') throw new Error('there is no Nobody');
    return {
      context: { customer: { name: customer }, seats: Number(seats) },
      states: { waiting: 'asking.customer' },
    };
  },
});

const v3 = defineWorkflow({
  name: 'order',
  version: 3,
  machine: v2.machine,
  migrate: ({ context }) => ({ context: context as New }),
});

let now: number;
let engine: Engine;
let client: Client;
let migrations: Migrations;
beforeEach(() => {
  now = 1_800_000_000_000;
  const store = createMemoryStore({ now: () => now });
  engine = createEngine({ store, registry: createRegistry([v1, v2, v3]), log: silentLogger() });
  client = createClient(engine);
  migrations = createMigrations(engine);
});

const by = { by: { kind: 'person', id: 'grace' }, reason: 'the new form' } as const;
const start = async (id: string, input: Partial<Old> = {}, ...signals: string[]) => {
  await client.start(v1, { customer: 'Ada', seats: '5', ...input }, { id });
  for (const type of signals) await client.signalById(id, type, {});
  await engine.settled();
};
const migrate = (options: object = {}) =>
  migrations.migrate({ name: 'order', version: 2, ...by, ...options });
const see = async (id: string) => {
  const view = await client.describe(id);
  if (view === null) throw new Error(`no instance ${id}`);
  return view;
};

/** Its state has a timer, an invoke without an id, and another name in the second version, which takes `late` there. */
function pausable() {
  const versionOf = (version: number) =>
    defineWorkflow({
      name: 'pausable',
      version,
      machine: setup({ actors }).createMachine({
        id: `v${version}`,
        initial: `v${version}`,
        states: {
          [`v${version}`]: {
            invoke: { src: 'work', onDone: 'worked' },
            after: { 1000: 'timed' },
            on: { never: 'took', ...(version === 1 ? {} : { late: 'took' }) },
          },
          worked: { on: { late: 'took' } },
          timed: { on: { late: 'took' } },
          took: { on: { never: 'timed' } },
        },
      } as never) as never,
      signals: { late: { payload: z.object({}) } } as never,
      migrate: ({ context }) => ({ context: context as never, states: { v1: 'v2' } }),
    });
  const [one, two] = [versionOf(1), versionOf(2)];
  const store = createMemoryStore({ now: () => now });
  const other = createEngine({ store, registry: createRegistry([one, two]), log: silentLogger() });
  const begin = (id: string) => createClient(other).start(one, undefined as never, { id });
  return { engine: other, start: begin };
}

describe('what came while it was paused', () => {
  const after = { timer: 'timed', result: 'worked' } as const;
  it.each(['timer', 'result'] as const)('its own %s, is taken under its new name', async (which) => {
    const { engine: other, start: begin } = pausable();
    const talk = createClient(other);
    await begin('one');
    await talk.pause('one');
    const { record } = (await other.open('one')) ?? {};
    const [timer = ''] = Object.keys(record?.timers ?? {});
    const [work = ''] = Object.keys(record?.activities ?? {});
    now += 1_000;
    await other.handle('one', {
      event:
        which === 'timer'
          ? { kind: 'timer.fired', token: timer }
          : { kind: 'activity.done', token: work, attempt: 1, output: 1 },
    });

    await createMigrations(other).migrate({ name: 'pausable', version: 2 });

    expect(await talk.resume('one')).toMatchObject({ version: 2, state: after[which], deferred: [] });
    expectReplays(other.registry, await recordOne(other.store, 'one'));
  });
});

describe('a dry run', () => {
  it('tells which live instances fit, and of the others why not, and changes nothing', async () => {
    await start('fits');
    await start('nan', { seats: 'many' });
    await start('nobody', { customer: 'Nobody' });
    await start('gone', {}, 'odd');
    await start('noted', {}, 'note');
    await start('late');
    now += 60_000;
    await engine.handle('late', { event: { kind: 'timer.fired', token: '1-0' } });
    await start('closed');
    await client.cancel('closed', { force: true });
    const before = await Promise.all(['fits', 'nan', 'gone'].map(see));

    const report = await migrate({ dryRun: true });

    expect(report).toMatchObject({
      from: 'order@1',
      to: 'order@2',
      dryRun: true,
      examined: 6,
      fits: 1,
      moved: 0,
      left: 1,
    });
    const whys = Object.fromEntries(report.refused.map(({ instanceId, problems }) => [instanceId, problems]));
    expect(whys).toEqual({
      nan: [{ code: 'context-unreadable', message: expect.stringContaining('/seats') }],
      nobody: [{ code: 'no-migration', message: "'migrate' throws: there is no Nobody" }],
      gone: [{ code: 'state-vanished', message: "'order@2' has no state 'gone'" }],
      noted: [{ code: 'signal-vanished', message: "it keeps a signal 'note', which is no more" }],
      late: [{ code: 'not-begun', message: expect.stringContaining("invokes '0.v2.late' (work)") }],
    });
    expect(await Promise.all(['fits', 'nan', 'gone'].map(see))).toEqual(before);
  });

  it('of one that is over says so', async () => {
    await start('closed');
    await client.cancel('closed', { force: true });

    expect(await migrate({ dryRun: true, instanceIds: ['closed'] })).toMatchObject({
      fits: 0,
      refused: [{ instanceId: 'closed', problems: [{ code: 'no-migration', message: 'it is canceled' }] }],
    });
  });
});

describe('a migrated instance', () => {
  it('stays where it is under the new name, keeps its timer, and goes on as the new version', async () => {
    await start('one');
    const [timer] = (await see('one')).timers;

    expect(await migrate()).toMatchObject({ examined: 1, moved: 1, refused: [] });

    const view = await see('one');
    expect(view).toMatchObject({
      version: 2,
      state: { asking: 'customer' },
      context: { customer: { name: 'Ada' }, seats: 5 },
      subject: 'Ada',
      keys: ['customer:Ada'],
    });
    expect(view.timers).toEqual([{ ...timer, event: 'xstate.after.60000.v2.asking.customer' }]);
    now += 60_000;
    await engine.handle('one', { event: { kind: 'timer.fired', token: timer?.token ?? '' } });
    expect(await see('one')).toMatchObject({ state: 'late', activities: [{ name: 'work' }] });
    const entry = (await client.history('one'))[1];
    expect(entry).toMatchObject({ event: { kind: 'migrate', to: 'order@2', undo: false }, ...by });
    expect(await client.verifyHistory('one')).toMatchObject({ intact: true });
    expectReplays(engine.registry, await recordOne(engine.store, 'one'));
    expectReplays(createRegistry([v2]), await recordOne(engine.store, 'one'));
  });

  it('keeps its activity, though its id followed the name of the machine, and its child', async () => {
    await start('busy', {}, 'go');
    await start('parent', {}, 'follow');
    const [activity] = (await see('busy')).activities;
    const [kid] = (await see('parent')).children;

    expect(await migrate()).toMatchObject({ moved: 2 });

    expect((await see('busy')).activities).toEqual([activity]);
    const done = { kind: 'activity.done', token: activity?.token ?? '', attempt: 1, output: 1 } as const;
    await engine.handle('busy', { event: done });
    expect(await see('busy')).toMatchObject({ status: 'completed', version: 2, context: { seats: 0 } });
    await client.signalById(kid?.instanceId ?? '', 'leave', {});
    await engine.settled();
    expect(await see('parent')).toMatchObject({ status: 'completed', version: 2 });
  });

  it('is found by its version in no other way than before, and migrated once', async () => {
    await start('one');
    await migrate();
    expect(await migrate()).toMatchObject({ examined: 0, moved: 0 });
    expect(await client.count({ workflow: 'order' })).toBe(1);
  });
});

describe('a state that moved into another name', () => {
  /** `box` and what is in it, under the names of a version. */
  const boxed = (version: number, box: string, second: string) =>
    defineWorkflow({
      name: 'boxed',
      version,
      machine: setup({ actors }).createMachine({
        id: `w${version}`,
        initial: box,
        states: {
          [box]: {
            initial: 'first',
            states: {
              first: { on: { next: second } },
              [second]: { meta: { description: 'Waits, day {day}', waitingOn: 'us' } },
              last: { type: 'history' },
            },
            on: { out: 'outside' },
          },
          // An id of the author's own, that ends as XState's made ones do.
          outside: { invoke: { id: 'keep.w1.outside', src: 'work' }, on: { back: `${box}.last` } },
        },
      } as never) as never,
      migrate: ({ context }) => ({
        context: context as never,
        states: { box: 'crate', 'box.b': 'crate.second' },
      }),
    });

  it('is remembered under it: since when, by history states, by the longest name given', async () => {
    const [old, next] = [boxed(1, 'box', 'b'), boxed(2, 'crate', 'second')];
    const store = createMemoryStore({ now: () => now });
    engine = createEngine({ store, registry: createRegistry([old, next]), log: silentLogger() });
    client = createClient(engine);
    for (const id of ['in', 'out']) {
      await client.start(old, undefined as never, { id });
      await client.signalById(id, 'next', {});
    }
    await client.signalById('out', 'out', {});
    now += 1_000;

    const report = await createMigrations(engine).migrate({ name: 'boxed', version: 2 });

    expect(report).toMatchObject({ moved: 2, refused: [] });
    expect((await engine.open('in'))?.record).toMatchObject({
      machine: { value: { crate: 'second' } },
      entered: { 'w2.crate.second': now - 1_000 },
    });
    const { instance } = await client.signalById('out', 'back', {});
    expect(instance).toMatchObject({ state: { crate: 'second' } });
  });
});

describe('a canary', () => {
  it('is the same share every time, and part of every larger one', async () => {
    const ids = Array.from({ length: 200 }, (_, n) => `i${n}`);
    for (const id of ids) await start(id);

    const tenth = await migrate({ share: 0.1 });
    expect(tenth.moved).toBeGreaterThan(5);
    expect(tenth.moved).toBeLessThan(40);
    expect(await migrate({ share: 0.1 })).toMatchObject({ moved: 0 });
    const half = await migrate({ share: 0.5, limit: 30 });
    expect(half).toMatchObject({ moved: 30 });
    expect(half.left).toBeGreaterThan(20);
    const rest = await migrate();
    expect(tenth.moved + half.moved + rest.moved).toBe(200);
  });
});

describe('undo', () => {
  it('brings back exactly what was, token for token, and may be migrated again', async () => {
    await start('one');
    await start('busy', {}, 'go');
    const before = [await see('one'), await see('busy')];
    await migrate();

    expect(await migrate({ undo: true, dryRun: true })).toMatchObject({
      from: 'order@2',
      to: 'order@1',
      fits: 2,
      moved: 0,
    });
    expect(await migrate({ undo: true })).toMatchObject({ moved: 2, refused: [] });

    for (const view of before) {
      expect(await see(view.id)).toEqual({ ...view, revision: view.revision + 2 });
      expectReplays(engine.registry, await recordOne(engine.store, view.id));
    }
    expect(await migrate()).toMatchObject({ moved: 2 });
  });

  it('is refused once anything has happened since', async () => {
    await start('one');
    await migrate();
    await client.signalById('one', 'go', {});

    expect(await migrate({ undo: true })).toMatchObject({
      moved: 0,
      refused: [{ instanceId: 'one', code: 'migration-refused' }],
    });
    expect(await see('one')).toMatchObject({ version: 2, state: 'working' });
  });

  it('is refused where the new version took what had waited: it would be lost', async () => {
    const { engine: other, start: begin } = pausable();
    const talk = createClient(other);
    await begin('one');
    await talk.signalById('one', 'late', {}, { id: 's' });
    const move = (undo: boolean) => createMigrations(other).migrate({ name: 'pausable', version: 2, undo });

    expect(await move(false)).toMatchObject({ moved: 1 });
    expect(await move(true)).toMatchObject({ moved: 0, refused: [{ code: 'migration-refused' }] });

    expect(await talk.describe('one')).toMatchObject({ version: 2, state: 'took', deferred: [] });
  });

  it('of an undo is none: it never leads to a later version', async () => {
    await start('one');
    await migrate();
    await migrate({ version: 3 });
    await migrate({ version: 3, undo: true });
    expect(await see('one')).toMatchObject({ version: 2 });

    expect(await migrate({ undo: true })).toMatchObject({
      moved: 0,
      refused: [{ code: 'migration-refused' }],
    });
    expect(await see('one')).toMatchObject({ version: 2 });
  });

  it('is nothing to instances that were born into the version', async () => {
    await client.start(v2, { customer: { name: 'Ben' }, seats: 1 }, { id: 'native' });
    expect(await migrate({ undo: true })).toMatchObject({ moved: 0, refused: [{ instanceId: 'native' }] });
  });
});

it('a version that is not registered is named', async () => {
  await expect(migrate({ version: 4 })).rejects.toMatchObject({ code: 'workflow-version-missing' });
  await expect(migrate({ name: 'nothing' })).rejects.toMatchObject({ code: 'workflow-unknown' });
});
