/**
 * Steps a machine without an actor and restores a snapshot with stand-ins for the actors around it. With
 * `plain-move.ts`, `machine-action.ts`, `actor-refs.ts` and `actor-logic.ts` it is all that knows XState 5's insides. An
 * own actor scope is used because the public `transition()` builds a throw-away actor per call, which runs context
 * factories a second time.
 */
import {
  type AnyActorRef,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  fromTransition,
  type StateNode,
} from 'xstate';
import { AppError } from '../shared/errors.ts';
import {
  type ActorSystemPart,
  contextWithoutRefs,
  reviveRefs,
  type Surroundings,
  standIn,
} from './actor-refs.ts';
import type { MachineEvent } from './event.ts';
import { inOrder, type MachineAction, type RawAction, spawnedBy, toMachineAction } from './machine-action.ts';
import { movePlainly } from './plain-move.ts';
import type { MachineState } from './record.ts';

export interface MachineStep {
  readonly snapshot: AnyMachineSnapshot;
  readonly actions: readonly MachineAction[];
}

const STAND_IN = fromTransition(() => ({}), {});
const MAX_MICROSTEPS = 10_000;

/** Prepares a machine for stepping: its actors replaced by stand-ins, endless `always` loops made an error. */
export function prepareMachine(machine: AnyStateMachine): AnyStateMachine {
  const actors = Object.fromEntries(
    Object.keys(machine.implementations.actors).map((src) => [src, STAND_IN]),
  );
  const prepared = machine.provide({ actors } as never) as AnyStateMachine;
  if (!Number.isFinite(prepared.options.maxIterations)) prepared.options.maxIterations = MAX_MICROSTEPS;
  return prepared;
}

/** The first macrostep. An error in it leaves a snapshot of status `error` and asks for nothing, as XState's actor does. */
export function firstStep(machine: AnyStateMachine, input: unknown, around: Surroundings): MachineStep {
  const scope = new StepScope(around);
  const snapshot = machine.getInitialSnapshot(scope as never, reviveRefs(input, around, scope.self) as never);
  return { snapshot, actions: snapshot.status === 'error' ? [] : scope.asked(snapshot, {}) };
}

/** One macrostep for one event. Throws what a guard, an assign, an input mapper or a delay throws. */
export function nextStep(
  machine: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
  event: MachineEvent,
  around: Surroundings,
): MachineStep {
  const scope = new StepScope(around);
  scope.knows(snapshot.children);
  const revived = reviveRefs(event, around, scope.self) as MachineEvent;
  const next =
    movePlainly(snapshot, revived, scope) ?? machine.transition(snapshot, revived, scope.afresh() as never);
  return { snapshot: next, actions: scope.asked(next, snapshot.children) };
}

/** Whether some transition of the current state would take the event, guards included. */
export function accepts(snapshot: AnyMachineSnapshot, event: MachineEvent): boolean {
  return snapshot.can(event);
}

/** The event types the current state names, guards ignored. */
export function handledTypes(snapshot: AnyMachineSnapshot): readonly string[] {
  return [...new Set(nodesOf(snapshot).flatMap(eventsOf))];
}

/** Whether the current state names any event at all. */
export function handlesAnything(snapshot: AnyMachineSnapshot): boolean {
  return nodesOf(snapshot).some((node) => eventsOf(node).length > 0);
}

const eventsKnown = new WeakMap<StateNode, readonly string[]>();

function eventsOf(node: StateNode): readonly string[] {
  let types = eventsKnown.get(node);
  if (types === undefined) {
    types = node.ownEvents.filter((type) => type !== '');
    eventsKnown.set(node, types);
  }
  return types;
}

export interface ActiveState {
  readonly id: string;
  /** Dotted; empty for the machine itself. */
  readonly path: string;
  readonly meta: unknown;
  readonly leaf: boolean;
}

const activeKnown = new WeakMap<readonly StateNode[], readonly ActiveState[]>();

/** The active states, outermost first. The same array for as long as they are the same. */
export function activeStates(snapshot: AnyMachineSnapshot): readonly ActiveState[] {
  const nodes = nodesOf(snapshot);
  let states = activeKnown.get(nodes);
  if (states === undefined) {
    states = [...nodes]
      .sort((a, b) => a.order - b.order)
      .map(({ id, path, meta, states: below }) => ({
        id,
        path: path.join('.'),
        meta,
        leaf: Object.keys(below).length === 0,
      }));
    activeKnown.set(nodes, states);
  }
  return states;
}

function nodesOf(snapshot: AnyMachineSnapshot): readonly StateNode[] {
  return (snapshot as unknown as { _nodes: StateNode[] })._nodes;
}

/** The snapshot without live references. */
export function toMachineState(snapshot: AnyMachineSnapshot): MachineState {
  const { status, value, context, output, error } = snapshot;
  return {
    status,
    value,
    context: contextWithoutRefs(context),
    historyValue: historyIds(snapshot.historyValue),
    output,
    error,
    children: childSources(snapshot.children),
  };
}

function childSources(live: Children): MachineState['children'] {
  let children: Record<string, { src: string; systemId?: string }> | undefined;
  for (const id in live) {
    const child = live[id] as { src: unknown; systemId?: string } | undefined;
    if (child === undefined) continue;
    children ??= {};
    children[id] = { src: String(child.src), systemId: child.systemId };
  }
  return children;
}

function historyIds(value: object): MachineState['historyValue'] {
  let ids: Record<string, { id: string }[]> | undefined;
  for (const [key, nodes] of Object.entries(value as Record<string, { id: string }[]>)) {
    ids ??= {};
    ids[key] = nodes.map(({ id }) => ({ id }));
  }
  return ids;
}

/** The reverse of `toMachineState`. Entry actions and `always` are not run again. */
export function fromMachineState(
  machine: AnyStateMachine,
  state: MachineState,
  around: Surroundings,
): AnyMachineSnapshot {
  const { self } = new StepScope(around);
  const children: Record<string, AnyActorRef> = {};
  for (const id in state.children) {
    const { src, systemId } = state.children[id] ?? { src: '' };
    children[id] = standIn({ id, address: around.addressOf(id) }, self, src, systemId);
  }
  const { status, output, error } = state;
  const context = reviveRefs(state.context, around, self);
  return { ...inState(machine, state), status, context, output, error, children } as AnyMachineSnapshot;
}

const restored = new WeakMap<AnyStateMachine, Map<string, AnyMachineSnapshot>>();

/** A machine of many parallel states has more state values than memory; the ones remembered start anew at this many. */
const MOST_RESTORED = 1_000;

/** A snapshot in that state, worked out once where no history belongs to it; the rest of it means nothing. */
function inState(machine: AnyStateMachine, { value, historyValue }: MachineState): AnyMachineSnapshot {
  const bare = { status: 'active', value, context: {}, historyValue: historyValue ?? {}, children: {} };
  if (historyValue !== undefined) return machine.restoreSnapshot(bare as never, {} as never);
  let known = restored.get(machine);
  if (known === undefined) {
    known = new Map();
    restored.set(machine, known);
  }
  const key = typeof value === 'string' ? value : JSON.stringify(value);
  let snapshot = known.get(key);
  if (snapshot === undefined) {
    if (known.size >= MOST_RESTORED) known.clear();
    snapshot = machine.restoreSnapshot(bare as never, {} as never) as AnyMachineSnapshot;
    known.set(key, snapshot);
  }
  return snapshot;
}

/** The scope XState calls back into during one macrostep. A class because XState hands its methods around by name. */
class StepScope {
  readonly self: AnyActorRef;
  readonly id: string;
  readonly sessionId: string;
  readonly system = new StepSystem();
  private readonly raw: RawAction[] = [];

  constructor({ self, parent }: Surroundings) {
    const above = parent === null ? undefined : standIn(parent, undefined, '#parent', undefined, this.system);
    this.self = standIn(self, above, '#self', undefined, this.system);
    this.id = self.id;
    this.sessionId = self.address ?? self.id;
  }

  logger(): void {}
  defer(): void {}
  stopChild(): void {}
  emit(): void {}
  actionExecutor = (action: RawAction): void => {
    this.raw.push(action);
  };

  /** Forgets what was asked for so far. */
  afresh(): this {
    this.raw.length = 0;
    return this;
  }

  /** Makes the children's system ids known to this step. */
  knows(children: Children): void {
    for (const id in children) {
      const child = children[id] as { systemId?: string } | undefined;
      if (child?.systemId !== undefined) this.system._set(child.systemId, child);
    }
  }

  asked(snapshot: AnyMachineSnapshot, before: Children): readonly MachineAction[] {
    refuseHiddenSpawns(snapshot.children, before, this.raw);
    const actions: MachineAction[] = [];
    for (const raw of inOrder(this.raw)) {
      const action = toMachineAction(raw, this.self, snapshot);
      if (action !== null) actions.push(action);
    }
    return actions;
  }
}

type Children = AnyMachineSnapshot['children'];

/** A child no action announced was spawned inside an assign; registration looks for that in the source and may miss it. */
function refuseHiddenSpawns(children: Children, before: Children, raw: readonly RawAction[]): void {
  let announced: ReadonlySet<unknown> | undefined;
  for (const id in children) {
    const child = children[id];
    if (child === before[id] || child === undefined) continue;
    announced ??= new Set(raw.flatMap((action) => spawnedBy(action) ?? []));
    if (announced.has(child)) continue;
    throw new AppError('machine-not-durable', `The actor '${id}' was spawned inside an assign.`, {
      details: { actor: id, mend: 'Spawn it with spawnChild or invoke, with an id.' },
    });
  }
}

/** The part of an actor system that XState touches while it builds child references. Nothing runs in it. */
class StepSystem implements ActorSystemPart {
  private booked = 0;
  private keyed: Map<string, unknown> | undefined;
  readonly _clock = { setTimeout: () => 0, clearTimeout() {} };
  readonly _snapshot = { _scheduledEvents: {} };
  readonly scheduler = { schedule() {}, cancel() {}, cancelAll() {} };

  _bookId(): string {
    this.booked += 1;
    return `step:${this.booked}`;
  }
  _register(id: string): string {
    return id;
  }
  _unregister(): void {}
  _set(systemId: string, ref: unknown): void {
    this.keyed ??= new Map();
    this.keyed.set(systemId, ref);
  }
  get(systemId: string): unknown {
    return this.keyed?.get(systemId);
  }
  getAll(): object {
    return Object.fromEntries(this.keyed ?? []);
  }
  _sendInspectionEvent(): void {}
  _relay(): void {}
  _logger(): void {}
  inspect(): object {
    return { unsubscribe() {} };
  }
}
