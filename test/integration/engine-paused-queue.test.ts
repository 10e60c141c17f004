import { afterEach, describe, expect, it } from '@jest/globals';
import { ActivityFailure } from '../../shared/errors.ts';
import { type House, openHouse } from '../support/engine-house.ts';
import { oneAct } from '../support/engine-workflows.ts';
import { eventually } from '../support/eventually.ts';

let house: House;
afterEach(() => house.close());

describe('a connector in trouble', () => {
  it('pauses its queue once for all instances; they go on when it is resumed', async () => {
    let broken = true;
    let refused = 0;
    const { workflow, activities } = oneAct({
      queue: 'graph',
      retry: { maxAttempts: 50 },
      async run() {
        if (!broken) return 'fine';
        refused += 1;
        throw new ActivityFailure('retryable', 'sign-in-broken', 'Sign in again.', { pausesQueue: 'graph' });
      },
    });
    house = await openHouse({ workflows: [workflow], activities, concurrency: 1 });
    const { client } = await house.worker();
    await client.start(workflow, null, { id: 'first' });
    await eventually(async () =>
      expect(await client.pausedQueues()).toMatchObject([
        { queue: 'graph', code: 'sign-in-broken', reason: 'Sign in again.' },
      ]),
    );
    await eventually(async () => expect(refused).toBeLessThan(10));
    // Every worker hears of it within its next look.
    await eventually(async () => {
      const before = refused;
      await new Promise((resolve) => setTimeout(resolve, 400));
      expect(refused).toBe(before);
    });
    const tried = refused;
    for (let n = 0; n < 20; n += 1) await client.start(workflow, null, { id: `more-${n}` });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(refused).toBe(tried);
    expect((await client.list({ attention: true })).items).toEqual([]);

    broken = false;
    await client.resumeQueue('graph');

    await eventually(async () => expect(await client.count({ status: 'completed' })).toBe(21), {
      within: 20_000,
    });
    expect(await client.pausedQueues()).toEqual([]);
  });
});
