/**
 * Random statecharts for the oracle: nested, parallel, history, after, delayed raise and cancel, raise, always, guards,
 * assign, emit, invoked and spawned promise actors and machines, final states with output, tags.
 *
 * Everything that could loop (always, raised events, answers of children, onDone) burns fuel, so that every macrostep
 * ends. Each action leaves its label on the context's trail: equal trails mean equal order.
 */
import fc from 'fast-check';
import {
  type AnyStateMachine,
  and,
  assign,
  cancel,
  createMachine,
  emit,
  enqueueActions,
  fromPromise,
  log,
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

type RawGuard = readonly ['parity' | 'few' | 'not' | 'and' | 'or' | 'in', number] | null;
type RawAction = readonly [kind: (typeof ACTIONS)[number], n: number];
interface RawTransition {
  readonly on: number;
  readonly target: number | null;
  readonly guard: RawGuard;
  readonly actions: readonly RawAction[];
  readonly reenter: boolean;
}
interface RawInvoke {
  readonly src: (typeof SOURCES)[number];
  readonly done: RawTransition | null;
  readonly error: RawTransition | null;
}
interface RawState {
  readonly kind: 'compound' | 'parallel' | 'final' | 'shallow' | 'deep';
  readonly children: readonly RawState[];
  readonly on: readonly RawTransition[];
  readonly after: readonly RawTransition[];
  readonly always: RawTransition | null;
  readonly done: RawTransition | null;
  readonly entry: readonly RawAction[];
  readonly exit: readonly RawAction[];
  readonly invoke: readonly RawInvoke[];
  readonly tag: boolean;
}
export interface RawMachine {
  readonly root: RawState;
  /**
   * Who talks to the machine besides the outside: itself, one child that answers, or children that end. One of them at a
   * time: between two senders there is an order in one process only.
   */
  readonly company: 'itself' | 'server' | 'kids';
}

const ACTIONS = [
  'trail',
  'inc',
  'emit',
  'raise',
  'later',
  'cancel',
  'self',
  'spawn',
  'stop',
  'server',
  'log',
  'queue',
  'side',
] as const;
const SOURCES = ['work', 'work', 'quick', 'broken', 'slow', 'worker', 'chatty'] as const;
const DELAYS = [10, 20, 50, 'flexible'] as const;
export const EVENTS = ['E0', 'E1', 'E2', 'E3'] as const;

const guard: fc.Arbitrary<RawGuard> = fc.option(
  fc.tuple(fc.constantFrom('parity', 'few', 'not', 'and', 'or', 'in'), fc.nat(9)),
  { freq: 2 },
) as fc.Arbitrary<RawGuard>;
const action: fc.Arbitrary<RawAction> = fc.tuple(fc.constantFrom(...ACTIONS), fc.nat(9));
const actions = fc.array(action, { maxLength: 3 });
const transition: fc.Arbitrary<RawTransition> = fc.record({
  on: fc.nat(19),
  target: fc.option(fc.nat(30), { freq: 4 }),
  guard,
  actions,
  reenter: fc.boolean(),
});
const invoke: fc.Arbitrary<RawInvoke> = fc.record({
  src: fc.constantFrom(...SOURCES),
  done: fc.option(transition, { freq: 4 }),
  error: fc.option(transition, { freq: 4 }),
});

function state(depth: number): fc.Arbitrary<RawState> {
  const leaf = depth === 0;
  return fc.record({
    kind: fc.constantFrom('compound', 'compound', 'compound', 'parallel', 'final', 'shallow', 'deep'),
    children: leaf
      ? fc.constant([])
      : fc.array(state(depth - 1), { minLength: depth === 3 ? 2 : 0, maxLength: 3 }),
    on: fc.array(transition, { maxLength: 4 }),
    after: fc.array(transition, { maxLength: 1 }),
    always: fc.option(transition, { freq: 1 }),
    done: fc.option(transition, { freq: 2 }),
    entry: actions,
    exit: actions,
    invoke: fc.array(invoke, { maxLength: depth === 3 ? 0 : 1 }),
    tag: fc.boolean(),
  }) as fc.Arbitrary<RawState>;
}

export const rawMachine: fc.Arbitrary<RawMachine> = fc.record({
  root: state(3),
  company: fc.constantFrom('itself', 'server', 'kids'),
});

export interface Trail {
  readonly n: number;
  readonly fuel: number;
  readonly trail: readonly string[];
  readonly got: readonly unknown[];
}

/** Where custom actions leave their mark; the one who drives the machine sets it. */
export const sink: { marks: string[] } = { marks: [] };

interface Node {
  readonly raw: RawState;
  readonly id: string;
  readonly kind: RawState['kind'] | 'atomic';
  readonly children: readonly Node[];
  readonly region: boolean;
}

function number(raw: RawState, counter: { next: number }, under: RawState['kind'] | null): Node {
  const id = `s${counter.next}`;
  counter.next += 1;
  const asRoot = under === null;
  let { kind }: { kind: Node['kind'] } = raw;
  const composite = kind === 'compound' || kind === 'parallel';
  if (asRoot && !composite) kind = 'compound';
  if (under === 'parallel' && kind === 'final') kind = 'compound';
  const below = kind === 'compound' || kind === 'parallel' ? raw.children : [];
  const real = below.filter((child) => child.kind !== 'shallow' && child.kind !== 'deep');
  if ((kind === 'compound' || kind === 'parallel') && real.length === 0) kind = 'atomic';
  const children =
    kind === 'atomic' ? [] : below.map((child) => number(child, counter, kind as RawState['kind']));
  return { raw, id, kind, children, region: under === 'parallel' };
}

const all = (node: Node): Node[] => [node, ...node.children.flatMap(all)];

/** The same statechart for the engine and for XState's own actor; `work` never runs by itself. */
export function buildMachine({ root, company }: RawMachine): AnyStateMachine {
  const tree = number(root, { next: 0 }, null);
  const nodes = all(tree);
  /**
   * Entering a history state right under the root, XState enters the root again without leaving it: a second server under
   * the first one's id, and both talk.
   */
  const forks = (node: Node) =>
    company === 'server' && tree.children.includes(node) && (node.kind === 'shallow' || node.kind === 'deep');
  const targets = nodes.slice(1).filter((node) => !forks(node));
  let instant: string | undefined;
  const pick = (index: number) => targets[index % targets.length]?.id ?? 's0';

  function actionsOf(raws: readonly RawAction[], where: string): unknown[] {
    return raws.map(([kind, n], at) => actionOf(kind, n, `${where}.${at}`));
  }

  function actionOf(kind: RawAction[0], n: number, label: string): unknown {
    const trail = assign({
      trail: ({ context }: { context: Trail }) => [...context.trail, label].slice(-60),
    } as never);
    switch (kind) {
      case 'inc':
        return assign({ n: ({ context }: { context: Trail }) => context.n + 1 } as never);
      case 'emit':
        return emit(({ context }: { context: Trail }) => ({ type: 'told', label, n: context.n }) as never);
      case 'raise':
        return raise({ type: `R${n % 2}` } as never);
      case 'later':
        return raise(
          { type: `D${n % 2}`, label } as never,
          {
            delay: [0, 5, 15, 40][n % 4] as number,
            ...(n < 7 ? { id: `later${n % 2}` } : {}),
          } as never,
        );
      case 'cancel':
        return cancel(`later${n % 2}`);
      case 'self':
        return company !== 'itself'
          ? trail
          : sendTo((({ self }: { self: unknown }) => self) as never, { type: `R${n % 2}` } as never);
      case 'spawn':
        return company === 'kids' && n % 2 === 0
          ? spawnChild('slow', { id: `kid${n % 3}`, input: n } as never)
          : spawnChild('work', {
              id: `spawned${n % 2}`,
              input: ({ context }: { context: Trail }) => context.n,
            } as never);
      case 'stop':
        return stopChild(company === 'kids' && n % 2 === 0 ? `kid${n % 3}` : `spawned${n % 2}`);
      case 'server':
        return company === 'server' ? sendTo('server', { type: `K${n % 2}` } as never) : trail;
      case 'log':
        return log(label);
      case 'queue':
        return enqueueActions((({
          enqueue,
          check,
          context,
        }: {
          enqueue: typeof enqueueNothing;
          check: (g: unknown) => boolean;
          context: Trail;
        }) => {
          enqueue.assign({ n: context.n + 2 });
          if (check('few')) enqueue.raise({ type: 'R0' });
          enqueue.emit({ type: 'told', label, n: context.n });
        }) as never);
      case 'side':
        return { type: 'side', params: { label } };
      default:
        return trail;
    }
  }

  function guardOf(raw: RawGuard): unknown {
    if (raw === null) return undefined;
    const [kind, n] = raw;
    const few = { type: 'few' };
    switch (kind) {
      case 'parity':
        return { type: 'parity', params: { odd: n % 2 } };
      case 'few':
        return few;
      case 'not':
        return not({ type: 'parity', params: { odd: n % 2 } } as never);
      case 'and':
        return and([few, { type: 'parity', params: { odd: n % 2 } }] as never);
      case 'or':
        return or([few, { type: 'parity', params: { odd: n % 2 } }] as never);
      case 'in':
        return stateIn(`#${nodes[n % nodes.length]?.id ?? 's0'}` as never);
    }
  }

  function transitionOf(raw: RawTransition, where: string, burns: boolean, node: Node): object {
    const own = guardOf(raw.guard);
    const fuel = { type: 'fuelled' };
    const condition = burns ? (own === undefined ? fuel : and([fuel, own] as never)) : own;
    return {
      ...(raw.target === null || targets.length === 0 ? {} : { target: `#${pick(raw.target)}` }),
      ...(condition === undefined ? {} : { guard: condition }),
      // The root's children must outlive its transitions: to send to a stopped one is an error.
      ...(raw.reenter && node !== tree ? { reenter: true } : {}),
      actions: [...(burns ? ['burn'] : []), 'note', ...actionsOf(raw.actions, where)],
    };
  }

  function invokesOf(node: Node): object[] {
    return node.raw.invoke.map((raw, at) => {
      const id = `${node.id}.i${at}`;
      return {
        id,
        src: company === 'kids' ? sourceOf(raw.src, id) : 'work',
        input: ({ context }: { context: Trail }) => context.n,
        ...(raw.done === null
          ? {}
          : { onDone: withResult(transitionOf(raw.done, `${id}.done`, true, node), 'output') }),
        ...(raw.error === null
          ? {}
          : { onError: withResult(transitionOf(raw.error, `${id}.error`, true, node), 'error') }),
      };
    });
  }

  /**
   * Only one child ends while it starts. Of two, the second's result would reach XState's parent even when the first's
   * has just stopped it; the engine ignores what a stopped actor has to say (traps, 1).
   */
  function sourceOf(src: RawInvoke['src'], id: string): string {
    if (src !== 'quick' && src !== 'broken' && src !== 'chatty') return src;
    instant ??= id;
    return instant === id ? src : 'slow';
  }

  function withResult(of: object, field: string): object {
    const { actions: given } = of as { actions: unknown[] };
    return {
      ...of,
      actions: [
        {
          type: 'keep',
          params: ({ event }: { event: Record<string, unknown> }) => ({ value: event[field] }),
        },
        ...given,
      ],
    };
  }

  function onOf(node: Node): Record<string, object[]> {
    const on: Record<string, object[]> = {};
    for (const [at, raw] of node.raw.on.entries()) {
      const names = [
        ...EVENTS,
        ...EVENTS,
        'R0',
        'R1',
        'D0',
        'D1',
        'C0',
        'C1',
        '*',
        'E0',
        'D0',
        'D1',
        'R0',
        'xstate.done.actor.spawned0',
      ];
      const name = names[raw.on % names.length] as string;
      on[name] = [
        ...(on[name] ?? []),
        transitionOf(raw, `${node.id}.${name}.${at}`, !name.startsWith('E'), node),
      ];
    }
    return on;
  }

  function configOf(node: Node): Record<string, unknown> {
    const { raw, id, kind } = node;
    if (kind === 'shallow' || kind === 'deep') return { id, type: 'history', history: kind };
    const first = node.children.find((child) => child.kind !== 'shallow' && child.kind !== 'deep');
    const shared = {
      id,
      entry: ['enter', ...actionsOf(raw.entry, `${id}.entry`)].map((entry) =>
        entry === 'enter' ? { type: 'mark', params: { label: `>${id}` } } : entry,
      ),
      exit: [{ type: 'mark', params: { label: `<${id}` } }, ...actionsOf(raw.exit, `${id}.exit`)],
      ...(raw.tag ? { tags: [`tag-${id}`] } : {}),
    };
    if (kind === 'final')
      return { ...shared, type: 'final', output: ({ context }: { context: Trail }) => context.n };
    const after = Object.fromEntries(
      raw.after.map((each) => [
        DELAYS[each.on % DELAYS.length],
        transitionOf(each, `${id}.after`, false, node),
      ]),
    );
    return {
      ...shared,
      ...(kind === 'parallel' ? { type: 'parallel' } : {}),
      ...(kind === 'compound' ? { initial: keyOf(first) } : {}),
      ...(node.children.length === 0
        ? {}
        : { states: Object.fromEntries(node.children.map((child) => [keyOf(child), configOf(child)])) }),
      ...(raw.done !== null && kind !== 'atomic' && node !== tree
        ? { onDone: transitionOf(raw.done, `${id}.done`, true, node) }
        : {}),
      on: onOf(node),
      after,
      ...(raw.always === null ? {} : { always: transitionOf(raw.always, `${id}.always`, true, node) }),
      invoke:
        node === tree ? (company === 'server' ? [{ id: 'server', src: 'server' }] : []) : invokesOf(node),
    };
  }
  const keyOf = (node: Node | undefined) => `k${node?.id}`;

  return setup(implementations as never).createMachine({
    context: { n: 0, fuel: 15, trail: [], got: [] },
    output: ({ context }: { context: Trail }) => ({ n: context.n, marks: context.trail.length }),
    ...configOf(tree),
  } as never) as never;
}

declare const enqueueNothing: {
  assign(values: object): void;
  raise(event: object): void;
  emit(event: object): void;
};

const worksWhenAsked = fromPromise<unknown, unknown>(() => new Promise(() => {}));

/** Ends at once. */
const quick = createMachine({
  context: ({ input }: { input: unknown }) => ({ input }),
  initial: 'end',
  states: { end: { type: 'final' } },
  output: ({ context }: { context: { input: unknown } }) => ({ echoed: context.input }),
} as never);
/** Fails at once. */
const broken = createMachine({
  initial: 'failing',
  states: {
    failing: {
      entry: assign((() => {
        throw new Error('broken by design');
      }) as never),
    },
  },
} as never);
/** Says something after a while, then ends. Odd delays, so that it never ties with its parent. */
const slow = createMachine({
  context: ({ input }: { input: unknown }) => ({ input }),
  initial: 'waiting',
  states: {
    waiting: { after: { 7: { target: 'more', actions: sendParent({ type: 'C0' }) } } },
    more: { after: { 16: 'end' } },
    end: { type: 'final' },
  },
  output: ({ context }: { context: { input: unknown } }) => ({ slept: context.input }),
} as never);
/** A child with an activity of its own. */
const worker = setup({ actors: { work: worksWhenAsked } }).createMachine({
  context: { found: null },
  initial: 'working',
  states: {
    working: {
      invoke: {
        id: 'inner',
        src: 'work',
        input: 'inner',
        onDone: {
          target: 'end',
          actions: assign({ found: ({ event }: { event: { output: unknown } }) => event.output } as never),
        },
      },
    },
    end: { type: 'final' },
  },
  output: ({ context }: { context: { found: unknown } }) => context.found,
} as never);
/** Tells its parent at once, and never ends. */
const chatty = createMachine({ entry: sendParent({ type: 'C1' }) } as never);
/** Lives as long as the machine; answers. */
const server = createMachine({
  context: { asked: 0 },
  initial: 'even',
  on: {
    K1: {
      actions: [
        assign({ asked: ({ context }: { context: { asked: number } }) => context.asked + 1 } as never),
        sendParent({ type: 'C1' }),
      ],
    },
  },
  states: {
    even: { on: { K0: { target: 'odd', actions: sendParent({ type: 'C0' }) } } },
    odd: { on: { K0: { target: 'even' } } },
  },
} as never);

const implementations = {
  actors: { work: worksWhenAsked, quick, broken, slow, worker, chatty, server },
  delays: { flexible: ({ context }: { context: Trail }) => 10 + 10 * (context.n % 4) },
  guards: {
    parity: ({ context }: { context: Trail }, { odd }: { odd: number }) => context.n % 2 === odd,
    few: ({ context }: { context: Trail }) => context.n < 6,
    fuelled: ({ context }: { context: Trail }) => context.fuel > 0,
  },
  actions: {
    burn: assign({ fuel: ({ context }: { context: Trail }) => context.fuel - 1 } as never),
    note: assign({
      trail: ({ context, event }: { context: Trail; event: { type: string } }) =>
        [...context.trail, event.type].slice(-60),
    } as never),
    mark: assign({
      trail: ({ context }: { context: Trail }, { label }: { label: string }) =>
        [...context.trail, label].slice(-60),
    } as never),
    keep: assign({
      got: ({ context }: { context: Trail }, { value }: { value: unknown }) => [
        ...context.got,
        value instanceof Error ? { name: value.name, message: value.message } : value,
      ],
    } as never),
    side: (_: unknown, { label }: { label: string }) => void sink.marks.push(label),
  },
};
