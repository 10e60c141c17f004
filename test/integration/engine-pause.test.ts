import { afterEach, describe, expect, it } from '@jest/globals';
import { createClient, createEngine, createRegistry } from '../../engine/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { deferred, type House, openHouse } from '../support/engine-house.ts';
import { listener, oneAct } from '../support/engine-workflows.ts';

let house: House;
afterEach(() => house.close());

describe('a paused instance', () => {
  it('keeps signals in order and takes them when it is resumed', async () => {
    const workflow = listener();
    house = await openHouse({ workflows: [workflow] });
    const { client } = await house.worker();
    const { instance } = await client.start(workflow, { customer: 'contoso' });
    await client.signal(workflow, instance.id, 'open', {});
    await client.pause(instance.id, { by: { kind: 'person', id: 'ann' }, reason: 'price check' });

    for (const text of ['a', 'b', 'c']) {
      const { status } = await client.signal(workflow, instance.id, 'word', { text });
      expect(status).toBe('deferred');
    }
    const held = await client.describe(instance.id);
    expect(held).toMatchObject({ status: 'paused', context: { heard: [] }, deferred: [{}, {}, {}] });
    await expect(client.pause(instance.id)).rejects.toMatchObject({ code: 'operation-impossible' });

    const resumed = await client.resume(instance.id);

    expect(resumed).toMatchObject({ status: 'running', context: { heard: ['a', 'b', 'c'] }, deferred: [] });
    await expect(client.resume(instance.id)).rejects.toMatchObject({ code: 'operation-impossible' });
  });

  it('starts no activity, lets a running one end, and takes its result when resumed', async () => {
    const gate = deferred();
    let runs = 0;
    const { workflow, activities } = oneAct({
      async run() {
        runs += 1;
        await gate.promise;
        return 'finished meanwhile';
      },
    });
    house = await openHouse({ workflows: [workflow], activities });
    const { client } = await house.worker();
    const { instance } = await client.start(workflow, null);
    await house.until(client, instance.id, () => runs === 1);
    await client.pause(instance.id);

    gate.resolve();
    const held = await house.until(client, instance.id, ({ deferred: waiting }) => waiting.length === 1);
    expect(held).toMatchObject({ status: 'paused', state: 'acting' });
    await client.resume(instance.id);

    const view = await house.until(client, instance.id, ({ status }) => status === 'completed');
    expect([view.output, runs]).toEqual(['finished meanwhile', 1]);
  });

  it('holds an activity that no worker has begun, and hands it out when resumed', async () => {
    const { workflow, activities } = oneAct({ run: async () => 'begun after all' });
    house = await openHouse({ workflows: [workflow], activities });
    const alone = createEngine({
      store: house.store,
      registry: createRegistry([workflow]),
      log: silentLogger(),
    });
    const api = createClient(alone);
    const { instance } = await api.start(workflow, null);
    await api.pause(instance.id);
    const { client } = await house.worker();
    const { instance: other } = await client.start(workflow, null);
    await house.until(client, other.id, ({ status }) => status === 'completed');

    expect(await client.describe(instance.id)).toMatchObject({
      status: 'paused',
      activities: [{ phase: 'held' }],
    });
    await api.resume(instance.id);

    const view = await house.until(client, instance.id, ({ status }) => status === 'completed');
    expect(view.output).toBe('begun after all');
  });
});
