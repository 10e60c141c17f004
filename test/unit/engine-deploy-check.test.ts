/** One difference planted at a time between the code that left live instances and the code about to be deployed. */
import { describe, expect, it } from '@jest/globals';
import { fromPromise, setup } from 'xstate';
import { z } from 'zod';
import {
  type AnyWorkflow,
  activity,
  checkDeploy,
  createClient,
  createEngine,
  createMemoryStore,
  createRegistry,
  defineActivity,
  defineWorkflow,
  describeDeploy,
  recordDefinitions,
} from '../../engine/index.ts';
import { silentLogger } from '../../shared/logger.ts';

interface Planted {
  readonly withoutState?: boolean;
  readonly withoutSignal?: boolean;
  readonly undeclared?: boolean;
  readonly context?: z.ZodType;
  readonly delay?: number;
  readonly src?: string;
  readonly input?: z.ZodType;
  readonly onEntry?: boolean;
  readonly without?: string;
}

const child = setup({}).createMachine({
  initial: 'on',
  states: { on: { on: { leave: 'off' } }, off: { type: 'final' } },
});

/** The code of one release: as it was, but for what is planted. */
function release(planted: Planted = {}): readonly AnyWorkflow[] {
  const charge = defineActivity({
    name: 'charge',
    description: 'Charging',
    input: planted.input ?? z.object({ amount: z.number() }),
    output: z.object({}),
  });
  const signals = ['go', 'stay', 'charge', 'follow'].filter(
    (name) => !(planted.undeclared && name === 'stay'),
  );
  const states = {
    waiting: {
      after: { [planted.delay ?? 60_000]: 'late' },
      on: {
        go: 'asking',
        charge: 'charging',
        follow: 'parent',
        ...(planted.withoutSignal ? {} : { stay: 'late' }),
      },
      ...(planted.onEntry ? { invoke: { id: 'extra', src: 'plain' } } : {}),
    },
    asking: { on: { go: 'waiting' } },
    charging: { invoke: { src: planted.src ?? 'charge', input: { amount: 5 } } },
    parent: { invoke: { id: 'kid', src: 'child' } },
    late: {},
  };
  const { asking: _asking, waiting, ...others } = states;
  const kept = planted.withoutState ? { ...others, waiting: { ...waiting, on: {} } } : states;
  const machine = setup({
    actors: {
      charge: activity(charge),
      plain: fromPromise(async () => 1),
      other: fromPromise(async () => 1),
      child,
    },
  }).createMachine({
    id: 'm',
    context: { amount: 5, name: 'Ada' },
    initial: 'waiting',
    states: kept,
  } as never);
  const all = [
    defineWorkflow({
      name: 'order',
      machine: machine as never,
      signals: Object.fromEntries(signals.map((name) => [name, { payload: z.object({}) }])) as never,
      ...(planted.context === undefined ? {} : { context: planted.context }),
    }),
    defineWorkflow({ name: 'kid', machine: child }),
  ] as unknown as readonly AnyWorkflow[];
  return all.filter(({ name }) => name !== planted.without);
}

async function leftBehind() {
  const now = 1_800_000_000_000;
  const store = createMemoryStore({ now: () => now });
  const workflows = release();
  const registry = createRegistry(workflows);
  const engine = createEngine({ store, registry, log: silentLogger() });
  await recordDefinitions(store, registry);
  const client = createClient(engine);
  const order = workflows[0] as AnyWorkflow;
  for (const [id, signal] of [
    ['one', null],
    ['two', null],
    ['asked', 'go'],
    ['charged', 'charge'],
    ['parent', 'follow'],
    ['closed', null],
  ] as const) {
    await client.start(order, {} as never, { id });
    if (signal !== null) await client.signalById(id, signal, {});
  }
  await engine.settled();
  await client.pause('two');
  await client.cancel('closed', { force: true });
  return store;
}

const check = async (planted: Planted) => checkDeploy(await leftBehind(), createRegistry(release(planted)));

describe('the same code', () => {
  it('fits every live instance', async () => {
    const report = await check({});
    expect(report).toEqual({ ok: true, examined: 6, findings: [], changed: [] });
    expect(describeDeploy(report)).toBe('All 6 live instances fit.');
  });
});

describe('a planted difference', () => {
  it.each<[string, Planted, string, string, readonly string[]]>([
    [
      'a state that vanished',
      { withoutState: true },
      'state-vanished',
      "'order@1' has no state 'asking'",
      ['asked'],
    ],
    [
      'a signal no longer handled',
      { withoutSignal: true },
      'signal-unhandled',
      "waits for 'stay'",
      ['one', 'two'],
    ],
    [
      'a signal no longer declared',
      { undeclared: true },
      'signal-unhandled',
      "waits for 'stay'",
      ['one', 'two'],
    ],
    [
      'a context that no longer parses',
      { context: z.object({ name: z.number() }) },
      'context-unreadable',
      '/name',
      ['asked', 'charged', 'one', 'parent', 'two'],
    ],
    [
      'a timer of another length',
      { delay: 5 },
      'timer-unhandled',
      "'xstate.after.60000.m.waiting'",
      ['one', 'two'],
    ],
    ['another activity under the id', { src: 'other' }, 'activity-unfit', "invokes 'other'", ['charged']],
    [
      'an activity whose input changed',
      { input: z.object({ amount: z.string() }) },
      'activity-unfit',
      '/amount',
      ['charged'],
    ],
    ['something begun on entry', { onEntry: true }, 'not-begun', "invokes 'extra'", ['one', 'two']],
    [
      'a workflow taken out',
      { without: 'order' },
      'version-missing',
      "'order@1' is not registered",
      ['asked', 'charged', 'one', 'parent', 'two'],
    ],
    ['a child taken out', { without: 'kid' }, 'version-missing', "'kid@1' is not registered", []],
  ])('%s is found, with whom it concerns', async (_, planted, code, message, ids) => {
    const report = await check(planted);

    expect(report.ok).toBe(false);
    const finding = report.findings.find((found) => found.code === code);
    expect(finding?.message).toContain(message);
    if (ids.length > 0) expect([...(finding?.samples ?? [])].toSorted()).toEqual(ids);
    expect(finding?.instances).toBe(ids.length || 1);
    expect(describeDeploy(report)).toMatch(/Do not deploy/);
  });

  it('that concerns nobody is only told', async () => {
    const workflows = release();
    const store = createMemoryStore({ now: () => 0 });
    await recordDefinitions(store, createRegistry(workflows));

    const report = await checkDeploy(store, createRegistry(release({ withoutState: true })));

    expect(report).toMatchObject({
      ok: true,
      changed: [{ definition: 'order@1', gone: ['asking'], added: [] }],
    });
    expect(describeDeploy(report)).toContain('note: order@1 changed without a new version: -asking');
  });
});
