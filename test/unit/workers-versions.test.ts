/** A worker that lacks the version an instance was taken to while one of its activities ran here. */
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  createClient,
  createEngine,
  createMemoryStore,
  createMigrations,
  createRegistry,
  defineWorkflow,
  type Engine,
  implementationMap,
  ticketOf,
} from '../../engine/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { type Activations, createActivations } from '../../workers/activations.ts';
import type { Loop } from '../../workers/loop.ts';
import { systemScheduler } from '../../workers/scheduler.ts';
import { startClaimReaper } from '../../workers/sweeper.ts';
import { oneAct } from '../support/engine-workflows.ts';
import { eventually } from '../support/eventually.ts';

const log = silentLogger();
let answer: (value: string) => void = () => {};
const { workflow, activities } = oneAct({
  run: () =>
    new Promise((resolve) => {
      answer = resolve;
    }),
  verify: async () => ({ outcome: 'done', output: 'found' }),
});
const next = defineWorkflow({
  ...{ name: workflow.name, machine: workflow.machine, version: 2 },
  migrate: ({ context }) => ({ context: context as never }),
});

const reapers: Loop[] = [];
afterEach(() => Promise.all(reapers.splice(0).map((reaper) => reaper.stop())));

function workerOn(engine: Engine, worker: string): Activations {
  return createActivations({
    ...{ engine, worker, log, scheduler: systemScheduler, queues: ['default'], room: 0, secretBox: null },
    ...{ implementations: implementationMap(activities), isPaused: () => false, pauseQueue: async () => {} },
  });
}

function reap(engine: Engine, activations: Activations, worker: string): void {
  reapers.push(startClaimReaper(engine, activations, worker, log, 5));
}

/** An attempt begun by old code, whose instance was taken to a version that only `fresh` knows. */
async function overtaken() {
  const time = { now: 1_000 };
  const store = createMemoryStore({ now: () => time.now });
  const engineOf = (workflows: Parameters<typeof createRegistry>[0]) =>
    createEngine({ store, registry: createRegistry(workflows), log });
  const [old, fresh] = [engineOf([workflow]), engineOf([workflow, next])];
  await store.renewLease('old', 1e9);
  await store.renewLease('fresh', 1e9);
  const [before, after] = [workerOn(old, 'old'), workerOn(fresh, 'fresh')];
  await createClient(old).start(workflow, null, { id: 'one' });
  const record = async () => (await fresh.open('one'))?.record;
  const [token = ''] = Object.keys((await record())?.activities ?? {});
  const ticket = async () => ticketOf((await record()) as never, token);
  const run = before.run(await ticket());
  await eventually(async () => expect(before.running()).toHaveLength(1));
  await createMigrations(fresh).migrate({ name: 'one-act', version: 2 });
  answer('never told');
  await expect(run).rejects.toThrow('lacks the workflow');
  return { time, store, old, fresh, before, after, record, token, ticket };
}

describe('a worker of old code that lives on', () => {
  it('leaves the attempt it cannot tell of to one of new code, which records it as lost and looks first', async () => {
    const { time, store, old, fresh, before, after, record, token, ticket } = await overtaken();
    reap(old, before, 'old');
    reap(fresh, after, 'fresh');

    await eventually(async () =>
      expect((await record())?.activities[token]).toMatchObject({ phase: 'waiting-retry', unverified: true }),
    );
    expect(await store.claims(0)).toEqual([]);
    time.now += 60_000;
    const { timers } = await store.dueTimers(0, 10, 5_000);
    for (const timer of timers)
      await fresh.handle('one', { event: { kind: 'timer.fired', token: timer.token } });
    await after.run(await ticket());
    expect(await record()).toMatchObject({
      definition: 'one-act@2',
      status: 'completed',
      machine: { output: 'found' },
    });
  });

  it('does not hand on as untried what it has begun, when its job comes to it again', async () => {
    const { store, fresh, before, after, record, token, ticket } = await overtaken();

    await before.run(await ticket());

    expect(await store.claims(0)).toMatchObject([{ worker: 'old (disowned)' }]);
    reap(fresh, after, 'fresh');
    await eventually(async () =>
      expect((await record())?.activities[token]).toMatchObject({ unverified: true }),
    );
  });
});
