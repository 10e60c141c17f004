/** What becomes of one attempt: verified first where its last outcome is unknown, ended in time, and put into one word. */
import { describe, expect, it } from '@jest/globals';
import { fromPromise } from 'xstate';
import { z } from 'zod';
import { type ActivityContext, createCancellation, defineActivity, runAttempt } from '../../engine/index.ts';
import { ActivityFailure } from '../../shared/errors.ts';
import { silentLogger } from '../../shared/logger.ts';
import { deferred } from '../support/engine-house.ts';
import { virtualTime } from '../support/virtual-time.ts';

interface Given {
  run?(input: unknown, context: ActivityContext): Promise<unknown>;
  verify?(input: unknown, context: ActivityContext): Promise<unknown>;
  readonly unverified?: boolean;
  readonly input?: unknown;
  readonly heartbeatMs?: number;
  readonly rewound?: { since: number; at: number };
  heartbeat?(progress: unknown): Promise<void>;
}

function attempting(given: Given) {
  const time = virtualTime();
  const contract = defineActivity({
    ...{ name: 'act', description: 'Acting', input: z.string(), output: z.number(), timeoutMs: 10_000 },
    ...(given.heartbeatMs === undefined ? {} : { heartbeatMs: given.heartbeatMs }),
  });
  const { run = async () => 1, verify } = given;
  const implementation = { contract, run, ...(verify === undefined ? {} : { verify }) };
  const logic = fromPromise(async () => 1);
  const activity = {
    ...{ actorId: 'a', src: 'act', queue: 'q', attempt: 1, phase: 'open', answers: 0, budgetFrom: 1 },
    ...{ input: given.input ?? 'text', unverified: given.unverified ?? false },
  };
  const record = { id: 'one', activities: { t: activity }, rewound: given.rewound };
  const cancellation = createCancellation();
  const outcome = runAttempt({
    registry: { actor: () => ({ kind: 'activity', name: 'act', contract, logic }) } as never,
    implementations: new Map([['act', implementation]]) as never,
    open: { record, definition: {} } as never,
    ...{ token: 't', progress: null, cancellation, log: silentLogger(), after: time.scheduler.after },
    heartbeat: given.heartbeat ?? (async () => {}),
  });
  return { time, outcome, cancellation };
}
const outcomeOf = (given: Given) => attempting(given).outcome;
const failed = (kind: string, code: string, more: object = {}) => ({
  ...{ kind: 'failed', ...more },
  failure: expect.objectContaining({ kind, code }),
});
const never = () => new Promise<never>(() => {});

describe('an attempt', () => {
  it('is run, and leaves no timer behind', async () => {
    const { outcome, time } = attempting({ run: async (input) => String(input).length, heartbeatMs: 100 });
    expect(await outcome).toEqual({ kind: 'done', output: 4, secrets: new Map() });
    expect(time.booked()).toEqual([]);
  });

  it('takes nothing and gives nothing out of shape', async () => {
    expect(await outcomeOf({ input: 7 })).toEqual(failed('terminal', 'activity-input-invalid'));
    expect(await outcomeOf({ run: async () => 'no' })).toEqual(
      failed('unexpected', 'activity-output-invalid'),
    );
  });

  it('looks first where its last outcome is unknown, and only then', async () => {
    const did: string[] = [];
    const with_ = (found: object, unverified = true): Given => ({
      unverified,
      async run() {
        did.push('run');
        return 1;
      },
      async verify() {
        did.push('verify');
        return found;
      },
    });
    const told: unknown[] = [];
    for (const given of [
      with_({ outcome: 'done', output: 2 }),
      with_({ outcome: 'not-done' }),
      with_({ outcome: 'unknown', reason: 'who knows' }),
      with_({ outcome: 'done', output: 'no' }),
      with_({ outcome: 'done', output: 2 }, false),
    ]) {
      did.length = 0;
      told.push([await outcomeOf(given), did.join()]);
    }

    const done = (output: number) => ({ kind: 'done', output, secrets: new Map() });
    expect(told).toEqual([
      [done(2), 'verify'],
      [done(1), 'verify,run'],
      [failed('unknown', 'outcome-unknown'), 'verify'],
      [failed('unexpected', 'activity-output-invalid'), 'verify'],
      [done(1), 'run'],
    ]);
  });

  it('does not run where its look-up failed, and keeps what the failure asked for', async () => {
    const asking = new ActivityFailure('retryable', 'busy', 'later', { retryAfterMs: 7, pausesQueue: 'q' });
    const given = (error: Error): Given => ({
      ...{ unverified: true, verify: () => Promise.reject(error) },
      run: () => Promise.reject(new Error('it ran')),
    });
    expect(await outcomeOf(given(new Error('boom')))).toEqual(failed('unknown', 'outcome-unknown'));
    const plain = await outcomeOf(given(new ActivityFailure('terminal', 'gone', 'no')));
    expect(plain).toStrictEqual({
      kind: 'failed',
      failure: { kind: 'unknown', code: 'gone', message: 'no', details: expect.anything() },
    });
    expect(await outcomeOf(given(asking))).toMatchObject({
      pausesQueue: 'q',
      failure: { kind: 'unknown', code: 'busy', retryAfterMs: 7 },
    });
  });

  it('ends at its deadline and when it is aborted, whether or not it heeds that', async () => {
    const slow = attempting({ run: never });
    await slow.time.pass(9_999);
    expect(slow.cancellation.aborted).toBe(false);
    await slow.time.pass(1);
    expect(await slow.outcome).toEqual(failed('unknown', 'activity-timeout'));

    const aborted = attempting({ run: never });
    aborted.cancellation.abort('canceled');
    expect(await aborted.outcome).toEqual(failed('unknown', 'activity-aborted'));
    expect(aborted.time.booked()).toEqual([]);
  });

  it('may be silent only so long, each heartbeat counting anew once it is stored', async () => {
    const beats: unknown[] = [];
    const store = deferred();
    let beat: (progress: unknown) => Promise<void> = async () => {};
    const { time, outcome, cancellation } = attempting({
      heartbeatMs: 100,
      run(_input, { heartbeat }) {
        beat = heartbeat;
        return never();
      },
      async heartbeat(progress) {
        beats.push(progress);
        await store.promise;
      },
    });
    await time.pass(99);
    let stored = false;
    const beating = beat(1).then(() => {
      stored = true;
    });
    await time.pass(99);
    expect([cancellation.aborted, beats, stored]).toEqual([false, [1], false]);
    store.resolve();
    await beating;
    await time.pass(1);
    expect(await outcome).toEqual(failed('unknown', 'activity-timeout'));
    expect(time.booked()).toEqual([]);
  });

  it('knows since when the store may have forgotten', async () => {
    const seen: unknown[] = [];
    const run = async (_: unknown, { lossSince }: ActivityContext) => seen.push(lossSince);
    await outcomeOf({ run });
    await outcomeOf({ run, rewound: { since: 5, at: 9 } });
    expect(seen).toEqual([null, 5]);
  });
});
