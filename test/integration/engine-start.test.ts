import { afterEach, describe, expect, it } from '@jest/globals';
import { type House, openHouse } from '../support/engine-house.ts';
import { listener } from '../support/engine-workflows.ts';

let house: House;
afterEach(() => house.close());

async function opened() {
  const workflow = listener();
  house = await openHouse({ workflows: [workflow] });
  const { client } = await house.worker();
  return { workflow, client };
}

describe('a start with an idempotency key', () => {
  it('makes one instance however often and however fast it is repeated', async () => {
    const { workflow, client } = await opened();

    const results = await Promise.all(
      Array.from({ length: 25 }, () =>
        client.start(workflow, { customer: 'contoso' }, { idempotencyKey: 'k-1' }),
      ),
    );

    expect(new Set(results.map(({ instance }) => instance.id)).size).toBe(1);
    expect(results.filter(({ created }) => created)).toHaveLength(1);
    expect((await client.list({})).items).toHaveLength(1);
  });

  it('and another input is refused', async () => {
    const { workflow, client } = await opened();
    await client.start(workflow, { customer: 'contoso' }, { idempotencyKey: 'k-1' });

    await expect(
      client.start(workflow, { customer: 'fabrikam' }, { idempotencyKey: 'k-1' }),
    ).rejects.toMatchObject({
      code: 'idempotency-mismatch',
    });
  });
});

describe('a start under a taken id', () => {
  it('is refused by default', async () => {
    const { workflow, client } = await opened();
    await client.start(workflow, { customer: 'contoso' }, { id: 'order-7' });

    await expect(client.start(workflow, { customer: 'contoso' }, { id: 'order-7' })).rejects.toMatchObject({
      code: 'instance-exists',
    });
  });

  it('gives the one that is there when asked to', async () => {
    const { workflow, client } = await opened();
    await client.start(workflow, { customer: 'contoso' }, { id: 'order-7' });

    const again = await client.start(workflow, { customer: 'other' }, { id: 'order-7', ifExists: 'return' });

    expect(again).toMatchObject({
      created: false,
      instance: { id: 'order-7', context: { customer: 'contoso' } },
    });
  });

  it('begins anew beside a closed one when asked to, and not beside an open one', async () => {
    const { workflow, client } = await opened();
    const replace = () =>
      client.start(workflow, { customer: 'contoso' }, { id: 'order-7', ifExists: 'replace-closed' });
    await replace();
    await expect(replace()).rejects.toMatchObject({ code: 'instance-exists' });

    await client.cancel('order-7');
    const second = await replace();
    await client.cancel(second.instance.id);
    const third = await replace();

    expect([second.instance.id, third.instance.id]).toEqual(['order-7-2', 'order-7-3']);
    expect((await client.describe('order-7'))?.status).toBe('canceled');
  });

  it('is refused for an id that is no id, and for an input that is none', async () => {
    const { workflow, client } = await opened();

    for (const id of ['', 'a b', 'a|b', 'a.b', '{x}', 'x'.repeat(65), '../x']) {
      await expect(client.start(workflow, { customer: 'contoso' }, { id })).rejects.toMatchObject({
        code: 'input-invalid',
      });
    }
    await expect(client.start(workflow, { customer: 5 as never })).rejects.toMatchObject({
      code: 'input-invalid',
      details: { errors: [{ pointer: '/customer' }] },
    });
  });
});
