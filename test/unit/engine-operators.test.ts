/** What operators do beyond one event: moving, trying again from a state, forks, looking ahead, batches, stale looks. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { assign, fromPromise, sendTo, setup } from 'xstate';
import { createClient, createEngine, createOperations, type Operations } from '../../engine/index.ts';
import { replayTo } from '../../engine/replay.ts';
import { silentLogger } from '../../shared/logger.ts';
import { type EngineBench, engineBench } from '../support/engine-bench.ts';
import { recordOne } from '../support/histories.ts';
import { expectReplays } from '../support/replays.ts';

const child = setup({ types: { input: {} as { name: string } } }).createMachine({
  id: 'child',
  context: ({ input }) => input,
  initial: 'waiting',
  states: { waiting: { on: { leave: 'over' } }, over: { type: 'final' } },
});

/** Two regions, an activity with an input, timers, a child, a wildcard that would swallow anything. */
const machine = setup({
  types: { context: {} as { tries: number; left: string[] } },
  actors: { work: fromPromise(async () => 0), child },
  actions: {
    leftWork: assign({ left: ({ context }) => [...context.left, 'working'] }),
    broken: () => {},
  },
}).createMachine({
  id: 'm',
  context: { tries: 0, left: [] },
  type: 'parallel',
  states: {
    main: {
      initial: 'working',
      states: {
        working: {
          entry: assign({ tries: ({ context }) => context.tries + 1 }),
          exit: 'leftWork',
          invoke: { id: 'work', src: 'work', input: { n: 1 }, onDone: 'resting' },
          after: { 60000: 'late' },
        },
        resting: { after: { 1000: 'waiting' } },
        waiting: { on: { go: 'parent', '*': 'swallowed' } },
        parent: {
          invoke: { id: 'kid', src: 'child', input: { name: 'Ada' }, onDone: 'end' },
          on: { tell: { actions: sendTo('kid', { type: 'leave' }) } },
        },
        thrower: {
          entry: assign(() => {
            throw new Error('cannot enter');
          }),
        },
        late: {},
        swallowed: {},
        end: { type: 'final' },
      },
    },
    side: { initial: 'quiet', states: { quiet: { on: { '*': 'loud' } }, loud: {} } },
  },
});

let bench: EngineBench;
let operations: Operations;
beforeEach(() => {
  bench = engineBench(machine);
  operations = createOperations(bench.engine, bench.client);
});
const by = { by: { kind: 'person', id: 'grace' }, reason: 'a test' } as const;
const replays = async (id: string) =>
  expectReplays(bench.engine.registry, await recordOne(bench.engine.store, id));

describe('moving to a state', () => {
  it('leaves one region and enters it anew, canceling what ran there, and touches no other region', async () => {
    await bench.start();

    const moved = await bench.client.operate('one', { kind: 'move', to: 'main.resting' }, by);

    expect(moved).toMatchObject({
      state: { main: 'resting', side: 'quiet' },
      activities: [],
      context: { left: ['working'] },
    });
    expect(moved.timers.map(({ event }) => event)).toEqual(['xstate.after.1000.m.main.resting']);
    const last = (await bench.client.history('one')).at(-1);
    expect(last).toMatchObject({ event: { kind: 'move', to: 'main.resting' }, ...by });
    await bench.pass(1_000);
    expect((await bench.see('one')).state).toMatchObject({ main: 'waiting' });
    await replays('one');
  });

  it('enters a state again that it is in, past any wildcard, with a fresh activity', async () => {
    await bench.start();
    const [before] = (await bench.see('one')).activities;

    const again = await bench.client.operate('one', { kind: 'move', to: 'm.main.working' });

    expect(again.context).toMatchObject({ tries: 2 });
    expect(again.activities.map(({ token }) => token)).not.toEqual([before?.token]);
    expect(again.activities).toHaveLength(1);
    await bench.finish('one', 1);
    await bench.pass(1_000);
    const { side } = (await bench.see('one')).state as { side: string };
    const there = await bench.client.operate('one', { kind: 'move', to: 'main.working' });
    expect(there.state).toEqual({ main: 'working', side });
    await replays('one');
  });

  it('starts and stops children', async () => {
    await bench.start();
    const parent = await bench.client.operate('one', { kind: 'move', to: 'main.parent' });
    await bench.engine.settled();
    const childId = parent.children[0]?.instanceId ?? '';
    expect(await bench.see(childId)).toMatchObject({ status: 'running', context: { name: 'Ada' } });

    await bench.client.operate('one', { kind: 'move', to: 'main.late' });
    await bench.engine.settled();

    expect(await bench.see(childId)).toMatchObject({ status: 'canceled' });
  });

  it('speaks to the child it began anew, not to the one that it stopped', async () => {
    await bench.start();
    await bench.client.operate('one', { kind: 'move', to: 'main.parent' });
    const [first] = (await bench.see('one')).children;
    await bench.client.operate('one', { kind: 'move', to: 'main.parent' });

    await bench.client.signalById('one', 'tell', {});
    await bench.engine.settled();

    expect(await bench.see(first?.instanceId ?? '')).toMatchObject({ status: 'canceled' });
    expect((await bench.see('one')).state).toMatchObject({ main: 'end' });
    await replays('one');
  });

  it.each([
    [
      'a state there is not',
      { kind: 'move', to: 'main.nowhere' },
      /there is no state 'main.nowhere'; there are main, /,
    ],
    ['a state that throws', { kind: 'move', to: 'main.thrower' }, /throws on entering.*cannot enter/],
  ] as const)('refuses %s and changes nothing', async (_, event, message) => {
    const before = await bench.start();

    await expect(bench.client.operate('one', event)).rejects.toThrow(message);
    expect(await bench.see('one')).toEqual(before);
  });

  it('waits until a paused instance is resumed', async () => {
    await bench.start();
    await bench.client.pause('one');
    await expect(bench.client.operate('one', { kind: 'move', to: 'main.late' })).rejects.toThrow(
      /resume it first/,
    );
  });
});

describe('trying again from a state', () => {
  it('opens a failed instance again, where it was before, with what it knows', async () => {
    bench = engineBench(
      setup({ actors: { work: fromPromise(async () => 0) } }).createMachine({
        context: { tries: 0 },
        initial: 'working',
        states: {
          working: {
            entry: assign({ tries: ({ context }) => context.tries + 1 }),
            invoke: { src: 'work', onDone: 'ended' },
          },
          ended: { type: 'final' },
        },
      }),
    );
    operations = createOperations(bench.engine, bench.client);
    await bench.start();
    expect(await bench.fail('one', 'boom')).toMatchObject({ status: 'failed' });

    const again = await operations.retryFrom('one', 'working', by);

    expect(again).toMatchObject({ status: 'running', attention: null, context: { tries: 2 }, error: null });
    expect(await bench.client.count({ status: 'failed' })).toBe(0);
    expect(await bench.finish('one', 1)).toMatchObject({ status: 'completed' });
    await expect(operations.retryFrom('one', 'working')).rejects.toMatchObject({ code: 'instance-closed' });
    await replays('one');
  });

  it('takes only states it was in', async () => {
    await bench.start();
    await expect(operations.retryFrom('one', 'main.late')).rejects.toThrow(/never in 'main.late'/);
    const operation = { kind: 'retry-from', state: 'main.late' } as const;
    await expect(operations.preview('one', operation)).rejects.toThrow(/never in 'main.late'/);
    expect(await operations.batch({ id: 'x', filter: {}, operation, expected: 1 })).toMatchObject({
      ...{ done: 0, refused: [{ code: 'operation-impossible' }] },
    });
    await expect(operations.retryFrom('nobody', 'main.late')).rejects.toMatchObject({
      code: 'instance-unknown',
    });
  });
});

describe('looking ahead', () => {
  it('tells the effects of an operation, and changes nothing', async () => {
    const before = await bench.start();

    const preview = await operations.preview('one', { kind: 'move', to: 'main.parent' });

    expect(preview).toMatchObject({
      status: 'applied',
      before: { state: { main: 'working' }, revision: 1 },
      after: { state: { main: 'parent', side: 'quiet' }, status: 'running', context: { left: ['working'] } },
    });
    expect(preview.effects).toEqual([
      { type: 'activity-canceled', actorId: 'work', activity: 'work', mayRun: true },
      { type: 'timer-cleared', event: 'xstate.after.60000.m.main.working', fireAt: expect.any(Number) },
      { type: 'child-begins', actorId: 'kid', definition: 'bench@1/child' },
    ]);
    expect(await bench.see('one')).toEqual(before);
    expect(await operations.preview('one', { kind: 'resume' })).toMatchObject({
      status: 'impossible',
      detail: 'not paused',
      after: null,
      effects: [],
    });
    const cancel = await operations.preview('one', { kind: 'cancel', force: true });
    expect(cancel.effects.map(({ type }) => type)).toEqual(['activity-canceled', 'timer-cleared']);
  });
});

describe('a fork', () => {
  it('begins where the other stood: same state and context, its own tokens, timers with as long to go', async () => {
    await bench.start();
    await bench.pass(20_000);
    await bench.finish('one', 1);
    await bench.pass(1_000);

    const fork = await operations.fork('one', { revision: 1, id: 'two', ...by });

    expect(fork).toMatchObject({ id: 'two', state: { main: 'working' }, context: { tries: 1 }, revision: 1 });
    expect(fork.activities).toMatchObject([{ name: 'work', phase: 'open' }]);
    expect((await bench.record('two')).activities[fork.activities[0]?.token ?? '']).toMatchObject({
      unverified: true,
      input: { n: 1 },
    });
    await bench.pass(59_000);
    expect((await bench.see('two')).state).toMatchObject({ main: 'working' });
    await bench.pass(1_000);
    expect((await bench.see('two')).state).toMatchObject({ main: 'late' });
    expect((await bench.see('one')).state).toMatchObject({ main: 'waiting' });
    expect((await bench.client.history('two'))[0]).toMatchObject({
      event: { kind: 'fork', from: { instanceId: 'one', revision: 1 } },
      ...by,
    });
    await replays('two');
    expect((await operations.fork('two', { revision: 1, id: 'three' })).state).toMatchObject({
      main: 'working',
    });
  });

  it('keeps the result of its own activity, whatever became of the other', async () => {
    await bench.start();
    await operations.fork('one', { revision: 1, id: 'two' });
    await bench.fail('one', 'boom');

    expect(await bench.finish('two', 1)).toMatchObject({ state: { main: 'resting' }, status: 'running' });
    for (let n = 0; n < 12; n += 1) await bench.send('two', 'noise');
    const tokens = [...Object.keys((await bench.record('two')).timers)];
    expect(new Set(tokens).size).toBe(tokens.length);
  });

  it('never mints a token that the past left it with', async () => {
    bench = engineBench(
      setup({}).createMachine({
        type: 'parallel',
        states: {
          alarm: {
            initial: 'off',
            states: { off: { on: { arm: 'on' } }, on: { after: { 60000: 'rung' } }, rung: {} },
          },
          clock: {
            initial: 'ticking',
            states: {
              ticking: { after: { 600000: 'stopped' }, on: { tick: { target: 'ticking', reenter: true } } },
              stopped: {},
            },
          },
        },
      }),
    );
    operations = createOperations(bench.engine, bench.client);
    await bench.start();
    for (const type of ['tick', 'tick', 'arm']) await bench.send('one', type);
    await operations.fork('one', { revision: 4, id: 'two' });

    for (let n = 0; n < 6; n += 1) expect((await bench.send('two', 'tick')).timers).toHaveLength(2);
    await bench.pass(60_000);
    expect((await bench.see('two')).state).toEqual({ alarm: 'rung', clock: 'ticking' });
  });

  it('is refused where children ran, unless they may begin anew', async () => {
    await bench.start();
    await bench.client.operate('one', { kind: 'move', to: 'main.parent' });
    await bench.engine.settled();

    await expect(operations.fork('one', { revision: 2 })).rejects.toThrow(/kid ran below it then/);
    const fork = await operations.fork('one', { revision: 2, id: 'two', restartChildren: true });
    await bench.engine.settled();

    const childId = fork.children[0]?.instanceId ?? '';
    expect(childId).toMatch(/^two\./);
    expect(await bench.see(childId)).toMatchObject({
      context: { name: 'Ada' },
      parentId: 'two',
      status: 'running',
    });
    await bench.send(childId, 'leave');
    expect(await bench.see('two')).toMatchObject({ state: { main: 'end' } });
    expect(await bench.see('one')).toMatchObject({ state: { main: 'parent' } });
    await expect(operations.fork(childId, { revision: 1 })).rejects.toThrow(/fork that one/);
  });

  it('is refused for a revision that is not, or one after the end', async () => {
    await bench.start();
    await bench.client.cancel('one', { force: true });
    await expect(operations.fork('one', { revision: 9 })).rejects.toMatchObject({
      code: 'operation-impossible',
    });
    await expect(operations.fork('one', { revision: 2 })).rejects.toThrow(/was canceled by then/);
    await expect(operations.fork('one', { revision: 1, id: 'one' })).rejects.toMatchObject({
      code: 'instance-exists',
    });
    expect(await operations.previewFork('one', { revision: 1 })).toMatchObject({
      before: null,
      after: { state: { main: 'working' } },
      effects: [{ type: 'activity-begins' }, { type: 'timer-set' }],
    });
  });

  it('is refused when the code no longer leads there', async () => {
    await bench.start();
    const other = engineBench(setup({}).createMachine({ initial: 'elsewhere', states: { elsewhere: {} } }));
    const lines = await bench.engine.store.history('one', 0, 1);
    expect(() => replayTo(other.engine.registry, 'one', lines)).toThrow(
      expect.objectContaining({ code: 'replay-diverged' }),
    );
  });
});

describe('an operation on a stale look', () => {
  it('is refused by the commit itself, however late the instance moves', async () => {
    await bench.start();
    const { revision } = await bench.see('one');
    const { store, registry } = bench.engine;
    const elsewhere = createClient(createEngine({ store, registry, log: silentLogger() }));
    const commit = store.commit.bind(store);
    let raced = false;
    Object.assign(store, {
      async commit(entry: Parameters<typeof commit>[0]) {
        // Between the look and the commit, somebody else.
        if (!raced) {
          raced = true;
          await elsewhere.operate('one', { kind: 'edit-context', changes: { tries: 9 } });
        }
        return commit(entry);
      },
    });

    await expect(bench.client.pause('one', { expectedRevision: revision })).rejects.toMatchObject({
      code: 'revision-mismatch',
      details: { revision: revision + 1, expected: revision },
    });
    expect(await bench.see('one')).toMatchObject({ status: 'running', context: { tries: 9 } });
    await bench.client.pause('one', { expectedRevision: revision + 1 });
  });
});

describe('a batch', () => {
  it('counts, then does it once an instance, and goes on where it was cut short', async () => {
    for (const id of ['a', 'b', 'c', 'd']) await bench.start(undefined, id);
    await bench.client.pause('d');
    const filter = { workflow: 'bench', status: 'running' } as const;
    expect(await operations.countBatch(filter)).toBe(3);
    const batch = {
      id: 'spring',
      filter: { workflow: 'bench' },
      operation: { kind: 'edit-context', changes: { tries: 7 } },
      expected: 4,
      ...by,
    } as const;
    // Cut short after the first one.
    await bench.engine.handle('b', { event: batch.operation }, { operationId: 'batch:spring' });

    expect(await operations.batch(batch)).toEqual({ matched: 4, done: 3, before: 1, refused: [] });
    expect(await operations.batch(batch)).toEqual({ matched: 4, done: 0, before: 4, refused: [] });

    for (const id of ['a', 'b', 'c', 'd']) {
      const edits = (await bench.client.history(id)).filter(({ event }) => event.kind === 'edit-context');
      expect(edits).toHaveLength(1);
    }
  });

  it('tells whom it could not help, and does nothing when more is found than was counted', async () => {
    for (const id of ['a', 'b']) await bench.start(undefined, id);
    await bench.client.pause('b');
    const batch = { id: 'x', filter: {}, operation: { kind: 'pause' } } as const;

    await expect(operations.batch({ ...batch, expected: 1 })).rejects.toMatchObject({
      code: 'batch-changed',
    });
    expect((await bench.see('a')).status).toBe('running');
    expect(await operations.batch({ ...batch, expected: 2 })).toMatchObject({
      done: 1,
      refused: [{ instanceId: 'b', code: 'operation-impossible' }],
    });
  });
});

describe('counting', () => {
  it('honours every filter given', async () => {
    for (const id of ['a', 'b', 'c']) await bench.start(undefined, id);
    await bench.client.pause('c');
    expect(await bench.client.count({ status: 'running' })).toBe(2);
    expect(await bench.client.count({ status: 'running', workflow: 'bench' })).toBe(2);
    expect(await bench.client.count({ status: 'running', workflow: 'other' })).toBe(0);
    expect(await bench.client.count({ status: 'running', attention: true })).toBe(0);
  });
});

describe('a child canceled by itself', () => {
  it('is an error to its parent, which would wait for it for ever', async () => {
    const parent = setup({ actors: { child } }).createMachine({
      invoke: { id: 'kid', src: 'child', input: { name: 'Ada' }, onDone: '.' },
    });
    bench = engineBench(parent);
    const [kid] = (await bench.start()).children;

    await bench.client.cancel(kid?.instanceId ?? '', { force: true });
    await bench.engine.settled();

    expect(await bench.see('one')).toMatchObject({ status: 'failed', error: { code: 'child-canceled' } });
  });
});
