/**
 * CPU of the engine's pure half for the budgets' work, without a store: decide, plan (with its encoding), restore and
 * view, each timed over a batch of instances that go through the same turn together. Figures are µs per workflow; the
 * second table is µs a turn where an instance is wide or old, and must stay flat.
 *
 *     node --import ./test/support/register-ts.mjs test/bench/decide.ts [batches]
 */
import { createMachine } from 'xstate';
import { planCommit } from '../../engine/commit.ts';
import { decide } from '../../engine/decide.ts';
import type { AnyWorkflow } from '../../engine/definition.ts';
import type { OpenInstance } from '../../engine/engine.ts';
import type { EngineEvent } from '../../engine/event.ts';
import { createEngine, createMemoryStore, createRegistry, defineWorkflow } from '../../engine/index.ts';
import type { StoredInstance } from '../../engine/store.ts';
import { viewOf } from '../../engine/view.ts';
import { silentLogger } from '../../shared/logger.ts';
import { benchWorkflow } from './machine.ts';

const PHASES = ['decide', 'plan', 'restore', 'view'] as const;
type Phase = (typeof PHASES)[number];

/** One instance on its way: as the process holds it, and as a store would. */
interface Lane {
  readonly id: string;
  open: OpenInstance | null;
  stored: StoredInstance;
}

const spent: Record<Phase, number> = { decide: 0, plan: 0, restore: 0, view: 0 };

function timed<Item>(phase: Phase, items: readonly Item[], work: (item: Item) => void): void {
  const before = process.cpuUsage();
  for (const item of items) work(item);
  const { user, system } = process.cpuUsage(before);
  spent[phase] += user + system;
}

const chain = { worker: 'bench-worker', queues: new Set(['default']) };

/** Plays the moves of the real thing: a start, chained results, a signal, chained results again. */
function stage(workflow: AnyWorkflow) {
  const registry = createRegistry([workflow]);
  const engine = createEngine({ store: createMemoryStore({ now: () => 0 }), registry, log: silentLogger() });
  const definition = registry.get(`${workflow.name}@1`);
  let now = 1_800_000_000_000;

  /** Every lane takes its event and is committed; `chained` says whether a worker keeps the next activity. */
  function turn(lanes: readonly Lane[], eventOf: (lane: Lane) => EngineEvent, chained: boolean): void {
    now += 3;
    const work = lanes.map((lane) => ({ lane, event: eventOf(lane) }));
    const decided = new Map<Lane, ReturnType<typeof decide>>();
    timed('decide', work, ({ lane, event }) => {
      const { id, open } = lane;
      const { record = null, snapshot } = open ?? {};
      const envelope = { event };
      decided.set(lane, decide({ registry, definition, instanceId: id, record, snapshot, envelope, now }));
    });
    timed('plan', work, ({ lane, event }) => {
      const decision = decided.get(lane);
      if (decision?.outcome !== 'commit') throw new Error(`nothing came of ${event.kind}`);
      const planned = planCommit(lane.open === null ? null : (lane.open as never), decision, {
        dispatches: true,
        ...(chained ? { chain } : {}),
        ...(event.kind === 'signal' ? { signalId: event.id } : {}),
      });
      const { body, context, expectedRevision } = planned.entry;
      lane.stored = { revision: expectedRevision + 1, body, context: context ?? lane.stored.context };
      lane.open = {
        record: planned.next,
        definition,
        snapshot: decision.snapshot,
        indexes: planned.indexes,
      };
    });
  }
  return {
    turn,
    restore: (lanes: readonly Lane[]) =>
      timed('restore', lanes, (lane) => {
        const open = engine.restore(lane.stored);
        lane.open = { ...open, indexes: lane.open?.indexes ?? [] };
      }),
    view: (lanes: readonly Lane[]) =>
      timed('view', lanes, ({ open }) => {
        if (open !== null) viewOf(open, now, (src) => ({ name: src, description: src, maxAttempts: null }));
      }),
  };
}

type Stage = ReturnType<typeof stage>;

function lanesOf(count: number): Lane[] {
  const stored = { revision: 0, body: '', context: '' };
  return Array.from({ length: count }, (_, index) => ({ id: `b${index + 100}`, open: null, stored }));
}

function done({ open }: Lane): EngineEvent {
  const [token = ''] = Object.keys(open?.record.activities ?? {});
  return { kind: 'activity.done', token, attempt: 1, output: 1 };
}

/** The budgets' work with this many activities: a commit for the start, each result and the signal. */
function playBench({ turn, restore, view }: Stage, activities: number, lanes: readonly Lane[]): void {
  const half = Math.floor(activities / 2);
  const start = ({ id }: Lane): EngineEvent => ({
    kind: 'start',
    definition: 'bench@1',
    input: { id },
    idempotencyHash: '3d1f6a0c-95f1-5c8e-8a55-0a4d4a9c2b11',
  });
  turn(lanes, start, false);
  view(lanes);
  restore(lanes);
  for (let index = 0; index < half; index += 1) turn(lanes, done, true);
  restore(lanes);
  turn(lanes, () => ({ kind: 'signal', id: 'go', event: { type: 'go' } }), false);
  view(lanes);
  restore(lanes);
  for (let index = half; index < activities; index += 1) turn(lanes, done, true);
  const left = lanes.find(({ open }) => open?.record.status !== 'completed');
  if (left !== undefined) throw new Error(`'${left.id}' did not complete`);
}

function reset(): void {
  for (const phase of PHASES) spent[phase] = 0;
}

function report(name: string, divisor: number): void {
  const each = PHASES.map((phase) => spent[phase] / divisor);
  const total = each.reduce((sum, micros) => sum + micros, 0);
  const columns = [...each, total].map((micros) => micros.toFixed(1).padStart(9)).join('');
  process.stdout.write(`${name.padEnd(34)}${columns}\n`);
  reset();
}

/** A loop of two states with an event each way; `wide` parallel activities stay open beside it. */
function playOld(turns: number, wide: number): { readonly count: number } {
  const regions = Object.fromEntries(
    Array.from({ length: wide }, (_, index) => [
      `r${index}`,
      { initial: 'on', states: { on: { invoke: { id: `a${index}`, src: 'noop' } } } },
    ]),
  );
  const machine = createMachine({
    type: 'parallel',
    states: {
      loop: {
        initial: 'ping',
        states: { ping: { on: { flip: 'pong' } }, pong: { on: { flip: 'ping' } } },
      },
      ...regions,
    },
  } as never).provide({ actors: { noop: benchNoop } } as never);
  const { turn } = stage(defineWorkflow({ name: 'old', machine: machine as never }) as AnyWorkflow);
  const lanes = lanesOf(1);
  turn(lanes, () => ({ kind: 'start', definition: 'old@1', input: undefined }), false);
  for (let at = 0; at < turns; at += 1) {
    if (at === turns - 500) reset();
    turn(lanes, () => ({ kind: 'signal', id: `f${at}`, event: { type: 'flip' } }), false);
  }
  return { count: 500 };
}

const benchNoop = benchWorkflow({ activities: 1, contextBytes: 0 }).machine.implementations.actors['noop'];

const batches = Number(process.argv[2] ?? 40);
const BATCH = 50;
process.stdout.write(
  `${'µs per workflow'.padEnd(34)}${[...PHASES, 'all'].map((name) => name.padStart(9)).join('')}\n`,
);
for (const [activities, contextBytes] of [
  [10, 1_000],
  [10, 10_000],
  [200, 1_000],
] as const) {
  const count = activities > 50 ? Math.ceil(batches / 8) : batches;
  const played = stage(benchWorkflow({ activities, contextBytes }));
  for (let warm = 0; warm < Math.ceil(count / 4); warm += 1) playBench(played, activities, lanesOf(BATCH));
  reset();
  for (let batch = 0; batch < count; batch += 1) playBench(played, activities, lanesOf(BATCH));
  report(`${activities} activities, ${contextBytes} B context`, BATCH * count);
}
process.stdout.write('\nµs per turn\n');
for (const [turns, wide] of [
  [1_000, 0],
  [10_000, 0],
  [1_000, 20],
  [1_000, 200],
] as const) {
  playOld(turns, wide);
  report(`turn ${turns}, ${wide} activities beside it`, playOld(turns, wide).count);
}
