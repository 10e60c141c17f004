/**
 * What the simulated instances do: one statechart that carries out a program it is given, so that every seed plays
 * another workload and what must come out can be told from the program.
 */
import { type AnyStateMachine, assign, cancel, raise, sendParent, sendTo, setup } from 'xstate';
import { z } from 'zod';
import {
  type ActivityImplementation,
  activity,
  createRegistry,
  defineActivity,
  defineWorkflow,
  implementActivity,
} from '../../engine/index.ts';
import { ActivityFailure } from '../../shared/errors.ts';
import type { Chance } from './chance.ts';
import type { Outside } from './outside.ts';
import type { Process } from './process.ts';

export type Step =
  | { readonly do: 'read' | 'effect' | 'fail' | 'batch' | 'both' | 'tell'; readonly n: number }
  | { readonly do: 'wait' | 'disarm' }
  | { readonly do: 'sleep' | 'race' | 'alarm'; readonly ms: number }
  | { readonly do: 'child'; readonly program: readonly Step[] };

interface Context {
  readonly name: string;
  readonly program: readonly Step[];
  readonly at: number;
  readonly trail: readonly unknown[];
  readonly told: readonly number[];
  readonly pokes: number;
  readonly alarms: number;
  /** Numbers of the notes taken. */
  readonly noted: readonly number[];
  /** What staff wrote into the context last. */
  readonly edited: number;
}
interface Input {
  readonly name: string;
  readonly program: readonly Step[];
}
type Event =
  | { type: 'go'; k: number }
  | { type: 'poke' }
  | { type: 'maybe' }
  | { type: 'note'; n: number }
  | { type: 'abandon' }
  | { type: 'told'; n: number }
  | { type: 'answer'; n: number }
  | { type: 'alarm' };

const QUICK = { initialDelayMs: 50, factor: 2, maxDelayMs: 400, maxAttempts: 4 } as const;
const contract = (name: string, effectful: boolean) =>
  defineActivity({
    name,
    description: name,
    input: z.number(),
    output: z.unknown(),
    effectful,
    // So short that what has no answer is looked up while the storm lasts.
    timeoutMs: 800,
    retry: QUICK,
  });
const contracts = {
  read: contract('read', false),
  effect: contract('effect', true),
  fail: contract('fail', false),
  batch: contract('batch', false),
};
const actors = {
  read: activity(contracts.read),
  effect: activity(contracts.effect),
  fail: activity(contracts.fail),
  batch: activity(contracts.batch),
};

/** What each activity comes back with, so that the outcome of a program is known beforehand. */
export const answerOf = (kind: string, n: number): string => `${kind} ${n}`;
const PARTS = 3;

/** The activities of one process. */
export function implementationsFor(
  process: Process,
  outside: Outside,
  verifies: boolean,
): readonly ActivityImplementation[] {
  const effect = implementActivity(contracts.effect, {
    async run(n, context) {
      await outside.act(process, context);
      return answerOf('effect', n);
    },
    verify: async (n, context) =>
      (await outside.look(process, context))
        ? { outcome: 'done', output: answerOf('effect', n) }
        : { outcome: 'not-done' },
  });
  const { verify: _verify, ...blind } = effect;
  return [
    verifies ? effect : blind,
    implementActivity(contracts.read, {
      async run(n, context) {
        await outside.read(process, context);
        return answerOf('read', n);
      },
    }),
    implementActivity(contracts.fail, {
      async run(n) {
        throw new ActivityFailure('terminal', 'refused', answerOf('fail', n));
      },
    }),
    implementActivity(contracts.batch, {
      async run(n, context) {
        let done = typeof context.progress === 'number' ? context.progress : 0;
        while (done < PARTS) {
          await outside.read(process, context);
          done += 1;
          await context.heartbeat(done);
        }
        return answerOf('batch', n);
      },
    }),
  ];
}

const stepOf = (context: Context): Step | undefined => context.program[context.at];
const numberOf = ({ context }: { context: Context }): number => {
  const step = stepOf(context);
  return step !== undefined && 'n' in step ? step.n : 0;
};
const waitOf = ({ context }: { context: Context }): number => {
  const step = stepOf(context);
  return step !== undefined && 'ms' in step ? step.ms : 0;
};

/** Some states have other names in the second version, nested ones among them. */
const RENAMED = {
  failing: 'refusing',
  both: 'together',
  one: 'first',
  waiting: 'asking',
  sleeping: 'resting',
  racing: 'betting',
  calling: 'delegating',
  undoing: 'compensating',
} as const;

/** The name a state has in a version. */
export const nameIn = (version: number | null, state: keyof typeof RENAMED): string =>
  version === 2 ? RENAMED[state] : state;

/** With a machine to be its child, or without one. */
function build(inner: AnyStateMachine | null, version: 1 | 2) {
  const named = (state: keyof typeof RENAMED): string => nameIn(version, state);
  const base = setup({
    types: {} as { context: Context; events: Event; input: Input },
    actors: (inner === null ? actors : { ...actors, child: inner }) as typeof actors,
    delays: { step: waitOf },
    guards: {
      is: ({ context }, wanted: Step['do']) => stepOf(context)?.do === wanted,
      interruptible: ({ context }) => stepOf(context)?.do !== 'effect',
    },
    actions: {
      advance: assign(({ context }, entry: unknown) => ({
        at: context.at + 1,
        trail: [...context.trail, entry],
      })),
      note: assign({
        noted: ({ context, event }) => (event.type === 'note' ? [...context.noted, event.n] : context.noted),
      }),
      rang: assign({ alarms: ({ context }) => context.alarms + 1 }),
      poked: assign({ pokes: ({ context }) => context.pokes + 1 }),
      hear: assign({
        told: ({ context, event }) => (event.type === 'told' ? [...context.told, event.n] : context.told),
      }),
    },
  });
  const to = (step: Step['do'], target: string) => ({ guard: { type: 'is', params: step }, target }) as const;
  const done = ({ event }: { event: unknown }) => (event as { output: unknown }).output;
  // `setup` cannot follow a source that is a parameter, nor one that only one of the two machines has.
  const acting = (src: keyof typeof actors, named = true) =>
    ({
      invoke: {
        src,
        ...(named ? { id: src } : {}),
        input: numberOf,
        onDone: { target: 'next', actions: { type: 'advance', params: done } },
        onError: { target: 'next', actions: { type: 'advance', params: 'error' } },
      },
    }) as never;
  const nothing = {} as { calling: never };
  const calling = {
    invoke: {
      src: 'child' as never,
      id: 'child',
      input: (({ context }: { context: Context }) => {
        const step = stepOf(context);
        return { name: `${context.name} child`, program: step?.do === 'child' ? step.program : [] };
      }) as never,
      onDone: { target: 'next', actions: { type: 'advance', params: done } },
      onError: { target: 'next', actions: { type: 'advance', params: 'error' } },
    },
    on: {
      told: {
        actions: [
          'hear',
          sendTo('child', (({ event }: { event: { n: number } }) => ({
            type: 'answer',
            n: event.n + 1,
          })) as never),
        ],
      },
    },
  } as never;
  return base.createMachine({
    context: ({ input }) => ({
      ...input,
      at: 0,
      trail: [],
      told: [],
      pokes: 0,
      alarms: 0,
      noted: [],
      edited: 0,
    }),
    initial: 'next',
    on: {
      poke: { actions: 'poked' },
      abandon: { guard: 'interruptible', target: `.${named('undoing')}` },
      alarm: { actions: 'rang' },
      // Deferred by the first version but where it waits: a migration then takes it along and takes it at once.
      ...(version === 1 ? {} : { note: { actions: 'note' } as const }),
    },
    states: {
      next: {
        always: [
          to('read', 'reading'),
          to('effect', 'effecting'),
          to('fail', named('failing')),
          to('batch', 'batching'),
          to('both', named('both')),
          to('wait', named('waiting')),
          to('race', named('racing')),
          to('sleep', named('sleeping')),
          to('alarm', 'arming'),
          to('disarm', 'disarming'),
          to('tell', 'telling'),
          ...(inner === null ? [] : [to('child', named('calling'))]),
          { target: 'done' },
        ],
      },
      reading: acting('read'),
      effecting: acting('effect'),
      [named('failing')]: acting('fail', false),
      batching: acting('batch'),
      [named('both')]: {
        type: 'parallel',
        states: {
          [named('one')]: {
            initial: 'busy',
            states: {
              busy: { invoke: { src: 'read', id: 'one', input: numberOf, onDone: 'over' } },
              over: { type: 'final' },
            },
          },
          other: {
            initial: 'busy',
            states: {
              busy: { invoke: { src: 'effect', id: 'other', input: numberOf, onDone: 'over' } },
              over: { type: 'final' },
            },
          },
        },
        onDone: { target: 'next', actions: { type: 'advance', params: 'both' } },
      },
      [named('waiting')]: {
        on: {
          note: { actions: 'note' },
          go: {
            target: 'next',
            actions: { type: 'advance', params: ({ event }: { event: { k: number } }) => `go ${event.k}` },
          },
        },
      },
      [named('racing')]: {
        on: { maybe: { target: 'next', actions: { type: 'advance', params: 'maybe' } } },
        after: { step: { target: 'next', actions: { type: 'advance', params: 'timeout' } } },
      },
      [named('sleeping')]: {
        after: { step: { target: 'next', actions: { type: 'advance', params: 'slept' } } },
      },
      arming: {
        entry: raise({ type: 'alarm' }, { id: 'alarm', delay: waitOf }),
        always: { target: 'next', actions: { type: 'advance', params: 'armed' } },
      },
      disarming: {
        entry: cancel('alarm'),
        always: { target: 'next', actions: { type: 'advance', params: 'disarmed' } },
      },
      telling: {
        entry: sendParent(({ context }: { context: Context }) => ({
          type: 'told',
          n: numberOf({ context }),
        })),
        on: {
          answer: {
            target: 'next',
            actions: {
              type: 'advance',
              params: ({ event }: { event: { n: number } }) => `answer ${event.n}`,
            },
          },
        },
      },
      ...(inner === null ? nothing : { [named('calling')]: calling }),
      [named('undoing')]: {
        invoke: { src: 'effect', id: 'undo', input: 99, onDone: 'abandoned' },
        on: { abandon: {} },
      },
      done: { type: 'final' },
      abandoned: { type: 'final' },
    },
    output: ({ context }) => ({ trail: context.trail, told: context.told, pokes: context.pokes }),
  });
}

const none = z.object({});
const common = {
  name: 'programmed',
  signals: {
    go: { payload: z.object({ k: z.number() }) },
    poke: { payload: none },
    maybe: { payload: none, whenNotAccepted: 'reject' },
    note: { payload: z.object({ n: z.number() }) },
  },
  cancelEvent: 'abandon',
  correlationKeys: ({ name }: Context) => [`case:${name}`],
} as const;
export const programmed = defineWorkflow({ ...common, machine: build(build(null, 1), 1) });
/** The same under other names. Its migration is what it must be to fit from any state. */
export const reprogrammed = defineWorkflow({
  ...common,
  version: 2,
  machine: build(build(null, 2), 2),
  migrate: ({ context }) => ({
    context: context as Context,
    states: { ...RENAMED, 'both.one': `${RENAMED.both}.${RENAMED.one}` },
  }),
});

/** What a process knows: old code the first version, new code both. */
export const registries = {
  old: createRegistry([programmed]),
  new: createRegistry([programmed, reprogrammed]),
} as const;
export type Release = keyof typeof registries;

/** A fork says by its id what it is a fork of. */
export const forkId = (id: string, number: number): string => `${id}-fork${number}`;
export const isFork = (id: string): boolean => id.includes('-fork');
export const originOf = (id: string): string => id.split('-fork')[0] ?? id;
export const isRoot = (id: string): boolean => !id.includes('.');

const STEPS = [
  'read',
  'effect',
  'effect',
  'fail',
  'batch',
  'both',
  'wait',
  'wait',
  'race',
  'sleep',
  'alarm',
  'disarm',
  'child',
] as const;
const IN_A_CHILD = ['read', 'effect', 'tell', 'tell', 'sleep'] as const;

export function randomProgram(chance: Chance, kinds: readonly Step['do'][] = STEPS): readonly Step[] {
  return Array.from({ length: chance.between(1, kinds === STEPS ? 5 : 3) }, (): Step => {
    const kind = chance.pick(kinds);
    switch (kind) {
      case 'wait':
      case 'disarm':
        return { do: kind };
      case 'sleep':
      case 'race':
      case 'alarm':
        return { do: kind, ms: chance.pick([0, 20, 100, 700]) };
      case 'child':
        return { do: kind, program: randomProgram(chance, IN_A_CHILD) };
      default:
        return { do: kind, n: chance.int(100) };
    }
  });
}

/** What a program's run must leave: its trail, and what its children told in order. `null` stands for a race. */
export function expected(program: readonly Step[]): { trail: readonly unknown[]; told: readonly number[] } {
  let waits = 0;
  const told: number[] = [];
  const trail = program.map((step): unknown => {
    switch (step.do) {
      case 'fail':
        return 'error';
      case 'both':
        return 'both';
      case 'sleep':
        return 'slept';
      case 'alarm':
        return 'armed';
      case 'disarm':
        return 'disarmed';
      case 'race':
        return null;
      case 'tell':
        return `answer ${step.n + 1}`;
      case 'wait':
        waits += 1;
        return `go ${waits}`;
      case 'child': {
        told.push(...step.program.flatMap((inner) => (inner.do === 'tell' ? [inner.n] : [])));
        return { ...expected(step.program), pokes: 0 };
      }
      default:
        return answerOf(step.do, step.n);
    }
  });
  return { trail, told };
}
