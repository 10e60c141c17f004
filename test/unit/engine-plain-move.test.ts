/** A move remembered must be the move XState would have made: same snapshot, same actions in the same order. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type AnyMachineSnapshot,
  type AnyStateMachine,
  assign,
  enqueueActions,
  fromPromise,
  raise,
  sendTo,
  setup,
} from 'xstate';
import { standIn } from '../../engine/actor-refs.ts';
import type { MachineEvent } from '../../engine/event.ts';
import type { RawAction } from '../../engine/machine-action.ts';
import { movePlainly } from '../../engine/plain-move.ts';
import { prepareMachine } from '../../engine/xstate5.ts';
import { drawing } from '../support/drawing.ts';
import { buildMachine, EVENTS, rawMachine } from '../support/engine-machines.ts';

const system = {
  _bookId: () => 'child',
  _set() {},
  _unregister() {},
  _sendInspectionEvent() {},
  _snapshot: { _scheduledEvents: {} },
  get: () => undefined,
};

function newScope() {
  const asked: RawAction[] = [];
  const self = standIn({ id: 'self', address: 'one' }, undefined, '#self', undefined, system);
  return { asked, self, system, defer() {}, actionExecutor: (action: RawAction) => void asked.push(action) };
}

/** What can be seen of a snapshot, the order of its nodes included: it decides which `always` comes first. */
function seen(snapshot: AnyMachineSnapshot) {
  const { status, value, context, output, tags, children, historyValue } = snapshot;
  const nodes = (snapshot as unknown as { _nodes: { id: string }[] })._nodes.map(({ id }) => id);
  const sources = Object.entries(children).map(([id, child]) => [id, (child as { src?: unknown })?.src]);
  return { status, value, context, output, tags: [...tags], sources, nodes, historyValue };
}

function told({ type, params }: RawAction) {
  const { actorRef, to, ...rest } = (params ?? {}) as Record<string, unknown>;
  if (type === 'xstate.stopChild') return { type, id: rest['id'] };
  if (type === 'xstate.spawnChild') return { type, ...rest, syncSnapshot: undefined, ref: idOf(actorRef) };
  return { type, ...rest, to: idOf(to) };
}

function idOf(ref: unknown): unknown {
  return (ref as { id?: unknown } | undefined)?.id;
}

/** Both ways from one snapshot; returns XState's and whether the move was plain. */
function compare(machine: AnyStateMachine, snapshot: AnyMachineSnapshot, event: MachineEvent) {
  const ours = newScope();
  const theirs = newScope();
  const after = machine.transition(snapshot, event, theirs as never) as AnyMachineSnapshot;
  const plain = movePlainly(snapshot, event, ours);
  if (plain !== null) {
    expect(seen(plain)).toEqual(seen(after));
    expect(ours.asked.map(told)).toEqual(theirs.asked.map(told));
    if (after === snapshot) expect(plain).toBe(snapshot);
  }
  // The next move starts from ours, so that what it leaves behind is looked at too.
  return { after: plain ?? after, moved: after !== snapshot, plain: plain !== null, asked: theirs.asked };
}

function begin(machine: AnyStateMachine): AnyMachineSnapshot {
  return machine.getInitialSnapshot(newScope() as never, {} as never) as AnyMachineSnapshot;
}

const pick = fc.record({ which: fc.nat(50), x: fc.nat(3) });

/** Outside events, the ends of children there are, and timers asked for. */
function possible(snapshot: AnyMachineSnapshot, timers: readonly MachineEvent[]): MachineEvent[] {
  const ends = Object.keys(snapshot.children).flatMap((actorId) => [
    { type: `xstate.done.actor.${actorId}`, output: 1, actorId },
    { type: `xstate.error.actor.${actorId}`, error: 'no', actorId },
  ]);
  return [...EVENTS.map((type) => ({ type })), { type: 'unheard.of' }, ...ends, ...timers];
}

/** Each with the events to give it, and which of them make a plain move. */
const CASES: readonly {
  readonly case: string;
  readonly config: object;
  readonly events: readonly string[];
  readonly plain: readonly boolean[];
}[] = [
  {
    case: 'runs the actions of initial transitions, of what is entered by default only',
    config: {
      initial: 'off',
      states: {
        off: { on: { GO: 'on', DEEP: '#c' } },
        on: {
          initial: { target: 'b', actions: 'first' },
          states: {
            b: { initial: { target: 'c', actions: 'second' }, states: { c: { id: 'c' } } },
          },
          on: { BACK: 'off' },
        },
      },
    },
    events: ['GO', 'BACK', 'DEEP'],
    plain: [true, true, true],
  },
  {
    case: 'resolves a send to the actor the same state invokes, and ends actors with their state',
    config: {
      initial: 'off',
      states: {
        off: { on: { GO: 'on' } },
        on: {
          entry: sendTo('kid', { type: 'HELLO' }),
          invoke: { id: 'kid', src: 'kid', systemId: 'the-kid', input: () => 7 },
          on: { AGAIN: { target: 'on', reenter: true }, STAY: { actions: 'first' }, BACK: 'off' },
        },
      },
    },
    events: ['GO', 'STAY', 'AGAIN', 'BACK'],
    plain: [true, true, false, true],
  },
  {
    case: 'leaves an event raised by a delay that is none to XState',
    config: {
      initial: 'a',
      states: {
        a: {
          on: { GO: { target: 'b', actions: ['first', raise({ type: 'NOW' }, { delay: 'none' as never })] } },
        },
        b: { on: { NOW: 'c' } },
        c: {},
      },
    },
    events: ['GO'],
    plain: [false],
  },
  {
    case: 'leaves raised events to XState, named actions and enqueued ones included',
    config: {
      initial: 'a',
      states: {
        a: { on: { GO: { target: 'b', actions: 'raiseNow' } } },
        b: { on: { NOW: { actions: 'enqueueNow' }, LATER: 'c' } },
        c: { on: { LATER: 'b' } },
      },
    },
    events: ['GO', 'LATER', 'NOW'],
    plain: [false, true, false],
  },
  {
    case: 'leaves states with always to XState, above and below what moves',
    config: {
      context: { n: 0 },
      initial: 'a',
      states: {
        a: { on: { GO: 'b' } },
        b: {
          always: { guard: ({ context }: { context: { n: number } }) => context.n > 0, target: 'c' },
          on: { INC: { actions: 'inc' } },
        },
        c: {},
      },
    },
    events: ['GO', 'INC'],
    plain: [false, false],
  },
  {
    case: 'leaves final states and what they set off to XState',
    config: {
      initial: 'a',
      states: {
        a: { initial: 'x', states: { x: { on: { GO: 'y' } }, y: { type: 'final' } }, onDone: 'b' },
        b: { on: { GO: 'end' } },
        end: { type: 'final' },
      },
    },
    events: ['GO', 'GO'],
    plain: [false, false],
  },
  {
    case: 'leaves what history states remember and enter to XState',
    config: {
      initial: 'a',
      states: {
        a: {
          initial: 'x',
          states: { x: { on: { GO: 'y' } }, y: {}, past: { type: 'history' } },
          on: { OUT: 'b' },
        },
        b: { on: { BACK: 'a.past' } },
      },
    },
    events: ['GO', 'OUT', 'BACK'],
    plain: [true, false, false],
  },
  {
    case: 'moves inside one parallel region, and leaves entering several to XState',
    config: {
      initial: 'off',
      states: {
        off: { on: { GO: 'both' } },
        both: {
          type: 'parallel',
          states: {
            left: { initial: 'x', states: { x: { on: { L: 'y', ALL: 'y' } }, y: {} } },
            right: { initial: 'x', states: { x: { on: { R: 'y', ALL: 'y' } }, y: {} } },
          },
          on: { OUT: 'off', IN: '.right.y' },
        },
      },
    },
    events: ['GO', 'L', 'R', 'OUT', 'GO', 'ALL', 'IN'],
    plain: [false, true, true, true, false, false, false],
  },
  {
    case: 'leaves states innermost first, wherever a move before put them',
    config: {
      initial: 'off',
      states: {
        off: { on: { GO: 'on.a.x' } },
        on: {
          exit: 'first',
          states: {
            a: { exit: 'second', states: { x: { exit: 'inc', on: { OUT: '#off' } } }, initial: 'x' },
          },
          initial: 'a',
        },
        out: { id: 'off' },
      },
    },
    events: ['GO', 'OUT'],
    plain: [true, true],
  },
  {
    case: 'keeps the order of states where the same are entered again',
    config: {
      type: 'parallel',
      states: {
        left: { initial: 'x', states: { x: {}, y: {} }, on: { X: '.x', Y: '.y' } },
        right: { initial: 'x', states: { x: {} } },
      },
    },
    events: ['X', 'Y', 'Y', 'X'],
    plain: [true, true, true, true],
  },
  {
    case: 'moves one region while another has come to its end',
    config: {
      type: 'parallel',
      states: {
        left: { initial: 'x', states: { x: { on: { END: 'y' } }, y: { type: 'final' } } },
        right: { initial: 'x', states: { x: { on: { R: 'y' } }, y: {} } },
      },
    },
    events: ['END', 'R'],
    plain: [false, true],
  },
  {
    case: 'leaves several targets to XState, from inside one of them too',
    config: {
      type: 'parallel',
      states: {
        left: { initial: 'x', states: { x: { on: { BOTH: { target: ['#ly', '#ry'] } } }, y: { id: 'ly' } } },
        right: { initial: 'x', states: { x: {}, y: { id: 'ry' } } },
      },
    },
    events: ['BOTH'],
    plain: [false],
  },
  {
    case: 'leaves entering the machine anew to XState',
    config: {
      id: 'root',
      initial: 'a',
      on: { AGAIN: { target: '.a', reenter: true } },
      states: { a: { on: { ROOT: '#root', GO: 'b' } }, b: { on: { ROOT: '#root' } } },
    },
    events: ['GO', 'ROOT', 'GO', 'AGAIN'],
    plain: [true, false, true, false],
  },
  {
    case: 'leaves a state to XState that begins with its end',
    config: {
      initial: 'a',
      states: {
        a: { on: { GO: 'b' } },
        b: { initial: 'over', states: { over: { type: 'final' } }, onDone: 'c' },
        c: {},
      },
    },
    events: ['GO'],
    plain: [false],
  },
];

describe('a plain move', () => {
  it(
    'is the one XState makes, on random statecharts',
    () =>
      drawing(300, (drawn) => {
        const count = { plain: 0, moved: 0 };
        fc.assert(
          fc.property(rawMachine, fc.array(pick, { minLength: 1, maxLength: 25 }), (raw, picks) => {
            const machine = prepareMachine(buildMachine(raw));
            let snapshot = begin(machine);
            let timers: MachineEvent[] = [];
            for (const { which, x } of picks) {
              if (snapshot.status !== 'active') return;
              const events = possible(snapshot, timers);
              const event = { ...(events[which % events.length] as MachineEvent), x };
              try {
                const step = compare(machine, snapshot, event);
                snapshot = step.after;
                timers = [...timers, ...delayed(step.asked)].slice(-10);
                if (step.moved) count.moved += 1;
                if (step.moved && step.plain) count.plain += 1;
              } catch (error) {
                // Machines that send to an actor no longer there: XState throws, and there is nothing to compare.
                if (error instanceof Error && error.message.startsWith('Unable to send')) return;
                throw error;
              }
            }
          }),
          drawn,
        );

        expect(count.plain).toBeGreaterThan(count.moved / 10);
        expect(count.plain).toBeLessThan(count.moved);
      }),
    60_000,
  );

  it('is none where XState has lost every active state, as it may behind history states', () => {
    const machine = prepareMachine(machineOf({ initial: 'a', states: { a: { on: { GO: 'b' } }, b: {} } }));
    const lost = Object.assign(begin(machine), { _nodes: [] });

    expect(movePlainly(lost, { type: 'GO' }, newScope())).toBeNull();
  });

  it.each(CASES)('$case', ({ config, events, plain }) => {
    const machine = prepareMachine(machineOf(config));
    let snapshot = begin(machine);
    const found: boolean[] = [];
    for (const type of events) {
      const step = compare(machine, snapshot, { type });
      snapshot = step.after;
      found.push(step.plain);
    }

    expect(found).toEqual(plain);
  });
});

function machineOf(config: object): AnyStateMachine {
  return setup({
    actors: { kid: fromPromise(async () => 1) },
    delays: { none: () => undefined as never },
    actions: {
      first: () => {},
      second: () => {},
      inc: assign({ n: ({ context }: { context: { n: number } }) => context.n + 1 } as never),
      raiseNow: raise({ type: 'NOW' } as never),
      enqueueNow: enqueueActions(({ enqueue }) => enqueue.raise({ type: 'LATER' } as never)),
    },
  }).createMachine(config as never) as unknown as AnyStateMachine;
}

function delayed(asked: readonly RawAction[]): MachineEvent[] {
  return asked
    .filter(
      ({ type, params }) => type === 'xstate.raise' && (params as { delay?: unknown }).delay !== undefined,
    )
    .map(({ params }) => (params as { event: MachineEvent }).event);
}
