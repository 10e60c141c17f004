/** The work of the budgets: no-op activities in a row, one signal awaited half-way. */
import { type AnyStateMachine, fromPromise, setup } from 'xstate';
import { z } from 'zod';
import { defineWorkflow } from '../../engine/index.ts';

export interface BenchOptions {
  readonly activities: number;
  /** Bytes of context beside the machine's own needs. */
  readonly contextBytes: number;
  /** Called by the activity before the wait, so that the signal comes when the instance needs it. */
  onHalfWay(instanceId: string): void;
}

/** Activities `s0` … `sN`; the signal `go` is awaited after the first half. */
export function benchWorkflow({ activities, contextBytes, onHalfWay }: BenchOptions) {
  const half = Math.floor(activities / 2);
  const names = Array.from({ length: activities }, (_, index) => `s${index}`);
  const states: Record<string, object> = { waiting: { on: { go: `s${half}` } }, done: { type: 'final' } };
  for (const [index, name] of names.entries()) {
    const next = index === half - 1 ? 'waiting' : (names[index + 1] ?? 'done');
    states[name] = {
      invoke: { id: 'step', src: index === half - 1 ? 'last' : 'noop', input: instanceOf, onDone: next },
    };
  }
  const machine = setup({
    types: { input: {} as { id: string }, events: {} as { type: 'go' } },
    actors: {
      noop: fromPromise(async () => 1),
      last: fromPromise(async ({ input }: { input: string }) => {
        onHalfWay(input);
        return 1;
      }),
    },
  }).createMachine({
    context: ({ input }) => ({ id: input.id, ballast: 'x'.repeat(contextBytes) }),
    initial: 's0',
    states: states as never,
  }) as unknown as AnyStateMachine;
  return defineWorkflow({
    name: 'bench',
    machine,
    signals: { go: { payload: z.object({}), whenNotAccepted: 'defer' } },
  });
}

const instanceOf = ({ context }: { context: { id: string } }): string => context.id;
