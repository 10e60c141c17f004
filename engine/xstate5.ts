/**
 * The one file that knows XState 5's insides. It steps a machine without an actor, turns the actions XState returns
 * into our `MachineAction`s in the order they were asked for, and restores a snapshot with stand-ins for the actors
 * around it. An own actor scope is used because the public `transition()` builds a throw-away actor per call, which
 * runs context factories a second time.
 */
import {
  type AnyActorRef,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  fromTransition,
  type StateNode,
} from 'xstate';
import { AppError } from '../shared/errors.ts';
import type { MachineEvent } from './event.ts';
import type { MachineState } from './record.ts';

/** A reference to an actor at rest: who it is and, where it is another instance, its address. */
export interface ActorStandIn {
  readonly id: string;
  /** Instance id of the actor, or null for an activity. */
  readonly address: string | null;
}

/** What a macrostep asks for, in XState's own order. */
export type MachineAction =
  | {
      readonly type: 'spawn';
      readonly actorId: string;
      readonly src: string;
      readonly input: unknown;
      readonly systemId?: string;
    }
  | { readonly type: 'stop'; readonly actorId: string }
  | {
      readonly type: 'raise-later';
      readonly id?: string;
      readonly delay: number;
      readonly event: MachineEvent;
    }
  | { readonly type: 'send'; readonly to: ActorStandIn; readonly event: MachineEvent }
  | {
      readonly type: 'send-later';
      readonly to: ActorStandIn;
      readonly id?: string;
      readonly delay: number;
      readonly event: MachineEvent;
    }
  | { readonly type: 'cancel'; readonly id: string }
  | { readonly type: 'emit'; readonly event: MachineEvent }
  | { readonly type: 'log'; readonly value: unknown; readonly label?: string }
  | { readonly type: 'custom'; readonly name: string; readonly params: unknown; readonly run: () => void };

export interface MachineStep {
  readonly snapshot: AnyMachineSnapshot;
  readonly actions: readonly MachineAction[];
}

/** Who an instance is to its machine: itself, its parent, and the children XState believes it has. */
export interface Surroundings {
  readonly self: ActorStandIn;
  readonly parent: ActorStandIn | null;
  addressOf(actorId: string): string | null;
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
  const next = machine.transition(
    snapshot,
    reviveRefs(event, around, scope.self) as MachineEvent,
    scope as never,
  );
  return { snapshot: next, actions: scope.asked(next, snapshot.children) };
}

/** Whether some transition of the current state would take the event, guards included. */
export function accepts(snapshot: AnyMachineSnapshot, event: MachineEvent): boolean {
  return snapshot.can(event);
}

/** The event types the current state names, guards ignored. */
export function handledTypes(snapshot: AnyMachineSnapshot): readonly string[] {
  const nodes = (snapshot as unknown as { _nodes: StateNode[] })._nodes;
  const types = new Set<string>();
  for (const node of nodes) for (const type of node.ownEvents) if (type !== '') types.add(type);
  return [...types];
}

/** The active state nodes, outermost first: ids, paths and `meta`. */
export function activeStates(snapshot: AnyMachineSnapshot): readonly {
  readonly id: string;
  readonly path: readonly string[];
  readonly meta: unknown;
  readonly leaf: boolean;
}[] {
  const nodes = (snapshot as unknown as { _nodes: StateNode[] })._nodes;
  return [...nodes]
    .sort((a, b) => a.order - b.order)
    .map((node) => ({
      id: node.id,
      path: node.path,
      meta: node.meta,
      leaf: Object.keys(node.states).length === 0,
    }));
}

/** The snapshot without live references. */
export function toMachineState(snapshot: AnyMachineSnapshot): MachineState {
  const children: Record<string, { src: string; systemId?: string }> = {};
  for (const [id, child] of Object.entries(snapshot.children as Record<string, AnyActorRef | undefined>)) {
    if (child === undefined) continue;
    const systemId = (child as { systemId?: string }).systemId;
    children[id] = { src: String(child.src), ...(systemId === undefined ? {} : { systemId }) };
  }
  const historyValue = historyIds(snapshot.historyValue);
  return {
    status: snapshot.status,
    value: snapshot.value,
    context: withoutRefs(snapshot.context),
    ...(Object.keys(historyValue).length === 0 ? {} : { historyValue }),
    ...(snapshot.output === undefined ? {} : { output: snapshot.output }),
    ...(snapshot.error === undefined ? {} : { error: snapshot.error }),
    ...(Object.keys(children).length === 0 ? {} : { children }),
  };
}

/** The reverse of `toMachineState`. Entry actions and `always` are not run again. */
export function fromMachineState(
  machine: AnyStateMachine,
  state: MachineState,
  around: Surroundings,
): AnyMachineSnapshot {
  const scope = new StepScope(around);
  const snapshot = machine.restoreSnapshot(
    {
      status: state.status,
      value: state.value,
      context: reviveRefs(state.context, around, scope.self),
      historyValue: state.historyValue ?? {},
      output: state.output,
      error: state.error,
      children: {},
    } as never,
    scope as never,
  ) as AnyMachineSnapshot;
  const children = snapshot.children as Record<string, unknown>;
  for (const [id, child] of Object.entries(state.children ?? {})) {
    children[id] = standIn({ id, address: around.addressOf(id) }, scope.self, child.src, child.systemId);
  }
  return snapshot;
}

function historyIds(value: object): Record<string, { id: string }[]> {
  const ids: Record<string, { id: string }[]> = {};
  for (const [key, nodes] of Object.entries(value as Record<string, { id: string }[]>)) {
    ids[key] = nodes.map((node) => ({ id: node.id }));
  }
  return ids;
}

interface RawAction {
  readonly type: string;
  readonly params: unknown;
  readonly info: unknown;
  readonly exec?: (info: unknown, params: unknown) => void;
}

/** The scope XState calls back into during one macrostep. A class because XState hands its methods around by name. */
class StepScope {
  readonly self: AnyActorRef;
  readonly id: string;
  readonly sessionId: string;
  readonly system: ReturnType<typeof stepSystem>;
  private readonly raw: RawAction[] = [];

  constructor(around: Surroundings) {
    const system = stepSystem();
    this.system = system;
    const parent =
      around.parent === null ? undefined : standIn(around.parent, undefined, '#parent', undefined, system);
    this.self = standIn(around.self, parent, '#self', undefined, system);
    this.id = around.self.id;
    this.sessionId = around.self.address ?? around.self.id;
  }

  logger = (): void => {};
  defer = (): void => {};
  stopChild = (): void => {};
  emit = (): void => {};
  actionExecutor = (action: RawAction): void => {
    this.raw.push(action);
  };

  /** Makes the children's system ids known to this step. */
  knows(children: Children): void {
    for (const child of Object.values(children)) {
      const systemId = (child as { systemId?: string } | undefined)?.systemId;
      if (systemId !== undefined) this.system._set(systemId, child);
    }
  }

  asked(snapshot: AnyMachineSnapshot, before: Children): MachineAction[] {
    refuseHiddenSpawns(snapshot.children, before, this.raw);
    return inOrder(this.raw).flatMap((action) => toMachineAction(action, this.self, snapshot));
  }
}

/**
 * An entry action may send to an actor its own state is about to invoke; XState delivers once the actor is there. Here
 * such a spawn moves in front of the send.
 */
function inOrder(raw: readonly RawAction[]): readonly RawAction[] {
  const ordered = [...raw];
  for (let at = 0; at < ordered.length; at += 1) {
    const { type, params } = ordered[at] as RawAction;
    const to = (params as { to?: unknown } | undefined)?.to;
    if (type !== 'xstate.sendTo' || to === undefined) continue;
    const spawn = ordered.findIndex(
      (later, index) =>
        index > at &&
        later.type === 'xstate.spawnChild' &&
        (later.params as { actorRef?: unknown }).actorRef === to,
    );
    if (spawn < 0) continue;
    ordered.splice(at, 0, ...ordered.splice(spawn, 1));
    at += 1;
  }
  return ordered;
}

type Children = AnyMachineSnapshot['children'];

/** A child no action announced was spawned inside an assign; registration looks for that in the source and may miss it. */
function refuseHiddenSpawns(children: Children, before: Children, raw: readonly RawAction[]): void {
  for (const [id, child] of Object.entries(children)) {
    if (child === before[id] || child === undefined) continue;
    const announced = raw.some(
      ({ type, params }) =>
        type === 'xstate.spawnChild' && (params as { actorRef?: unknown }).actorRef === child,
    );
    if (announced) continue;
    throw new AppError('machine-not-durable', `The actor '${id}' was spawned inside an assign.`, {
      details: { actor: id, mend: 'Spawn it with spawnChild or invoke, with an id.' },
    });
  }
}

/** The part of an actor system that XState touches while it builds child references. Nothing runs in it. */
function stepSystem() {
  let booked = 0;
  const keyed = new Map<string, unknown>();
  return {
    _bookId: () => `step:${booked++}`,
    _register: (id: string) => id,
    _unregister: () => {},
    _set: (systemId: string, ref: unknown) => keyed.set(systemId, ref),
    get: (systemId: string) => keyed.get(systemId),
    getAll: () => Object.fromEntries(keyed),
    _sendInspectionEvent: () => {},
    _relay: () => {},
    _logger: () => {},
    _clock: { setTimeout: () => 0, clearTimeout: () => {} },
    _snapshot: { _scheduledEvents: {} },
    scheduler: { schedule: () => {}, cancel: () => {}, cancelAll: () => {} },
    inspect: () => ({ unsubscribe: () => {} }),
  };
}

const REF = Symbol('actor stand-in');

/** A reference that can be addressed, compared and stored, but not talked to: everything goes through the commit. */
function standIn(
  who: ActorStandIn,
  parent: AnyActorRef | undefined,
  src: string,
  systemId: string | undefined,
  system?: object,
): AnyActorRef {
  const shared = system ?? (parent as unknown as { system: object } | undefined)?.system;
  const ref = {
    [REF]: who,
    id: who.id,
    sessionId: who.address ?? who.id,
    src,
    systemId,
    system: shared,
    _parent: parent,
    _processingStatus: 1,
    options: {},
    send: () => {},
    start: () => {},
    on: () => ({ unsubscribe: () => {} }),
    subscribe: () => ({ unsubscribe: () => {} }),
    getSnapshot: () => ({ status: 'active' }),
    getPersistedSnapshot: () => ({ status: 'active' }),
    toJSON: () => refToData(who),
  } as Record<string | symbol, unknown>;
  ref['ref'] = ref;
  if (systemId !== undefined)
    (shared as { _set?(id: string, ref: unknown): void } | undefined)?._set?.(systemId, ref);
  return ref as unknown as AnyActorRef;
}

function toMachineAction(
  action: RawAction,
  self: AnyActorRef,
  snapshot: AnyMachineSnapshot,
): MachineAction[] {
  const params = (action.params ?? {}) as Record<string, unknown>;
  switch (action.type) {
    case 'xstate.raise':
      // Without a delay it was consumed inside the macrostep.
      if (typeof params['delay'] !== 'number') return [];
      return [
        {
          type: 'raise-later',
          ...idOf(params),
          delay: params['delay'],
          event: params['event'] as MachineEvent,
        },
      ];
    case 'xstate.sendTo':
      return sendAction(params, self, snapshot);
    case 'xstate.cancel':
      return [{ type: 'cancel', id: String(params['sendId']) }];
    case 'xstate.spawnChild':
      return [spawnAction(params)];
    case 'xstate.stopChild':
      return action.params === undefined
        ? []
        : [{ type: 'stop', actorId: (action.params as { id: string }).id }];
    case 'xstate.emit':
      return [{ type: 'emit', event: params['event'] as MachineEvent }];
    case 'xstate.log':
      return [
        {
          type: 'log',
          value: params['value'],
          ...(params['label'] ? { label: String(params['label']) } : {}),
        },
      ];
    default: {
      const { exec } = action;
      if (exec === undefined) return [];
      return [
        {
          type: 'custom',
          name: action.type,
          params: action.params,
          run: () => exec(action.info, action.params),
        },
      ];
    }
  }
}

function idOf(params: Record<string, unknown>): { id?: string } {
  return params['id'] === undefined ? {} : { id: String(params['id']) };
}

function spawnAction(params: Record<string, unknown>): MachineAction {
  const { id, src } = params;
  // `params.id` is the raw option; a function id was resolved into the reference.
  const actorId = typeof id === 'function' ? (params['actorRef'] as { id: string } | undefined)?.id : id;
  if (typeof actorId !== 'string' || typeof src !== 'string') {
    throw new AppError(
      'machine-not-durable',
      `An actor was spawned without ${typeof src === 'string' ? 'an id' : 'a named source'}.`,
      {
        details: {
          src: typeof src === 'string' ? src : '(inline)',
          mend: 'Give spawnChild an id and name its logic in setup({ actors }).',
        },
      },
    );
  }
  return {
    type: 'spawn',
    actorId,
    src,
    input: withoutRefs(params['input']),
    ...(params['systemId'] === undefined ? {} : { systemId: String(params['systemId']) }),
  };
}

function sendAction(
  params: Record<string, unknown>,
  self: AnyActorRef,
  snapshot: AnyMachineSnapshot,
): MachineAction[] {
  const target = typeof params['to'] === 'string' ? snapshot.children[params['to']] : params['to'];
  if (target === undefined || target === null) return [];
  const to = target === self ? SELF : standInOf(target as AnyActorRef);
  const raw = params['event'] as MachineEvent;
  // `escalate`'s successor: an error sent by hand arrives as the sender's error event.
  const event =
    raw.type === 'xstate.error'
      ? { type: `xstate.error.actor.${self.id}`, error: raw['data'], actorId: self.id }
      : raw;
  return typeof params['delay'] === 'number'
    ? [
        {
          type: 'send-later',
          to,
          ...idOf(params),
          delay: params['delay'],
          event: withoutRefs(event) as MachineEvent,
        },
      ]
    : [{ type: 'send', to, event: withoutRefs(event) as MachineEvent }];
}

/** The target of a send to the instance itself. */
export const SELF: ActorStandIn = { id: '#self', address: null };

function standInOf(ref: AnyActorRef): ActorStandIn {
  const who = (ref as unknown as { [REF]?: ActorStandIn })[REF];
  return who ?? { id: ref.id, address: null };
}

// References at rest. A context, an input or an event may hold the reference of an actor (a child told who its parent
// is); it is stored as its address and comes back as a stand-in with that address.

const REF_MARK = '$actor';

function refToData(who: ActorStandIn): object {
  return { [REF_MARK]: who.id, address: who.address };
}

function isActorRef(value: object): value is AnyActorRef {
  return 'sessionId' in value && 'send' in value && 'ref' in value;
}

/** Copies only what holds a reference; everything else keeps its identity. */
function withoutRefs(value: unknown): unknown {
  return mapObjects(value, (object) => (isActorRef(object) ? refToData(standInOf(object)) : undefined));
}

function reviveRefs(value: unknown, around: Surroundings, self: AnyActorRef): unknown {
  return mapObjects(value, (object) => {
    if (!(REF_MARK in object) || !('address' in object)) return undefined;
    const who = { id: String(object[REF_MARK]), address: object.address as string | null };
    if (who.address !== null && who.address === around.self.address) return self;
    return standIn(who, undefined, '#ref', undefined, (self as unknown as { system: object }).system);
  });
}

function mapObjects(value: unknown, replace: (object: object) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const replaced = replace(value);
  if (replaced !== undefined) return replaced;
  if (Array.isArray(value)) {
    let copy: unknown[] | undefined;
    for (let index = 0; index < value.length; index += 1) {
      const mapped = mapObjects(value[index], replace);
      if (mapped !== value[index]) {
        copy ??= [...value];
        copy[index] = mapped;
      }
    }
    return copy ?? value;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return value;
  let copy: Record<string, unknown> | undefined;
  for (const [key, part] of Object.entries(value)) {
    const mapped = mapObjects(part, replace);
    if (mapped !== part) {
      copy ??= { ...value };
      copy[key] = mapped;
    }
  }
  return copy ?? value;
}
