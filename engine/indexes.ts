/** The indexes an instance stands in, a function of its record: what `list` can filter by. */
import type { AnyMachineSnapshot } from 'xstate';
import type { StateMeta } from './definition.ts';
import type { InstanceRecord } from './record.ts';
import type { Definition } from './registry.ts';
import { type ActiveState, activeStates } from './xstate5.ts';

/** Index names. Every instance is a root or a child for life; lists show roots, which stand for their whole trees. */
export const INDEX = {
  roots: 'roots',
  children: 'children',
  status: (status: string) => `status:${status}`,
  workflow: (name: string) => `workflow:${name}`,
  state: (workflow: string, path: string) => `state:${workflow}:${path}`,
  waitingOn: (who: string) => `waiting:${who}`,
  attention: 'attention',
  task: 'task',
} as const;

export function indexesOf(
  definition: Definition,
  record: InstanceRecord,
  snapshot: AnyMachineSnapshot,
): readonly string[] {
  const name = definition.workflow?.name ?? definition.ref;
  const place = record.parent === null ? INDEX.roots : INDEX.children;
  const names = [place, INDEX.status(record.status), INDEX.workflow(name)];
  if (record.attention !== null) names.push(INDEX.attention);
  const live = record.status === 'running' || record.status === 'paused';
  return live ? names.concat(stateIndexes(name, activeStates(snapshot))) : names;
}

const known = new WeakMap<readonly ActiveState[], readonly string[]>();

function stateIndexes(workflow: string, states: readonly ActiveState[]): readonly string[] {
  let indexes = known.get(states);
  if (indexes === undefined) {
    const names = new Set<string>();
    for (const { leaf, path, meta } of states) {
      const { waitingOn, task } = (meta ?? {}) as Partial<StateMeta>;
      if (leaf && path !== '') names.add(INDEX.state(workflow, path));
      if (waitingOn !== undefined) names.add(INDEX.waitingOn(waitingOn));
      if (task !== undefined) names.add(INDEX.task);
    }
    indexes = [...names];
    known.set(states, indexes);
  }
  return indexes;
}
