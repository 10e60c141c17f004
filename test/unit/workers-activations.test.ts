import { describe, expect, it } from '@jest/globals';
import { readEntry } from '../../engine/history.ts';
import {
  createClient,
  createEngine,
  createMemoryStore,
  createRegistry,
  implementationMap,
  ticketOf,
} from '../../engine/index.ts';
import { AppError } from '../../shared/errors.ts';
import { silentLogger } from '../../shared/logger.ts';
import { createActivations, LEASE_LOST } from '../../workers/activations.ts';
import { systemScheduler } from '../../workers/scheduler.ts';
import { deferred } from '../support/engine-house.ts';
import { oneAct } from '../support/engine-workflows.ts';
import { type VirtualTime, virtualTime } from '../support/virtual-time.ts';

describe('an activity whose outcome could not be committed', () => {
  it('is not run again by a second job for it, but by the attempt that verifies first', async () => {
    const seen: string[] = [];
    const { workflow, activities } = oneAct({
      run: async () => seen.push('run'),
      verify: async () => {
        seen.push('verify');
        return { outcome: 'done', output: 'found' };
      },
    });
    let refusing = false;
    let now = 1_000;
    const memory = createMemoryStore({ now: () => now });
    const store: typeof memory = {
      ...memory,
      commit: (entry) =>
        refusing ? Promise.reject(new AppError('store-unavailable', 'away')) : memory.commit(entry),
    };
    const log = silentLogger();
    const engine = createEngine({ store, registry: createRegistry([workflow]), log });
    const activations = createActivations({
      ...{
        engine,
        worker: 'w',
        implementations: implementationMap(activities),
        queues: ['default'],
        room: 0,
        log,
      },
      ...{ secretBox: null, scheduler: systemScheduler, isPaused: () => false, pauseQueue: async () => {} },
    });
    await createClient(engine).start(workflow, null, { id: 'one' });
    const record = async () => (await engine.open('one'))?.record;
    const [token = ''] = Object.keys((await record())?.activities ?? {});
    const ticket = ticketOf((await record()) as never, token);

    refusing = true;
    await expect(activations.run(ticket)).rejects.toThrow('away');
    refusing = false;
    await activations.run(ticket);
    expect(seen).toEqual(['run']);

    // What the reaper does with a claim that nobody here owns.
    const event = { kind: 'activity.lost', token, attempt: 1, why: 'test', jitter: 0 } as const;
    await engine.handle('one', { event });
    now += 60_000;
    const { timers } = await store.dueTimers(0, 10, 5_000);
    for (const timer of timers)
      await engine.handle('one', { event: { kind: 'timer.fired', token: timer.token } });
    await activations.run(ticket);

    expect(seen).toEqual(['run', 'verify']);
    expect((await record())?.status).toBe('completed');
  });
});

describe('a job for an activity', () => {
  const ticket = { instanceId: 'one', token: '1-0', queue: 'default', outboxId: 'a|one|1-0|default' };
  const field = 'one|1-0';

  /** Activations over a store that answers claims as told; `asked` is what was asked of it. */
  function claiming(
    claim: (time: VirtualTime) => Promise<unknown>,
    restore: () => unknown = () => undefined,
  ) {
    const time = virtualTime();
    const asked: unknown[][] = [];
    const store = {
      async claim(...about: unknown[]) {
        asked.push(['claim', ...about]);
        return claim(time);
      },
      async unclaim(...about: unknown[]) {
        asked.push(['unclaim', ...about]);
      },
    };
    const activations = createActivations({
      engine: { store, recent: () => undefined, restore } as never,
      ...{ worker: 'w', implementations: new Map(), queues: ['default'], room: 1, secretBox: null },
      ...{
        log: silentLogger(),
        scheduler: time.scheduler,
        isPaused: () => false,
        pauseQueue: async () => {},
      },
    });
    return { activations, asked, time };
  }
  const claimed = { revision: 1, stored: { revision: 1 }, progress: null };

  it('is nothing while another for it is under way here, and counts again after that', async () => {
    const answer = deferred<null>();
    const { activations, asked } = claiming(() => answer.promise);
    const first = activations.run(ticket);
    await activations.run(ticket);
    expect([asked.length, activations.owns(field)]).toEqual([1, true]);

    answer.resolve(null);
    await first;
    expect(activations.owns(field)).toBe(false);
    await activations.run(ticket);
    expect(asked).toHaveLength(2);
  });

  it('is asked about anew when the answer was so late that it may have been taken back', async () => {
    let answers = 0;
    const late = claiming(async (time) => {
      answers += 1;
      await time.pass(answers === 1 ? 501 : 0);
      return answers === 1 ? claimed : null;
    });
    await late.activations.run(ticket);
    expect(late.asked.map(([what]) => what)).toEqual(['claim', 'claim']);
  });

  it('lets go of what its instance no longer wants, and leaves what it does not know to another', async () => {
    const over = claiming(
      async () => claimed,
      () => ({ record: { id: 'one', activities: {} } }),
    );
    await over.activations.run(ticket);
    expect(over.asked.slice(1)).toEqual([['unclaim', 'one', '1-0', 'w', null]]);

    const foreign = claiming(
      async () => claimed,
      () => {
        throw new AppError('workflow-version-missing', 'not here');
      },
    );
    await foreign.activations.run(ticket);
    expect(foreign.asked.slice(1)).toEqual([['unclaim', 'one', '1-0', 'w', ticket.outboxId]]);

    const bare = claiming(async () => ({ ...claimed, stored: null }));
    await expect(bare.activations.run(ticket)).rejects.toMatchObject({ code: 'internal' });
    expect(bare.activations.owns(field)).toBe(false);
  });
});

describe('an attempt under way', () => {
  /** One whose activity runs until its signal is aborted. */
  async function underWay(beforeEffect?: () => Promise<void>) {
    const time = virtualTime();
    let begun = 0;
    const { workflow, activities } = oneAct({
      run: (_input, { signal }) => {
        begun += 1;
        return new Promise((_, no) => signal.addEventListener('abort', () => no(new Error('ended'))));
      },
      verify: async () => ({ outcome: 'not-done' }),
    });
    const store = createMemoryStore({ now: () => 1_000 });
    const log = silentLogger();
    const engine = createEngine({ store, registry: createRegistry([workflow]), log });
    const activations = createActivations({
      ...{
        engine,
        worker: 'w',
        implementations: implementationMap(activities),
        queues: ['default'],
        room: 0,
      },
      ...{
        log,
        secretBox: null,
        scheduler: time.scheduler,
        isPaused: () => false,
        pauseQueue: async () => {},
      },
      ...(beforeEffect === undefined ? {} : { beforeEffect }),
    });
    await createClient(engine).start(workflow, null, { id: 'one' });
    const open = await engine.open('one');
    const [token = ''] = Object.keys(open?.record.activities ?? {});
    const ended = activations.run(ticketOf(open?.record as never, token));
    await time.pass(0);
    const last = async () => readEntry((await store.history('one', 0, 10)).at(-1) ?? '').entry.event;
    return { activations, token, field: `one|${token}`, ended, last, begun: () => begun };
  }

  it('is known while it runs, ends when it is aborted, and its outcome is recorded as unknown', async () => {
    const { activations, token, field, ended, last } = await underWay();
    expect(activations.running()).toMatchObject([{ instanceId: 'one', token }]);
    expect([activations.owns(field), activations.hasBegun(field, 1), activations.hasBegun(field, 2)]).toEqual(
      [...[true, true, false]],
    );

    activations.abort('one|another', 'canceled');
    activations.abort(field, 'canceled');
    await ended;

    expect(await last()).toMatchObject({ kind: 'activity.failed', failure: { code: 'activity-aborted' } });
    expect([activations.running(), activations.owns(field), activations.hasBegun(field, 1)]).toEqual([
      ...[[], false, false],
    ]);
  });

  it('records nothing once the lease is lost: whoever takes it back does', async () => {
    const { activations, field, ended, last } = await underWay();
    activations.abortAll(LEASE_LOST);
    await ended;
    await activations.idle();

    expect(await last()).toMatchObject({ kind: 'start' });
    expect([activations.running(), activations.owns(field), activations.hasBegun(field, 1)]).toEqual([
      ...[[], false, true],
    ]);
  });

  it('does nothing outside before that is remembered, and nothing at all where it cannot be', async () => {
    const memory = deferred();
    const { begun, ended, last } = await underWay(() => memory.promise);
    expect(begun()).toBe(0);

    memory.reject(new Error('the disk is full'));
    await ended;

    expect(begun()).toBe(0);
    const failure = { kind: 'retryable', code: 'store-unavailable', message: 'the disk is full' };
    expect(await last()).toMatchObject({ kind: 'activity.failed', failure });
  });
});
