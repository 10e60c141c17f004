/** The workflows of the bench: no-op activities in a row, a signal awaited between, nothing else. */
import { type AnyStateMachine, assign, fromPromise, setup } from 'xstate';
import { z } from 'zod';
import { defineWorkflow } from '../../engine/index.ts';

export interface BenchOptions {
  readonly activities: number;
  /** Bytes of context beside the machine's own needs. */
  readonly contextBytes: number;
  /** Activities before the signal `go` is awaited. Default: half of them. */
  readonly before?: number;
  /** Sets a timer of a day beside the wait. */
  readonly timer?: boolean;
  /** First line of activity `step` of an instance. */
  onLine?(id: string, step: number): void;
}

/** Activities `s0` … `sN`, with the state `waiting` between two of them. */
export function benchWorkflow(options: BenchOptions) {
  const { activities, contextBytes, before = Math.floor(activities / 2), timer = false, onLine } = options;
  const names = Array.from({ length: activities }, (_, index) => `s${index}`);
  const after = names[before] ?? 'done';
  const states: Record<string, object> = {
    waiting: { on: { go: after }, ...(timer ? { after: { 86400000: after } } : {}) },
    done: { type: 'final' },
  };
  for (const [step, name] of names.entries()) {
    const next = step === before - 1 ? 'waiting' : (names[step + 1] ?? 'done');
    const input = ({ context }: { context: { id: string } }) => ({ id: context.id, step });
    states[name] = { invoke: { id: 'step', src: 'noop', input, onDone: next } };
  }
  const machine = setup({
    types: { input: {} as { id: string }, events: {} as { type: 'go' } },
    actors: {
      noop: fromPromise(async ({ input }: { input: { id: string; step: number } }) => {
        onLine?.(input.id, input.step);
        return 1;
      }),
    },
  }).createMachine({
    context: ({ input }) => ({ id: input.id, ballast: 'x'.repeat(contextBytes) }),
    initial: before === 0 ? 'waiting' : 's0',
    states: states as never,
  }) as unknown as AnyStateMachine;
  return defineWorkflow({
    name: 'bench',
    machine,
    signals: { go: { payload: z.object({}), whenNotAccepted: 'defer' } },
  });
}

/** Fires once at `dueAt` (store ms). */
export const timerWorkflow = defineWorkflow({
  name: 'bench-timer',
  machine: setup({
    types: { input: {} as { delay: number }, context: {} as { delay: number } },
    delays: { due: ({ context }) => context.delay },
  }).createMachine({
    context: ({ input }) => ({ delay: input.delay }),
    initial: 'waiting',
    states: { waiting: { after: { due: 'done' } }, done: { type: 'final' } },
  }),
});

/** Takes the signal `note` for ever. */
export const notesWorkflow = defineWorkflow({
  name: 'bench-notes',
  machine: setup({
    types: { events: {} as { type: 'note' }, context: {} as { notes: number } },
  }).createMachine({
    context: { notes: 0 },
    initial: 'open',
    states: { open: { on: { note: { actions: assign({ notes: ({ context }) => context.notes + 1 }) } } } },
  }),
  signals: { note: { payload: z.object({}), whenNotAccepted: 'defer' } },
});

/** An activity that tells where and when it began and then runs for ever. */
export function endlessWorkflow(onLine: (id: string) => void) {
  return defineWorkflow({
    name: 'bench-endless',
    machine: setup({
      types: { input: {} as { id: string }, context: {} as { id: string } },
      actors: {
        run: fromPromise(({ input }: { input: string }) => {
          onLine(input);
          return new Promise<void>(() => {});
        }),
      },
    }).createMachine({
      context: ({ input }) => ({ id: input.id }),
      initial: 'running',
      states: { running: { invoke: { id: 'run', src: 'run', input: ({ context }) => context.id } } },
    }),
  });
}
