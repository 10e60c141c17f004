/** XState's traps, facts 2.2, by number: what each would do to a durable instance, and does not. */
import { describe, expect, it } from '@jest/globals';
import {
  type AnyStateMachine,
  assign,
  createMachine,
  emit,
  enqueueActions,
  fromCallback,
  fromPromise,
  log,
  raise,
  sendParent,
  sendTo,
  setup,
  spawnChild,
  stopChild,
} from 'xstate';
import { decide } from '../../engine/decide.ts';
import { createRegistry, defineWorkflow } from '../../engine/index.ts';
import { engineBench } from '../support/engine-bench.ts';

const work = fromPromise(async ({ input }: { input: unknown }) => input);

/** One activity that `again` starts anew. */
const repeating = () =>
  setup({ actors: { work } }).createMachine({
    context: { got: [] as unknown[] },
    initial: 'working',
    states: {
      working: {
        on: { again: { target: 'working', reenter: true }, rest: 'resting' },
        after: { 1000: { actions: assign({ got: ({ context }) => [...context.got, 'late'] }) } },
        invoke: {
          id: 'w',
          src: 'work',
          onDone: { actions: assign({ got: ({ context, event }) => [...context.got, event.output] }) },
        },
      },
      resting: {
        on: { '*': { actions: assign({ got: ({ context, event }) => [...context.got, event.type] }) } },
      },
    },
  } as never) as unknown as AnyStateMachine;

describe('trap 1: lifecycle events of another incarnation', () => {
  it('a result of the activity before re-entry changes nothing', async () => {
    const bench = engineBench(repeating());
    await bench.start();
    const [old] = Object.keys((await bench.record('one')).activities);
    await bench.send('one', 'again');
    const before = await bench.record('one');

    const { reply } = await bench.engine.handle('one', {
      event: { kind: 'activity.done', token: old ?? '', attempt: 1, output: 'old' },
    });

    expect(reply.status).toBe('stale');
    expect(await bench.record('one')).toEqual(before);
  });

  it('a result counts once, and only for the attempt that is open', async () => {
    const bench = engineBench(repeating());
    await bench.start();
    const [token = ''] = Object.keys((await bench.record('one')).activities);
    const done = (attempt: number) =>
      bench.engine.handle('one', { event: { kind: 'activity.done', token, attempt, output: attempt } });

    const replies = [await done(2), await done(0), await done(1), await done(1)];

    expect(replies.map(({ reply }) => reply.status)).toEqual(['stale', 'stale', 'applied', 'stale']);
    expect((await bench.see('one')).context).toEqual({ got: [1] });
  });

  it('a timer of the state before re-entry never fires', async () => {
    const bench = engineBench(repeating());
    await bench.start();
    const [old] = Object.keys((await bench.record('one')).timers);
    await bench.pass(600);
    await bench.send('one', 'again');

    const { reply } = await bench.engine.handle('one', { event: { kind: 'timer.fired', token: old ?? '' } });
    await bench.pass(600);
    expect(reply.status).toBe('stale');
    expect((await bench.see('one')).context).toEqual({ got: [] });

    await bench.pass(400);
    expect((await bench.see('one')).context).toEqual({ got: ['late'] });
  });

  it.each([
    'xstate.done.actor.w',
    'xstate.error.actor.w',
    'xstate.after.1000.x',
    'xstate.stop',
    'xstate.init',
    '*',
    '',
  ])("an outsider's '%s' is refused at every door", async (type) => {
    const bench = engineBench(repeating(), { correlationKeys: () => ['key'] } as never);
    await bench.start();
    const before = await bench.record('one');

    await expect(bench.client.signalById('one', type, {})).rejects.toMatchObject({ code: 'event-reserved' });
    await expect(bench.client.signal(bench.workflow, 'one', type, {})).rejects.toMatchObject({
      code: 'event-reserved',
    });
    await expect(bench.client.signalByKey('key', type, {}, { id: 's' })).rejects.toMatchObject({
      code: 'event-reserved',
    });

    expect(await bench.record('one')).toEqual(before);
  });

  it('a payload cannot smuggle another event type in', async () => {
    const bench = engineBench(repeating());
    await bench.start();

    await bench.send('one', 'rest', { type: 'xstate.stop' });

    expect((await bench.see('one')).state).toBe('resting');
  });

  it('a wildcard hears no result of a stopped activity', async () => {
    const bench = engineBench(repeating());
    await bench.start();
    const [token = ''] = Object.keys((await bench.record('one')).activities);
    await bench.send('one', 'rest');

    await bench.engine.handle('one', { event: { kind: 'activity.done', token, attempt: 1, output: 1 } });
    await bench.pass(5_000);

    expect((await bench.see('one')).context).toEqual({ got: [] });
  });
});

describe('trap 4: children of a restored snapshot', () => {
  it('can be sent to after the instance was stored and loaded', async () => {
    const bench = engineBench(family());
    const started = await bench.start();
    const kid = started.children[0]?.instanceId ?? '';

    await bench.send('one', 'tell', { word: 'hello' });

    expect((await bench.see(kid)).context).toMatchObject({ heard: ['hello'] });
  });
});

function family() {
  const kid = setup({
    types: {} as { context: { heard: string[]; boss: unknown } },
  }).createMachine({
    context: ({ input }) => ({ heard: [], boss: (input as { boss?: unknown } | undefined)?.boss }),
    on: {
      hear: [
        {
          guard: ({ event }) => event['word'] === 'end',
          actions: sendTo(({ context }) => context.boss as never, { type: 'bye' } as never),
        },
        { actions: assign({ heard: ({ context, event }) => [...context.heard, String(event['word'])] }) },
      ],
    },
  });
  return setup({ types: {} as { context: { byes: number; kid: unknown } }, actors: { kid } }).createMachine({
    context: { byes: 0, kid: null },
    invoke: { id: 'kid', src: 'kid', input: ({ self }: { self: unknown }) => ({ boss: self }) } as never,
    on: {
      tell: { actions: sendTo('kid', ({ event }) => ({ type: 'hear', word: event['word'] }) as never) },
      bye: { actions: assign({ byes: ({ context }) => context.byes + 1 }) },
    },
  });
}

describe('trap 5: actor references in stored values', () => {
  it('come back as the same actor, and a stored record is never changed by reading it', async () => {
    const bench = engineBench(family());
    const started = await bench.start();
    const kid = started.children[0]?.instanceId ?? '';
    const before = await bench.engine.store.load(kid);

    await bench.engine.open(kid);
    await bench.engine.open(kid);
    expect(await bench.engine.store.load(kid)).toEqual(before);
    await bench.send('one', 'tell', { word: 'end' });

    expect((await bench.see('one')).context).toMatchObject({ byes: 1 });
  });
});

describe('trap 6: a machine that throws', () => {
  const throwing = () =>
    setup({
      types: {} as { context: { n: number } },
      actors: { work },
      guards: {
        bad: () => {
          throw new Error('guard broke');
        },
      },
    }).createMachine({
      context: { n: 0 },
      initial: 'calm',
      states: {
        calm: {
          on: {
            guard: { guard: 'bad', target: 'other' },
            assign: {
              target: 'other',
              actions: [
                assign({ n: 7 }),
                assign(() => {
                  throw new TypeError('assign broke');
                }),
              ],
            },
            input: 'asking',
            loop: 'looping',
            next: 'other',
          },
        },
        asking: {
          invoke: {
            src: 'work',
            input: () => {
              throw new Error('input broke');
            },
          },
        },
        looping: {
          always: [
            { guard: ({ context }: { context: { n: number } }) => context.n < 0, target: 'calm' },
            { target: 'looping', reenter: true, actions: assign({ n: ({ context }) => context.n + 1 }) },
          ],
        },
        other: {},
      },
    } as never);

  it.each([
    ['guard', expect.stringContaining('guard broke')],
    ['assign', 'assign broke'],
    ['input', 'input broke'],
    ['loop', expect.stringContaining('')],
  ])('keeps the instance as it was and the event in quarantine (%s)', async (type, message) => {
    const bench = engineBench(throwing());
    await bench.start();
    const before = await bench.record('one');

    const view = await bench.send('one', type, { with: 'payload' });

    expect(view).toMatchObject({
      status: 'running',
      state: 'calm',
      context: { n: 0 },
      attention: { code: 'poison-event' },
    });
    expect(view.quarantine).toMatchObject([{ event: type, error: message }]);
    expect((await bench.record('one')).machine).toEqual(before.machine);
    expect(await bench.send('one', 'next')).toMatchObject({ state: 'other' });
  });

  it('fails an instance whose very first step throws, asking for nothing', async () => {
    const bench = engineBench(
      setup({ actors: { work } }).createMachine({
        entry: [
          spawnChild('work', { id: 'w' }),
          assign(() => {
            throw new Error('stillborn');
          }),
        ],
      } as never),
    );

    const view = await bench.start();

    expect(view).toMatchObject({ status: 'failed', error: { message: 'stillborn' }, activities: [] });
  });
});

describe('trap 7: a failure nobody handles', () => {
  it('fails the instance and stops its children and activities', async () => {
    const kid = createMachine({ initial: 'a', states: { a: {} } });
    const bench = engineBench(
      setup({ actors: { work, kid } }).createMachine({
        type: 'parallel',
        states: {
          one: { invoke: { id: 'w', src: 'work' } },
          two: { invoke: { id: 'x', src: 'work' } },
          three: { invoke: { id: 'kid', src: 'kid' } },
        },
      } as never),
    );
    const started = await bench.start();
    const child = started.children[0]?.instanceId ?? '';

    const view = await bench.fail('one', { code: 'nope' }, 'w');

    expect(view).toMatchObject({ status: 'failed', error: { code: 'nope' }, activities: [], children: [] });
    expect((await bench.see(child)).status).toBe('canceled');
  });
});

describe('trap 8: values JSON loses', () => {
  it('come back from the store as they were', async () => {
    const odd = {
      when: new Date(5),
      map: new Map([['k', new Set([1, 2n])]]),
      nothing: undefined,
      zero: -0,
      nan: Number.NaN,
      big: 12n,
      list: [1, undefined, null],
    };
    const bench = engineBench(
      setup({ types: {} as { context: typeof odd } }).createMachine({ context: odd, on: { poke: {} } }),
    );
    await bench.start();
    await bench.send('one', 'poke');

    const { machine } = await bench.record('one');
    expect(machine.context).toStrictEqual(odd);
  });

  it('an error reaches onError with name, message and code', async () => {
    const bench = engineBench(
      setup({ types: {} as { context: { error: unknown } }, actors: { work } }).createMachine({
        context: { error: null },
        initial: 'a',
        states: {
          a: {
            invoke: {
              src: 'work',
              onError: { target: 'b', actions: assign({ error: ({ event }) => event.error }) },
            },
          },
          b: {},
        },
      }),
    );
    await bench.start();

    const view = await bench.fail('one', { name: 'TypeError', message: 'typed', code: 7 });

    expect(view.context).toEqual({ error: { name: 'TypeError', message: 'typed', code: 7 } });
  });

  it('a value no store can keep puts the event into quarantine, with the path to it', async () => {
    const bench = engineBench(
      setup({ types: {} as { context: { keep: unknown } }, actors: { work } }).createMachine({
        context: { keep: null },
        initial: 'a',
        states: {
          a: {
            invoke: {
              src: 'work',
              onDone: { target: 'b', actions: assign({ keep: () => ({ inner: () => 1 }) }) },
            },
          },
          b: {},
        },
      }),
    );
    await bench.start();

    const view = await bench.finish('one', 'fine');

    expect(view).toMatchObject({ status: 'running', state: 'a', context: { keep: null } });
    expect(view.quarantine[0]?.error).toContain('inner');
    expect(view.attention?.code).toBe('poison-event');
  });
});

describe('what a machine says and nobody goes on with', () => {
  it('is told as well as it can be, and keeps no event from being taken', async () => {
    class Card {
      readonly number = '4111';
    }
    const bench = engineBench(
      setup({ actions: { track: () => {} } }).createMachine({
        initial: 'a',
        states: {
          a: {
            on: {
              go: {
                target: 'b',
                actions: [
                  log(() => new Card()),
                  log(() => ({ at: new Date(5) })),
                  { type: 'track', params: () => ({ map: () => 1 }) },
                  emit(({ self }) => ({ type: 'from', self }) as never),
                  raise(({ self }) => ({ type: 'later', self }) as never, { delay: 5, id: 'l' }),
                ],
              },
            },
          },
          b: { on: { later: {} } },
        },
      } as never),
    );
    await bench.start();

    expect(await bench.send('one', 'go')).toMatchObject({ state: 'b', quarantine: [] });

    const self = { $actor: '(machine)', address: 'one' };
    expect((await bench.client.history('one')).at(-1)?.effects).toMatchObject([
      { type: 'logged', value: '[Card]' },
      { type: 'logged', value: { at: new Date(5) } },
      { type: 'ran', action: 'track', params: '[Object]' },
      { type: 'emitted', event: { type: 'from', self } },
      { type: 'timer-set', id: 'l' },
    ]);
    expect((await bench.record('one')).timers['2-0']?.event).toEqual({ type: 'later', self });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 1e300])('is no delay of %p ms', async (delay) => {
    const bench = engineBench(
      createMachine({ on: { go: { actions: raise({ type: 'x' }, { delay: () => delay }) } } }),
    );
    await bench.start();

    const { quarantine, timers } = await bench.send('one', 'go');

    expect(timers).toEqual([]);
    expect(quarantine[0]?.error).toContain(`The delay of 'x' is ${delay}`);
  });

  it('is nothing said past the machine: that throws rather than be lost', async () => {
    const met: unknown[] = [];
    const bench = engineBench(
      createMachine({
        on: {
          go: {
            actions: ({ self: me }) => {
              try {
                me.send({ type: 'x' });
              } catch (error) {
                met.push(error);
              }
            },
          },
        },
      }),
    );
    await bench.start();
    await bench.send('one', 'go');

    expect(met).toEqual([expect.objectContaining({ code: 'machine-not-durable' })]);
  });
});

describe('a value that holds itself', () => {
  const ring: { ring?: object } = {};
  ring.ring = ring;
  const keeper = () =>
    engineBench(
      createMachine({
        context: { kept: null as unknown },
        on: {
          make: { actions: assign({ kept: () => ring }) },
          keep: { actions: assign({ kept: ({ event }) => event['value'] }) },
        },
      } as never),
    );

  it('puts the event into quarantine that makes it, and is refused where it comes in', async () => {
    const bench = keeper();
    await bench.start();

    expect((await bench.send('one', 'make')).quarantine[0]?.error).toContain('holds itself');
    await expect(bench.send('one', 'keep', { value: ring })).rejects.toMatchObject({
      code: 'value-not-durable',
    });
    expect((await bench.send('one', 'keep', { value: 1 })).context).toEqual({ kept: 1 });
  });

  it('is refused with a path that its sender knows', async () => {
    const bench = keeper();
    await bench.start();

    await expect(bench.send('one', 'keep', { value: () => 1 })).rejects.toThrow(/'\.event\.event\.value'/);
  });
});

describe('trap 9: a child that ended but was never left', () => {
  it('is no child any more, and a message to it is dropped rather than an error', async () => {
    const kid = createMachine({ initial: 'a', states: { a: { on: { end: 'z' } }, z: { type: 'final' } } });
    const bench = engineBench(
      setup({ types: {} as { context: { ends: number } }, actors: { kid } }).createMachine({
        context: { ends: 0 },
        invoke: {
          id: 'kid',
          src: 'kid',
          onDone: { actions: assign({ ends: ({ context }) => context.ends + 1 }) },
        },
        on: { tell: { actions: sendTo('kid', { type: 'end' } as never) }, poke: {} },
      }),
    );
    await bench.start();

    expect(await bench.send('one', 'tell')).toMatchObject({ context: { ends: 1 }, children: [] });
    expect(await bench.send('one', 'tell')).toMatchObject({
      context: { ends: 1 },
      quarantine: [],
      status: 'running',
    });
    expect((await bench.client.history('one')).at(-1)?.effects).toMatchObject([
      { type: 'dropped', to: 'kid' },
    ]);
  });

  it('an activity that ended is not run again', async () => {
    const bench = engineBench(repeating());
    await bench.start();

    expect(await bench.finish('one', 1)).toMatchObject({ activities: [], context: { got: [1] } });
    await bench.pass(500);
    expect((await bench.see('one')).activities).toEqual([]);
  });
});

describe('trap 11: timers are no part of a snapshot', () => {
  it('a delayed raise outlives every reload, at its own time, once', async () => {
    const bench = engineBench(
      setup({ types: {} as { context: { rang: number } } }).createMachine({
        context: { rang: 0 },
        entry: raise({ type: 'ring' } as never, { delay: 60_000, id: 'alarm' }),
        on: { ring: { actions: assign({ rang: ({ context }) => context.rang + 1 }) }, poke: {} },
      }),
    );
    await bench.start();

    await bench.pass(59_999);
    expect((await bench.send('one', 'poke')).context).toEqual({ rang: 0 });
    await bench.pass(1);
    await bench.pass(3_600_000);

    expect((await bench.see('one')).context).toEqual({ rang: 1 });
    expect((await bench.see('one')).timers).toEqual([]);
  });
});

describe('trap 12: child machines inside a snapshot never move', () => {
  it('a grandchild is an instance of its own: its activity runs and its result climbs up', async () => {
    const grandchild = setup({ actors: { work } }).createMachine({
      context: { found: null },
      initial: 'a',
      states: {
        a: {
          invoke: {
            id: 'deep',
            src: 'work',
            onDone: { target: 'z', actions: assign({ found: ({ event }) => event.output as never }) },
          },
        },
        z: { type: 'final' },
      },
      output: ({ context }) => context.found,
    });
    const child = setup({ actors: { grandchild } }).createMachine({
      context: { found: null },
      initial: 'a',
      states: {
        a: {
          invoke: {
            src: 'grandchild',
            onDone: { target: 'z', actions: assign({ found: ({ event }) => event.output as never }) },
          },
        },
        z: { type: 'final' },
      },
      output: ({ context }) => ({ via: context.found }),
    });
    const bench = engineBench(
      setup({ actors: { child } }).createMachine({
        context: { found: null },
        initial: 'a',
        states: {
          a: {
            invoke: {
              src: 'child',
              onDone: { target: 'z', actions: assign({ found: ({ event }) => event.output as never }) },
            },
          },
          z: { type: 'final' },
        },
        output: ({ context }) => context.found,
      }),
    );
    const started = await bench.start();
    const middle = await bench.see(started.children[0]?.instanceId ?? '');
    const deep = middle.children[0]?.instanceId ?? '';

    await bench.finish(deep, 42, 'deep');

    expect(await bench.see('one')).toMatchObject({ status: 'completed', output: { via: 42 } });
    expect((await bench.see(deep)).rootId).toBe('one');
  });
});

describe('trap 13: system ids after a restore', () => {
  it('still find the actor', async () => {
    const kid = setup({ types: {} as { context: { heard: number } } }).createMachine({
      context: { heard: 0 },
      on: { hear: { actions: assign({ heard: ({ context }) => context.heard + 1 }) } },
    });
    const bench = engineBench(
      setup({ actors: { kid } }).createMachine({
        invoke: { id: 'kid', src: 'kid', systemId: 'the-kid' },
        on: { tell: { actions: sendTo(({ system }) => system.get('the-kid'), { type: 'hear' } as never) } },
      }),
    );
    const started = await bench.start();

    await bench.send('one', 'tell');
    await bench.send('one', 'tell');

    expect((await bench.see(started.children[0]?.instanceId ?? '')).context).toEqual({ heard: 2 });
  });
});

describe('trap 14: throw-away actors', () => {
  it('the context factory runs once in the life of an instance', async () => {
    const inputs: unknown[] = [];
    const bench = engineBench(
      createMachine({
        context: ({ input }: { input: unknown }) => {
          inputs.push(input);
          return {};
        },
        initial: 'a',
        states: { a: { on: { go: 'b' } }, b: { on: { go: 'a' } } },
      } as never),
    );

    await bench.start({ name: 'Contoso' });
    await bench.send('one', 'go');
    await bench.send('one', 'go');

    expect(inputs).toEqual([{ name: 'Contoso' }]);
  });
});

describe('trap 15: restoring', () => {
  it('runs neither entry actions nor eventless transitions again', async () => {
    const bench = engineBench(
      setup({ types: {} as { context: { entered: number; open: boolean } } }).createMachine({
        context: { entered: 0, open: false },
        initial: 'a',
        states: {
          a: {
            entry: assign({ entered: ({ context }) => context.entered + 1 }),
            always: { guard: ({ context }) => context.open, target: 'b' },
            on: { poke: {} },
          },
          b: {},
        },
      }),
    );
    await bench.start();
    await bench.client.operate('one', { kind: 'edit-context', changes: { open: true } });

    expect(await bench.see('one')).toMatchObject({ state: 'a', context: { entered: 1 } });
  });
});

describe('trap 16: an instance that is over', () => {
  it('takes no event and grows no history', async () => {
    const bench = engineBench(
      createMachine({ initial: 'a', states: { a: { on: { end: 'z' } }, z: { type: 'final' } } }),
    );
    await bench.start();
    const { revision } = await bench.send('one', 'end');

    const late = await bench.client.signalById('one', 'end', {});
    const gone = await bench.engine.handle('one', { event: { kind: 'timer.fired', token: '1-0' } });

    expect([late.status, late.detail, gone.reply.status]).toEqual(['rejected', 'closed', 'stale']);
    expect((await bench.see('one')).revision).toBe(revision);
  });
});

describe('trap 17: an event no state handles', () => {
  it('leaves the machine as it was', async () => {
    const bench = engineBench(
      createMachine({ context: { n: 1 }, initial: 'a', states: { a: { on: { go: 'b' } }, b: {} } }),
    );
    await bench.start();
    const before = await bench.record('one');

    const { status } = await bench.client.signalById('one', 'nobody.knows', {});

    expect(status).toBe('applied');
    expect((await bench.record('one')).machine).toEqual(before.machine);
  });
});

describe('trap 18: time and chance', () => {
  it('come in with the event: the same decision twice is the same to the byte', async () => {
    const bench = engineBench(repeating());
    await bench.start();
    const record = await bench.record('one');
    const { registry } = bench.engine;
    const decided = () =>
      decide({
        registry,
        definition: registry.get(record.definition),
        instanceId: 'one',
        record,
        envelope: { event: { kind: 'signal', id: 's', event: { type: 'again' } } },
        now: 1_900_000_000_000,
        seen: null,
      });
    const plain = (decision: ReturnType<typeof decided>) =>
      JSON.stringify(decision.outcome === 'commit' ? { ...decision, snapshot: null, actions: [] } : decision);

    const first = plain(decided());
    const [realNow, realRandom] = [Date.now, Math.random];
    try {
      Date.now = () => 1;
      Math.random = () => 0.5;
      expect(plain(decided())).toBe(first);
    } finally {
      Date.now = realNow;
      Math.random = realRandom;
    }
  });

  it('a decision never goes back behind the one before, whatever the clock does', async () => {
    const bench = engineBench(repeating());
    await bench.start();
    const record = { ...(await bench.record('one')), updatedAt: 2_000_000_000_000 };
    const { registry } = bench.engine;

    const decision = decide({
      registry,
      definition: registry.get(record.definition),
      instanceId: 'one',
      record,
      envelope: { event: { kind: 'signal', id: 's', event: { type: 'again' } } },
      now: 5,
    });

    expect(decision).toMatchObject({ outcome: 'commit', next: { updatedAt: 2_000_000_000_000 } });
  });
});

describe('registration (traps 2, 3, 10)', () => {
  const register = (machine: unknown) => () =>
    createRegistry([defineWorkflow({ name: 'checked', machine: machine as never })]);
  const inState = (state: object, implementations: object = {}) =>
    setup({ actors: { work, callback: fromCallback(() => {}) }, ...implementations } as never).createMachine({
      id: 'checked',
      initial: 'here',
      states: { here: state },
    } as never);

  it.each<[string, () => unknown, RegExp]>([
    [
      'a callback actor',
      () => inState({ invoke: { src: 'callback' } }),
      /checked\.here.*callback.*fromPromise/s,
    ],
    [
      'an observable actor',
      () => inState({ invoke: { src: 'stream' } }, { actors: { stream: observable() } }),
      /checked\.here.*observable.*signal/s,
    ],
    [
      'a transition actor',
      () => inState({ invoke: { src: 'reducer' } }, { actors: { reducer: reducer() } }),
      /checked\.here.*transition actor.*machine/s,
    ],
    [
      'a spawn inside an assign',
      () =>
        inState({
          entry: assign({ ref: ({ spawn }: never) => (spawn as (src: string) => unknown)('work') } as never),
        }),
      /checked\.here.*assign spawns.*spawnChild/s,
    ],
    [
      'a spawn inside a context factory',
      () =>
        setup({ actors: { work } }).createMachine({
          id: 'checked',
          context: ({ spawn }: never) => ({ ref: (spawn as (src: string) => unknown)('work') }),
        } as never),
      /checked.*context factory/s,
    ],
    ['a spawnChild without an id', () => inState({ entry: spawnChild('work') }), /checked\.here.*no id/s],
    ['an unknown actor', () => inState({ invoke: { src: 'nobody' } }), /checked\.here.*'nobody'.*setup/s],
    [
      'an unknown spawned actor',
      () => inState({ entry: spawnChild('nobody' as never, { id: 'x' }) }),
      /checked\.here.*'nobody'/s,
    ],
    [
      'an unknown guard',
      () => inState({ on: { go: { guard: 'nobody' } } }),
      /checked\.here.*guard 'nobody'.*setup/s,
    ],
    [
      'an unknown action',
      () => inState({ on: { go: { actions: 'nobody' } } }),
      /checked\.here.*action 'nobody'.*setup/s,
    ],
    ['an unknown action on leaving', () => inState({ exit: 'nobody' }), /checked\.here.*action 'nobody'/s],
    ['an unknown delay', () => inState({ after: { nobody: {} } }), /checked\.here.*delay 'nobody'.*setup/s],
    [
      'an unknown delay of a raise',
      () => inState({ entry: raise({ type: 'x' } as never, { delay: 'nobody' as never }) }),
      /checked\.here.*delay 'nobody'/s,
    ],
    [
      'a listener to onSnapshot',
      () => inState({ invoke: { src: 'work', onSnapshot: {} } }),
      /checked\.here.*onSnapshot.*sendParent/s,
    ],
    [
      'a spawnChild that listens to snapshots',
      () => inState({ entry: spawnChild('work' as never, { id: 'x', syncSnapshot: true }) }),
      /checked\.here.*syncSnapshot.*sendParent/s,
    ],
    [
      'an action that sends past the machine',
      () =>
        inState({ entry: ({ self }: { self: { send(event: object): void } }) => self.send({ type: 'x' }) }),
      /checked\.here.*talks to its actor.*raise/s,
    ],
    [
      'an action that sends past the machine from a queue of actions',
      () => inState({ entry: enqueueActions(({ self }) => self.send({ type: 'x' } as never)) }),
      /checked\.here.*talks to its actor.*raise/s,
    ],
    [
      'an actor that a stored object cannot hold',
      () => inState({ invoke: { id: '__proto__', src: 'work' } }),
      /checked\.here.*'__proto__'.*another name/s,
    ],
    ['a route', () => inState({ id: 'there', route: {} }), /there.*'route'.*target/s],
    [
      'a name that every object has',
      () => inState({ on: { go: { guard: 'toString', actions: 'constructor' } } }),
      /action 'constructor'.*guard 'toString'/s,
    ],
    [
      'any of these in a machine below',
      () =>
        setup({ actors: { kid: inState({ invoke: { src: 'callback' } }) as never } }).createMachine({
          invoke: { src: 'kid' },
        } as never),
      /checked\.here.*callback/s,
    ],
    [
      'any of these in a machine that is only spawned',
      () =>
        setup({ actors: { kid: inState({ on: { go: { guard: 'nobody' } } }) as never } }).createMachine({
          entry: spawnChild('kid' as never, { id: 'kid' }),
        } as never),
      /checked\.here.*guard 'nobody'/s,
    ],
  ])('refuses %s, naming the state and the mend', (_what, machine, message) => {
    expect(register(machine())).toThrow(expect.objectContaining({ code: 'machine-not-durable' }));
    expect(register(machine())).toThrow(message);
  });

  it('names every problem at once', () => {
    const machine = inState({ invoke: { src: 'nobody' }, entry: 'unknown', after: { never: {} } });

    try {
      register(machine)();
      throw new Error('registered');
    } catch (error) {
      expect((error as { details?: { problems?: unknown[] } }).details?.problems).toHaveLength(3);
    }
  });

  it('takes a machine that uses all it may', () => {
    const kid = createMachine({ entry: sendParent({ type: 'hello' }) });
    const machine = setup({
      actors: { work, kid },
      actions: { note: () => {} },
      guards: { ok: () => true },
      delays: { soon: 10 },
    }).createMachine({
      type: 'parallel',
      states: {
        a: { invoke: { src: 'work' }, after: { soon: {} }, on: { go: { guard: 'ok', actions: 'note' } } },
        b: {
          entry: [spawnChild('kid', { id: 'kid' }), raise({ type: 'go' }, { delay: 'soon' })],
          exit: stopChild('kid'),
        },
      },
    });

    expect(register(machine)).not.toThrow();
  });

  it('catches a spawn that no reading of the source can see: the event is poison', async () => {
    const hidden = {
      run: (args: Record<string, (src: string) => unknown>) => ({ ref: args['spa' + 'wn']?.('work') }),
    };
    const bench = engineBench(
      setup({ actors: { work } }).createMachine({
        on: { go: { actions: assign(hidden.run as never) } },
      } as never),
    );
    await bench.start();

    const view = await bench.send('one', 'go');

    expect(view).toMatchObject({ status: 'running', activities: [] });
    expect(view.quarantine).toHaveLength(1);
  });
});

function observable(): unknown {
  return {
    transition: (state: unknown) => state,
    getInitialSnapshot: () => ({}),
    getPersistedSnapshot: () => ({}),
    start: () => {},
  };
}

function reducer(): unknown {
  return {
    transition: (state: unknown) => state,
    getInitialSnapshot: () => ({}),
    getPersistedSnapshot: () => ({}),
  };
}
