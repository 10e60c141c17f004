/**
 * What is run while processes are killed: six effects with, in between, a deadline set and called off by a signal, a
 * timer that fires, an activity of another queue and a child. An effect is one line in the order's ledger, a file that
 * Redis knows nothing of, written on purpose without looking whether it is there: only `verify` may keep a second out.
 * It comes in two versions, and orders are taken from the first to the second and back wherever they stand.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setup } from 'xstate';
import { z } from 'zod';
import {
  type ActivityContext,
  activity,
  defineActivity,
  defineWorkflow,
  implementActivity,
} from '../../engine/index.ts';

/** Of every store these workflows run on. */
export const SHARDS = 2;

export const EFFECTS = ['1', '2', '3', '4', '5', '6'] as const;

const line = z.object({ order: z.string(), effect: z.enum(EFFECTS) });
const limits = {
  effectful: true,
  timeoutMs: 20_000,
  retry: { initialDelayMs: 20, factor: 1, maxAttempts: 1_000 },
} as const;
const writeLine = defineActivity({
  ...{ name: 'writeLine', description: 'Writing a line', input: line, output: z.string() },
  ...limits,
});
const writeElsewhere = defineActivity({
  ...{ name: 'writeElsewhere', description: 'Writing from another queue', input: line, output: z.string() },
  ...limits,
  queue: 'elsewhere',
});

interface Order {
  readonly order: string;
}
interface Kept extends Order {
  /** How often it was taken to the second version. */
  readonly taken?: number;
}
type Effect = (typeof EFFECTS)[number];

const types = { input: {} as Order, context: {} as Kept };
const actors = { writeLine: activity(writeLine), writeElsewhere: activity(writeElsewhere) };
const write =
  (effect: Effect) =>
  ({ context }: { context: Order }) => ({ order: context.order, effect });

const inner = setup({ types, actors }).createMachine({
  id: 'crash-child',
  context: ({ input }) => input,
  initial: 'writing',
  states: {
    writing: {
      invoke: { id: 'write5', src: 'writeLine', input: write('5'), onDone: 'done', onError: 'failed' },
    },
    done: { type: 'final' },
    failed: { type: 'final' },
  },
});

/** Long enough that only a lost cancellation could ever let it fire in a test. */
const DEADLINE_MS = 600_000;

/** `id` is part of the name of each timer, `pause` of a state: what a migration has to carry over under new names. */
const trial = (id: string, pause: string) =>
  setup({
    types: { ...types, events: {} as { type: 'go' } },
    actors: { ...actors, child: inner },
  }).createMachine({
    id,
    context: ({ input }) => ({ order: input.order }),
    initial: 'first',
    states: {
      first: {
        invoke: { id: 'write1', src: 'writeLine', input: write('1'), onDone: 'second', onError: 'failed' },
      },
      second: {
        invoke: {
          id: 'write2',
          src: 'writeElsewhere',
          input: write('2'),
          onDone: 'awaiting',
          onError: 'failed',
        },
      },
      awaiting: { on: { go: 'third' }, after: { [DEADLINE_MS]: 'failed' } },
      third: {
        invoke: { id: 'write3', src: 'writeLine', input: write('3'), onDone: pause, onError: 'failed' },
      },
      [pause]: { after: { 60: 'fourth' } },
      fourth: {
        invoke: { id: 'write4', src: 'writeLine', input: write('4'), onDone: 'fifth', onError: 'failed' },
      },
      fifth: { invoke: { id: 'child', src: 'child', input: ({ context }) => context, onDone: 'sixth' } },
      sixth: {
        invoke: { id: 'write6', src: 'writeLine', input: write('6'), onDone: 'done', onError: 'failed' },
      },
      done: { type: 'final' },
      failed: { type: 'final' },
    },
  });

const described = {
  name: 'crash-trial',
  input: z.strictObject({ order: z.string() }),
  signals: { go: { payload: z.object({}) } },
} as const;

/** The version that orders begin at. */
export const crashTrial = defineWorkflow({ ...described, machine: trial('crash-trial', 'pausing') });
const nextTrial = defineWorkflow({
  ...described,
  version: 2,
  machine: trial('crash-trial-next', 'resting'),
  migrate({ context }) {
    const { order, taken = 0 } = context as Kept;
    return { context: { order, taken: taken + 1 }, states: { pausing: 'resting' } };
  },
});
export const crashTrials = [crashTrial, nextTrial] as const;

export function ledgerOf(folder: string, order: string): string[] {
  const file = join(folder, order);
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
}

export function writingTo(folder: string) {
  const doing = {
    async run({ order, effect }: z.infer<typeof line>, context: ActivityContext) {
      await sleep(2);
      context.signal.throwIfAborted();
      appendFileSync(join(folder, order), `${effect}\n`);
      return effect;
    },
    async verify({ order, effect }: z.infer<typeof line>) {
      return ledgerOf(folder, order).includes(effect)
        ? ({ outcome: 'done', output: effect } as const)
        : ({ outcome: 'not-done' } as const);
    },
  };
  return [implementActivity(writeLine, doing), implementActivity(writeElsewhere, doing)];
}
