/** What a worker's own commits begin: run by that worker, without a job, where it has room. */
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type ActivityTicket,
  createClient,
  createEngine,
  createMemoryStore,
  createRegistry,
} from '../../engine/index.ts';
import { AppError } from '../../shared/errors.ts';
import { silentLogger } from '../../shared/logger.ts';
import type { Carrier } from '../../workers/queues.ts';
import { systemScheduler } from '../../workers/scheduler.ts';
import { type RunningWorker, runWorker } from '../../workers/worker.ts';
import { oneAct } from '../support/engine-workflows.ts';
import { eventually } from '../support/eventually.ts';

let worker: RunningWorker;
let finishAll = (): void => {};
afterEach(async () => {
  finishAll();
  await worker.stop(1_000);
});

/** A worker with room for one, on a queue that keeps its jobs to itself; activities end when `finish` is called. */
async function workerWithRoomForOne(act: { attempts?: number } = {}) {
  const jobs: ActivityTicket[] = [];
  const running: string[] = [];
  const finish = new Map<string, () => void>();
  finishAll = () => {
    for (const end of finish.values()) end();
  };
  const { workflow, activities } = oneAct({
    run: (_input, { instanceId, attempt }) => {
      running.push(instanceId);
      if (attempt <= (act.attempts ?? 0)) return Promise.reject(new Error('again'));
      return new Promise<void>((resolve) => finish.set(instanceId, resolve));
    },
  });
  const send = async (tickets: readonly ActivityTicket[]): Promise<void> => void jobs.push(...tickets);
  const carrier: Carrier = {
    dispatcher: { dispatch: send, redispatch: async () => {}, close: async () => {} },
    consume: (name) => ({
      ...{ name, isPaused: () => false, pause: async () => {}, resume: () => {}, close: async () => {} },
    }),
  };
  const memory = createMemoryStore({ now: () => Date.now() });
  const refuse = { next: false };
  const lose = { look: false };
  const late = { look: null as Promise<void> | null };
  const reaper = { looks: 0 };
  const store: typeof memory = {
    ...memory,
    commit(entry) {
      if (!refuse.next) return memory.commit(entry);
      refuse.next = false;
      return Promise.reject(new AppError('store-unavailable', 'away'));
    },
    async dueOutbox(...look) {
      const due = await memory.dueOutbox(...look);
      if (due.length > 0) await late.look;
      if (!lose.look || due.length === 0) return due;
      lose.look = false;
      throw new AppError('store-unavailable', 'the answer is lost');
    },
    async claims(shard) {
      reaper.looks += 1;
      return memory.claims(shard);
    },
  };
  worker = await runWorker(
    { store, workflows: [workflow], activities, log: silentLogger() },
    { id: 'w', carrier, room: 1, scheduler: systemScheduler },
  );
  const start = (id: string) => worker.client.start(workflow, null, { id });
  const status = async (id: string) => (await worker.client.describe(id))?.status;
  /** A process without a worker. */
  const elsewhere = createClient(
    createEngine({ store, registry: createRegistry([workflow]), log: silentLogger() }),
  );
  const startElsewhere = (id: string) => elsewhere.start(workflow, null, { id });
  return { jobs, running, finish, refuse, lose, late, reaper, start, startElsewhere, status, store };
}

const ids = (jobs: readonly ActivityTicket[]) => jobs.map(({ instanceId }) => instanceId);

describe('an activity begun by a commit of a worker', () => {
  it('is run by that worker without a job, its claim made by the commit', async () => {
    const { jobs, running, finish, start, status, store } = await workerWithRoomForOne();

    const { instance } = await start('one');
    await eventually(() => running.includes('one'));

    expect(jobs).toEqual([]);
    const claims = await store.claims(store.shardOf('one'));
    expect(claims).toEqual([{ instanceId: 'one', token: instance.activities[0]?.token, worker: 'w' }]);
    finish.get('one')?.();
    await eventually(async () => (await status('one')) === 'completed');
  });

  it('goes by a job where there is no room, and there is room again when one ends', async () => {
    const { jobs, running, finish, start, status } = await workerWithRoomForOne();
    await Promise.all([start('one'), start('two')]);
    await eventually(() => ids(jobs).length === 1);
    expect(running).toHaveLength(1);

    const [first = ''] = running;
    finish.get(first)?.();
    await eventually(async () => (await status(first)) === 'completed');
    await start('three');

    await eventually(() => running.includes('three'));
    expect(jobs).toHaveLength(1);
  });

  it('leaves its place to another where the commit was not accepted', async () => {
    const { running, refuse, start } = await workerWithRoomForOne();
    refuse.next = true;
    await expect(start('one')).rejects.toThrow('away');

    await start('two');

    await eventually(() => running.includes('two'));
    expect(running).toEqual(['two']);
  });

  it('goes by a job when it is tried again: what the first attempt left in the store is read with the claim', async () => {
    const { jobs, running, start } = await workerWithRoomForOne({ attempts: 1 });

    await start('one');

    await eventually(() => ids(jobs).includes('one'));
    expect(running).toEqual(['one']);
  });

  it('goes by a job while its queue is paused, and once the worker stops', async () => {
    const { jobs, running, start, store } = await workerWithRoomForOne();
    await store.pauseQueue({ queue: 'default', code: 'sign-in-failed', reason: 'test' });
    let tried = 0;
    await eventually(async () => {
      await start(`paused${tried++}`);
      finishAll();
      return jobs.length > 0;
    });
    await store.resumeQueue('default');

    const begun = running.length;
    await worker.stop(1_000);
    await start('late');

    await eventually(() => ids(jobs).includes('late'));
    expect(running).toHaveLength(begun);
  });
});

describe('an activity that another process committed', () => {
  it('is begun by the worker it wakes, without a job', async () => {
    const { jobs, running, finish, startElsewhere, status } = await workerWithRoomForOne();

    await startElsewhere('one');
    await eventually(() => running.includes('one'));

    expect(jobs).toEqual([]);
    finish.get('one')?.();
    await eventually(async () => (await status('one')) === 'completed');
  });

  it('goes by a job where there is no room, and there is room again when one ends', async () => {
    const { jobs, running, finish, startElsewhere } = await workerWithRoomForOne();
    await startElsewhere('one');
    await eventually(() => running.includes('one'));
    await startElsewhere('two');
    await eventually(() => ids(jobs).includes('two'));
    expect(running).toEqual(['one']);

    finish.get('one')?.();
    await eventually(async () => {
      await startElsewhere(`three-${running.length}-${jobs.length}-${Date.now()}`);
      return running.length > 1;
    });
  });

  it('is given back when the answer that brought it was lost, and no attempt is counted for it', async () => {
    const { running, lose, startElsewhere, store, jobs } = await workerWithRoomForOne();
    lose.look = true;
    await startElsewhere('one');
    await eventually(async () => (await store.claims(store.shardOf('one'))).length === 1);

    await eventually(async () => (await store.claims(store.shardOf('one'))).length === 0, { within: 10_000 });

    const lines = await store.history('one', 0, 10);
    expect(lines).toHaveLength(1);
    expect(running).toEqual([]);
    expect(jobs).toEqual([]);
    expect(await store.missing('one', [needOf(lines.length)])).toEqual([]);
  });

  it('is left to the answer that brings it, however late that comes', async () => {
    const { running, late, reaper, startElsewhere, store } = await workerWithRoomForOne();
    let arrive = (): void => {};
    late.look = new Promise((resolve) => {
      arrive = resolve;
    });
    await startElsewhere('one');
    await eventually(async () => (await store.claims(store.shardOf('one'))).length === 1);
    const before = reaper.looks;
    await eventually(() => reaper.looks >= before + 4, { within: 10_000 });

    expect(await store.claims(store.shardOf('one'))).toHaveLength(1);
    expect(running).toEqual([]);
    arrive();
    await eventually(() => running.includes('one'));
    expect(await store.history('one', 0, 10)).toHaveLength(1);
  });
});

const needOf = (revision: number) => {
  const token = `${revision}-0`;
  return { kind: 'activity', token, outboxId: `a|one|${token}|default` } as const;
};
