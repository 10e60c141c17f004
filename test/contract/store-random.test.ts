/** The memory store stands in for Redis in every simulation, so random scripts of calls must not tell the two apart. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { CommitEntry, Store } from '../../engine/store.ts';
import { commitOf, memoryBench, redisBench, SHARDS } from '../support/engine-stores.ts';

const IDS = ['one', 'two', 'a', 'm'];
const TOKENS = ['1-0', '1-1', '2-0'];
const WORKERS = ['w1', 'w2'];
const NAMES = ['all', 'even', 'odd'];
const PAST = 1_000;
const FUTURE = 4_000_000_000_000;

type Call = readonly [name: string, run: (store: Store) => Promise<unknown>];

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
  readonly machine: string | null;
  readonly signal: string | null;
  readonly secrets: readonly [string[], string[]];
  readonly timers: readonly [[string, number][], string[]];
  readonly outbox: readonly [string[], [number, boolean][], string[]];
  readonly claims: readonly [[string, string][], string[]];
  readonly forget: string[];
  readonly indexes: readonly [number, string[], string[]];
  readonly due: number | null;
}

const commitParts: fc.Arbitrary<Parts> = fc.record({
  id,
  revision: fc.option(fc.nat(4), { freq: 1 }),
  machine: fc.option(fc.constantFrom('m1', 'm2')),
  signal: fc.option(signalId),
  secrets: fc.tuple(some(fc.constantFrom('x', 'y')), some(fc.constantFrom('x', 'y'))),
  timers: fc.tuple(some(fc.tuple(token, fc.constantFrom(PAST, PAST + 1, FUTURE))), some(token)),
  outbox: fc.tuple(some(token), some(fc.tuple(fc.nat(2), fc.boolean())), some(token)),
  claims: fc.tuple(some(fc.tuple(token, worker)), some(token)),
  forget: some(token),
  indexes: fc.tuple(fc.nat(3), some(fc.constantFrom(...NAMES)), some(fc.constantFrom(...NAMES))),
  due: fc.option(fc.constantFrom(PAST, FUTURE), { freq: 5 }),
});

const activityId = (instance: string, of: string) => `a|${instance}|${of}|q`;

async function entryOf(store: Store, given: Parts): Promise<CommitEntry> {
  const present = (await store.load(given.id))?.revision ?? 0;
  const parts = { ...given, revision: given.revision ?? present };
  const [scheduled, messages, dropped] = parts.outbox;
  return commitOf(parts.id, parts.revision, {
    notBefore: parts.due,
    // The first commit of an instance always brings its machine.
    machine: parts.revision === 0 ? (parts.machine ?? 'm1') : parts.machine,
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
  });
}

const sorted = (values: readonly unknown[]) => values.map((value) => JSON.stringify(value)).sort();
const coarse = (ms: number | null) =>
  ms === null ? null : ms === FUTURE ? 'future' : ms < 10_000 ? 'past' : 'hidden';

const call: fc.Arbitrary<Call> = fc.oneof(
  {
    weight: 8,
    arbitrary: commitParts.map(
      (parts): Call => [`commit ${JSON.stringify(parts)}`, async (s) => s.commit(await entryOf(s, parts))],
    ),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(id, token, worker, fc.option(fc.nat(4)))
      .map(
        ([i, t, w, known]): Call => [
          `claim ${i} ${t} ${w} ${known}`,
          (s) => s.claim(i, activityId(i, t), { token: t, worker: w, known: known ?? undefined }),
        ],
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(id, token, worker, fc.boolean())
      .map(
        ([i, t, w, back]): Call => [
          `unclaim ${i} ${t} ${w} ${back}`,
          (s) => s.unclaim(i, t, w, back ? activityId(i, t) : null),
        ],
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(id, token, worker)
      .map(([i, t, w]): Call => [`heartbeat ${i} ${t} ${w}`, (s) => s.heartbeat(i, t, w, '1')]),
  },
  {
    weight: 1,
    arbitrary: worker.map(
      (w): Call => [
        `lostClaims ${w}`,
        async (s) =>
          sorted(
            await s.lostClaims(
              w,
              IDS.flatMap((i) => TOKENS.map((t) => ({ instanceId: i, token: t }))),
            ),
          ),
      ],
    ),
  },
  {
    weight: 1,
    arbitrary: shard.map((at): Call => [`claims ${at}`, async (s) => sorted(await s.claims(at))]),
  },
  {
    weight: 1,
    arbitrary: shard.map(
      (at): Call => [
        `dueTimers ${at}`,
        async (s) => {
          const due = await s.dueTimers(at, 100, 60_000);
          return [sorted(due.timers), coarse(due.nextDue)];
        },
      ],
    ),
  },
  {
    weight: 1,
    arbitrary: shard.map(
      (at): Call => [`dueOutbox ${at}`, async (s) => sorted(await s.dueOutbox(at, 100, 60_000))],
    ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(id, fc.nat(4), fc.nat(2))
      .map(
        ([i, r, n]): Call => [`ack ${i} ${r} ${n}`, (s) => s.ackOutbox(s.shardOf(i), [`m|${i}|${r}|${n}`])],
      ),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(key, id)
      .map(
        ([k, i]): Call => [
          `register ${k} ${i}`,
          async (s) => (await s.register(k, i)).map(({ signalId: of, body }) => [of, body]),
        ],
      ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(key, id).map(([k, i]): Call => [`unregister ${k} ${i}`, (s) => s.unregister(k, i)]),
  },
  {
    weight: 2,
    arbitrary: fc.tuple(key, signalId).map(
      ([k, of]): Call => [
        `route ${k} ${of}`,
        async (s) => {
          const found = await s.route(k, { id: of, body: `body ${of}` });
          return found === null ? 'came before' : sorted(found);
        },
      ],
    ),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(key, signalId).map(([k, of]): Call => [`unpark ${k} ${of}`, (s) => s.unpark(k, of)]),
  },
  {
    weight: 1,
    arbitrary: fc.constant([
      'parked',
      async (s: Store) => sorted((await s.parked(50)).map(({ key: k, signalId: of, body }) => [k, of, body])),
    ] as Call),
  },
  {
    weight: 1,
    arbitrary: fc
      .tuple(
        fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1 }),
        fc.integer({ min: 1, max: 3 }),
        fc.option(fc.record({ score: fc.nat(3), id })),
      )
      .map(
        ([indexes, limit, before]): Call => [
          `list ${indexes} ${limit} ${JSON.stringify(before)}`,
          (s) => s.list({ indexes, limit, before }),
        ],
      ),
  },
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

describe('random scripts of calls', () => {
  it('get equal answers from memory and Redis', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 5, maxLength: 40 }), async (script) => {
        const [memory, redis] = await Promise.all([memoryBench(), redisBench()]);
        try {
          for (const [name, run] of script) {
            const [expected, found] = [await run(memory.store), await run(redis.store)];
            expect({ name, answer: found }).toEqual({ name, answer: expected });
            await memory.pass(1);
          }
          expect(await everything(redis.store)).toEqual(await everything(memory.store));
        } finally {
          await redis.close();
        }
      }),
      { numRuns: Number(process.env['STORE_SCRIPTS'] ?? 250) },
    );
  });
});
