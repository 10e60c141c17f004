import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SEED_TENANTS } from '../../emulator/index.ts';
import { onboardExistingOfficeCustomer } from '../../workflows/onboard-existing-office-customer.ts';
import { playToTheEnd } from '../support/play.ts';
import { ATTESTED, COMMON, ems, type Onboarding, startOnboarding } from './onboarding-fixture.ts';

let onboarding: Onboarding;
beforeEach(async () => {
  onboarding = await startOnboarding();
});
afterEach(() => onboarding.close());

const form = {
  ...COMMON,
  customer: { name: 'Contoso Ltd', domain: 'contoso.example' },
  invitation: { mode: 'review', to: ['it@contoso.example'] },
  order: { lines: [ems(25)] },
  attested: ATTESTED,
} as const;

describe('an existing Office 365 customer (guide 3.1)', () => {
  it('is on board with one order, its seats and a licence for every user', async () => {
    const { client, microsoft, books } = onboarding;
    const { instance } = await client.start(onboardExistingOfficeCustomer, form as never);

    const played = await playToTheEnd(instance.id, { client, microsoft });

    expect(played.instance).toMatchObject({ status: 'completed', output: { outcome: 'completed' } });
    expect(played.answered).toEqual(
      expect.arrayContaining(['review-invitation', 'agreement', 'review-subscriptions', 'approve-order']),
    );
    const { orders, carts, licences, tenantsCreated, relationships } = books();
    expect(tenantsCreated).toEqual([]);
    expect(
      orders.map(({ customerId, lines }) => [
        customerId,
        lines.map((line) => [line.skuPartNumber, line.quantity]),
      ]),
    ).toEqual([[SEED_TENANTS.contoso, [['EMS', 25]]]]);
    expect(carts.map(({ status }) => status)).toEqual(['Ordered']);
    const licensed = licences.filter((licence) => licence.tenantId === SEED_TENANTS.contoso);
    expect(licensed.map(({ userPrincipalName }) => userPrincipalName).toSorted()).toEqual([
      'ada@contoso.example',
      'admin@contoso.onmicrosoft.com',
      'ben@contoso.example',
      'chloe@contoso.example',
    ]);
    expect(relationships.filter(({ tenantId }) => tenantId === SEED_TENANTS.contoso)).toMatchObject([
      { status: 'active' },
    ]);
    expect(await client.verifyHistory(instance.id)).toMatchObject({ intact: true });
  });
});
