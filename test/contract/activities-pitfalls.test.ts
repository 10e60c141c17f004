/** Pitfalls that one activity meets by itself (docs/pitfalls.md), against the emulator. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SEED_TENANTS } from '../../emulator/index.ts';
import { LEAST_ROLES } from '../../workflows/start-form.ts';
import {
  type EmulatedMicrosoft,
  performActivity,
  startEmulatedMicrosoft,
} from '../support/emulated-microsoft.ts';
import { eventually } from '../support/eventually.ts';

const { fabrikam } = SEED_TENANTS;
const EMS_SKU = 'efccb6f7-5641-4e0e-bd10-b4976e1bf68e';
const TOKEN = 'POST /login/:tenant/oauth2/v2.0/token';

let microsoft: EmulatedMicrosoft;
beforeEach(async () => {
  microsoft = await startEmulatedMicrosoft();
});
afterEach(() => microsoft.close());

// biome-ignore lint/suspicious/noExplicitAny: outputs are parsed by their contract and compared by value here
const perform = async (name: string, input: unknown): Promise<any> =>
  (await performActivity(microsoft, name, input)).output;
async function tenantWith(more: object): Promise<string> {
  const tenant = { domain: 'tailspin', name: 'Tailspin', customer: true, gdapReady: true, ...more };
  return ((await microsoft.control('/tenants', tenant)) as { tenantId: string }).tenantId;
}

describe('a guest account of ours in the customer’s tenant', () => {
  it('is told apart from a missing relationship, since only a person can remove it', async () => {
    microsoft.emulator.addFault({ kind: 'error', route: TOKEN, times: 1, status: 400, code: 50177 });

    const output = await perform('checkCustomerAccess', { tenantId: fabrikam });

    expect(output).toMatchObject({ accessible: false, reason: 'guest-account' });
  });
});

describe('a relationship of Microsoft’s own transition', () => {
  it('is not taken for one of ours, so that a new one is asked for', async () => {
    const { relationships } = microsoft.emulator.world.directory;
    for (const { id, customer, displayName } of relationships.all())
      if (customer?.tenantId === fabrikam) relationships.update(id, { displayName: `MLT_${displayName}` });

    const found = await perform('findAdminRelationship', { tenantId: fabrikam, roles: LEAST_ROLES });

    expect(found).toEqual({ relationshipId: null, status: null, endsAt: null });
  });
});

describe('licences bought elsewhere', () => {
  it('are shown for the review, with their buyer', async () => {
    const tenantId = await tenantWith({
      subscriptions: [
        { sku: 'SPE_E3', quantity: 12, soldBy: 'direct' },
        { sku: 'EMS', quantity: 5, soldBy: 'partner' },
      ],
    });

    const { subscriptions, elsewhere } = await perform('listSubscriptions', { customerId: tenantId });

    expect(subscriptions).toHaveLength(1);
    expect(elsewhere).toEqual([{ name: 'SPE_E3', quantity: 12, owner: 'customer', containsEms: true }]);
  });

  it('that we may not read leave the list of ours as it is', async () => {
    microsoft.emulator.addFault({
      kind: 'error',
      route: 'GET /graph/v1.0/directory/subscriptions',
      status: 403,
      code: 'Authorization_RequestDenied',
    });

    expect(await perform('listSubscriptions', { customerId: fabrikam })).toMatchObject({ elsewhere: [] });
  });
});

describe('a user whose plan already contains Enterprise Mobility + Security', () => {
  it('gets no second licence of it, and the outcome says why', async () => {
    const tenantId = await tenantWith({
      agreementSigned: true,
      users: [
        { name: 'admin', globalAdmin: true },
        { name: 'ada', usageLocation: 'US' },
        { name: 'ben', usageLocation: 'US' },
      ],
      subscriptions: [
        { sku: 'SPE_E3', quantity: 5, soldBy: 'direct' },
        { sku: 'EMS', quantity: 5, soldBy: 'partner' },
      ],
    });
    const spe = '05e9a617-0261-4cee-bb44-138d3ef5d965';
    const named = (name: string) => ({
      userPrincipalName: `${name}@tailspin.onmicrosoft.com`,
      usageLocation: null,
    });
    const input = { tenantId, defaultUsageLocation: 'US' };
    await perform('assignLicences', { ...input, skuIds: [spe], users: [named('ada')] });
    await eventually(async () => {
      const { users } = await perform('listUsers', { tenantId, skuIds: [spe] });
      expect(users.filter(({ holds }: { holds: string[] }) => holds.length > 0)).toHaveLength(1);
    });

    const { outcomes } = await perform('assignLicences', {
      ...input,
      skuIds: [EMS_SKU],
      users: [named('ada'), named('ben')],
    });

    expect(outcomes.map(({ outcome, code }: { outcome: string; code: string }) => [outcome, code])).toEqual([
      ['already', 'plan-contains-ems'],
      ['assigned', null],
    ]);
    const { licences } = microsoft.emulator.books() as {
      licences: { userPrincipalName: string; skuPartNumber: string }[];
    };
    expect(
      licences
        .filter(({ skuPartNumber }) => skuPartNumber === 'EMS')
        .map(({ userPrincipalName }) => userPrincipalName),
    ).toContain('ben@tailspin.onmicrosoft.com');
    expect(licences).not.toContainEqual(
      expect.objectContaining({ userPrincipalName: 'ada@tailspin.onmicrosoft.com', skuPartNumber: 'EMS' }),
    );
  });
});
