import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SEED_TENANTS } from '../../emulator/index.ts';
import { onboardExistingCspCustomer } from '../../workflows/onboard-existing-csp-customer.ts';
import { playToTheEnd } from '../support/play.ts';
import { COMMON, ems, type Onboarding, startOnboarding } from './onboarding-fixture.ts';

let onboarding: Onboarding;
beforeEach(async () => {
  onboarding = await startOnboarding();
});
afterEach(() => onboarding.close());

const form = (customer: object) => ({ ...COMMON, customer, order: { lines: [ems(30)] } }) as never;

describe('an existing CSP customer (guide 3.2)', () => {
  it('gets a new subscription when it has none, without being invited', async () => {
    const { client, microsoft, books } = onboarding;
    const { instance } = await client.start(
      onboardExistingCspCustomer,
      form({ name: 'Fabrikam', domain: 'fabrikam.example' }),
    );

    const played = await playToTheEnd(instance.id, { client, microsoft });

    expect(played.instance).toMatchObject({ status: 'completed', output: { outcome: 'completed' } });
    expect(played.answered).not.toContain('review-invitation');
    const { orders, licences } = books();
    expect(
      orders.map(({ customerId, lines }) => [
        customerId,
        lines.map((line) => [line.skuPartNumber, line.quantity]),
      ]),
    ).toEqual([[SEED_TENANTS.fabrikam, [['EMS', 30]]]]);
    const licensed = licences.filter(
      ({ tenantId, skuPartNumber }) => tenantId === SEED_TENANTS.fabrikam && skuPartNumber === 'EMS',
    );
    expect(licensed).toHaveLength(4);
    expect(await client.verifyHistory(instance.id)).toMatchObject({ intact: true });
  });

  it('gets more seats on the subscription it has, and no order', async () => {
    const { client, microsoft, books } = onboarding;
    const { tenantId } = (await microsoft.control('/tenants', {
      domain: 'tailspin',
      name: 'Tailspin Toys',
      customDomains: ['tailspin.example'],
      customer: true,
      gdapReady: true,
      agreementSigned: true,
      users: [{ name: 'ada', usageLocation: 'DE' }, { name: 'ben' }],
      subscriptions: [{ sku: 'EMS', quantity: 5, soldBy: 'partner' }],
    })) as { tenantId: string };
    const { instance } = await client.start(
      onboardExistingCspCustomer,
      form({ name: 'Tailspin', domain: 'tailspin.example' }),
    );

    const played = await playToTheEnd(instance.id, { client, microsoft });

    expect(played.instance).toMatchObject({
      status: 'completed',
      output: { ordered: { seats: { from: 5, to: 35 } } },
    });
    expect(played.answered).toContain('approve-seats');
    const { orders, subscriptions, licences } = books();
    expect(orders).toEqual([]);
    expect(subscriptions.filter((subscription) => subscription.tenantId === tenantId)).toMatchObject([
      { skuPartNumber: 'EMS', quantity: 35 },
    ]);
    expect(licences.filter((licence) => licence.tenantId === tenantId)).toHaveLength(3);
  });
});
