/**
 * From version N to N+1, in place: the context is made anew, states may have other names, and everything that runs keeps
 * its token. What cannot be kept is a reason not to migrate yet. Pure.
 */
import { AppError, messageOf } from '../shared/errors.ts';
import { machineNodes } from './actor-logic.ts';
import type { AnyWorkflow, MigratedInstance } from './definition.ts';
import type { OpenInstance } from './engine.ts';
import type { MachineEvent, OperatorEvent } from './event.ts';
import { type FitProblem, problem, problemsOf } from './fit.ts';
import type { HistoryEntry } from './history.ts';
import type { ActivityState, InstanceRecord, MachineState, TimerState } from './record.ts';
import { isClosed } from './record.ts';
import { type Definition, type Registry, refOf } from './registry.ts';
import { activePaths, type StateShape, shapeOf, togetherOf, valueAt } from './shape.ts';

export type MigrateEvent = Extract<OperatorEvent, { kind: 'migrate' }>;

export type MigrationPlan =
  | { readonly fits: true; readonly event: MigrateEvent }
  | { readonly fits: false; readonly problems: readonly FitProblem[] };

export function planMigration(registry: Registry, open: OpenInstance, to: AnyWorkflow): MigrationPlan {
  const { record, definition } = open;
  const refused = notMigratable(open, to);
  if (refused !== null) return { fits: false, problems: [problem('no-migration', refused)] };
  const target = registry.get(refOf(to));
  const old = activePaths(record.machine.value);
  let made: MigratedInstance<unknown>;
  try {
    const { context, value } = record.machine;
    made = to.migrate?.({ context, value, states: old.slice(1) }) ?? { context };
  } catch (error) {
    return { fits: false, problems: [problem('no-migration', `'migrate' throws: ${messageOf(error)}`)] };
  }
  const rename = renamer(made.states ?? {});
  const { states } = shapeOf(target);
  const vanished = old.filter((path) => states[rename(path)] === undefined);
  if (vanished.length > 0) {
    const message = (path: string): string => `'${target.ref}' has no state '${rename(path)}'`;
    return { fits: false, problems: vanished.map((path) => problem('state-vanished', message(path))) };
  }
  const ids = nodeIds(definition, target, rename);
  const next = renamed(record, ids, {
    context: made.context,
    value: valueAt(target.machine, withAncestors(old.map(rename))),
  });
  const before = shapeUnder(ids, togetherOf(shapeOf(definition), old));
  const problems = problemsOf(registry, target, next, before);
  if (problems.length > 0) return { fits: false, problems };
  return {
    fits: true,
    event: { ...partsOf(next), kind: 'migrate', to: target.ref, undo: false, before: record },
  };
}

/**
 * Back to what a migration found, as it was. Raises `migration-refused` unless `last`, the newest entry, is that migration
 * and nothing came of it: a deferred signal that the new version took in the same commit would be lost.
 */
export function undoOf(open: OpenInstance, { event, effects = [] }: HistoryEntry): MigrateEvent {
  const { record } = open;
  const migration = event.kind === 'migrate' && !event.undo ? event : null;
  if (migration === null || effects.some(({ type }) => type === 'took-deferred')) {
    throw new AppError(
      'migration-refused',
      migration === null
        ? 'Something has happened since the migration, or there was none.'
        : 'It took a signal that had waited for such a state.',
      { details: { instanceId: record.id, newest: event.kind } },
    );
  }
  const { before } = migration;
  return { ...partsOf(before), kind: 'migrate', to: before.definition, undo: true, before: record };
}

/** What a migration makes anew. */
function partsOf({ machine, entered, activities, timers, inbox, quarantine }: InstanceRecord) {
  return { machine, entered, activities, timers, inbox, quarantine };
}

function notMigratable({ record, definition }: OpenInstance, to: AnyWorkflow): string | null {
  const from = definition.workflow;
  if (from === null || from.name !== to.name) return `it runs '${record.definition}', not '${to.name}'`;
  if (from.version !== to.version - 1)
    return `it runs version ${from.version}; version ${to.version} takes only those of ${to.version - 1}`;
  if (isClosed(record.status)) return `it is ${record.status}`;
  if (to.migrate === undefined) return `'${refOf(to)}' has no 'migrate'`;
  return null;
}

type Rename = (path: string) => string;

/** The longest old name that is the path or above it decides. */
function renamer(names: Readonly<Record<string, string>>): Rename {
  const byLength = Object.entries(names).toSorted(([a], [b]) => b.length - a.length);
  return (path) => {
    const found = byLength.find(([old]) => path === old || path.startsWith(`${old}.`));
    return found === undefined ? path : `${found[1]}${path.slice(found[0].length)}`;
  };
}

function withAncestors(paths: readonly string[]): ReadonlySet<string> {
  return new Set(
    paths.flatMap((path) => path.split('.').map((_, index, keys) => keys.slice(0, index + 1).join('.'))),
  );
}

/** New ids of state nodes by their old ones, for every state that has a counterpart. */
function nodeIds(from: Definition, to: Definition, rename: Rename): ReadonlyMap<string, string> {
  const idAt = new Map([...machineNodes(to.machine.root)].map((node) => [node.path.join('.'), node.id]));
  const pairs = [...machineNodes(from.machine.root)].map((node) => [
    node.id,
    idAt.get(rename(node.path.join('.'))),
  ]);
  return new Map(
    pairs.flatMap(([old, now]) => (old === undefined || now === undefined ? [] : [[old, now] as const])),
  );
}

/** What XState puts before a state's id: for `after` timers, for invokes without an id, for their inline logics. */
const MADE = /^(?:xstate\.after\.[^.]+\.|xstate\.invoke\.\d+\.|\d+\.)$/;

function under(ids: ReadonlyMap<string, string>, id: string): string {
  for (const [old, now] of ids) {
    const prefix = id.slice(0, -old.length);
    if (id.endsWith(old) && MADE.test(prefix)) return `${prefix}${now}`;
  }
  return id;
}

/** What came while the instance was paused, or failed to be taken, may name a state: its timer or its invoke. */
const RESULT = /^xstate\.(?:done|error)\.actor\./;

function eventUnder(ids: ReadonlyMap<string, string>, event: MachineEvent): MachineEvent {
  const [prefix] = RESULT.exec(event.type) ?? [];
  if (prefix === undefined) return { ...event, type: under(ids, event.type) };
  const actorId = under(ids, event.type.slice(prefix.length));
  return { ...event, type: `${prefix}${actorId}`, ...('actorId' in event && { actorId }) };
}

function shapeUnder(ids: ReadonlyMap<string, string>, shape: StateShape): StateShape {
  return {
    on: shape.on.map((type) => eventUnder(ids, { type }).type),
    invokes: shape.invokes.map(([id, src]) => [under(ids, id), under(ids, src)] as const),
    after: shape.after.map((type) => under(ids, type)),
  };
}

function renamed(
  record: InstanceRecord,
  ids: ReadonlyMap<string, string>,
  { value, context }: Pick<MachineState, 'value' | 'context'>,
): InstanceRecord {
  const { historyValue, children, ...machine } = record.machine;
  const history = Object.entries(historyValue ?? {}).flatMap(([key, nodes]) => {
    const known = nodes.flatMap(({ id }) => ids.get(id) ?? []).map((id) => ({ id }));
    const owner = ids.get(key);
    return owner === undefined || known.length === 0 ? [] : [[owner, known] as const];
  });
  const actors = Object.entries(children ?? {}).map(
    ([id, child]) => [under(ids, id), { ...child, src: under(ids, child.src) }] as const,
  );
  const activities = mapValues(
    record.activities,
    (activity): ActivityState => ({
      ...activity,
      actorId: under(ids, activity.actorId),
      src: under(ids, activity.src),
    }),
  );
  const timers = mapValues(record.timers, (timer): TimerState => {
    const { id, event } = timer;
    return {
      ...timer,
      ...(id === undefined ? {} : { id: under(ids, id) }),
      ...(event === undefined ? {} : { event: eventUnder(ids, event) }),
    };
  });
  return {
    ...record,
    machine: {
      ...machine,
      ...{ value, context },
      ...(history.length === 0 ? {} : { historyValue: Object.fromEntries(history) }),
      ...(actors.length === 0 ? {} : { children: Object.fromEntries(actors) }),
    },
    entered: Object.fromEntries(Object.entries(record.entered).map(([id, at]) => [ids.get(id) ?? id, at])),
    activities,
    timers,
    inbox: record.inbox.map((item) => ({ ...item, event: eventUnder(ids, item.event) })),
    quarantine: record.quarantine.map((item) => ({ ...item, event: eventUnder(ids, item.event) })),
  };
}

function mapValues<Value>(
  values: Readonly<Record<string, Value>>,
  make: (value: Value) => Value,
): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, make(value)]));
}
