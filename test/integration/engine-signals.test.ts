import { afterEach, describe, expect, it } from '@jest/globals';
import { type House, openHouse } from '../support/engine-house.ts';
import { listener } from '../support/engine-workflows.ts';
import { eventually } from '../support/eventually.ts';

let house: House;
afterEach(() => house.close());

async function opened() {
  const workflow = listener();
  house = await openHouse({ workflows: [workflow] });
  const { client } = await house.worker();
  return { workflow, client };
}

describe('a signal the state cannot take', () => {
  it('waits in order and is applied by the first state that can', async () => {
    const { workflow, client } = await opened();
    const { instance } = await client.start(workflow, { customer: 'contoso' });

    for (const text of ['a', 'b']) {
      expect((await client.signal(workflow, instance.id, 'word', { text })).status).toBe('deferred');
    }
    const { status, instance: after } = await client.signal(workflow, instance.id, 'open', {});

    expect(status).toBe('applied');
    expect(after).toMatchObject({ state: 'listening', context: { heard: ['a', 'b'] }, deferred: [] });
  });

  it('is rejected or ignored where its contract says so', async () => {
    const { workflow, client } = await opened();
    const { instance } = await client.start(workflow, { customer: 'contoso' });

    const strict = await client.signal(workflow, instance.id, 'strict', { text: 'x' });
    const idle = await client.signal(workflow, instance.id, 'idle', { text: 'y' });
    await client.signal(workflow, instance.id, 'open', {});

    expect(strict).toMatchObject({ status: 'rejected', detail: 'not-accepted' });
    expect(idle).toMatchObject({ status: 'applied', detail: 'ignored' });
    expect(await client.describe(instance.id)).toMatchObject({ context: { heard: [] } });
  });
});

describe('a signal that arrives twice', () => {
  it('is applied once, also when both come at the same moment', async () => {
    const { workflow, client } = await opened();
    const { instance } = await client.start(workflow, { customer: 'contoso' });
    await client.signal(workflow, instance.id, 'open', {});

    const replies = await Promise.all(
      Array.from({ length: 20 }, () =>
        client.signal(workflow, instance.id, 'word', { text: 'once' }, { id: 'w-1' }),
      ),
    );

    expect(replies.filter(({ status }) => status === 'applied')).toHaveLength(1);
    expect(
      replies.filter(({ status, detail }) => status === 'duplicate' && detail === 'applied'),
    ).toHaveLength(19);
    expect(await client.describe(instance.id)).toMatchObject({ context: { heard: ['once'] } });
  });
});

describe('many signals at once', () => {
  it('are all applied, each once', async () => {
    const { workflow, client } = await opened();
    const { instance } = await client.start(workflow, { customer: 'contoso' });
    await client.signal(workflow, instance.id, 'open', {});
    const words = Array.from({ length: 40 }, (_, n) => `w${n}`);

    await Promise.all(words.map((text) => client.signal(workflow, instance.id, 'word', { text })));

    const view = await client.describe(instance.id);
    const { heard } = (view?.context ?? { heard: [] }) as { heard: string[] };
    expect([...heard].sort()).toEqual([...words].sort());
    expect(await client.verifyHistory(instance.id)).toMatchObject({ intact: true });
  });
});

describe('a signal by key', () => {
  it('that comes before its instance is adopted by it, in order', async () => {
    const { workflow, client } = await opened();
    for (const text of ['first', 'second', 'third']) {
      const { status } = await client.signalByKey('tenant:contoso', 'word', { text }, { id: `s-${text}` });
      expect(status).toBe('unmatched');
    }
    expect((await client.unmatched()).map(({ signalId }) => signalId).sort()).toEqual([
      's-first',
      's-second',
      's-third',
    ]);

    const { instance } = await client.start(workflow, { customer: 'contoso' });
    await house.until(client, instance.id, ({ deferred }) => deferred.length === 3);
    await client.signal(workflow, instance.id, 'open', {});

    expect(await client.describe(instance.id)).toMatchObject({
      context: { heard: ['first', 'second', 'third'] },
    });
    await eventually(async () => expect(await client.unmatched()).toEqual([]));
    const again = await client.signalByKey('tenant:contoso', 'word', { text: 'first' }, { id: 's-first' });
    expect(again.status).toBe('duplicate');
  });

  it('reaches the instance that holds the key, and none once that is over', async () => {
    const { workflow, client } = await opened();
    const { instance } = await client.start(workflow, { customer: 'fabrikam' });
    await eventually(async () =>
      expect((await client.list({ key: 'tenant:fabrikam' })).items).toHaveLength(1),
    );

    expect((await client.signalByKey('tenant:fabrikam', 'open', {}, { id: 'o' })).status).toBe('applied');
    await client.signal(workflow, instance.id, 'close', {});

    await eventually(async () => expect((await client.list({ key: 'tenant:fabrikam' })).items).toEqual([]));
    expect((await client.signalByKey('tenant:fabrikam', 'open', {}, { id: 'p' })).status).toBe('unmatched');
  });

  it('that no workflow declares is rejected', async () => {
    const { workflow, client } = await opened();
    await client.start(workflow, { customer: 'fabrikam' });
    await eventually(async () =>
      expect((await client.list({ key: 'tenant:fabrikam' })).items).toHaveLength(1),
    );

    expect(await client.signalByKey('tenant:fabrikam', 'nonsense', {}, { id: 'o' })).toMatchObject({
      status: 'rejected',
    });
    await expect(
      client.signalByKey('tenant:fabrikam', 'word', { text: 5 }, { id: 'q' }),
    ).rejects.toMatchObject({ code: 'input-invalid' });
  });
});
