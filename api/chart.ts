/** A workflow's statechart as data to draw: its states inside each other, and what leads from one to another. */
import type { AnyStateMachine, StateNode } from 'xstate';
import { z } from 'zod';
import type { StateMeta } from '../engine/index.ts';
import { eventName, transitionsOf } from '../workflows/diagram.ts';

const leadsTo = z.strictObject({
  on: z.string().meta({ description: 'What has to happen; empty for at once' }),
  to: z.array(z.string()).meta({ description: 'Ids of states' }),
});

export interface ChartState {
  /** As in the `states` of an instance. */
  readonly id: string;
  readonly path: string;
  readonly name: string;
  readonly kind: StateNode['type'];
  readonly sentence: string | null;
  readonly waitingOn: string | null;
  readonly isInitial: boolean;
  readonly leadsTo: readonly z.output<typeof leadsTo>[];
  readonly states: readonly ChartState[];
}

export const ChartStateSchema = z
  .strictObject({
    id: z.string().meta({ description: 'As in the `states` of an instance' }),
    path: z.string(),
    name: z.string(),
    kind: z.enum(['atomic', 'compound', 'parallel', 'final', 'history']),
    sentence: z.string().nullable().meta({ description: 'With `{names}` where an instance’s data go' }),
    waitingOn: z.string().nullable(),
    isInitial: z.boolean(),
    leadsTo: z.array(leadsTo),
    get states(): z.ZodArray<z.ZodType> {
      return z.array(ChartStateSchema as z.ZodType);
    },
  })
  .meta({ id: 'ChartState' });

export function chartOf(machine: AnyStateMachine): ChartState {
  return stateOf(machine.root, true);
}

function stateOf(node: StateNode, isInitial: boolean): ChartState {
  const { description = null, waitingOn = null } = (node.meta ?? {}) as Partial<StateMeta>;
  const children = Object.values(node.states) as StateNode[];
  const first =
    node.type === 'compound' ? (node.initial as unknown as { target?: StateNode[] }).target?.[0] : undefined;
  return {
    id: node.id,
    path: node.path.join('.'),
    name: node.key,
    kind: node.type,
    sentence: description,
    waitingOn,
    isInitial,
    leadsTo: leavesOf(node),
    states: children.map((child) => stateOf(child, node.type === 'parallel' || child === first)),
  };
}

/** Each way out once; what changes no state is left out. */
function leavesOf(node: StateNode): ChartState['leadsTo'] {
  const ways = new Map<string, ChartState['leadsTo'][number]>();
  for (const { eventType, target } of transitionsOf(node)) {
    if (target === undefined || target.length === 0) continue;
    const way = { on: eventName(eventType), to: target.map(({ id }) => id) };
    ways.set(JSON.stringify(way), way);
  }
  return [...ways.values()];
}
