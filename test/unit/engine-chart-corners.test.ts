/**
 * Corners of XState that few charts have and each of which a stored and restored instance could get wrong: played step by
 * step, durably and by XState's own actor.
 */
import { describe, expect, it } from '@jest/globals';
import {
  and,
  assign,
  cancel,
  createMachine,
  emit,
  enqueueActions,
  fromPromise,
  not,
  or,
  raise,
  sendParent,
  sendTo,
  setup,
  spawnChild,
  stateIn,
  stopChild,
} from 'xstate';
import { playDuet, type Step } from '../support/engine-duet.ts';

interface Log {
  readonly log: readonly unknown[];
}
interface Given {
  readonly context: Log;
  readonly event: { readonly type: string; readonly [field: string]: unknown };
}
const note = assign({ log: ({ context, event }: Given) => [...context.log, event] } as never) as never;
const say = (word: unknown) =>
  assign({ log: ({ context }: Given) => [...context.log, word] } as never) as never;
const work = fromPromise<unknown, unknown>(() => new Promise(() => {}));

/** Answers, counts, ends. */
const kid = createMachine({
  context: ({ input }: { input: unknown }) => ({ input, n: 0 }),
  initial: 'here',
  on: {
    PING: {
      actions: [
        assign({ n: ({ context }: { context: { n: number } }) => context.n + 1 } as never),
        sendParent((({ context }: { context: object }) => ({ type: 'PONG', ...context })) as never),
      ],
    },
  },
  states: { here: { on: { END: 'gone' }, after: { 70: 'late' } }, late: {}, gone: { type: 'final' } },
  output: ({ context }: { context: unknown }) => context,
} as never);

const chart = (config: object, given: object = {}) =>
  setup({ actors: { work, kid }, actions: { note }, ...given } as never).createMachine({
    context: { log: [] },
    ...config,
  } as never) as never;

const send = (type: string, payload: object = {}): Step => ({ do: 'send', type, payload });
const resolve = (output: unknown, which = 0): Step => ({ do: 'resolve', which, output });
const reject = (error: unknown): Step => ({ do: 'reject', which: 0, error });
const wait = (ms: number): Step => ({ do: 'wait', ms });
const sends = (...types: string[]): Step[] => types.map((type) => send(type));

let nested: object = {};
for (let level = 0; level < 300; level += 1) nested = { nested };

const corners: Record<string, [machine: never, steps: readonly Step[]]> = {
  'names of states that are paths, blanks, and names every object has': [
    chart({
      id: 'top',
      initial: 'a b',
      states: {
        'a b': { on: { N: 'ünï\\.x' } },
        'ünï.x': {
          initial: 'p.q',
          states: { 'p.q': { entry: say('in'), after: { 5: 'r' } }, r: {} },
          on: { N: 'constructor' },
        },
        constructor: {
          initial: 'toString',
          states: { toString: { on: { N: '#__proto' } }, 10: {}, 2: {}, h: { type: 'history' } },
          on: { H: '.h', TEN: '.10' },
        },
        pp: { id: '__proto', on: { N: 'constructor.h' } },
      },
    }),
    [send('N'), wait(5), ...sends('N', 'H', 'TEN', 'N', 'H', 'N', 'N', 'H', 'TEN')],
  ],
  'actors whose ids every object has': [
    chart({
      invoke: [
        { id: 'constructor', src: 'kid', input: 1, onDone: { actions: 'note' } },
        { id: 'toString', src: 'kid', input: 2, onDone: { actions: 'note' } },
        { id: 'x.y z', src: 'work', onDone: { actions: 'note' } },
      ],
      on: {
        PONG: { actions: 'note' },
        PING: { actions: sendTo('constructor', { type: 'PING' } as never) },
        END: {
          actions: [
            sendTo('constructor', { type: 'END' } as never),
            sendTo('toString', { type: 'END' } as never),
          ],
        },
      },
    }),
    [send('PING'), resolve(1), send('END'), send('PING')],
  ],
  'payloads JSON does not keep': [
    chart({
      on: { KEEP: { actions: ['note', emit((({ event }: Given) => ({ type: 'kept', event })) as never)] } },
    }),
    [
      send('KEEP', { u: undefined, d: new Date(7), b: 10n ** 40n, nan: Number.NaN, z: -0, inf: -Infinity }),
      send('KEEP', {
        map: new Map([[{ a: 1 }, new Set([[]])]]),
        text: 'x\u0000y\ud800 💥 \u2028',
        constructor: 5,
      }),
      send('KEEP', {
        nested,
        holes: Object.assign(Array(2), [1]),
        url: new URL('http://x/y'),
        bytes: new Uint8Array([1]),
      }),
      send('KEEP', { text: 'é'.repeat(300_000) }),
    ],
  ],
  'results and errors of every kind': [
    chart({
      initial: 'a',
      states: {
        a: {
          invoke: {
            src: 'work',
            onDone: { target: 'b', actions: 'note' },
            onError: { target: 'b', actions: 'note' },
          },
        },
        b: { always: 'a' },
      },
    }),
    [undefined, null, 0, '', new Map([[1, 2n]]), /re/gi].flatMap((value) => [resolve(value), reject(value)]),
  ],
  'guards made of guards': [
    chart(
      {
        initial: 'a',
        states: {
          a: {
            on: {
              GO: [
                { guard: and(['long', not('longer')]), target: 'b' },
                { guard: or([stateIn('#top.b' as never), 'longer', () => true] as never), actions: 'note' },
              ],
              AT: {
                guard: { type: 'over', params: ({ event }: Given) => ({ least: event['least'] }) },
                target: 'b',
              },
            },
          },
          b: { on: { BACK: { guard: stateIn('#top.b' as never), target: 'a' } } },
        },
        id: 'top',
      },
      {
        guards: {
          long: ({ context }: Given) => context.log.length > 1,
          longer: ({ context }: Given) => context.log.length > 10,
          over: ({ context }: Given, { least }: { least: number }) => context.log.length >= least,
        },
      },
    ),
    [...sends('GO', 'GO', 'GO', 'BACK'), send('AT', { least: 9 }), send('AT', { least: 2 }), send('BACK')],
  ],
  'leaving and entering by every way': [
    chart({
      id: 'top',
      initial: 'a',
      states: {
        a: {
          entry: say('+a'),
          exit: say('-a'),
          initial: 'x',
          on: {
            IN: '.y',
            RE: { target: '.y', reenter: true },
            SELF: 'a',
            AGAIN: { target: 'a', reenter: true },
            STAY: { actions: 'note', reenter: true },
            OUT: 'b',
          },
          states: {
            x: { entry: say('+x'), exit: say('-x') },
            y: {
              entry: say('+y'),
              exit: say('-y'),
              initial: 'p',
              states: { p: { entry: say('+p'), exit: say('-p'), on: { UP: '#top.a', OVER: '#top.a.x' } } },
            },
          },
        },
        b: { entry: say('+b'), exit: say('-b'), on: { DEEP: 'a.y.p' } },
      },
    }),
    sends('IN', 'RE', 'SELF', 'AGAIN', 'STAY', 'IN', 'UP', 'IN', 'OVER', 'OUT', 'DEEP', 'SELF'),
  ],
  'wildcards, and what they may not take': [
    chart({
      initial: 'a',
      on: { 'a.*': { actions: say('a.*') }, 'a.b.*': { actions: say('a.b.*') }, '*': { actions: 'note' } },
      states: { a: { invoke: { src: 'work' }, on: { 'a.b': {}, FORBIDDEN: {} } } },
    }),
    [...sends('a', 'a.b', 'a.b.c', 'a.', '..', 'ab', 'FORBIDDEN'), resolve(1)],
  ],
  'timers of one id, canceled by what an event says': [
    chart(
      {
        initial: 'a',
        on: {
          SET: { actions: raise({ type: 'RING' } as never, { id: 'x1', delay: 'short' as never }) },
          BOTH: {
            actions: [
              raise({ type: 'RING' } as never, { id: 't', delay: 10 }),
              raise({ type: 'RING' } as never, { id: 't', delay: 20 }),
            ],
          },
          OFF: { actions: cancel((({ event }: Given) => event['id']) as never) },
          RING: { actions: 'note' },
          LESS: { actions: raise({ type: 'RING' } as never, { delay: -5 }) },
        },
        states: {
          a: { after: { 0: 'b', 1.5: { actions: say('never') } } },
          b: { after: { 1.5: { actions: say('1.5') } } },
        },
      },
      { delays: { short: ({ context }: Given) => 10 + context.log.length } },
    ),
    [
      ...[
        wait(3),
        send('SET'),
        send('OFF', { id: 'x1' }),
        wait(30),
        send('SET'),
        send('OFF', { id: 'x2' }),
        wait(30),
      ],
      ...[send('BOTH'), wait(12), send('OFF', { id: 't' }), wait(30), send('LESS'), wait(1)],
    ],
  ],
  'children by computed ids, stopped, replaced, addressed by system id': [
    chart({
      on: {
        NEW: {
          actions: spawnChild(
            'kid' as never,
            { id: (({ event }: Given) => `k${event['k']}`) as never, input: 1, systemId: 'last' } as never,
          ),
        },
        TO: { actions: sendTo((({ event }: Given) => `k${event['k']}`) as never, { type: 'PING' } as never) },
        LAST: {
          actions: sendTo(
            (({ system }: { system: { get(id: string): unknown } }) => system.get('last')) as never,
            { type: 'PING' } as never,
          ),
        },
        STOP: { actions: stopChild((({ event }: Given) => `k${event['k']}`) as never) },
        'xstate.done.actor.*': { actions: 'note' },
        PONG: { actions: 'note' },
      },
    }),
    [
      ...[
        send('NEW', { k: 1 }),
        send('TO', { k: 1 }),
        send('LAST'),
        send('STOP', { k: 1 }),
        send('NEW', { k: 2 }),
      ],
      ...[
        send('LAST'),
        wait(80),
        send('TO', { k: 2 }),
        send('STOP', { k: 2 }),
        send('NEW', { k: 1 }),
        send('TO', { k: 1 }),
      ],
    ],
  ],
  'what an event sends itself, raises and queues': [
    chart({
      initial: 'a',
      on: {
        GO: {
          actions: [
            sendTo((({ self }: { self: unknown }) => self) as never, { type: 'MAILED' } as never),
            raise({ type: 'RAISED' } as never),
            enqueueActions((({ enqueue, check, event }: Queue) => {
              enqueue(say(event.type));
              enqueue.raise({ type: 'QUEUED' });
              if (check(stateIn({ a: {} } as never) as never)) enqueue(say('in a'));
              enqueue.emit({ type: 'out' });
            }) as never),
            sendTo((({ self }: { self: unknown }) => self) as never, { type: 'LATE' } as never, { delay: 5 }),
          ],
        },
        '*': { actions: 'note' },
      },
      states: {
        a: { on: { RAISED: 'b' } },
        b: { always: { guard: ({ context }: Given) => context.log.length > 6, target: 'a' } },
      },
    }),
    [send('GO'), wait(5), send('GO'), wait(5)],
  ],
};

interface Queue {
  readonly event: { readonly type: string };
  readonly enqueue: {
    (action: never): void;
    raise(event: object): void;
    emit(event: object): void;
  };
  check(guard: never): boolean;
}

describe('a corner of XState', () => {
  it.each(Object.entries(corners))('%s', async (_, [machine, steps]) => {
    const duet = await playDuet(machine, steps, (durable, original, at) =>
      expect({ at, seen: durable }).toEqual({ at, seen: original }),
    );

    expect(duet.cut).toBeNull();
    expect(duet.moved).toBe(steps.length);
  });
});
