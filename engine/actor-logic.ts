/** Machines and actor logics as XState 5 keeps them: walked and told apart at registration, never run here. */
import type { AnyActorLogic, AnyStateMachine, StateNode } from 'xstate';

/** Every state node of a machine, in document order. */
export function* machineNodes(node: StateNode): Generator<StateNode> {
  yield node;
  for (const child of Object.values(node.states)) yield* machineNodes(child as StateNode);
}

export type LogicKind = 'promise' | 'machine' | 'transition' | 'callback-or-observable' | 'missing';

/** The logic an actor source names: a key of `setup({ actors })`, or an inline logic by its place in the machine. */
export function logicOf(machine: AnyStateMachine, src: string): AnyActorLogic | undefined {
  const inline = /^xstate\.invoke\.(\d+)\.(.*)$/.exec(src);
  if (inline === null) return machine.implementations.actors[src] as AnyActorLogic | undefined;
  const node = machine.getStateNodeById(inline[2] ?? '');
  const invokes = [node.config.invoke].flat() as ({ src: unknown } | undefined)[];
  const found = invokes[Number(inline[1])]?.src;
  return typeof found === 'object' && found !== null ? (found as AnyActorLogic) : undefined;
}

export function isMachine(logic: AnyActorLogic): logic is AnyStateMachine {
  return '__xstatenode' in logic;
}

/** XState's logics carry no kind; only a promise's turns `done` on its resolve event. */
export function kindOfLogic(logic: AnyActorLogic | undefined): LogicKind {
  if (logic === undefined || logic === null) return 'missing';
  if (isMachine(logic)) return 'machine';
  if (typeof (logic as { start?: unknown }).start !== 'function') return 'transition';
  try {
    const active = { status: 'active', output: undefined, error: undefined, input: undefined };
    const after = logic.transition(
      active as never,
      { type: 'xstate.promise.resolve', data: 1 } as never,
      {} as never,
    );
    return (after as { status?: string }).status === 'done' ? 'promise' : 'callback-or-observable';
  } catch {
    return 'callback-or-observable';
  }
}

/** The function inside a plain `fromPromise` logic. */
export function promiseCreatorOf(
  logic: AnyActorLogic,
): (args: {
  input: unknown;
  signal: AbortSignal;
  system: object;
  self: object;
  emit: (event: unknown) => void;
}) => PromiseLike<unknown> {
  return (logic as unknown as { config: ReturnType<typeof promiseCreatorOf> }).config;
}
