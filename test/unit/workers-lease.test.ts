/** A worker's hold on its claims: renewed, given up in time, and never trusted further than the store has answered. */
import { beforeEach, describe, expect, it } from '@jest/globals';
import { type AppError, isAppError } from '../../shared/errors.ts';
import { silentLogger } from '../../shared/logger.ts';
import { LEASE_LOST } from '../../workers/activations.ts';
import { LEASE_TTL_MS, startLease } from '../../workers/lease.ts';
import { deferred } from '../support/engine-house.ts';
import { type VirtualTime, virtualTime } from '../support/virtual-time.ts';

let time: VirtualTime;
/** What was asked of the store and done to the activations, with the ms since the start. */
let seen: [number, string, ...unknown[]][];
let ticks: number;
/** What the store answers a renewal with, in its own time. */
let answer: () => Promise<string | null>;
let lost: readonly string[];
let kept: () => Promise<void>;
let storeLost: AppError[];
beforeEach(() => {
  time = virtualTime();
  seen = [];
  ticks = 0;
  answer = async () => 'here';
  lost = [];
  kept = async () => {};
  storeLost = [];
});

function start() {
  const began = time.scheduler.now();
  const note = (what: string, ...about: unknown[]) =>
    void seen.push([time.scheduler.now() - began, what, ...about]);
  const running = [{ instanceId: 'i', token: 't' }];
  const store = {
    async renewLease(worker: string, ttlMs: number) {
      ticks += 1;
      const tick = ticks;
      note('renew', worker, ttlMs);
      return { epoch: await answer(), tick };
    },
    async lostClaims(...asked: unknown[]) {
      note('look', ...asked);
      return lost;
    },
    async dropLease(worker: string) {
      await Promise.resolve();
      note('drop', worker);
      throw new Error('away');
    },
  };
  return startLease({
    engine: { store } as never,
    worker: 'w',
    activations: {
      running: () => running,
      abort: (field: string, reason: string) => note('abort', field, reason),
      abortAll: (reason: string) => note('abort all', reason),
    } as never,
    log: silentLogger(),
    scheduler: time.scheduler,
    epoch: 'here',
    remember: async ({ epoch, tick }) => {
      note('remember', epoch, tick);
      await kept();
    },
    onStoreLost: (error) => void storeLost.push(error),
  });
}
const times = (what: string) => seen.filter(([, did]) => did === what).map(([at]) => at);
const never = () => new Promise<never>(() => {});

describe('a lease', () => {
  it('is taken before anything begins, and renewed each second with a look at what was taken away', async () => {
    lost = ['i|t'];
    await start();
    expect(seen.slice(0, 4)).toEqual([
      [0, 'renew', 'w', LEASE_TTL_MS],
      [0, 'look', 'w', [{ instanceId: 'i', token: 't' }]],
      [0, 'abort', 'i|t', 'canceled'],
      [0, 'remember', 'here', 1],
    ]);

    await time.pass(0);
    seen = [];
    await time.pass(3_500);

    expect(times('renew')).toEqual([1_000, 2_000, 3_000]);
    expect(times('abort')).toEqual([1_000, 2_000, 3_000]);
    expect(times('remember')).toEqual([1_000, 2_000, 3_000]);
  });

  it('does not begin before its store is remembered, and not where it cannot be', async () => {
    const memory = deferred();
    kept = () => memory.promise;
    let begun = false;
    const starting = start().then(() => {
      begun = true;
    });
    await time.pass(10);
    expect([times('remember'), begun]).toEqual([[0], false]);

    memory.reject(new Error('the disk is full'));

    await expect(starting).rejects.toThrow('the disk is full');
  });

  it('never ends what runs while it is renewed', async () => {
    await start();

    await time.pass(20_000);

    expect(times('abort all')).toEqual([]);
  });

  it('ends what runs half a second before it does, counted from when the last answered renewal was sent', async () => {
    await start();
    await time.pass(0);
    const late = deferred();
    answer = () => late.promise.then(() => 'here');
    // Sent at 1000, answered at 1800; the one after that hangs.
    await time.pass(1_800);
    answer = never;
    late.resolve();
    await time.pass(2_699);
    expect(times('abort all')).toEqual([]);

    await time.pass(1);

    expect(seen.at(-1)).toEqual([4_500, 'abort all', LEASE_LOST]);
    // One that hangs is waited for: a second would only hang behind it.
    expect(times('renew')).toEqual([0, 0, 1_000, 2_800]);
  });

  it('is asked for again a second after the store refused to renew it, and has not ended then', async () => {
    await start();
    await time.pass(0);
    answer = () => Promise.reject(new Error('away'));
    await time.pass(2_500);
    answer = async () => 'here';
    await time.pass(10_000);

    expect(times('renew').slice(0, 5)).toEqual([0, 0, 1_000, 2_000, 3_000]);
    expect(times('abort all')).toEqual([]);
  });

  it('ends, and nothing new is remembered, where the store is another one', async () => {
    await start();
    await time.pass(0);
    answer = async () => 'elsewhere';
    seen = [];

    await time.pass(3_499);
    expect(storeLost[0]).toMatchObject({
      code: 'store-rewound',
      details: { expected: 'here', found: 'elsewhere' },
    });
    expect([times('look'), times('remember'), times('abort all')]).toEqual([[], [], []]);

    await time.pass(1);
    expect(times('abort all')).toEqual([3_500]);
  });

  it('is given up after the renewal under way, which would take it again', async () => {
    const lease = await start();
    await time.pass(0);
    const late = deferred();
    answer = () => late.promise.then(() => 'here');
    await time.pass(1_000);
    let stopped = false;
    const stopping = lease.stop().then(() => {
      stopped = true;
    });
    await time.pass(500);
    expect([times('drop'), stopped]).toEqual([[], false]);

    late.resolve();
    await stopping;

    expect(times('drop')).toEqual([1_500]);
  });

  it('is given up at the end, and nothing is aborted after that', async () => {
    const lease = await start();
    await time.pass(0);
    const stopped = lease.stop();
    await stopped;
    expect(seen.at(-1)).toEqual([0, 'drop', 'w']);

    await time.pass(20_000);

    expect(times('abort all')).toEqual([]);
    expect(times('renew')).toEqual([0, 0]);
    expect(time.booked()).toEqual([]);
  });
});

describe('a confirmation', () => {
  it('comes of a renewal sent after it was asked for, once what that saw is remembered', async () => {
    const lease = await start();
    await time.pass(0);
    seen = [];
    const memory = deferred();
    kept = () => memory.promise;
    let confirmed = false;
    const confirming = lease.confirm().then(() => {
      confirmed = true;
    });
    await time.pass(10);
    expect(seen).toEqual([
      [0, 'renew', 'w', LEASE_TTL_MS],
      [0, 'remember', 'here', 3],
    ]);
    expect(confirmed).toBe(false);

    memory.resolve();
    await confirming;
  });

  it('is shared by all who ask while one is under way, and is never that one', async () => {
    const lease = await start();
    await time.pass(0);
    const answers = [deferred(), deferred(), deferred()];
    let sent = 0;
    answer = () => {
      sent += 1;
      return (answers[sent - 1]?.promise ?? Promise.resolve()).then(() => 'here');
    };
    const done: string[] = [];
    const ask = (who: string) => void lease.confirm().then(() => done.push(who));
    ask('first');
    await time.pass(1);
    ask('second');
    ask('third');
    await time.pass(1);
    expect([sent, done]).toEqual([1, []]);

    answers[0]?.resolve();
    await time.pass(1);
    expect([sent, done]).toEqual([2, ['first']]);
    ask('fourth');

    answers[1]?.resolve();
    await time.pass(1);
    expect([sent, done]).toEqual([3, ['first', 'second', 'third']]);
    answers[2]?.resolve();
    await time.pass(1);
    expect(done).toEqual(['first', 'second', 'third', 'fourth']);
  });

  it('is refused where the store is away or another one, and the next is asked for anew', async () => {
    const lease = await start();
    await time.pass(0);
    answer = () => Promise.reject(new Error('away'));
    const [first, second] = [lease.confirm(), lease.confirm()];
    await expect(first).rejects.toThrow('away');
    await expect(second).rejects.toThrow('away');

    answer = async () => 'elsewhere';
    seen = [];
    const error = await lease.confirm().catch((cause: unknown) => cause);
    expect(isAppError(error, 'store-rewound')).toBe(true);
    expect(times('remember')).toEqual([]);

    answer = async () => 'here';
    await lease.confirm();
    expect(times('remember')).toHaveLength(1);
  });
});
