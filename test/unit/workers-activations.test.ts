import { describe, expect, it } from '@jest/globals';
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
import { createActivations } from '../../workers/activations.ts';
import { systemScheduler } from '../../workers/scheduler.ts';
import { oneAct } from '../support/engine-workflows.ts';

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
