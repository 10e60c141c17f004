/** What a worker does again and again: when the next turn comes, what it asks of the store, and whom it leaves alone. */
import { describe, expect, it } from '@jest/globals';
import { AppError } from '../../shared/errors.ts';
import { silentLogger } from '../../shared/logger.ts';
import { startLoop } from '../../workers/loop.ts';
import { createPausedQueues } from '../../workers/paused-queues.ts';
import { startTimerLoop } from '../../workers/timer-loop.ts';
import { deferred } from '../support/engine-house.ts';
import { virtualTime } from '../support/virtual-time.ts';

const log = silentLogger();

describe('a loop', () => {
  function looping(...answers: (() => Promise<number>)[]) {
    const time = virtualTime();
    const began = time.scheduler.now();
    const turns: number[] = [];
    const turn = () => {
      turns.push(time.scheduler.now() - began);
      return (answers[turns.length - 1] ?? (async () => 1_000_000))();
    };
    return { time, turns, loop: startLoop('test', log, turn, time.scheduler) };
  }
  const wait = (ms: number) => async () => ms;

  it('waits as long as its turn says, not at all where that is nothing, and half a second after an error', async () => {
    const { time, turns } = looping(wait(30), wait(0), () => Promise.reject(new Error('no')), wait(70));
    await time.pass(599);
    expect(turns).toEqual([0, 30, 30, 530]);

    await time.pass(1);

    expect(turns).toEqual([0, 30, 30, 530, 600]);
  });

  it('has its next turn at once when it is nudged, and the wait before that is over', async () => {
    const { time, turns, loop } = looping(wait(100), wait(50), wait(1_000));
    await time.pass(10);

    loop.nudge();
    await time.pass(95);

    expect(turns).toEqual([0, 10, 60]);
  });

  it('has another turn at once when it is nudged during one, and only one', async () => {
    const first = deferred<number>();
    const { time, turns, loop } = looping(() => first.promise, wait(500));
    await time.pass(10);
    loop.nudge();
    loop.nudge();
    first.resolve(1_000);
    await time.pass(499);

    expect(turns).toEqual([0, 10]);
  });

  it('stops at once while it waits, and after the turn under way otherwise', async () => {
    const waiting = looping(wait(1_000));
    await waiting.time.pass(1);
    await waiting.loop.stop();
    expect(waiting.time.booked()).toEqual([]);

    const first = deferred<number>();
    const { time, turns, loop } = looping(() => first.promise);
    await time.pass(1);
    let stopped = false;
    const stopping = loop.stop().then(() => {
      stopped = true;
    });
    await time.pass(5_000);
    expect(stopped).toBe(false);
    first.resolve(10);
    await stopping;
    await time.pass(5_000);
    expect(turns).toEqual([0]);
  });
});

describe('the timer loop', () => {
  interface Due {
    readonly tokens: readonly string[];
    readonly nextDue: number | null;
  }
  /** Two shards, each with what is due at each of its polls; from then on nothing. */
  function firing(
    shards: readonly (readonly Due[])[],
    fire = async (_token: string): Promise<void> => {},
    back = Promise.resolve(),
  ) {
    const time = virtualTime(0.5);
    const began = time.scheduler.now();
    const polls: [number, ...unknown[]][] = [];
    const fired: [string, unknown][] = [];
    const released: unknown[][] = [];
    const polled = shards.map(() => 0);
    const store = {
      shards: shards.length,
      now: () => 50_000 + time.scheduler.now() - began,
      async dueTimers(shard: number, limit: number, hideMs: number) {
        polls.push([time.scheduler.now() - began, shard, limit, hideMs]);
        const found = shards[shard]?.[polled[shard] ?? 0];
        polled[shard] = (polled[shard] ?? 0) + 1;
        const { tokens, nextDue } = found ?? { tokens: [], nextDue: null };
        return { timers: tokens.map((token) => ({ instanceId: 'i', token })), nextDue };
      },
      async releaseTimers(...asked: unknown[]) {
        released.push(asked);
        await back;
      },
    };
    const handle = async (instanceId: string, { event }: { event: { kind: string; token: string } }) => {
      fired.push([instanceId, event]);
      await fire(event.token);
    };
    startTimerLoop({ store, handle } as never, log, time.scheduler);
    const pollsOf = (shard: number) => polls.filter(([, of]) => of === shard).map(([at]) => at);
    return { time, polls, pollsOf, fired, released };
  }
  const foreign = new AppError('workflow-version-missing', 'not here');

  it('fires what is due in every shard, hidden from the others meanwhile', async () => {
    const { time, polls, fired, released } = firing([
      [{ tokens: ['a', 'b'], nextDue: null }],
      [{ tokens: ['c'], nextDue: null }],
    ]);
    await time.pass(0);

    expect(polls.slice(0, 2)).toEqual([
      [0, 0, 200, 5_000],
      [0, 1, 200, 5_000],
    ]);
    expect(fired).toEqual(['a', 'b', 'c'].map((token) => ['i', { kind: 'timer.fired', token }]));
    expect(released).toEqual([]);
  });

  it('looks again when the next one of any shard is due by the store, at least after 100 and at most after 5 ms', async () => {
    const { time, pollsOf } = firing([
      [
        { tokens: [], nextDue: null },
        { tokens: [], nextDue: 50_100 + 40 },
        { tokens: [], nextDue: 50_140 - 7 },
        { tokens: [], nextDue: 90_000 },
      ],
      [
        { tokens: [], nextDue: null },
        { tokens: [], nextDue: 50_100 + 90 },
      ],
    ]);
    await time.pass(250);

    expect(pollsOf(0)).toEqual([0, 100, 140, 145, 245]);
    expect(pollsOf(1)).toEqual(pollsOf(0));
  });

  it('looks again at once where one shard had as many as it asked for', async () => {
    const many = Array.from({ length: 200 }, (_, n) => `t${n}`);
    const { time, pollsOf } = firing([
      [
        { tokens: many, nextDue: null },
        { tokens: many.slice(1), nextDue: null },
      ],
      [],
    ]);
    await time.pass(99);

    expect(pollsOf(1)).toEqual([0, 0]);
  });

  it('gives back what it lacks the workflow for, and that alone, and steps back so that others look first', async () => {
    const many = ['strange', ...Array.from({ length: 199 }, (_, n) => `t${n}`)];
    const { time, pollsOf, released, fired } = firing(
      [[], [{ tokens: many, nextDue: null }]],
      async (token) => {
        if (token === 'strange') throw foreign;
      },
    );
    await time.pass(299);
    expect(fired).toHaveLength(200);
    expect(released).toEqual([[1, [{ instanceId: 'i', token: 'strange' }], 20]]);
    expect(pollsOf(0)).toEqual([0]);

    await time.pass(1);

    expect(pollsOf(0)).toEqual([0, 300]);
  });

  it('waits until the timers given back are with the others', async () => {
    const back = deferred();
    const due = [[{ tokens: ['strange'], nextDue: 50_001 }]];
    const { time, pollsOf } = firing(due, () => Promise.reject(foreign), back.promise);
    await time.pass(1_000);
    back.resolve();
    await time.pass(299);
    expect(pollsOf(0)).toEqual([0]);

    await time.pass(1);

    expect(pollsOf(0)).toEqual([0, 1_300]);
  });

  it('leaves one that failed hidden, fires the others, and goes on as ever', async () => {
    const { time, fired, released, pollsOf } = firing(
      [[{ tokens: ['a', 'b'], nextDue: null }]],
      async (token) => {
        if (token === 'a') throw new Error('the store is away');
      },
    );
    await time.pass(100);

    expect(fired).toHaveLength(2);
    expect(released).toEqual([]);
    expect(pollsOf(0)).toEqual([0, 100]);
  });
});

describe('paused queues', () => {
  function watching(names: readonly string[]) {
    const time = virtualTime();
    const did: string[] = [];
    const stored = { paused: [] as string[], ready: Promise.resolve() };
    const queues = createPausedQueues(
      {
        async pauseQueue({ queue, code, reason }: Record<string, string>) {
          await stored.ready;
          did.push(`stored ${queue} ${code} ${reason}`);
        },
        pausedQueues: async () => stored.paused.map((queue) => ({ queue })),
      } as never,
      log,
      time.scheduler,
    );
    const consumers = names.map((name) => {
      let paused = false;
      return {
        name,
        isPaused: () => paused,
        async pause(doNotWait: boolean) {
          did.push(`${name} paused, waiting: ${!doNotWait}`);
          paused = true;
        },
        resume() {
          did.push(`${name} resumed`);
          paused = false;
        },
        close: async () => {},
      };
    });
    return { time, did, stored, queues, watch: () => queues.watch(consumers) };
  }

  it('are not told of as paused before the store has it', async () => {
    const { queues, stored } = watching([]);
    stored.ready = Promise.reject(new Error('away'));

    await expect(queues.pause('a', 'sign-in-failed', 'why')).rejects.toThrow('away');
  });

  it('are told to everybody once, and hold here at once', async () => {
    const { did, queues } = watching([]);
    const pausing = [queues.pause('a', 'sign-in-failed', 'why'), queues.pause('a', 'other', 'why else')];
    expect([queues.has('a'), queues.has('b')]).toEqual([true, false]);
    await Promise.all(pausing);
    await queues.pause('b', 'c', 'd');

    expect(did).toEqual(['stored a sign-in-failed why', 'stored b c d']);
    expect([queues.has('a'), queues.has('b')]).toEqual([true, true]);
  });

  it('keep their consumers in step with the store, looking each half second', async () => {
    const { time, did, stored, queues, watch } = watching(['a', 'b']);
    stored.paused = ['a'];
    watch();
    await time.pass(499);
    expect([queues.has('a'), queues.has('b')]).toEqual([true, false]);
    stored.paused = ['b'];
    await time.pass(2_000);
    expect([queues.has('a'), queues.has('b')]).toEqual([false, true]);

    expect(did).toEqual(['a paused, waiting: false', 'a resumed', 'b paused, waiting: false']);
  });
});
