import { afterEach, describe, expect, it } from '@jest/globals';
import { type House, openHouse } from '../support/engine-house.ts';
import { dispatchAgain } from '../support/engine-jobs.ts';
import { oneAct } from '../support/engine-workflows.ts';
import { eventually } from '../support/eventually.ts';

let house: House;
afterEach(() => house.close());

describe('a worker that dies in the middle of an activity', () => {
  it('leaves its progress to the next one, which goes on from there after looking up', async () => {
    const seen: unknown[] = [];
    const { workflow, activities } = oneAct({
      async run(_input, { attempt, progress, heartbeat, signal }) {
        seen.push({ attempt, progress });
        if (attempt > 1) return `resumed after ${String((progress as { done: number }).done)}`;
        await heartbeat({ done: 2 });
        await heartbeat({ done: 7 });
        house.crash(first);
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return 'never';
      },
      verify: async (_input, { progress }) => {
        seen.push({ verify: progress });
        return { outcome: 'not-done' };
      },
    });
    house = await openHouse({ workflows: [workflow], activities });
    const first = await house.worker({ mortal: true });
    const { instance } = await first.client.start(workflow, null);
    await eventually(() => seen.length > 0);
    const second = await house.worker();

    const view = await house.until(second.client, instance.id, ({ status }) => status === 'completed');

    expect(view.output).toBe('resumed after 7');
    expect(seen).toEqual([
      { attempt: 1, progress: null },
      { verify: { done: 7 } },
      { attempt: 2, progress: { done: 7 } },
    ]);
    expect(await second.client.liveWorkers()).toEqual([second.id]);
  });
});

describe('an attempt that falls silent', () => {
  it('is taken for lost after its heartbeat, though its timeout is far away', async () => {
    const tries: number[] = [];
    const { workflow, activities } = oneAct({
      timeoutMs: 60_000,
      heartbeatMs: 150,
      async run(_input, { attempt, heartbeat, signal }) {
        tries.push(attempt);
        for (let beat = 0; beat < 4; beat += 1) {
          await heartbeat(beat);
          await new Promise((resolve) => setTimeout(resolve, 60));
        }
        if (attempt === 1) await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return 'alive';
      },
    });
    house = await openHouse({ workflows: [workflow], activities });
    const { client } = await house.worker();
    const { instance } = await client.start(workflow, null);

    const view = await house.until(client, instance.id, ({ status }) => status === 'completed', 5_000);

    expect(view.output).toBe('alive');
    expect(tries).toEqual([1, 2]);
  });
});

describe('a worker that lets go of an activity without settling it', () => {
  it('takes it up again by itself', async () => {
    let refusals = 0;
    const { workflow, activities } = oneAct({ run: async (_input, { attempt }) => `attempt ${attempt}` });
    house = await openHouse({ workflows: [workflow], activities });
    const { client } = await house.worker({
      faults: {
        at(point) {
          if (point !== 'after-activity' || refusals > 0) return;
          refusals += 1;
          throw new Error('the outcome is lost on the way');
        },
      },
    });
    const { instance } = await client.start(workflow, null);

    const view = await house.until(client, instance.id, ({ status }) => status === 'completed');

    expect([refusals, view.output]).toEqual([1, 'attempt 2']);
  });

  it('runs it once however many jobs name it', async () => {
    let runs = 0;
    const { workflow, activities } = oneAct({
      async run() {
        runs += 1;
        await new Promise((resolve) => setTimeout(resolve, 100));
        return null;
      },
    });
    house = await openHouse({ workflows: [workflow], activities });
    const worker = await house.worker();
    const { instance } = await worker.client.start(workflow, null);
    const open = await worker.engine.open(instance.id);
    for (const token of Object.keys(open?.record.activities ?? {})) {
      await dispatchAgain(house, instance.id, token, 5);
    }

    await house.until(worker.client, instance.id, ({ status }) => status === 'completed');

    expect(runs).toBe(1);
  });
});
