import { afterEach, describe, expect, it } from '@jest/globals';
import { fromPromise, setup } from 'xstate';
import { defineWorkflow } from '../../engine/index.ts';
import type { RunningWorker } from '../../workers/worker.ts';
import { type House, openHouse } from '../support/engine-house.ts';

let house: House;
afterEach(() => house.close());

/** Ms between a timer's time and its firing. */
async function lateness({ client }: RunningWorker, id: string): Promise<number> {
  const history = await client.history(id);
  const due = history.flatMap(({ effects }) => effects ?? []).find(({ type }) => type === 'timer-set');
  const fired = history.find(({ event }) => event.kind === 'timer.fired');
  if (due?.type !== 'timer-set' || fired === undefined) throw new Error(`${id} had no timer`);
  return fired.at - due.fireAt;
}

describe('a worker with older workflows', () => {
  it('leaves alone what it does not know: activities, timers and signals wait for one that does', async () => {
    const versionOf = (version: number) =>
      defineWorkflow({
        name: 'versioned',
        version,
        machine: setup({
          types: {} as { events: { type: 'go' } },
          actors: { work: fromPromise(async () => version) },
        }).createMachine({
          initial: 'working',
          states: {
            working: { invoke: { src: 'work', onDone: 'resting' } },
            resting: { after: { 300: 'waiting' } },
            waiting: { on: { go: 'end' } },
            end: { type: 'final' },
          },
        }),
      });
    const [old, fresh] = [versionOf(1), versionOf(2)];
    house = await openHouse({ workflows: [old] });
    const older = await house.worker();
    const newer = await house.worker({ workflows: [old, fresh] });
    const { instance } = await newer.client.start(fresh, undefined as never);
    const ids = [instance.id];
    for (let n = 0; n < 10; n += 1)
      ids.push((await newer.client.start(fresh, undefined as never)).instance.id);

    await expect(older.client.signalById(instance.id, 'go', {})).rejects.toMatchObject({
      code: 'workflow-version-missing',
    });
    for (const id of ids) {
      await house.until(newer.client, id, ({ state }) => state === 'waiting');
      await newer.client.signal(fresh, id, 'go', {});
    }

    // The older worker finds the timers as well, and gives them back at once.
    for (const id of ids) expect(await lateness(newer, id)).toBeLessThan(2_500);
    for (const id of ids)
      expect(await newer.client.describe(id)).toMatchObject({
        status: 'completed',
        version: 2,
        attention: null,
      });
    const { instance: oldOne } = await older.client.start(old, undefined as never);
    await house.until(older.client, oldOne.id, ({ state }) => state === 'waiting');
  });
});
