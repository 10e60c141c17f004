/** Renders a workflow as a page of docs/workflows: a Mermaid statechart and what staff read in each state. Pure. */
import type { AnyStateMachine, StateNode } from 'xstate';
import { contractOf } from '../engine/activity.ts';
import type { AnyWorkflow, StateMeta } from '../engine/definition.ts';

interface Transition {
  readonly eventType: string;
  readonly target?: readonly StateNode[];
  readonly guard?: unknown;
}

/** The whole page of one workflow. */
export function renderWorkflow(workflow: AnyWorkflow): string {
  const machine: AnyStateMachine = workflow.machine;
  return [
    `# ${workflow.title}`,
    `Generated from \`${workflow.name}@${workflow.version}\`; regenerate with \`node scripts/docs-workflows.mjs\`.`,
    `\`\`\`mermaid\n${renderDiagram(machine)}\n\`\`\``,
    '## States',
    renderStates(machine),
    '## Activities and stretches',
    renderActors(machine),
    '',
  ].join('\n\n');
}

/** Mermaid `stateDiagram-v2` text. */
export function renderDiagram(machine: AnyStateMachine): string {
  return ['stateDiagram-v2', ...renderChildren(machine.root, 1), ...renderTransitions(machine.root)].join(
    '\n',
  );
}

const pad = (depth: number) => '  '.repeat(depth);
const nameOf = (node: StateNode) => node.path.join('_') || 'root';
const metaOf = (node: StateNode) => node.meta as StateMeta | undefined;

function renderChildren(node: StateNode, depth: number): string[] {
  const children = Object.values(node.states) as StateNode[];
  const parallel = node.type === 'parallel';
  const initial =
    node.type === 'compound' ? (node.initial as unknown as { target?: StateNode[] }).target?.[0] : undefined;
  const lines = children.flatMap((child, index) => {
    const inner = Object.keys(child.states).length > 0 ? renderChildren(child, depth + 1) : [];
    const own =
      inner.length === 0
        ? [`${pad(depth)}${nameOf(child)} : ${child.key}`]
        : [`${pad(depth)}state "${child.key}" as ${nameOf(child)} {`, ...inner, `${pad(depth)}}`];
    return parallel && index > 0 ? [`${pad(depth)}--`, ...own] : own;
  });
  return [
    ...(initial === undefined ? [] : [`${pad(depth)}[*] --> ${nameOf(initial)}`]),
    ...lines,
    ...children
      .filter((child) => child.type === 'final')
      .map((child) => `${pad(depth)}${nameOf(child)} --> [*]`),
  ];
}

function* nodesOf(node: StateNode): Generator<StateNode> {
  yield node;
  for (const child of Object.values(node.states)) yield* nodesOf(child as StateNode);
}

/** Arrows between states, each pair of states once. Root transitions, which hold everywhere, are listed in the table. */
function renderTransitions(root: StateNode): string[] {
  const labels = new Map<string, string[]>();
  for (const node of [...nodesOf(root)].slice(1)) {
    for (const transition of transitionsOf(node)) {
      for (const target of transition.target ?? []) {
        const arrow = `${nameOf(node)} --> ${nameOf(target)}`;
        const label = labelOf(transition);
        const known = labels.get(arrow) ?? [];
        labels.set(arrow, known.includes(label) ? known : [...known, label]);
      }
    }
  }
  return [...labels].map(([arrow, names]) => {
    const label = names.filter((name) => name !== '').join(', ');
    return label === '' ? `  ${arrow}` : `  ${arrow} : ${label}`;
  });
}

export function transitionsOf(node: StateNode): Transition[] {
  return [...node.transitions.values()]
    .flat()
    .concat((node.always ?? []) as never[]) as unknown as Transition[];
}

function labelOf({ eventType, guard }: Transition): string {
  const condition = guard === undefined ? '' : ` [${guardName(guard)}]`;
  return `${eventName(eventType)}${condition}`.trim();
}

/** Colons end a Mermaid label early, so none is printed. */
export function eventName(type: string): string {
  if (type === '') return '';
  const after = /^xstate\.after\.([^.]+)\./.exec(type);
  if (after !== null) return /^task(Reminder|Due)/.test(after[1] ?? '') ? 'reminders' : `after ${after[1]}`;
  const done = /^xstate\.done\.actor\.(.+)$/.exec(type);
  if (done !== null) return `${done[1]} done`;
  const failed = /^xstate\.error\.actor\.(.+)$/.exec(type);
  return failed === null ? type : `${failed[1]} failed`;
}

function guardName(guard: unknown): string {
  if (typeof guard === 'string') return guard;
  if (typeof guard === 'object' && guard !== null && 'type' in guard) {
    const { type, params } = guard as { type: string; params?: unknown };
    const state =
      typeof params === 'object' && params !== null ? (params as { state?: string }).state : undefined;
    return state === undefined ? type : `${type} ${state}`;
  }
  const composite = guard as { check?: { name?: string }; guards?: readonly unknown[] };
  const inner = (composite.guards ?? []).map(guardName);
  if (inner.length === 0) return 'condition';
  return composite.check?.name === 'checkNot' ? `not ${inner.join(' ')}` : inner.join(' and ');
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function renderStates(machine: AnyStateMachine): string {
  const everywhere = signalsOf(machine.root);
  const rows = [...nodesOf(machine.root)].slice(1).map((node) => {
    const meta = metaOf(node);
    const waits = [
      ...node.invoke.map(({ src }) => String(src)),
      ...(node.after as readonly { eventType: string }[]).map(({ eventType }) => eventName(eventType)),
    ];
    return [
      `\`${node.path.join('.')}\``,
      meta?.description ?? '',
      meta?.waitingOn ?? '',
      [...new Set(waits)].join(', '),
      signalsOf(node)
        .map((signal) => `\`${signal}\``)
        .join(', '),
    ];
  });
  return [
    ...(everywhere.length === 0
      ? []
      : [
          `Taken in every state that does not say otherwise: ${everywhere.map((signal) => `\`${signal}\``).join(', ')}.`,
          '',
        ]),
    '| State | What staff read | Waiting on | Until | Signals |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`),
  ].join('\n');
}

function signalsOf(node: StateNode): string[] {
  return [...node.transitions.keys()].filter((type) => type !== '' && !type.startsWith('xstate.'));
}

function renderActors(machine: AnyStateMachine): string {
  const rows = Object.entries(machine.implementations.actors).map(([src, logic]) => {
    const contract = contractOf(logic as object);
    return contract === undefined
      ? [`\`${src}\``, 'stretch', `see [${src}](${src}.md)`]
      : [
          `\`${src}\``,
          contract.effectful ? 'changes the outside world' : 'reads',
          `${contract.description} (${contract.queue})`,
        ];
  });
  return [
    '| Name | Kind | |',
    '| --- | --- | --- |',
    ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`),
  ].join('\n');
}
