import { afterEach, describe, expect, it } from '@jest/globals';
import { type House, openHouse } from '../support/engine-house.ts';
import { listener } from '../support/engine-workflows.ts';

let house: House;
afterEach(() => house.close());

describe('an event that breaks the statechart', () => {
  it('goes into quarantine with its error, others go on, and a retry after the fix applies it', async () => {
    const fixed = { now: false };
    const workflow = listener(fixed);
    house = await openHouse({ workflows: [workflow] });
    const { client } = await house.worker();
    const { instance } = await client.start(workflow, { customer: 'contoso' });
    await client.signal(workflow, instance.id, 'open', {});

    const { status, detail } = await client.signal(
      workflow,
      instance.id,
      'break',
      { text: 'poison' },
      { id: 'p' },
    );
    await client.signal(workflow, instance.id, 'word', { text: 'fine' });

    expect([status, detail]).toEqual(['deferred', 'quarantined']);
    const stuck = await client.describe(instance.id);
    expect(stuck).toMatchObject({
      ...{ status: 'running', state: 'listening', context: { heard: ['fine'] } },
      ...{ attention: { code: 'poison-event' }, quarantine: [{ event: 'break' }] },
    });
    expect(stuck?.quarantine[0]?.error).toContain('the guard is broken');

    const again = await client.retry(instance.id);
    expect(again).toMatchObject({ attention: { code: 'poison-event' }, quarantine: [{ event: 'break' }] });
    fixed.now = true;
    const mended = await client.retry(instance.id, { reason: 'deployed the fix' });

    expect(mended).toMatchObject({ context: { heard: ['fine', 'poison'] }, attention: null, quarantine: [] });
    expect(await client.verifyHistory(instance.id)).toMatchObject({ intact: true });
  });
});
