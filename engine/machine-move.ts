/**
 * Leaving the present state for any other one of the machine, by XState's own rules: a copy of the machine has the one
 * transition that is wanted, so that exits, entries, invokes, `after` and `always` are XState's and not ours.
 */
import { type AnyStateMachine, createMachine, type StateNode } from 'xstate';
import { machineNodes } from './actor-logic.ts';
import type { Surroundings } from './actor-refs.ts';
import type { MachineState } from './record.ts';
import { fromMachineState, type MachineStep, nextStep, prepareMachine } from './xstate5.ts';

const MOVE = 'engine.move';

/** A state by its dotted path or its id; null for none, for the root and for a history state. */
export function findState(machine: AnyStateMachine, name: string): StateNode | null {
  for (const node of machineNodes(machine.root)) {
    if (node === machine.root || node.type === 'history') continue;
    if (node.path.join('.') === name || node.id === name) return node;
  }
  return null;
}

/** Every state one can move to, by dotted path. */
export function statePaths(machine: AnyStateMachine): readonly string[] {
  return [...machineNodes(machine.root)]
    .filter((node) => node !== machine.root && node.type !== 'history')
    .map((node) => node.path.join('.'));
}

/**
 * Enters `target` anew. Only what has to be left is: other regions of a parallel state stay as they are. Throws what
 * the machine throws. The snapshot is the copy's: it has to be restored for the machine, and once the children it began
 * have their addresses.
 */
export function enterState(
  machine: AnyStateMachine,
  state: MachineState,
  target: StateNode,
  around: Surroundings,
): MachineStep {
  const restored = fromMachineState(machine, state, around);
  const leaves = (restored as unknown as { _nodes: StateNode[] })._nodes.filter(
    (node) => Object.keys(node.states).length === 0,
  );
  const source = leaves.toSorted((a, b) => common(b, target) - common(a, target))[0];
  const config = leaves.reduce<Config>(
    // The other leaves are told to ignore it, or a wildcard of theirs would take it.
    (made, leaf) =>
      withTransition(made, leaf.path, leaf === source ? { target: `#${target.id}`, reenter: true } : {}),
    machine.config as Config,
  );
  const variant = prepareMachine(createMachine(config as never, machine.implementations as never));
  return nextStep(variant, fromMachineState(variant, state, around), { type: MOVE }, around);
}

interface Config {
  readonly states?: Readonly<Record<string, Config>>;
  readonly on?: Readonly<Record<string, unknown>>;
}

function withTransition(config: Config, path: readonly string[], transition: object): Config {
  const [key, ...rest] = path;
  if (key === undefined) return { ...config, on: { ...config.on, [MOVE]: transition } };
  const child = config.states?.[key] ?? {};
  return { ...config, states: { ...config.states, [key]: withTransition(child, rest, transition) } };
}

/** How many steps of their paths two states share. */
function common(a: StateNode, b: StateNode): number {
  const different = a.path.findIndex((key, index) => b.path[index] !== key);
  return different < 0 ? a.path.length : different;
}
