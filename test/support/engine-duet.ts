/**
 * One statechart played twice: by XState's own actor and by the engine, which stores and restores the instance at every
 * event. Promise actors settle when told, timers fire by one virtual clock.
 */
import { type AnyActorRef, type AnyStateMachine, createActor, fromPromise, SimulatedClock } from 'xstate';
import {
  type Client,
  createClient,
  createEngine,
  createMemoryStore,
  createRegistry,
  defineWorkflow,
  type Engine,
  type OpenInstance,
} from '../../engine/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { sink } from './engine-machines.ts';

export type Step =
  | { readonly do: 'send'; readonly type: string; readonly x?: number; readonly payload?: object }
  | { readonly do: 'resolve'; readonly which: number; readonly output: unknown }
  | { readonly do: 'reject'; readonly which: number; readonly error: unknown }
  | { readonly do: 'wait'; readonly ms: number };

function payloadOf({ x, payload }: Extract<Step, { do: 'send' }>): object {
  return payload ?? { x };
}

/** What both must agree on. */
export interface Seen {
  readonly status: string;
  readonly value: unknown;
  readonly context: unknown;
  readonly output: unknown;
  readonly error: unknown;
  readonly tags: readonly string[];
  readonly emitted: readonly unknown[];
  readonly marks: readonly string[];
  /** Promise actors at work, by path of actor ids. */
  readonly working: readonly string[];
}

export interface Player {
  take(step: Step): Promise<void>;
  /** Ms of the next timer, on the duet's clock, or null. */
  nextTimer(): Promise<number | null>;
  /** Fires what is due at this instant. */
  moveTo(ms: number): Promise<void>;
  seen(): Promise<Seen>;
}

const plain = (error: unknown): unknown =>
  error instanceof Error ? { name: error.name, message: error.message } : error;

// XState's own actor

interface Pending {
  readonly path: string;
  /** Order of spawning; at its start XState starts them in another. */
  readonly number: number;
  readonly signal: AbortSignal;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

export interface OriginalPlayer extends Player {
  /**
   * False once XState contradicts itself: entering a history state without a history, it may leave an ancestor out of
   * its active nodes that its own value names. It would not survive its own persist and restore.
   */
  sound(): boolean;
}

export async function startOriginal(machine: AnyStateMachine): Promise<OriginalPlayer> {
  const clock = new SimulatedClock();
  const marks: string[] = [];
  const emitted: unknown[] = [];
  const pending: Pending[] = [];
  const work = fromPromise(
    ({ self, signal }) =>
      new Promise<unknown>((resolve, reject) => {
        pending.push({
          path: pathOf(self),
          number: Number(self.sessionId.slice(2)),
          signal,
          resolve,
          reject,
        });
        pending.sort((a, b) => a.number - b.number);
      }),
  );
  const played = withWork(machine, work);
  const actor = createActor(played, { clock, logger: () => {} });
  let sound = true;
  const ids = (of: unknown) => (of as { _nodes: { id: string }[] })._nodes.map((node) => node.id).sort();
  const judge = (snapshot: { value: unknown; context: unknown }) => {
    const again = played.resolveState({ value: snapshot.value, context: snapshot.context } as never);
    sound &&= ids(snapshot).join() === ids(again).join();
  };
  actor.subscribe({ next: judge, error: () => {} });
  actor.on('*', (event) => void emitted.push(event));
  const running = () => pending.filter(({ signal }) => !signal.aborted);
  const quiet = async () => {
    for (let turn = 0; turn < 8; turn += 1) await Promise.resolve();
  };
  const nextDue = (): number | null => {
    const { timeouts } = clock as unknown as { timeouts: Map<number, { start: number; timeout: number }> };
    const dues = [...timeouts.values()].map(({ start, timeout }) => start + timeout);
    return dues.length === 0 ? null : Math.min(...dues);
  };
  sink.marks = marks;
  actor.start();
  await quiet();

  return {
    sound() {
      judge(actor.getSnapshot());
      return sound;
    },
    async take(step) {
      sink.marks = marks;
      if (step.do === 'send') actor.send({ ...payloadOf(step), type: step.type } as never);
      if (step.do === 'resolve' || step.do === 'reject') {
        const chosen = byPath(running(), ({ path }) => path, step.which);
        if (chosen !== undefined) {
          pending.splice(pending.indexOf(chosen), 1);
          if (step.do === 'resolve') chosen.resolve(step.output);
          else chosen.reject(step.error);
        }
      }
      await quiet();
    },
    async nextTimer() {
      return nextDue();
    },
    async moveTo(ms) {
      sink.marks = marks;
      // The simulated clock overlooks what its last callback sets for this very instant.
      do clock.set(ms);
      while ((nextDue() ?? ms + 1) <= ms);
      await quiet();
    },
    async seen() {
      const snapshot = actor.getSnapshot();
      return {
        status: snapshot.status,
        value: snapshot.value,
        context: snapshot.context,
        output: snapshot.output ?? null,
        error: plain(snapshot.error) ?? null,
        tags: [...snapshot.tags].sort(),
        emitted: [...emitted],
        marks: [...marks],
        working:
          snapshot.status === 'active'
            ? running()
                .map(({ path }) => path)
                .sort()
            : [],
      };
    },
  };
}

/** Every machine below gets the same `work`. */
function withWork(machine: AnyStateMachine, work: unknown): AnyStateMachine {
  const actors = Object.fromEntries(
    Object.entries(machine.implementations.actors).map(([src, logic]) => [
      src,
      src === 'work'
        ? work
        : '__xstatenode' in (logic as object)
          ? withWork(logic as AnyStateMachine, work)
          : logic,
    ]),
  );
  return machine.provide({ actors } as never) as AnyStateMachine;
}

function pathOf(ref: AnyActorRef): string {
  const parent = (ref as unknown as { _parent?: AnyActorRef })._parent;
  return parent === undefined ? '' : `${pathOf(parent)}/${ref.id}`;
}

/** The same choice for both: by path, then by age. */
function byPath<Item>(items: readonly Item[], path: (item: Item) => string, which: number): Item | undefined {
  const sorted = items
    .map((item, age) => ({ item, age }))
    .sort((a, b) => {
      const [left, right] = [path(a.item), path(b.item)];
      return left === right ? a.age - b.age : left < right ? -1 : 1;
    });
  return sorted.length === 0 ? undefined : sorted[which % sorted.length]?.item;
}

// The engine

const START = 1_800_000_000_000;

export interface EnginePlayer extends Player {
  readonly engine: Engine;
  readonly client: Client;
  readonly id: string;
  /** What the machine threw, where an event is in quarantine, and whether that was the last thing to happen. */
  poison(): Promise<{ readonly message: string; readonly last: boolean } | null>;
}

export async function startDurable(machine: AnyStateMachine): Promise<EnginePlayer> {
  let now = START;
  const marks: string[] = [];
  const workflow = defineWorkflow({ name: 'random', machine });
  const store = createMemoryStore({ now: () => now });
  const engine = createEngine({ store, registry: createRegistry([workflow]), log: silentLogger() });
  const client = createClient(engine);
  sink.marks = marks;
  const { instance } = await client.start(workflow, undefined as never, { id: 'one' });
  const { id } = instance;
  await engine.settled();

  async function tree(instanceId = id, path = ''): Promise<{ open: OpenInstance; path: string }[]> {
    const open = await engine.open(instanceId);
    if (open === null) return [];
    const below = await Promise.all(
      Object.values(open.record.children).map((child) => tree(child.instanceId, `${path}/${child.actorId}`)),
    );
    return [{ open, path }, ...below.flat()];
  }
  async function working() {
    return (await tree()).flatMap(({ open, path }) =>
      Object.entries(open.record.activities)
        .sort(([a], [b]) => age(a) - age(b))
        .map(([token, { actorId }]) => ({ instanceId: open.record.id, token, path: `${path}/${actorId}` })),
    );
  }
  async function timers() {
    const found = (await tree()).flatMap(({ open }) =>
      Object.entries(open.record.timers).map(([token, { fireAt }]) => ({
        instanceId: open.record.id,
        token,
        fireAt,
      })),
    );
    found.sort((a, b) => a.fireAt - b.fireAt || age(a.token) - age(b.token));
    // Of two instances' timers for one instant, the one set first.
    for (const { instanceId, token } of found) {
      const name = `${instanceId}|${token}`;
      if (!firstSeen.has(name)) firstSeen.set(name, firstSeen.size);
    }
    const order = ({ instanceId, token }: { instanceId: string; token: string }) =>
      firstSeen.get(`${instanceId}|${token}`) ?? 0;
    return found.sort((a, b) => a.fireAt - b.fireAt || order(a) - order(b));
  }
  const firstSeen = new Map<string, number>();

  return {
    engine,
    client,
    id,
    async take(step) {
      sink.marks = marks;
      if (step.do === 'send') await client.signalById(id, step.type, payloadOf(step));
      if (step.do === 'resolve' || step.do === 'reject') {
        const chosen = byPath(await working(), ({ path }) => path, step.which);
        if (chosen !== undefined)
          await engine.handle(chosen.instanceId, { event: resultOf(step, chosen.token) });
      }
      await engine.settled();
      await timers();
    },
    async poison() {
      const message = (await client.describe(id))?.quarantine[0]?.error;
      const newest = (await client.history(id, { limit: 1_000 })).at(-1);
      const last = newest?.effects?.some(({ type }) => type === 'quarantined') ?? false;
      return message === undefined ? null : { message, last };
    },
    async nextTimer() {
      const [first] = await timers();
      return first === undefined ? null : first.fireAt - START;
    },
    async moveTo(ms) {
      sink.marks = marks;
      now = START + ms;
      for (;;) {
        const [first] = await timers();
        if (first === undefined || first.fireAt > now) return;
        await engine.handle(first.instanceId, { event: { kind: 'timer.fired', token: first.token } });
        await engine.settled();
      }
    },
    async seen() {
      const open = await engine.open(id);
      if (open === null) throw new Error('the instance is gone');
      const { snapshot } = open;
      const emitted = (await client.history(id, { limit: 1_000 })).flatMap(({ effects }) =>
        (effects ?? []).flatMap((effect) => (effect.type === 'emitted' ? [effect.event] : [])),
      );
      return {
        status: snapshot.status,
        value: snapshot.value,
        context: snapshot.context,
        output: snapshot.output ?? null,
        error: plain(snapshot.error) ?? null,
        tags: [...snapshot.tags].sort(),
        emitted,
        marks: [...marks],
        working: (await working()).map(({ path }) => path).sort(),
      };
    },
  };
}

function age(token: string): number {
  const [revision = 0, index = 0] = token.split('-').map(Number);
  return revision * 10_000 + index;
}

function resultOf(step: Extract<Step, { do: 'resolve' | 'reject' }>, token: string) {
  if (step.do === 'resolve')
    return { kind: 'activity.done', token, attempt: 1, output: step.output } as const;
  const failure = { kind: 'terminal', code: 'x', message: 'x', raw: plain(step.error) } as const;
  return { kind: 'activity.failed', token, attempt: 1, failure, jitter: 0 } as const;
}

export interface Duet {
  /** Events after which the machine was still open. */
  readonly moved: number;
  /** Why it ended before its last step, if it did. */
  readonly cut: 'unsound' | 'poison' | null;
}

/**
 * Plays the steps on both and calls back after each with what either shows. It ends early where XState contradicts
 * itself, and where the machine throws: XState's actor is lost then, the engine keeps the instance as it was and the
 * event in quarantine.
 */
export async function playDuet(
  machine: AnyStateMachine,
  steps: readonly Step[],
  compare: (durable: unknown, original: unknown, step: Step | null) => void,
): Promise<Duet> {
  const original = await startOriginal(machine);
  const durable = await startDurable(machine);
  let now = 0;
  let moved = 0;

  async function look(step: Step | null): Promise<Duet | null> {
    if (!original.sound()) return { moved, cut: 'unsound' };
    const [seen, expected] = [await durable.seen(), await original.seen()];
    const poison = await durable.poison();
    if (poison !== null) {
      compare(poison.message, (expected.error as { message?: unknown } | null)?.message, step);
      // XState's last state before the error is where the engine stays, unless further events have moved it on.
      if (poison.last) compare(stateOf(seen), stateOf(expected), step);
      return { moved, cut: 'poison' };
    }
    compare(seen, expected, step);
    return seen.status === 'active' ? null : { moved, cut: null };
  }

  let over = await look(null);
  for (const step of steps) {
    if (over !== null) return over;
    if (step.do === 'wait') {
      const until = now + step.ms;
      while (now < until && over === null) {
        const dues = [await original.nextTimer(), await durable.nextTimer()].filter((due) => due !== null);
        now = Math.min(until, ...dues.map((due) => Math.max(due, now)));
        await original.moveTo(now);
        await durable.moveTo(now);
        over = await look(step);
      }
    } else {
      await original.take(step);
      await durable.take(step);
      over = await look(step);
    }
    moved += 1;
  }
  return over ?? { moved, cut: null };
}

function stateOf({ value, context }: Seen): unknown {
  return { value, context };
}
