/**
 * The memory store stands in for Redis in every simulation, so random scripts of calls must not tell the two apart. Every
 * method of the port is in the scripts: one that is added there and left out here does not compile.
 */
import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { CommitEntry, Need, Store } from '../../engine/store.ts';
import { commitOf, memoryBench, redisBench, SHARDS } from './engine-stores.ts';

const IDS = ['one', 'two', 'a', 'm'];
const TOKENS = ['1-0', '1-1', '2-0'];
const WORKERS = ['w1', 'w2'];
const NAMES = ['all', 'even', 'odd'];
const PAST = 1_000;
const FUTURE = 4_000_000_000_000;

const id = fc.constantFrom(...IDS);
const token = fc.constantFrom(...TOKENS);
const worker = fc.constantFrom(...WORKERS);
const shard = fc.nat(SHARDS - 1);
const key = fc.constantFrom('tenant:1', 'tenant:2');
const signalId = fc.constantFrom('s1', 's2', 's3');
const some = <Value>(arbitrary: fc.Arbitrary<Value>) => fc.array(arbitrary, { maxLength: 2 });

interface Parts {
  readonly id: string;
  /** Null for the present one. */
  readonly revision: number | null;
  readonly context: string | null;
  readonly signal: string | null;
  readonly secrets: readonly [string[], string[]];
  readonly timers: readonly [[string, number][], string[]];
  readonly outbox: readonly [string[], [number, boolean][], string[]];
  readonly claims: readonly [[string, string][], string[]];
  readonly forget: string[];
  readonly indexes: readonly [number, string[], string[]];
  readonly due: number | null;
  readonly remove: boolean;
}

const commitParts: fc.Arbitrary<Parts> = fc.record({
  id,
  revision: fc.option(fc.nat(4), { freq: 1 }),
  context: fc.option(fc.constantFrom('c1', 'c2')),
  signal: fc.option(signalId),
  secrets: fc.tuple(some(fc.constantFrom('x', 'y')), some(fc.constantFrom('x', 'y'))),
  timers: fc.tuple(some(fc.tuple(token, fc.constantFrom(PAST, PAST + 1, FUTURE))), some(token)),
  outbox: fc.tuple(some(token), some(fc.tuple(fc.nat(2), fc.boolean())), some(token)),
  claims: fc.tuple(some(fc.tuple(token, worker)), some(token)),
  forget: some(token),
  indexes: fc.tuple(fc.nat(3), some(fc.constantFrom(...NAMES)), some(fc.constantFrom(...NAMES))),
  due: fc.option(fc.constantFrom(PAST, FUTURE), { freq: 5 }),
  remove: fc.nat(9).map((n) => n === 0),
});

const activityId = (instance: string, of: string) => `a|${instance}|${of}|q`;

async function entryOf(store: Store, given: Parts): Promise<CommitEntry> {
  const present = (await store.load(given.id))?.revision ?? 0;
  const parts = { ...given, revision: given.revision ?? present };
  const [scheduled, messages, dropped] = parts.outbox;
  return commitOf(parts.id, parts.revision, {
    notBefore: parts.due,
    // The first commit of an instance always brings its context.
    context: parts.revision === 0 ? (parts.context ?? 'c1') : parts.context,
    signal: parts.signal === null ? null : { id: parts.signal, outcome: 'applied' },
    secrets: {
      set: parts.secrets[0].map((name) => [name, `sealed-${parts.revision}`] as const),
      drop: parts.secrets[1],
    },
    timers: { set: parts.timers[0], clear: parts.timers[1] },
    outbox: {
      add: [
        ...scheduled.map((of) => ({ id: activityId(parts.id, of), delayMs: 0, body: null })),
        ...messages.map(([at, now]) => ({
          id: `m|${parts.id}|${parts.revision}|${at}`,
          delayMs: now ? 0 : FUTURE,
          body: 'x',
        })),
      ],
      drop: dropped.map((of) => activityId(parts.id, of)),
    },
    claims: { add: parts.claims[0].map(([of, by]) => ({ token: of, worker: by })), drop: parts.claims[1] },
    forget: parts.forget,
    indexes: { score: parts.indexes[0], add: parts.indexes[1], drop: parts.indexes[2] },
    remove: parts.remove,
  });
}

const sorted = (values: readonly unknown[]) => values.map((value) => JSON.stringify(value)).sort();
const coarse = (ms: number | null) =>
  ms === null ? null : ms === FUTURE ? 'future' : ms < 10_000 ? 'past' : 'hidden';

/** What a script calls: not the wiring. */
type Method = Exclude<keyof Store, 'shards' | 'shardOf' | 'now' | 'onWake' | 'close'>;
type Run = (store: Store) => Promise<unknown>;

const outsider = fc.constantFrom('w1', 'w2', 'w3');
const queue = fc.constantFrom('q1', 'q2');
const need = fc
  .record({ kind: fc.constantFrom('timer', 'activity'), id, token, fireAt: fc.constantFrom(PAST, FUTURE) })
  .map(({ kind, token: of, fireAt, id: instance }): Need & { instance: string } =>
    kind === 'timer'
      ? { kind: 'timer', token: of, fireAt, instance }
      : { kind: 'activity', token: of, outboxId: activityId(instance, of), instance },
  );
const everyClaim = IDS.flatMap((instanceId) => TOKENS.map((of) => ({ instanceId, token: of })));
const call = <Given>(given: fc.Arbitrary<Given>, run: (store: Store, given: Given) => Promise<unknown>) =>
  given.map((with_): readonly [unknown, Run] => [with_, (store) => run(store, with_)]);
const nothing = fc.constant(null);

/** How often a method is called in a script, what with, and what of its answer both stores must agree on. */
const CALLS: Readonly<Record<Method, readonly [weight: number, fc.Arbitrary<readonly [unknown, Run]>]>> = {
  load: [1, call(fc.tuple(id, fc.option(signalId)), (s, [of, seen]) => s.load(of, seen ?? undefined))],
  commit: [14, call(commitParts, async (s, parts) => s.commit(await entryOf(s, parts)))],
  history: [
    1,
    call(fc.tuple(id, fc.nat(5), fc.integer({ min: 1, max: 3 })), (s, [of, from, limit]) =>
      s.history(of, from, limit),
    ),
  ],
  secret: [1, call(fc.tuple(id, fc.constantFrom('x', 'y')), (s, [of, name]) => s.secret(of, name))],
  claim: [
    5,
    call(fc.tuple(id, token, worker, fc.option(fc.nat(4))), (s, [of, t, w, known]) =>
      s.claim(of, activityId(of, t), { token: t, worker: w, known: known ?? undefined }),
    ),
  ],
  unclaim: [
    2,
    call(fc.tuple(id, token, worker, fc.boolean()), (s, [of, t, w, back]) =>
      s.unclaim(of, t, w, back ? activityId(of, t) : null),
    ),
  ],
  disown: [1, call(fc.tuple(id, token, worker), (s, [of, t, w]) => s.disown(of, t, w))],
  heartbeat: [2, call(fc.tuple(id, token, worker), (s, [of, t, w]) => s.heartbeat(of, t, w, '1'))],
  lostClaims: [1, call(worker, async (s, w) => sorted(await s.lostClaims(w, everyClaim)))],
  claims: [1, call(shard, async (s, at) => sorted(await s.claims(at)))],
  dueTimers: [
    2,
    call(shard, async (s, at) => {
      const due = await s.dueTimers(at, 100, 60_000);
      return [sorted(due.timers), coarse(due.nextDue)];
    }),
  ],
  dropTimer: [1, call(fc.tuple(id, token), (s, [of, t]) => s.dropTimer(of, t))],
  releaseTimers: [
    1,
    // Long due, or not within any test: the two clocks need not agree on the ms.
    call(fc.tuple(id, token, fc.constantFrom(-60_000, 120_000)), (s, [of, t, delay]) =>
      s.releaseTimers(s.shardOf(of), [{ instanceId: of, token: t }], delay),
    ),
  ],
  dueOutbox: [
    3,
    // All or none of them: which are older, the two clocks need not agree on.
    call(fc.tuple(shard, fc.option(worker), fc.constantFrom(0, 100)), async (s, [at, w, room]) =>
      sorted(await s.dueOutbox(at, 100, 60_000, w === null ? undefined : { worker: w, room: [['q', room]] })),
    ),
  ],
  ackOutbox: [
    1,
    call(fc.tuple(id, fc.nat(4), fc.nat(2)), (s, [of, r, n]) =>
      s.ackOutbox(s.shardOf(of), [`m|${of}|${r}|${n}`]),
    ),
  ],
  releaseOutbox: [
    1,
    call(fc.tuple(id, fc.nat(4), fc.nat(2), fc.constantFrom(-60_000, 120_000)), (s, [of, r, n, delay]) =>
      s.releaseOutbox(s.shardOf(of), `m|${of}|${r}|${n}`, delay),
    ),
  ],
  missing: [2, call(need, (s, { instance, ...of }) => s.missing(instance, [of]))],
  putBack: [2, call(need, (s, { instance, ...of }) => s.putBack(instance, [of]))],
  renewLease: [
    2,
    call(
      fc.tuple(outsider, fc.constantFrom(60_000, 0)),
      async (s, [w, ttl]) => (await s.renewLease(w, ttl)).tick,
    ),
  ],
  dropLease: [1, call(outsider, (s, w) => s.dropLease(w))],
  liveWorkers: [2, call(nothing, async (s) => sorted(await s.liveWorkers()))],
  register: [
    2,
    call(fc.tuple(key, id), async (s, [k, of]) =>
      (await s.register(k, of)).map((parked) => [parked.signalId, parked.body]),
    ),
  ],
  unregister: [1, call(fc.tuple(key, id), (s, [k, of]) => s.unregister(k, of))],
  route: [
    3,
    call(fc.tuple(key, signalId), async (s, [k, of]) => {
      const found = await s.route(k, { id: of, body: `body ${of}` });
      return found === null ? 'came before' : sorted(found);
    }),
  ],
  holders: [1, call(key, async (s, k) => sorted(await s.holders(k)))],
  unpark: [1, call(fc.tuple(key, signalId), (s, [k, of]) => s.unpark(k, of))],
  parked: [
    1,
    call(fc.constantFrom(undefined, 0, 9e15), async (s, before) =>
      sorted((await s.parked(50, before)).map((one) => [one.key, one.signalId, one.body])),
    ),
  ],
  list: [
    2,
    call(
      fc.record({
        // No instance stands in two groups, so one whose indexes hold others is alone.
        anyOf: fc.oneof(
          fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1 }).map((names) => [names]),
          fc.constant([]),
        ),
        limit: fc.integer({ min: 1, max: 3 }),
        before: fc.option(fc.record({ score: fc.nat(3), id })),
        since: fc.nat(2),
      }),
      (s, query) => s.list(query),
    ),
  ],
  count: [1, call(fc.constantFrom(...NAMES), (s, name) => s.count(name))],
  pauseQueue: [1, call(queue, (s, name) => s.pauseQueue({ queue: name, code: 'c', reason: 'r' }))],
  resumeQueue: [1, call(queue, (s, name) => s.resumeQueue(name))],
  pausedQueues: [
    1,
    call(nothing, async (s) => sorted((await s.pausedQueues()).map((paused) => [paused.queue, paused.code]))),
  ],
  recordDefinitions: [
    1,
    call(
      fc.array(fc.tuple(fc.constantFrom('a@1', 'a@2'), fc.constantFrom('{}', '{"v":1}')), { maxLength: 2 }),
      (s, shapes) => s.recordDefinitions(shapes),
    ),
  ],
  definitions: [1, call(nothing, async (s) => sorted(await s.definitions()))],
};

interface Call {
  readonly method: string;
  readonly given: unknown;
  readonly run: Run;
}
const script = fc.array(
  fc.oneof(
    ...Object.entries(CALLS).map(([method, [weight, arbitrary]]) => ({
      weight,
      arbitrary: arbitrary.map(([given, run]): Call => ({ method, given, run })),
    })),
  ),
  { minLength: 5, maxLength: 60 },
);

/** Everything a store would tell about the ids of the script. */
async function everything(store: Store): Promise<unknown> {
  return Promise.all([
    ...IDS.map((of) => store.load(of, 's1')),
    ...IDS.map((of) => store.history(of, 0, 100)),
    ...IDS.map((of) => store.secret(of, 'x')),
    ...NAMES.map((name) => store.count(name)),
    ...['tenant:1', 'tenant:2'].map(async (of) => sorted(await store.holders(of))),
    ...Array.from({ length: SHARDS }, async (_, at) => sorted(await store.claims(at))),
  ]);
}

export interface ScriptsReport {
  readonly scripts: number;
  /** Calls made, by method. */
  readonly calls: Readonly<Record<string, number>>;
}

/** Plays random scripts on both stores; throws with the smallest one on which they differ. */
export async function playScripts(numRuns: number, seed?: number): Promise<ScriptsReport> {
  const calls = Object.fromEntries(Object.keys(CALLS).map((method) => [method, 0]));
  await fc.assert(
    fc.asyncProperty(script, async (given) => {
      const [memory, redis] = await Promise.all([memoryBench(), redisBench()]);
      try {
        for (const { method, given: with_, run } of given) {
          const [expected, found] = [await run(memory.store), await run(redis.store)];
          expect({ method, with_, answer: found }).toEqual({ method, with_, answer: expected });
          calls[method] = (calls[method] ?? 0) + 1;
          await memory.pass(1);
        }
        expect(await everything(redis.store)).toEqual(await everything(memory.store));
      } finally {
        await redis.close();
      }
    }),
    { numRuns, ...(seed === undefined ? {} : { seed }), interruptAfterTimeLimit: 0x7fffffff },
  );
  return { scripts: numRuns, calls };
}
