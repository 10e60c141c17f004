/**
 * What the engine cannot keep alive over a crash is refused when a workflow is registered, with the state and the
 * mend named, rather than found out by an instance in the middle of the night.
 */
import type { AnyActorLogic, AnyStateMachine, StateNode } from 'xstate';
import { AppError } from '../shared/errors.ts';
import { isMachine, kindOfLogic, logicOf, machineNodes } from './actor-logic.ts';

export interface DurabilityProblem {
  /** Id of the state node (or the machine's own). */
  readonly state: string;
  readonly problem: string;
  readonly mend: string;
}

/** Throws `machine-not-durable` listing every problem of the machine and of the machines it invokes. */
export function assertDurable(name: string, machine: AnyStateMachine): void {
  const problems = findProblems(machine);
  if (problems.length === 0) return;
  const lines = problems.map(({ state, problem, mend }) => `  ${state}: ${problem} ${mend}`);
  throw new AppError(
    'machine-not-durable',
    `Workflow '${name}' cannot be made durable:\n${lines.join('\n')}`,
    {
      details: { workflow: name, problems },
    },
  );
}

/** Every problem, in document order; empty for a machine that can be made durable. */
export function findProblems(
  machine: AnyStateMachine,
  seen: Set<object> = new Set(),
): readonly DurabilityProblem[] {
  if (seen.has(machine)) return [];
  seen.add(machine);
  const problems: DurabilityProblem[] = [];
  const report = (state: string, problem: string, mend: string): void => {
    problems.push({ state, problem, mend });
  };
  checkContextFactory(machine, report);
  for (const node of machineNodes(machine.root)) checkNode(machine, node, report, problems, seen);
  return problems;
}

type Report = (state: string, problem: string, mend: string) => void;

function checkContextFactory(machine: AnyStateMachine, report: Report): void {
  const { context } = machine.config as { context?: unknown };
  if (typeof context === 'function' && usesSpawn(context)) {
    report(
      machine.id,
      'its context factory spawns an actor.',
      'Spawn it with spawnChild or invoke, with an id.',
    );
  }
}

function checkNode(
  machine: AnyStateMachine,
  node: StateNode,
  report: Report,
  problems: DurabilityProblem[],
  seen: Set<object>,
): void {
  if ((node.config as { route?: unknown }).route !== undefined) {
    report(
      node.id,
      "'route' asks outsiders for 'xstate.route', and no event of that kind is taken from them.",
      'Give the machine an event of its own with this state as target.',
    );
  }
  checkName(node.id, node.key, report);
  for (const invoke of node.invoke as readonly { id: string; src: string; onSnapshot?: unknown }[]) {
    checkName(node.id, invoke.id, report);
    if (invoke.onSnapshot !== undefined) {
      report(
        node.id,
        `invoke '${invoke.id}' listens to onSnapshot, which nobody stores.`,
        'Let the child send events with sendParent.',
      );
    }
    checkLogic(machine, node.id, invoke.src, logicOf(machine, invoke.src), report, problems, seen);
  }
  for (const action of [...node.entry, ...node.exit])
    checkAction(machine, node.id, action, report, problems, seen);
  const initial =
    node.type === 'compound'
      ? (node.initial as unknown as { actions: readonly unknown[] } | undefined)
      : undefined;
  for (const action of initial?.actions ?? []) checkAction(machine, node.id, action, report, problems, seen);
  const transitions = [...node.transitions.values()].flat().concat((node.always ?? []) as never[]);
  for (const transition of transitions) {
    for (const action of transition.actions) checkAction(machine, node.id, action, report, problems, seen);
    checkGuard(machine, node.id, transition.guard, report);
  }
}

/** A stored object is read back without it. */
function checkName(state: string, name: unknown, report: Report): void {
  if (name === '__proto__')
    report(state, "a state or an actor is named '__proto__'.", 'Give it another name.');
}

function checkLogic(
  machine: AnyStateMachine,
  state: string,
  src: string,
  logic: AnyActorLogic | undefined,
  report: Report,
  problems: DurabilityProblem[],
  seen: Set<object>,
): void {
  switch (kindOfLogic(logic)) {
    case 'promise':
      return;
    case 'machine':
      if (logic !== undefined && isMachine(logic) && logic !== machine)
        problems.push(...findProblems(logic, seen));
      return;
    case 'transition':
      report(
        state,
        `'${src}' is a transition actor.`,
        'Write it as a machine, or keep its state in the context.',
      );
      return;
    case 'callback-or-observable':
      report(
        state,
        `'${src}' is a callback or observable actor, whose state lives in memory only.`,
        'Make it an activity (fromPromise), or wait for a signal.',
      );
      return;
    case 'missing':
      report(state, `the actor '${src}' has no implementation.`, 'Give it in setup({ actors }).');
  }
}

function checkAction(
  machine: AnyStateMachine,
  state: string,
  action: unknown,
  report: Report,
  problems: DurabilityProblem[],
  seen: Set<object>,
): void {
  const resolved =
    typeof action === 'function' ? action : own(machine.implementations.actions, actionName(action));
  if (resolved === undefined) {
    report(
      state,
      `the action '${actionName(action)}' has no implementation.`,
      'Give it in setup({ actions }).',
    );
    return;
  }
  const builtin = resolved as {
    type?: string;
    assignment?: unknown;
    id?: unknown;
    src?: unknown;
    delay?: unknown;
    collect?: unknown;
  };
  if (talksPastTheMachine(builtin.collect ?? resolved)) {
    report(
      state,
      'an action talks to its actor by itself, which is not there between two events.',
      'Use raise, sendTo or enqueueActions.',
    );
  }
  if (builtin.type === 'xstate.assign' && assignsWithSpawn(builtin.assignment)) {
    report(
      state,
      'an assign spawns an actor, which no effect announces.',
      'Spawn it with spawnChild or invoke, with an id.',
    );
  }
  if (builtin.type === 'xstate.spawnChild') checkSpawn(machine, state, builtin, report, problems, seen);
  if (
    (builtin.type === 'xstate.raise' || builtin.type === 'xstate.sendTo') &&
    typeof builtin.delay === 'string'
  ) {
    if (own(machine.implementations.delays, builtin.delay) === undefined) {
      report(state, `the delay '${builtin.delay}' has no implementation.`, 'Give it in setup({ delays }).');
    }
  }
}

function checkSpawn(
  machine: AnyStateMachine,
  state: string,
  action: { id?: unknown; src?: unknown; syncSnapshot?: unknown },
  report: Report,
  problems: DurabilityProblem[],
  seen: Set<object>,
): void {
  checkName(state, action.id, report);
  if (action.id === undefined)
    report(state, 'spawnChild has no id.', 'Give it one, so that its result can be told apart.');
  if (action.syncSnapshot === true)
    report(
      state,
      'spawnChild has syncSnapshot, which nobody stores.',
      'Let the child send events with sendParent.',
    );
  if (typeof action.src !== 'string') {
    report(
      state,
      'spawnChild names no actor source.',
      'Put the logic into setup({ actors }) and spawn it by name.',
    );
    return;
  }
  checkLogic(machine, state, action.src, logicOf(machine, action.src), report, problems, seen);
}

/** `constructor` is no implementation. */
function own<Value>(implementations: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(implementations, name) ? implementations[name] : undefined;
}

function actionName(action: unknown): string {
  return typeof action === 'string' ? action : String((action as { type?: unknown }).type);
}

function checkGuard(machine: AnyStateMachine, state: string, guard: unknown, report: Report): void {
  if (guard === undefined) return;
  if (typeof guard === 'function') {
    const nested = (guard as { guards?: readonly unknown[] }).guards ?? [];
    for (const inner of nested) checkGuard(machine, state, inner, report);
    return;
  }
  const name = actionName(guard);
  if (own(machine.implementations.guards, name) === undefined) {
    report(state, `the guard '${name}' has no implementation.`, 'Give it in setup({ guards }).');
  }
}

// A spawn inside an assign leaves no trace but a changed `children`, so it is looked for in the function's own text.
// What a minifier hides is caught when it happens: an unnamed child makes the event poison.

function assignsWithSpawn(assignment: unknown): boolean {
  if (typeof assignment === 'function') return usesSpawn(assignment);
  if (typeof assignment !== 'object' || assignment === null) return false;
  return Object.values(assignment).some((part) => typeof part === 'function' && usesSpawn(part));
}

function usesSpawn(fn: object): boolean {
  return /\bspawn\b/.test(sourceOf(fn));
}

/** By another name it throws when it happens. */
function talksPastTheMachine(action: unknown): boolean {
  return (
    typeof action === 'function' && /\bself\??\.(send|getSnapshot|subscribe|on)\b/.test(sourceOf(action))
  );
}

function sourceOf(fn: object): string {
  return Function.prototype.toString.call(fn).replace(/'[^']*'|"[^"]*"|`[^`]*`/g, '');
}
