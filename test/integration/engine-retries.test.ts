import { afterEach, describe, expect, it } from '@jest/globals';
import { ActivityFailure } from '../../shared/errors.ts';
import { type House, openHouse } from '../support/engine-house.ts';
import { type Act, oneAct } from '../support/engine-workflows.ts';

let house: House;
afterEach(() => house.close());

async function started(act: Act) {
  const { workflow, activities } = oneAct(act);
  house = await openHouse({ workflows: [workflow], activities });
  const { client } = await house.worker();
  const { instance } = await client.start(workflow, { n: 1 });
  return { client, id: instance.id };
}

describe('an activity that fails', () => {
  it('is tried again after its backoff, with a new idempotency key for every answer', async () => {
    const tries: { attempt: number; key: string; at: number }[] = [];
    const { client, id } = await started({
      retry: { initialDelayMs: 80, factor: 3 },
      async run(_input, { attempt, idempotencyKey }) {
        tries.push({ attempt, key: idempotencyKey, at: performance.now() });
        if (attempt < 3) throw new ActivityFailure('retryable', 'busy', 'busy');
        return 'done at last';
      },
    });

    const view = await house.until(client, id, ({ status }) => status === 'completed');

    expect(view.output).toBe('done at last');
    expect(tries.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(new Set(tries.map(({ key }) => key)).size).toBe(3);
    const [first, second, third] = tries.map(({ at }) => at) as [number, number, number];
    expect(second - first).toBeGreaterThanOrEqual(79);
    expect(third - second).toBeGreaterThanOrEqual(239);
  });

  it('waits as long as the other side asks', async () => {
    const at: number[] = [];
    const { client, id } = await started({
      async run(_input, { attempt }) {
        at.push(performance.now());
        if (attempt === 1) throw new ActivityFailure('retryable', '429', 'slow down', { retryAfterMs: 400 });
        return null;
      },
    });

    await house.until(client, id, ({ status }) => status === 'completed');

    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThanOrEqual(399);
  });

  it('for good reaches the statechart at once', async () => {
    let tries = 0;
    const { client, id } = await started({
      async run() {
        tries += 1;
        throw new ActivityFailure('terminal', 'no-such-customer', 'There is none.', {
          details: { domain: 'x' },
        });
      },
    });

    const view = await house.until(client, id, ({ status }) => status === 'completed');

    expect(view.output).toMatchObject({
      kind: 'terminal',
      code: 'no-such-customer',
      details: { domain: 'x' },
    });
    expect(tries).toBe(1);
  });

  it('too often comes before a person, and goes on when told to', async () => {
    let broken = true;
    let tries = 0;
    const { client, id } = await started({
      retry: { maxAttempts: 2 },
      async run() {
        tries += 1;
        if (broken) throw new Error('nobody foresaw this');
        return 'mended';
      },
    });
    const stuck = await house.until(client, id, ({ attention }) => attention !== null);
    expect(stuck.attention).toMatchObject({ code: 'activity-exhausted' });
    expect(stuck.activities).toMatchObject([{ phase: 'attention', attempt: 3 }]);
    expect((await client.list({ attention: true })).items.map((item) => item.id)).toEqual([id]);
    expect(tries).toBe(2);

    broken = false;
    await client.retry(id, { by: { kind: 'person', id: 'ann' }, reason: 'fixed the proxy' });

    const view = await house.until(client, id, ({ status }) => status === 'completed');
    expect(view).toMatchObject({ output: 'mended', attention: null });
    expect((await client.list({ attention: true })).items).toEqual([]);
    expect(await client.history(id)).toContainEqual(
      expect.objectContaining({ reason: 'fixed the proxy', by: { kind: 'person', id: 'ann' } }),
    );
  });

  it('too often may go to the statechart instead', async () => {
    const { client, id } = await started({
      retry: { maxAttempts: 2, whenExhausted: 'error' },
      run: () => Promise.reject(new ActivityFailure('retryable', 'busy', 'still busy')),
    });

    const view = await house.until(client, id, ({ status }) => status === 'completed');

    expect(view.output).toMatchObject({ code: 'busy' });
  });
});

describe('what an activity is given and gives', () => {
  it('is checked: an output out of shape never reaches the statechart', async () => {
    const { client, id } = await started({ retry: { maxAttempts: 1 }, run: async () => () => 'a function' });

    const view = await house.until(
      client,
      id,
      ({ status, attention }) => status !== 'running' || attention !== null,
    );

    expect(view.output).toMatchObject({ code: 'value-not-durable' });
  });
});
