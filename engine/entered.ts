/** Since when an instance is in its states: what days are counted from, and when a human task is due. Pure. */
import type { AnyMachineSnapshot, StateNode } from 'xstate';
import type { StateMeta } from './definition.ts';

type Entered = Readonly<Record<string, number>>;

export const UNCOUNTED: Entered = {};

/** Told once per state of a workflow, not once per commit. */
const counted = new WeakMap<StateNode, boolean>();

function isCounted(node: StateNode): boolean {
  const known = counted.get(node);
  if (known !== undefined) return known;
  const { task, description } = (node.meta ?? {}) as Partial<StateMeta>;
  const answer = task !== undefined || description?.includes('{day}') === true;
  counted.set(node, answer);
  return answer;
}

/** `before` holds what was known; a state that stays active keeps its moment, whatever moves inside it. */
export function enteredAt(snapshot: AnyMachineSnapshot, before: Entered, now: number): Entered {
  let entered: Record<string, number> | undefined;
  for (const node of (snapshot as unknown as { _nodes: StateNode[] })._nodes) {
    if (!isCounted(node)) continue;
    entered ??= {};
    entered[node.id] = before[node.id] ?? now;
  }
  return entered ?? UNCOUNTED;
}
