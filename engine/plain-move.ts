/**
 * XState works out anew at each step which states a transition leaves and enters. For most moves both follow from the
 * active states and the transition alone; such a plain move is worked out once and remembered here. What may lead to a
 * second microstep or needs more than that (`always`, raised events, final and history states, parallel states
 * entered, several transitions at once) is left to XState, whose own action objects run in either case.
 */
import type { AnyActorRef, AnyMachineSnapshot, StateNode } from 'xstate';
import { standIn } from './actor-refs.ts';
import type { MachineEvent } from './event.ts';
import type { RawAction } from './machine-action.ts';

/** What a move needs of the scope XState would be given. */
export interface MoveScope {
  readonly self: AnyActorRef;
  readonly system: object;
  actionExecutor(action: RawAction): void;
}

/** The snapshot after the event, the same one where nothing takes it; null where XState has to do it. */
export function movePlainly(
  snapshot: AnyMachineSnapshot,
  event: MachineEvent,
  scope: MoveScope,
): AnyMachineSnapshot | null {
  // XState may lose every one of them where a history state inside parallel ones is entered.
  if ((snapshot as Inner)._nodes.length === 0) return null;
  const before = configurationOf(snapshot as Inner);
  if (before.eventless || event.type === 'xstate.stop' || event.type === 'xstate.init') return null;
  const [transition, another] = snapshot.machine.getTransitionData(
    snapshot,
    event,
  ) as unknown as Transition[];
  if (transition === undefined) return event.type.startsWith('xstate.error') ? null : snapshot;
  if (another !== undefined) return null;
  let move = before.moves.get(transition);
  if (move === undefined) {
    move = workOut(before, transition);
    before.moves.set(transition, move);
  }
  return move === null ? null : carryOut(move, snapshot as Inner, event, scope);
}

/** The parts of XState's snapshots that its types hide. */
type Inner = { -readonly [Key in keyof AnyMachineSnapshot]: AnyMachineSnapshot[Key] } & {
  _nodes: StateNode[];
};

interface Transition {
  readonly source: StateNode;
  readonly target: readonly StateNode[] | undefined;
  readonly reenter: boolean;
  readonly actions: readonly Action[];
}

/** An action as a machine holds it: a name, an object with params, a function, or one of XState's own with `resolve`. */
type Action = string | ActionObject | BuiltIn;
interface ActionObject {
  readonly type: string;
  readonly params?: unknown;
}
type BuiltIn = ((args: object, params: unknown) => void) & {
  readonly type?: string;
  readonly delay?: unknown;
  resolve?(
    scope: MoveScope,
    snapshot: Inner,
    args: object,
    params: unknown,
    action: BuiltIn,
    extra: object,
  ): [Inner, unknown, readonly Action[] | undefined];
  retryResolve?(scope: MoveScope, snapshot: Inner, params: unknown): void;
  execute?: unknown;
};

// Configurations

/** A set of active states with what follows from it. Its array of nodes is shared by every snapshot in it. */
interface Configuration {
  readonly nodes: StateNode[];
  readonly value: AnyMachineSnapshot['value'];
  readonly tags: Set<string>;
  /** Some active state has `always`. */
  readonly eventless: boolean;
  readonly moves: Map<Transition, Move | null>;
}

/** A machine of many parallel states has more configurations than memory; the ones remembered start anew at this many. */
const MOST_CONFIGURATIONS = 1_000;

const byNodes = new WeakMap<readonly StateNode[], Configuration>();
const byMachine = new WeakMap<object, Map<string, Configuration>>();

function configurationOf(snapshot: Inner): Configuration {
  const known = byNodes.get(snapshot._nodes);
  if (known !== undefined) return known;
  const shared = shareConfiguration(snapshot.machine, snapshot._nodes);
  byNodes.set(snapshot._nodes, shared);
  return shared;
}

/** The one configuration of these nodes in this order. */
function shareConfiguration(machine: object, nodes: StateNode[]): Configuration {
  let all = byMachine.get(machine);
  if (all === undefined) {
    all = new Map();
    byMachine.set(machine, all);
  }
  const key = nodes.map((node) => node.order).join();
  const known = all.get(key);
  if (known !== undefined) return known;
  const made: Configuration = {
    nodes,
    value: stateValueOf((nodes[0] as StateNode).machine.root as StateNode, nodes),
    tags: new Set(nodes.flatMap((node) => node.tags)),
    eventless: nodes.some((node) => node.always !== undefined),
    moves: new Map(),
  };
  if (all.size >= MOST_CONFIGURATIONS) all.clear();
  all.set(key, made);
  byNodes.set(nodes, made);
  return made;
}

function stateValueOf(node: StateNode, active: readonly StateNode[]): AnyMachineSnapshot['value'] {
  const inside = active.filter((other) => other.parent === node);
  const [only] = inside;
  if (node.type === 'compound' && only !== undefined && isLeaf(only)) return only.key;
  return Object.fromEntries(inside.map((child) => [child.key, stateValueOf(child, active)]));
}

function isLeaf(node: StateNode): boolean {
  return node.type === 'atomic' || node.type === 'final';
}

// Working a move out

interface Move {
  /** Null where the active states stay the same. */
  readonly to: Configuration | null;
  /** Innermost first. */
  readonly leaves: readonly { readonly actions: readonly Action[]; readonly invokes: readonly string[] }[];
  readonly actions: readonly Action[];
  /** Outermost first. */
  readonly enters: readonly {
    readonly actions: readonly Action[];
    readonly invokes: StateNode['invoke'];
    readonly invokeIds: readonly string[];
    readonly initial: readonly Action[];
  }[];
}

/** Null where the move is not plain. */
function workOut(from: Configuration, transition: Transition): Move | null {
  const { source, target, actions } = transition;
  if (!actions.every((action) => isPlain(action, source))) return null;
  if (target === undefined || target.length === 0) return { to: null, leaves: [], actions, enters: [] };
  const [inside] = target;
  if (inside?.parent === undefined || target.length > 1 || inside === source) return null;
  const domain = domainOf(transition, inside);
  if (domain === null || domain.type === 'parallel') return null;
  const left = from.nodes.filter((node) => isBelow(node, domain)).sort((a, b) => b.order - a.order);
  const entered = pathInto(inside, domain);
  if (entered === null || !left.every(leavesPlainly) || !entered.every(entersPlainly)) return null;
  const stay = from.nodes.filter((node) => !left.includes(node));
  const nodes = [...stay, ...entered];
  // XState loses a parallel state from its nodes where a history state inside is entered.
  const whole = nodes.every(({ parent }) => parent === undefined || nodes.includes(parent as StateNode));
  if (!whole || nodes.some((node) => node.always !== undefined)) return null;
  // Where the same states are entered again, XState keeps them in the order they had.
  const same = nodes.length === from.nodes.length && nodes.every((node) => from.nodes.includes(node));
  return {
    to: same ? null : shareConfiguration(inside.machine, nodes),
    leaves: left.map((node) => ({ actions: node.exit as never, invokes: node.invoke.map(({ id }) => id) })),
    actions,
    enters: entered.map((node) => ({
      actions: node.entry as never,
      invokes: node.invoke,
      invokeIds: node.invoke.map(({ id }) => id),
      initial: node.order < inside.order ? [] : (node.initial.actions as never),
    })),
  };
}

/** The state inside which everything happens; null where it is the machine itself that is entered again. */
function domainOf({ source, reenter }: Transition, target: StateNode): StateNode | null {
  if (!reenter && isBelow(target, source)) return source;
  for (let above = target.parent; above !== undefined; above = above.parent) {
    if (isBelow(source, above as StateNode)) return above as StateNode;
  }
  return reenter ? null : (source.machine.root as StateNode);
}

/** The states between, the target, and the initial ones below it, outermost first; null at a parallel or history state. */
function pathInto(target: StateNode, domain: StateNode): StateNode[] | null {
  const path: StateNode[] = [target];
  for (let above = target.parent; above !== undefined && above !== domain; above = above.parent)
    path.unshift(above as StateNode);
  for (let last = target; last.type === 'compound'; ) {
    const [initial] = (last.initial.target ?? []) as StateNode[];
    if (initial === undefined) return null;
    path.push(initial);
    last = initial;
  }
  return path.some(({ type }) => type === 'parallel' || type === 'history') ? null : path;
}

function isBelow(node: StateNode, above: StateNode): boolean {
  for (let up = node.parent; up !== undefined; up = up.parent) if (up === above) return true;
  return false;
}

function leavesPlainly(node: StateNode): boolean {
  const remembered = Object.values(node.states).some(({ type }) => type === 'history');
  return !remembered && node.exit.every((action) => isPlain(action as never, node));
}

function entersPlainly(node: StateNode): boolean {
  const actions = [...node.entry, ...node.initial.actions] as unknown as Action[];
  return node.type !== 'final' && actions.every((action) => isPlain(action, node));
}

/** False for what may raise an event within the step. */
function isPlain(action: Action, node: StateNode): boolean {
  const found = typeof action === 'function' ? action : implementationOf(action, node.machine);
  if (found?.type === 'xstate.raise') return found.delay !== undefined;
  return found?.type !== 'xstate.enqueueActions';
}

function implementationOf(
  action: string | ActionObject,
  machine: { readonly implementations: { readonly actions: object } },
): BuiltIn | undefined {
  const { actions } = machine.implementations;
  return (actions as Record<string, BuiltIn>)[typeof action === 'string' ? action : action.type];
}

// Carrying it out

/** Null where an event was raised after all (a delay that is no number): XState then starts over. */
function carryOut(
  { to, leaves, actions, enters }: Move,
  before: Inner,
  event: MachineEvent,
  scope: MoveScope,
): AnyMachineSnapshot | null {
  const raised: MachineEvent[] = [];
  let after: Inner = { ...before };
  for (const left of leaves) {
    after = perform(left.actions, after, event, scope, { internalQueue: raised });
    for (const id of left.invokes) stopInvoked(id, after, scope);
  }
  after = perform(actions, after, event, scope, { internalQueue: raised });
  for (const entered of enters) {
    const extra: Extra = { internalQueue: raised, deferredActorIds: entered.invokeIds, retries: [] };
    after = perform(entered.actions, after, event, scope, extra);
    for (const invoke of entered.invokes) startInvoked(invoke, after, event, scope);
    after = perform(entered.initial, after, event, scope, extra);
    for (const [action, params] of extra.retries ?? []) action.retryResolve?.(scope, after, params);
  }
  if (raised.length > 0) return null;
  if (to === null) {
    const same = after.context === before.context && after.children === before.children;
    return same ? (before as AnyMachineSnapshot) : (after as AnyMachineSnapshot);
  }
  after._nodes = to.nodes;
  after.value = to.value;
  after.tags = to.tags;
  return after as AnyMachineSnapshot;
}

interface Extra {
  readonly internalQueue: MachineEvent[];
  readonly deferredActorIds?: readonly string[];
  readonly retries?: (readonly [BuiltIn, unknown])[];
}

/** XState's own loop over actions. `snapshot` is this step's copy; what comes back is it or a newer copy. */
function perform(
  actions: readonly Action[],
  snapshot: Inner,
  event: MachineEvent,
  scope: MoveScope,
  extra: Extra,
): Inner {
  let after = snapshot;
  for (const action of actions) {
    const { context } = after;
    const found = typeof action === 'function' ? action : implementationOf(action, after.machine);
    const info = { context, event, self: scope.self, system: scope.system };
    const params = paramsOf(action, context, event);
    if (found?.resolve === undefined) {
      const type = typeof action === 'string' ? action : nameOf(action);
      scope.actionExecutor({ type, info, params, exec: found as never });
      continue;
    }
    const [next, resolved, further] = found.resolve(scope, after, info, params, found, extra);
    after = next;
    if (found.retryResolve !== undefined) extra.retries?.push([found, resolved]);
    if (found.execute !== undefined) scope.actionExecutor({ type: found.type ?? '', info, params: resolved });
    if (further !== undefined) after = perform(further, after, event, scope, extra);
  }
  return after;
}

function nameOf(action: ActionObject | BuiltIn): string {
  return typeof action === 'function' ? action.name || '(anonymous)' : action.type;
}

function paramsOf(action: Action, context: unknown, event: MachineEvent): unknown {
  if (typeof action === 'string' || typeof action === 'function') return undefined;
  return typeof action.params === 'function' ? action.params({ context, event }) : action.params;
}

function startInvoked(
  { id, src, systemId, input }: StateNode['invoke'][number],
  snapshot: Inner,
  event: MachineEvent,
  { self, actionExecutor }: MoveScope,
): void {
  const given =
    typeof input === 'function'
      ? (input as (args: object) => unknown)({ context: snapshot.context, event, self })
      : input;
  const actorRef = standIn({ id, address: null }, self, String(src), systemId);
  snapshot.children = { ...snapshot.children, [id]: actorRef };
  actionExecutor({
    type: 'xstate.spawnChild',
    info: undefined,
    params: { id, systemId, actorRef, src, input: given },
  });
}

function stopInvoked(id: string, snapshot: Inner, { actionExecutor }: MoveScope): void {
  const { [id]: actorRef, ...children } = snapshot.children;
  snapshot.children = children;
  actionExecutor({ type: 'xstate.stopChild', info: undefined, params: actorRef });
}
