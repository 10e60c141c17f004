/** Small workflows the integration tests share. Each has one activity, `act`, and says how it ended. */
import { assign, setup } from 'xstate';
import { z } from 'zod';
import {
  type ActivityContext,
  type ActivityImplementation,
  activity,
  defineActivity,
  defineWorkflow,
  implementActivity,
  type RetryPolicy,
  type Verification,
} from '../../engine/index.ts';

export interface Act {
  run(input: unknown, context: ActivityContext): Promise<unknown>;
  verify?(input: unknown, context: ActivityContext): Promise<Verification<unknown>>;
  readonly retry?: Partial<RetryPolicy>;
  readonly timeoutMs?: number;
  readonly heartbeatMs?: number;
  readonly queue?: string;
}

/** A workflow `one-act` that runs `act` and ends with its result, or in `failed` with its error. */
export function oneAct(act: Act) {
  const contract = defineActivity({
    name: 'act',
    description: 'Acting',
    input: z.unknown(),
    output: z.unknown(),
    effectful: act.verify !== undefined,
    retry: { initialDelayMs: 20, factor: 2, jitter: 0, maxAttempts: 4, ...act.retry },
    ...(act.timeoutMs === undefined ? {} : { timeoutMs: act.timeoutMs }),
    ...(act.heartbeatMs === undefined ? {} : { heartbeatMs: act.heartbeatMs }),
    ...(act.queue === undefined ? {} : { queue: act.queue }),
  });
  const machine = setup({
    types: {} as { context: { input: unknown; result: unknown }; input: unknown },
    actors: { act: activity(contract) },
  }).createMachine({
    context: ({ input }: { input: unknown }) => ({ input, result: null }),
    initial: 'acting',
    states: {
      acting: {
        invoke: {
          id: 'act',
          src: 'act',
          input: ({ context }: { context: { input: unknown } }) => context.input,
          onDone: { target: 'acted', actions: assign({ result: ({ event }) => event.output }) },
          onError: { target: 'failed', actions: assign({ result: ({ event }) => event.error }) },
        },
      },
      acted: { type: 'final' },
      failed: { type: 'final' },
    },
    output: ({ context }) => context.result,
  });
  return {
    workflow: defineWorkflow({ name: 'one-act', machine }),
    activities: [implementActivity(contract, act as never)] as readonly ActivityImplementation[],
  };
}

const word = z.object({ text: z.string() });

/**
 * `listening` hears `word` (deferred while it cannot), `strict` words are rejected and `idle` ones ignored where the state
 * has no use for them; `break` throws in a guard while `fixed.now` is false.
 */
export function listener(fixed: { now: boolean } = { now: true }) {
  const machine = setup({
    types: {} as {
      context: { heard: string[]; customer: string };
      input: { customer: string };
      events:
        | { type: 'open' }
        | { type: 'close' }
        | { type: 'word'; text: string }
        | { type: 'strict'; text: string }
        | { type: 'idle'; text: string }
        | { type: 'break'; text: string };
    },
    actions: {
      hear: assign({ heard: ({ context, event }) => [...context.heard, 'text' in event ? event.text : ''] }),
    },
    guards: {
      works: () => {
        if (!fixed.now) throw new Error('the guard is broken');
        return true;
      },
    },
  }).createMachine({
    context: ({ input }) => ({ heard: [], customer: input.customer }),
    initial: 'deaf',
    states: {
      deaf: { on: { open: 'listening' } },
      listening: {
        on: {
          word: { actions: 'hear' },
          strict: { actions: 'hear' },
          idle: { actions: 'hear' },
          break: { guard: 'works', actions: 'hear' },
          close: 'closed',
        },
      },
      closed: { type: 'final' },
    },
    output: ({ context }) => context.heard,
  });
  return defineWorkflow({
    name: 'listener',
    machine,
    input: z.strictObject({ customer: z.string() }),
    correlationKeys: ({ customer }) => [`tenant:${customer}`],
    signals: {
      open: { payload: z.object({}) },
      close: { payload: z.object({}) },
      word: { payload: word },
      strict: { payload: word, whenNotAccepted: 'reject' },
      idle: { payload: word, whenNotAccepted: 'ignore' },
      break: { payload: word },
    },
  });
}
