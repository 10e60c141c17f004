/**
 * Statecharts as people write them, with what the random ones of the oracle do not have: several targets, partial
 * wildcards, system ids, forwarding, actors that answer actors, actions on an initial transition, outputs of regions.
 */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type AnyStateMachine,
  assign,
  cancel,
  createMachine,
  emit,
  enqueueActions,
  forwardTo,
  fromPromise,
  raise,
  sendParent,
  sendTo,
  setup,
  spawnChild,
  stateIn,
  stopChild,
} from 'xstate';
import { drawing } from '../support/drawing.ts';
import { playDuet, type Step } from '../support/engine-duet.ts';

interface Log {
  readonly log: readonly unknown[];
}
const work = fromPromise<unknown, unknown>(() => new Promise(() => {}));
const note = assign({
  log: ({ context, event }: { context: Log; event: unknown }) => [...context.log, event],
} as never);
const say = (word: string) =>
  assign({ log: ({ context }: { context: Log }) => [...context.log, word] } as never) as never;
const empty = { log: [] };

/** A chart without its types, which would say here what the chart itself says. */
const chart = (config: object, given: object = {}): AnyStateMachine =>
  setup({ actors: { work }, actions: { note }, ...given } as never).createMachine({
    context: empty,
    ...config,
  } as never) as never;

const editor = chart({
  type: 'parallel',
  states: {
    bold: { initial: 'off', states: { off: { on: { BOLD: 'on' } }, on: { on: { BOLD: 'off' } } } },
    list: {
      initial: 'none',
      states: {
        none: { on: { BULLETS: 'bullets', NUMBERS: 'numbers' } },
        bullets: { entry: say('bullets'), exit: say('no bullets'), on: { NONE: 'none' } },
        numbers: { entry: say('numbers'), on: { NONE: 'none' } },
        last: { type: 'history', target: 'numbers' },
      },
    },
  },
  on: {
    RESET: { target: ['.list.none', '.bold.off'], actions: say('reset') },
    LOUD: { target: ['.list.last', '.bold.on'] },
    'edit.*': { actions: 'note' },
    '*': { actions: say('unknown') },
  },
});

const player = chart({
  initial: 'stopped',
  states: {
    stopped: { on: { PLAY: 'playing.again' } },
    playing: {
      initial: { target: 'slow', actions: say('begins') },
      type: 'compound',
      on: { STOP: 'stopped', BACK: { target: '.slow', reenter: true }, OWN: { target: 'playing' } },
      onDone: { target: 'stopped', actions: 'note' },
      states: {
        slow: {
          initial: 'a',
          after: { 30: 'fast' },
          states: { a: { on: { NEXT: 'b' } }, b: { on: { NEXT: '#fast' } } },
        },
        fast: { id: 'fast', on: { NEXT: 'over' }, entry: emit({ type: 'hurry' } as never) },
        over: { type: 'final', output: ({ context }: { context: Log }) => context.log.length },
        again: { type: 'history', history: 'deep' },
      },
    },
  },
});

/** Both halves done, each with an output of its own, make the whole done. */
const halves = chart({
  initial: 'both',
  states: {
    both: {
      type: 'parallel',
      onDone: { target: 'end', actions: 'note' },
      states: {
        left: {
          initial: 'open',
          onDone: { actions: 'note' },
          states: {
            open: {
              invoke: { id: 'l', src: 'work', onDone: { target: 'shut', actions: 'note' }, onError: 'shut' },
            },
            shut: { type: 'final', output: { left: 1 } },
          },
        },
        right: {
          initial: 'open',
          states: {
            open: {
              on: { RIGHT: { target: 'shut', guard: stateIn({ both: { left: 'shut' } } as never) } },
              after: { 50: 'shut' },
            },
            shut: {
              type: 'final',
              output: ({ context }: { context: Log }) => ({ right: context.log.length }),
            },
          },
        },
      },
    },
    end: { type: 'final' },
  },
  output: ({ context, event }: { context: Log; event: { type: string } }) => [context.log.length, event.type],
});

const clerk = createMachine({
  id: 'clerk',
  context: ({ input }: { input: unknown }) => ({ ...empty, name: input }),
  on: {
    'ask.*': {
      actions: sendParent(({ event }: { event: { type: string } }) => ({ type: 'ANSWER', to: event.type })),
    },
    LEAVE: '.gone',
  },
  initial: 'there',
  states: { there: {}, gone: { type: 'final' } },
  output: ({ context }: { context: { name: unknown } }) => ({ bye: context.name }),
} as never);

const office = chart(
  {
    invoke: { id: 'clerk', src: 'clerk', systemId: 'desk', input: 'Ada', onDone: { actions: 'note' } },
    initial: 'open',
    on: {
      ANSWER: { actions: 'note' },
      'ask.name': { actions: forwardTo('clerk') },
      'ask.age': {
        actions: sendTo(
          (({ system }: { system: { get(id: string): unknown } }) => system.get('desk')) as never,
          {
            type: 'ask.age',
          } as never,
        ),
      },
      ask: { actions: sendTo('clerk', { type: 'ask.late' } as never, { delay: 15, id: 'late' } as never) },
      FORGET: { actions: cancel('late') },
    },
    states: { open: { on: { CLOSE: 'shut' } }, shut: { exit: say('reopened'), on: { OPEN: 'open' } } },
  },
  { actors: { work, clerk } },
);

/** Children by number, each with work of its own, stopped and started again under the same id. */
const crew = chart(
  {
    on: {
      HIRE: { actions: spawnChild('hand', { id: 'hand', input: { n: 1 } } as never) },
      FIRE: { actions: stopChild('hand') },
      SWAP: { actions: [stopChild('hand'), spawnChild('hand', { id: 'hand', input: { n: 2 } } as never)] },
      'xstate.done.actor.hand': { actions: 'note' },
      READY: { actions: 'note' },
    },
  },
  {
    actors: {
      work,
      hand: setup({ actors: { work } }).createMachine({
        context: ({ input }: { input: unknown }) => ({ input, got: null }),
        initial: 'busy',
        states: {
          busy: {
            entry: sendParent({ type: 'READY' }),
            invoke: {
              id: 'inner',
              src: 'work',
              input: ({ context }: { context: unknown }) => context,
              onDone: {
                target: 'done',
                actions: assign({
                  got: ({ event }: never) => (event as { output: unknown }).output,
                } as never),
              },
              onError: 'sorry',
            },
          },
          sorry: { after: { 20: 'busy' } },
          done: { type: 'final' },
        },
        output: ({ context }: { context: unknown }) => context,
      } as never),
    },
  },
);

/** A raised event is taken before the next one from outside, an eventless transition before the raised one. */
const cascade = chart(
  {
    context: { log: [], n: 0 },
    initial: 'idle',
    states: {
      idle: {
        on: {
          GO: {
            target: 'first',
            actions: [raise({ type: 'INNER' } as never), say('go'), raise({ type: 'INNER' } as never)],
          },
          TWICE: { actions: 'both' },
        },
      },
      first: {
        entry: say('in first'),
        always: { target: 'second', actions: say('always') },
        on: { INNER: 'wrong' },
      },
      second: {
        on: {
          INNER: [
            { guard: 'odd', actions: ['count', say('odd')] },
            { target: 'third', actions: 'count' },
          ],
        },
      },
      third: {
        entry: raise({ type: 'LATER' } as never, { delay: 'wait', id: 'later' } as never),
        on: { LATER: 'idle', GO: 'idle' },
      },
      wrong: {},
    },
  },
  {
    guards: { odd: ({ context }: { context: { n: number } }) => context.n % 2 === 1 },
    delays: { wait: ({ context }: { context: { n: number } }) => 10 * context.n },
    actions: {
      note,
      count: assign({ n: ({ context }: { context: { n: number } }) => context.n + 1 } as never),
      both: enqueueActions((({ enqueue, check }: { enqueue: Queue; check(guard: string): boolean }) => {
        enqueue('count');
        enqueue.cancel('later');
        if (check('odd')) enqueue.raise({ type: 'GO' });
        enqueue.spawnChild('work', { id: 'extra' });
        enqueue.sendTo(({ self }) => self, { type: 'NOTHING' });
        enqueue.stopChild('extra');
        enqueue.emit({ type: 'both' });
      }) as never),
    },
  },
);

interface Queue {
  (action: string): void;
  cancel(id: string): void;
  raise(event: object): void;
  spawnChild(src: string, options: object): void;
  sendTo(target: (args: { self: unknown }) => unknown, event: object): void;
  stopChild(id: string): void;
  emit(event: object): void;
}

/** An error nobody handles ends the machine. */
const brittle = chart({
  initial: 'trying',
  states: {
    trying: {
      invoke: {
        id: 'w',
        src: 'work',
        onDone: [
          { guard: ({ event }: never) => (event as { output: unknown }).output === 1, target: 'end' },
          { target: 'trying', reenter: true },
        ],
      },
      after: { 40: { target: '#top.waiting' } },
    },
    waiting: { on: { AGAIN: 'trying' }, entry: 'note' },
    end: { type: 'final' },
  },
  id: 'top',
});

const alphabet = {
  editor: [editor, ['BOLD', 'BULLETS', 'NUMBERS', 'NONE', 'RESET', 'LOUD', 'edit.cut', 'edit', 'WHAT']],
  player: [player, ['PLAY', 'STOP', 'NEXT', 'BACK', 'OWN']],
  halves: [halves, ['RIGHT']],
  office: [office, ['ask.name', 'ask.age', 'ask', 'FORGET', 'CLOSE', 'OPEN']],
  crew: [crew, ['HIRE', 'FIRE', 'SWAP']],
  cascade: [cascade, ['GO', 'TWICE', 'INNER']],
  brittle: [brittle, ['AGAIN']],
} satisfies Record<string, [AnyStateMachine, readonly string[]]>;

const stepOf = (types: readonly string[]): fc.Arbitrary<Step> =>
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constant('send' as const),
        type: fc.constantFrom(...types),
        x: fc.nat(2),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant('resolve' as const),
        which: fc.nat(2),
        output: fc.constantFrom(1, 2),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('reject' as const),
        which: fc.nat(2),
        error: fc.constant('no'),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(5, 12, 30, 60) }),
    },
  );

describe('a statechart as people write them', () => {
  it.each(Object.entries(alphabet))('%s runs durably just as XState runs it', (_, [machine, types]) =>
    drawing(40, async (drawn) => {
      let moved = 0;
      await fc.assert(
        fc.asyncProperty(fc.array(stepOf(types), { minLength: 1, maxLength: 14 }), async (steps) => {
          const duet = await playDuet(machine, steps, (durable, original, at) =>
            expect({ at, seen: durable }).toEqual({ at, seen: original }),
          );
          expect(duet.cut).toBeNull();
          moved += duet.moved;
        }),
        drawn,
      );
      expect(moved).toBeGreaterThan(drawn.numRuns);
    }),
  );
});
