/** What a definition offers an instance, state by state: plain data, so that one release's can be held against the next's. */
import type { AnyStateMachine, StateNode, StateValue } from 'xstate';
import { machineNodes } from './actor-logic.ts';
import type { Definition } from './registry.ts';

/** What one state does for an instance that is in it. */
export interface StateShape {
  /** Event types it names, timers and results of its own included. */
  readonly on: readonly string[];
  /** Actor id and source of what it invokes. */
  readonly invokes: readonly (readonly [actorId: string, src: string])[];
  /** Event types of its `after` timers. */
  readonly after: readonly string[];
}

export interface DefinitionShape {
  /** By dotted path; the machine itself is under ''. */
  readonly states: Readonly<Record<string, StateShape>>;
  /** Signals outsiders may send; null where every event type is taken. */
  readonly signals: readonly string[] | null;
}

export function shapeOf({ machine, workflow }: Definition): DefinitionShape {
  const states = [...machineNodes(machine.root)].map(
    (node) => [node.path.join('.'), stateShape(node)] as const,
  );
  return {
    states: Object.fromEntries(states),
    signals: workflow?.signals === undefined ? null : Object.keys(workflow.signals),
  };
}

function stateShape(node: StateNode): StateShape {
  return {
    on: node.ownEvents.filter((type) => type !== ''),
    invokes: node.invoke.map(({ id, src }) => [id, String(src)] as const),
    after: [...new Set(node.after.map(({ eventType }) => String(eventType)))],
  };
}

/** What these states do together. */
export function togetherOf(shape: DefinitionShape, paths: readonly string[]): StateShape {
  const states = paths.flatMap((path) => shape.states[path] ?? []);
  return {
    on: [...new Set(states.flatMap(({ on }) => on))],
    invokes: states.flatMap(({ invokes }) => invokes),
    after: states.flatMap(({ after }) => after),
  };
}

/** Dotted paths of the active states of a value, the machine's own ('') first. */
export function activePaths(value: StateValue, above: readonly string[] = []): readonly string[] {
  const here = above.join('.');
  if (typeof value === 'string') return [here, [...above, value].join('.')];
  return [
    here,
    ...Object.entries(value).flatMap(([key, below]) =>
      below === undefined ? [] : activePaths(below, [...above, key]),
    ),
  ];
}

/** The value in which these states are active; a compound state without one of its own has its initial one. */
export function valueAt(machine: AnyStateMachine, active: ReadonlySet<string>): StateValue {
  const within = (node: StateNode): StateValue => {
    const children = Object.values(node.states) as StateNode[];
    if (node.type === 'parallel')
      return Object.fromEntries(children.map((child) => [child.key, within(child)]));
    const child =
      children.find(({ path }) => active.has(path.join('.'))) ??
      (node.initial.target[0] as StateNode | undefined);
    if (child === undefined) return {};
    return Object.keys(child.states).length === 0 ? child.key : { [child.key]: within(child) };
  };
  return within(machine.root);
}
