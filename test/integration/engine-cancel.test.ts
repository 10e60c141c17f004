import { afterEach, describe, expect, it } from '@jest/globals';
import { createMachine, fromPromise, setup } from 'xstate';
import { defineWorkflow } from '../../engine/index.ts';
import { type House, openHouse } from '../support/engine-house.ts';
import { oneAct } from '../support/engine-workflows.ts';
import { eventually } from '../support/eventually.ts';

let house: House;
afterEach(() => house.close());

describe('a canceled instance', () => {
  it('aborts its running activity within two seconds, and its late result changes nothing', async () => {
    const times: { began?: number; aborted?: number } = {};
    const { workflow, activities } = oneAct({
      async run(_input, { signal }) {
        times.began = performance.now();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        times.aborted = performance.now();
        return 'late';
      },
    });
    house = await openHouse({ workflows: [workflow], activities });
    const { client } = await house.worker();
    const { instance } = await client.start(workflow, null);
    await house.until(client, instance.id, () => times.began !== undefined);

    const asked = performance.now();
    const { status, instance: canceled } = await client.cancel(instance.id, { reason: 'the customer left' });
    await house.until(client, instance.id, () => times.aborted !== undefined);

    expect([status, canceled.status]).toEqual(['applied', 'canceled']);
    expect((times.aborted ?? 0) - asked).toBeLessThan(2_000);
    expect(await client.describe(instance.id)).toMatchObject({
      status: 'canceled',
      output: null,
      activities: [],
    });
    await expect(client.cancel(instance.id)).rejects.toMatchObject({ code: 'instance-closed' });
  });

  it('cancels its children and theirs', async () => {
    const leaf = createMachine({
      initial: 'waiting',
      states: { waiting: { after: { 3600000: 'over' } }, over: {} },
    });
    const middle = setup({ actors: { leaf } }).createMachine({ invoke: { src: 'leaf' } });
    const workflow = defineWorkflow({
      name: 'family',
      machine: setup({ actors: { middle } }).createMachine({ invoke: { src: 'middle' } }),
    });
    house = await openHouse({ workflows: [workflow] });
    const { client } = await house.worker();
    const { instance } = await client.start(workflow, undefined as never);
    const whole = () => client.list({ children: true }).then(({ items }) => items);
    await eventually(async () => expect(await whole()).toHaveLength(3));
    expect(await client.list({})).toMatchObject({ items: [{ id: instance.id }] });

    await client.cancel(instance.id);

    await eventually(async () =>
      expect((await whole()).map(({ status, timers }) => [status, timers])).toEqual(
        Array(3).fill(['canceled', []]),
      ),
    );
  });

  it('with something to undo is asked to undo it first', async () => {
    const undo = fromPromise(async () => 'undone');
    const machine = setup({
      types: {} as { events: { type: 'cancel.asked' } | { type: 'go' } },
      actors: { undo },
    }).createMachine({
      initial: 'ordering',
      states: {
        ordering: { on: { go: 'ordered' } },
        ordered: { on: { 'cancel.asked': 'undoing' } },
        undoing: { invoke: { src: 'undo', onDone: 'undone' } },
        undone: { type: 'final' },
      },
    });
    const workflow = defineWorkflow({ name: 'undoing', machine, cancelEvent: 'cancel.asked' });
    house = await openHouse({ workflows: [workflow] });
    const { client } = await house.worker();
    const { instance } = await client.start(workflow, undefined as never);

    expect((await client.cancel(instance.id)).status).toBe('deferred');
    await expect(client.cancel(instance.id)).rejects.toMatchObject({ code: 'operation-impossible' });
    await client.signal(workflow, instance.id, 'go', {});

    const view = await house.until(client, instance.id, ({ status }) => status === 'completed');
    expect(view.state).toBe('undone');
  });
});
