/** What of an instance a migration renames, what it keeps as it was, and what it drops because nothing is left of it. */
import { describe, expect, it } from '@jest/globals';
import { type AnyStateMachine, createMachine, fromPromise, raise, setup } from 'xstate';
import {
  type AnyWorkflow,
  createEngine,
  createMemoryStore,
  createRegistry,
  defineWorkflow,
} from '../../engine/index.ts';
import { planMigration } from '../../engine/migrate.ts';
import { silentLogger } from '../../shared/logger.ts';

const NOW = 1_800_000_000_000;
const parts = setup({
  actors: { work: fromPromise(async () => 1), kid: createMachine({ initial: 'on', states: { on: {} } }) },
});
/** In `a` much is under way; `b` and `c` are remembered by history states. */
const a = {
  entry: raise({ type: 'later', text: 'kept' } as never, { id: 'reminder', delay: 60_000 }),
  invoke: [
    { src: 'work', systemId: 'the-work' },
    { id: 'k', src: 'kid', systemId: 'the-kid' },
  ],
  after: { 90000: {} },
  on: { later: '#c' },
} as const;
const inB = (states: object) => ({ initial: 'x', states, on: { c: '#c', back: '#a' } }) as const;

const v1 = defineWorkflow({
  name: 'w',
  machine: parts.createMachine({
    id: 'm1',
    initial: 'b',
    states: {
      a: { id: 'a', ...a },
      b: inB({ x: { on: { y: 'y' } }, y: {}, past: { type: 'history' } }),
      c: { id: 'c', initial: 'x', states: { x: {}, past: { type: 'history' } }, on: { back: '#a' } },
    },
  } as never) as unknown as AnyStateMachine,
});
const given: unknown[] = [];
const v2 = defineWorkflow({
  name: 'w',
  version: 2,
  machine: parts.createMachine({
    id: 'm2',
    initial: 'b',
    states: {
      deep: { initial: 'er', states: { er: { initial: 'z', states: { z: {}, a: { id: 'a', ...a } } } } },
      b: inB({ x: {}, why: {}, past: { type: 'history' } }),
      c: { id: 'c', initial: 'x', states: { x: {} }, on: { back: '#a' } },
    },
  } as never) as unknown as AnyStateMachine,
  migrate(old) {
    given.push(old);
    return { context: { new: true }, states: { a: 'deep.er.a', 'b.y': 'b.why' } };
  },
});
const bare = { name: 'w', machine: v2.machine };

async function openAfter(...signals: readonly string[]) {
  const registry = createRegistry([v1, v2]);
  const store = createMemoryStore({ now: () => NOW, shards: 1 });
  const engine = createEngine({ store, registry, log: silentLogger() });
  await engine.handle('one', { event: { kind: 'start', definition: 'w@1', input: undefined } });
  for (const [n, type] of signals.entries())
    await engine.handle('one', { event: { kind: 'signal', id: `s${n}`, event: { type } } });
  const open = await engine.open('one');
  if (open === null) throw new Error('not there');
  return { open, plan: (to: AnyWorkflow) => planMigration(registry, open, to) };
}

describe('a migration', () => {
  it('renames states, what hangs on them and what they remember, and keeps all else to the letter', async () => {
    const { open, plan } = await openAfter('y', 'c', 'back');
    const { record } = open;
    expect(record.machine.historyValue).toEqual({
      'm1.b.past': [expect.objectContaining({ id: 'm1.b.y' })],
      'm1.c.past': [expect.objectContaining({ id: 'm1.c.x' })],
    });
    given.length = 0;

    const planned = plan(v2);

    if (!planned.fits) throw new Error(JSON.stringify(planned.problems));
    const { machine, activities, timers, entered, ...rest } = planned.event;
    expect(given).toEqual([{ context: record.machine.context, value: 'a', states: ['a'] }]);
    expect(rest).toEqual({
      ...{ kind: 'migrate', to: 'w@2', undo: false, before: record },
      ...{ inbox: [], quarantine: [] },
    });
    expect(machine).toEqual({
      ...record.machine,
      value: { deep: { er: 'a' } },
      context: { new: true },
      // `c` has no history state any more.
      historyValue: { 'm2.b.past': [{ id: 'm2.b.why' }] },
      children: { '0.a': { src: 'work', systemId: 'the-work' }, k: { src: 'kid', systemId: 'the-kid' } },
    });
    expect(machine.status).toBe('active');
    expect(activities).toEqual(record.activities);
    const [reminder, after] = Object.entries(record.timers);
    expect(timers).toEqual(Object.fromEntries([reminder, after] as never));
    expect(reminder?.[1]).toMatchObject({ id: 'reminder', event: { type: 'later', text: 'kept' } });
    expect(Object.keys(entered)).toEqual(Object.keys(record.entered));
  });

  it.each([
    [
      'of another name',
      { ...bare, name: 'other', version: 2, migrate: v2.migrate },
      /runs 'w@1', not 'other'/,
    ],
    [
      'two versions on',
      { ...bare, version: 3, migrate: v2.migrate },
      /runs version 1; version 3 takes only those of 2/,
    ],
    ['without a way there', { ...bare, version: 2 }, /'w@2' has no 'migrate'/],
  ])('to a workflow %s is refused', async (_which, to, why) => {
    const { plan } = await openAfter();

    expect(plan(defineWorkflow(to as never))).toMatchObject({
      fits: false,
      problems: [{ code: 'no-migration', message: expect.stringMatching(why) }],
    });
  });
});
