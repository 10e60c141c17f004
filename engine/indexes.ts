/** The indexes an instance stands in, a function of its record: what `list` can filter by. */
import type { AnyMachineSnapshot } from 'xstate';
import type { StateMeta } from './definition.ts';
import type { InstanceRecord } from './record.ts';
import type { Definition } from './registry.ts';
import { activeStates } from './xstate5.ts';

/** Index names. An instance of a tree below another stands under `child:`, so that lists show whole onboardings. */
export const INDEX = {
  all: 'all',
  roots: 'roots',
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
  const names = new Set<string>([INDEX.all, INDEX.status(record.status), INDEX.workflow(name)]);
  if (record.parent === null) names.add(INDEX.roots);
  if (record.attention !== null) names.add(INDEX.attention);
  if (record.status !== 'running' && record.status !== 'paused') return [...names];
  for (const state of activeStates(snapshot)) {
    if (state.leaf && state.path.length > 0) names.add(INDEX.state(name, state.path.join('.')));
    const meta = state.meta as Partial<StateMeta> | undefined;
    if (meta?.waitingOn !== undefined) names.add(INDEX.waitingOn(meta.waitingOn));
    if (meta?.task !== undefined) names.add(INDEX.task);
  }
  return [...names];
}
