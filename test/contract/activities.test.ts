/** Activities that only read, against the emulator: what the statecharts are told must be what is there. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { PARTNER, SEED_TENANTS } from '../../emulator/index.ts';
import { LEAST_ROLES } from '../../workflows/start-form.ts';
import {
  type EmulatedMicrosoft,
  performActivity,
  startEmulatedMicrosoft,
} from '../support/emulated-microsoft.ts';

const { fabrikam, contoso } = SEED_TENANTS;
const EMS_SKU = 'efccb6f7-5641-4e0e-bd10-b4976e1bf68e';
const OFFICE_SKU = '6fd2c87f-b296-42f0-b197-1e91e994b900';
const NOBODY = '99999999-0000-4000-8000-000000000009';
const line = (productId: string, more: object = {}) => ({
  productId,
  skuId: '0001',
  name: productId,
  quantity: 5,
  ...more,
});

let microsoft: EmulatedMicrosoft;
beforeEach(async () => {
  microsoft = await startEmulatedMicrosoft();
});
afterEach(() => microsoft.close());

// biome-ignore lint/suspicious/noExplicitAny: outputs are parsed by their contract and compared by value here
const perform = async (name: string, input: unknown): Promise<any> =>
  (await performActivity(microsoft, name, input)).output;

describe('our own side', () => {
  it('is signed in as Admin Agent, and a security group that does not exist is named', async () => {
    const output = await perform('checkPartnerAccess', { groupIds: [PARTNER.securityGroupId, NOBODY] });

    expect(output).toEqual({ adminAgent: true, signedInAs: PARTNER.adminUpn, missingGroupIds: [NOBODY] });
  });

  it('counts a security group without members as missing', async () => {
    microsoft.emulator.world.directory.groups.update(PARTNER.securityGroupId, { memberIds: [] });

    const output = await perform('checkPartnerAccess', { groupIds: [PARTNER.securityGroupId] });

    expect(output.missingGroupIds).toEqual([PARTNER.securityGroupId]);
  });

  it('reaches Graph and Partner Center', async () => {
    expect(await perform('checkTooling', {})).toEqual({ ready: true, message: null });
  });

  it('hands out the reseller link unmodified', async () => {
    const { resellerLink } = await perform('requestRelationship', {});

    expect(resellerLink).toContain(`${microsoft.urls.consent}/`);
    expect(resellerLink).toContain(PARTNER.tenantId);
  });

  it('stamps the closing report', async () => {
    const { closedAt } = await perform('writeClosingReport', { report: { customer: 'Contoso' } });

    expect(Math.abs(Date.now() - Date.parse(closedAt))).toBeLessThan(5_000);
  });
});

describe('finding customers', () => {
  it('names the tenant of a domain, or none', async () => {
    expect(await perform('findTenant', { domain: 'contoso.example' })).toEqual({
      tenantId: contoso,
      displayName: 'Contoso Ltd',
      defaultDomain: 'contoso.example',
    });
    expect(await perform('findTenant', { domain: 'nobody.example' })).toMatchObject({ tenantId: null });
  });

  it.each([
    { tenantId: fabrikam, domain: null, companyName: null, country: 'US' },
    { tenantId: null, domain: 'fabrikam.example', companyName: null, country: 'US' },
    { tenantId: null, domain: 'fabrikam.onmicrosoft.com', companyName: null, country: 'US' },
    { tenantId: null, domain: null, companyName: 'fabri', country: null },
    { tenantId: fabrikam, domain: 'fabrikam.example', companyName: 'Fabrikam', country: 'US' },
  ])('finds a customer of ours once by %j', async ({ country, ...search }) => {
    const { matches, truncated } = await perform('findCustomer', search);

    expect(matches).toEqual([
      {
        customerId: fabrikam,
        name: 'Fabrikam Inc',
        domain: 'fabrikam.onmicrosoft.com',
        relationship: 'reseller',
        country,
      },
    ]);
    expect(truncated).toBe(false);
  });

  it('finds nobody who is not ours', async () => {
    const search = { tenantId: contoso, domain: 'contoso.example', companyName: 'Contoso' };

    expect(await perform('findCustomer', search)).toEqual({ matches: [], truncated: false });
  });

  it('tells a reseller relationship from none', async () => {
    expect(await perform('readRelationship', { customerId: fabrikam })).toMatchObject({
      visible: true,
      reseller: true,
      name: 'Fabrikam Inc',
    });
    expect(await perform('readRelationship', { customerId: contoso })).toMatchObject({
      visible: false,
      reseller: false,
      name: null,
    });
  });

  it('finds an active admin relationship that holds all roles, and no other', async () => {
    const found = await perform('findAdminRelationship', { tenantId: fabrikam, roles: LEAST_ROLES });
    expect(found).toMatchObject({ status: 'active' });
    expect(await perform('readAdminRelationship', { relationshipId: found.relationshipId })).toMatchObject({
      status: 'active',
    });
    expect(
      await perform('readAccess', {
        relationshipId: found.relationshipId,
        groupIds: [PARTNER.securityGroupId, NOBODY],
      }),
    ).toEqual({
      groups: [
        { groupId: PARTNER.securityGroupId, status: 'active' },
        { groupId: NOBODY, status: 'missing' },
      ],
      allActive: false,
    });

    const GLOBAL_ADMINISTRATOR = '62e90394-69f5-4237-9190-012177145e10';
    expect(
      await perform('findAdminRelationship', { tenantId: fabrikam, roles: [GLOBAL_ADMINISTRATOR] }),
    ).toMatchObject({ relationshipId: null });
    expect(await perform('findAdminRelationship', { tenantId: contoso, roles: LEAST_ROLES })).toMatchObject({
      relationshipId: null,
    });
  });

  it('says what keeps us out of a tenant', async () => {
    expect(await perform('checkCustomerAccess', { tenantId: fabrikam })).toEqual({
      accessible: true,
      reason: null,
      message: null,
    });
    expect(await perform('checkCustomerAccess', { tenantId: contoso })).toMatchObject({
      accessible: false,
      reason: 'no-relationship',
    });
    await microsoft.control('/settings', { conditionalAccessBlocks: true }, 'PATCH');
    expect(await perform('checkCustomerAccess', { tenantId: contoso })).toMatchObject({
      reason: 'conditional-access',
    });
  });
});

describe('subscriptions', () => {
  it('tell what is Enterprise Mobility + Security, what contains it, and the SKU of the seats', async () => {
    const { tenantId } = (await microsoft.control('/tenants', {
      domain: 'tailspin',
      name: 'Tailspin',
      customer: true,
      gdapReady: true,
      subscriptions: [
        { sku: 'EMS', quantity: 5, soldBy: 'partner' },
        { sku: 'SPE_E3', quantity: 5, soldBy: 'partner' },
        { sku: 'ENTERPRISEPACK', quantity: 5, soldBy: 'partner' },
      ],
    })) as { tenantId: string };

    const { subscriptions } = await perform('listSubscriptions', { customerId: tenantId });

    expect(
      subscriptions.map(
        ({ isEms, containsEms, graphSkuId, commerce, quantity }: Record<string, unknown>) => ({
          isEms,
          containsEms,
          graphSkuId,
          commerce,
          quantity,
        }),
      ),
    ).toEqual([
      { isEms: true, containsEms: true, graphSkuId: EMS_SKU, commerce: 'new', quantity: 5 },
      {
        isEms: false,
        containsEms: true,
        graphSkuId: '05e9a617-0261-4cee-bb44-138d3ef5d965',
        commerce: 'new',
        quantity: 5,
      },
      { isEms: false, containsEms: false, graphSkuId: OFFICE_SKU, commerce: 'new', quantity: 5 },
    ]);
    const [{ subscriptionId }] = subscriptions;
    expect(await perform('readSubscription', { customerId: tenantId, subscriptionId })).toEqual(
      subscriptions[0],
    );
  });

  it('are counted by Graph: what the tenant holds, and zero for what it does not', async () => {
    const { seats } = await perform('readSeats', { tenantId: fabrikam, skuIds: [OFFICE_SKU, EMS_SKU] });

    expect(seats).toEqual([
      { skuId: OFFICE_SKU, present: true, enabled: 30, consumed: 0, free: 30 },
      { skuId: EMS_SKU, present: false, enabled: 0, consumed: 0, free: 0 },
    ]);
  });
});

describe('before a customer is created', () => {
  it('a free domain is free and a taken one is taken', async () => {
    expect(await perform('checkDomain', { domain: 'brandnew.onmicrosoft.com' })).toEqual({ available: true });
    expect(await perform('checkDomain', { domain: 'contoso.onmicrosoft.com' })).toEqual({ available: false });
  });

  it('the address is accepted, or a person gets something to decide', async () => {
    const address = {
      line1: '1 Example Way',
      city: 'Redmond',
      state: 'WA',
      postalCode: '98052',
      country: 'US',
    };

    expect(await perform('validateAddress', { address })).toMatchObject({ status: 'accepted' });
    const wrong = await perform('validateAddress', { address: { ...address, postalCode: 'x' } });
    expect(['suggested', 'invalid']).toContain(wrong.status);
  });

  it('the rules of the country come in our words', async () => {
    expect(await perform('readCountryRules', { country: 'US' })).toMatchObject({
      country: 'US',
      defaultCulture: 'en-US',
      defaultLanguage: 'en',
      stateRequired: true,
      states: expect.arrayContaining(['WA']),
    });
  });

  it('agreement and account verification are read as they stand', async () => {
    expect(await perform('readAgreement', { customerId: fabrikam })).toEqual({
      accepted: true,
      how: 'direct',
    });
    expect(await perform('readVetting', { customerId: fabrikam })).toEqual({ status: 'none' });
    for (const [status, word] of [
      ['UnderReview', 'under-review'],
      ['NotAllowed', 'not-allowed'],
      ['Allowed', 'allowed'],
    ]) {
      await microsoft.control(`/tenants/${fabrikam}/vetting`, { status });
      expect(await perform('readVetting', { customerId: fabrikam })).toEqual({ status: word });
    }
  });
});

describe('the catalogue and the cart', () => {
  it('resolve what can be bought and say why something cannot', async () => {
    const wanted = [
      line('CFQ7TTC0LHT4'),
      line('CFQ7TTC0ZZZZ'),
      line('CFQ7TTC0LHT4', { quantity: 9_999_999 }),
      line('CFQ7TTC0LH18', { quantity: 301 }),
    ];

    const { lines } = await perform('resolveCatalogue', { customerId: fabrikam, lines: wanted });

    expect(lines[0]).toMatchObject({
      catalogItemId: expect.stringMatching(/^CFQ7TTC0LHT4:0001:/),
      graphSkuId: EMS_SKU,
      problem: null,
    });
    expect(lines[1]).toMatchObject({ catalogItemId: null, problem: expect.any(String) });
    expect(lines[3]).toMatchObject({ catalogItemId: null, problem: expect.stringContaining('300') });
  });

  it('price an order, and the hash of the price stays as long as the price does', async () => {
    const { lines } = await perform('resolveCatalogue', {
      customerId: fabrikam,
      lines: [line('CFQ7TTC0LHT4'), line('CFQ7TTC0LF8R')],
    });

    const cart = await perform('createCart', { customerId: fabrikam, lines });
    const { cart: again } = await perform('readCart', { customerId: fabrikam, cartId: cart.cartId, lines });
    const { lines: more } = await perform('resolveCatalogue', {
      customerId: fabrikam,
      lines: [line('CFQ7TTC0LHT4', { quantity: 6 })],
    });
    const { output: other } = await performActivity(
      microsoft,
      'createCart',
      { customerId: fabrikam, lines: more },
      { instanceId: 'wf_2' },
    );

    expect(cart).toMatchObject({ status: 'active', expired: false, currency: 'USD' });
    expect(cart.totalPrice).toBeCloseTo(cart.lines[0].extendedPrice + cart.lines[1].extendedPrice, 2);
    expect(again).toEqual(cart);
    expect((other as typeof cart).priceHash).not.toBe(cart.priceHash);
  });

  it('report a line that Microsoft does not take, with the cart', async () => {
    microsoft.emulator.addFault({
      kind: 'cart-line-error',
      route: 'POST /pc/v1/customers/:customerId/carts',
      times: 1,
    });
    const { lines } = await perform('resolveCatalogue', {
      customerId: fabrikam,
      lines: [line('CFQ7TTC0LHT4')],
    });

    const cart = await perform('createCart', { customerId: fabrikam, lines });

    expect(cart.lines).toMatchObject([{ line: 0, error: { code: '10006' } }]);
  });

  it('know nothing of a cart or an order that is not there', async () => {
    expect(await perform('readCart', { customerId: fabrikam, cartId: NOBODY, lines: [] })).toMatchObject({
      cart: null,
    });
    expect(await perform('readOrder', { customerId: fabrikam, orderId: 'none' })).toEqual({ order: null });
    const search = { customerId: fabrikam, lines: [], notBefore: new Date().toISOString() };
    expect(await perform('findOrder', search)).toEqual({ orders: [] });
  });
});

describe('the customer’s tenant', () => {
  it('lists its members with what they hold', async () => {
    const { users, total, synchronised, truncated } = await perform('listUsers', {
      tenantId: fabrikam,
      skuIds: [OFFICE_SKU],
    });

    expect(users.map(({ userPrincipalName }: { userPrincipalName: string }) => userPrincipalName)).toContain(
      'dana@fabrikam.example',
    );
    expect({ total, synchronised, truncated }).toEqual({ total: 4, synchronised: 0, truncated: false });
  });

  it('is active once the licences and the directory premium plan are there', async () => {
    const missing = await perform('verifyTenant', { tenantId: fabrikam, skuIds: [EMS_SKU] });
    const { tenantId } = (await microsoft.control('/tenants', {
      domain: 'tailspin',
      name: 'Tailspin',
      customer: true,
      gdapReady: true,
      subscriptions: [{ sku: 'EMS', quantity: 5, soldBy: 'partner' }],
    })) as { tenantId: string };

    expect(missing).toMatchObject({ active: false, missing: [expect.stringContaining(EMS_SKU)] });
    expect(await perform('verifyTenant', { tenantId, skuIds: [EMS_SKU] })).toMatchObject({
      name: 'Tailspin',
      active: true,
      missing: [],
      verifiedDomains: ['tailspin.onmicrosoft.com'],
    });
  });

  it('tells whether it synchronises, and how fresh that is', async () => {
    const { tenantId } = (await microsoft.control('/tenants', {
      domain: 'tailspin',
      name: 'Tailspin',
      customer: true,
      gdapReady: true,
      syncEnabled: true,
      users: [{ name: 'ada', synced: true }, { name: 'ben' }],
    })) as { tenantId: string };

    expect(await perform('verifySync', { tenantId: fabrikam, maxAgeMs: 3_600_000 })).toMatchObject({
      enabled: false,
      fresh: false,
      synchronisedUsers: 0,
    });
    expect(await perform('verifySync', { tenantId, maxAgeMs: 3_600_000 })).toMatchObject({
      enabled: true,
      fresh: true,
      synchronisedUsers: 1,
      errors: 0,
    });
  });
});
