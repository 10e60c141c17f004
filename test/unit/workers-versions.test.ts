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
  const activations = createActivations({
    ...{ engine, worker, log, scheduler: systemScheduler, queues: ['default'], room: 0, secretBox: null },
    ...{ implementations: implementationMap(activities), isPaused: () => false, pauseQueue: async () => {} },
  });
  reapers.push(startClaimReaper(engine, activations, worker, log, 5));
  return activations;
}

describe('a worker of old code that lives on', () => {
  it('leaves the attempt it cannot tell of to one of new code, which records it as lost and looks first', async () => {
    let now = 1_000;
    const store = createMemoryStore({ now: () => now });
    const [old, fresh] = [[workflow], [workflow, next]].map((workflows) =>
      createEngine({ store, registry: createRegistry(workflows), log }),
    ) as [Engine, Engine];
    await store.renewLease('old', 1e9);
    await store.renewLease('fresh', 1e9);
    const [before, after] = [workerOn(old, 'old'), workerOn(fresh, 'fresh')];
    await createClient(old).start(workflow, null, { id: 'one' });
    const record = async () => (await fresh.open('one'))?.record;
    const [token = ''] = Object.keys((await record())?.activities ?? {});
    const run = before.run(ticketOf((await record()) as never, token));
    await eventually(async () => expect(before.running()).toHaveLength(1));

    await createMigrations(fresh).migrate({ name: 'one-act', version: 2 });
    answer('never told');
    await expect(run).rejects.toThrow('lacks the workflow');

    await eventually(async () =>
      expect((await record())?.activities[token]).toMatchObject({ phase: 'waiting-retry', unverified: true }),
    );
    expect(await store.claims(0)).toEqual([]);
    now += 60_000;
    const { timers } = await store.dueTimers(0, 10, 5_000);
    for (const timer of timers)
      await fresh.handle('one', { event: { kind: 'timer.fired', token: timer.token } });
    await after.run(ticketOf((await record()) as never, token));
    expect(await record()).toMatchObject({
      definition: 'one-act@2',
      status: 'completed',
      machine: { output: 'found' },
    });
  });
});
