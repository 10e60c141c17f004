/**
 * Drives a statechart by hand, without an engine: events in, snapshots out, and a JSON round trip before each event, as an
 * instance sees it when every revision is loaded by another process.
 */
import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  createActor,
  initialTransition,
  type StateNode,
  transition,
} from 'xstate';

export interface Driver {
  readonly snapshot: () => AnyMachineSnapshot;
  readonly context: <T = Record<string, unknown>>() => T;
  readonly is: (value: string | object) => boolean;
  /** Ids of running activities and children. */
  readonly running: () => string[];
  readonly timers: () => string[];
  readonly done: (id: string, output: unknown) => Driver;
  readonly fail: (id: string, error?: { code: string; message: string }) => Driver;
  readonly timer: (name: string) => Driver;
  readonly signal: (type: string, payload?: object) => Driver;
  /** Whether the state would take the signal. */
  readonly takes: (type: string, payload?: object) => boolean;
  readonly input: (id: string) => unknown;
}

type Event = { type: string; [field: string]: unknown };

/** What a store would keep, and what a process would make of it. */
export function roundTrip(machine: AnyStateMachine, snapshot: AnyMachineSnapshot): AnyMachineSnapshot {
  if (snapshot.status !== 'active') return snapshot;
  const stored = JSON.parse(JSON.stringify(machine.getPersistedSnapshot(snapshot)));
  return createActor(machine, { snapshot: stored }).getSnapshot() as AnyMachineSnapshot;
}

export function timersOf(snapshot: AnyMachineSnapshot): string[] {
  const nodes = (snapshot as unknown as { _nodes: StateNode[] })._nodes;
  return [...new Set(nodes.flatMap((node) => node.after.map((timer) => timer.eventType)))];
}

export const runningOf = (snapshot: AnyMachineSnapshot): string[] => Object.keys(snapshot.children);

export function drive(
  machine: AnyStateMachine,
  input: unknown,
  options: { roundTrips?: boolean } = {},
): Driver {
  const inputs = new Map<string, unknown>();
  const remember = (actions: readonly { type: string; params?: unknown }[]) => {
    for (const action of actions) {
      if (action.type !== 'xstate.spawnChild') continue;
      const { id, input: given } = action.params as { id: string; input: unknown };
      inputs.set(id, given);
    }
  };
  const [first, actions] = initialTransition(machine, input as never);
  let snapshot = first as AnyMachineSnapshot;
  remember(actions as never);
  if (snapshot.status === 'error') throw snapshot.error;

  const send = (event: Event): Driver => {
    const before = options.roundTrips === false ? snapshot : roundTrip(machine, snapshot);
    const [next, effects] = transition(machine, before as never, event as never);
    snapshot = next as AnyMachineSnapshot;
    remember(effects as never);
    return driver;
  };
  const expectRunning = (id: string) => {
    if (!runningOf(snapshot).includes(id)) {
      throw new Error(
        `${id} does not run in ${JSON.stringify(snapshot.value)}; running: ${runningOf(snapshot)}`,
      );
    }
  };
  const driver: Driver = {
    snapshot: () => snapshot,
    context: <T>() => snapshot.context as T,
    is: (value) => snapshot.matches(value as never),
    running: () => runningOf(snapshot),
    timers: () => timersOf(snapshot),
    done: (id, output) => {
      expectRunning(id);
      return send({ type: `xstate.done.actor.${id}`, output, actorId: id });
    },
    fail: (id, error = { code: 'broken', message: 'It broke.' }) => {
      expectRunning(id);
      return send({ type: `xstate.error.actor.${id}`, error, actorId: id });
    },
    timer: (name) => {
      const type = timersOf(snapshot).find((timer) => timer.startsWith(`xstate.after.${name}.`));
      if (type === undefined) throw new Error(`no timer '${name}' in ${JSON.stringify(snapshot.value)}`);
      return send({ type });
    },
    signal: (type, payload = {}) => send({ type, ...payload }),
    takes: (type, payload = {}) => roundTrip(machine, snapshot).can({ type, ...payload } as never),
    input: (id) => inputs.get(id),
  };
  return driver;
}

export function* nodesOf(node: StateNode): Generator<StateNode> {
  yield node;
  for (const child of Object.values(node.states)) yield* nodesOf(child as StateNode);
}
