import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createEmulator, type Emulator, PARTNER, SEED_TENANTS } from '../../emulator/index.ts';
import { eventually } from '../support/eventually.ts';
import {
  assignGroup,
  buy,
  type Client,
  catalogueItem,
  clientOf,
  consentApplication,
  EMS_SKU,
  type Json,
  requestGdap,
  seatsOf,
} from './emulator-client.ts';

let emulator: Emulator;
let client: Client;

beforeAll(async () => {
  emulator = createEmulator();
  await emulator.listen();
  client = clientOf(emulator);
});
afterAll(() => emulator.close());

const pc = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  client.call('partnerCenter', method, path, { body, headers });

/** Tail: organization, licence for one user, licence details. */
async function licenseFirstUser(tenantId: string): Promise<void> {
  const organization = await client.call('graph', 'GET', '/v1.0/organization', { tenant: tenantId });
  expect(organization.json.value[0]).toMatchObject({ id: tenantId, tenantType: 'AAD' });
  const { json } = await client.call(
    'graph',
    'GET',
    '/v1.0/users?$select=id,usageLocation,assignedLicenses',
    { tenant: tenantId },
  );
  const user = json.value.find((row: Json) => row.usageLocation === null);
  const body = { addLicenses: [{ skuId: EMS_SKU, disabledPlans: [] }], removeLicenses: [] };
  const early = await client.call('graph', 'POST', `/v1.0/users/${user.id}/assignLicense`, {
    body,
    tenant: tenantId,
  });
  expect(early).toMatchObject({
    status: 400,
    json: {
      error: { code: 'Request_BadRequest', message: expect.stringContaining('invalid usage location') },
    },
  });
  const located = await client.call('graph', 'PATCH', `/v1.0/users/${user.id}`, {
    body: { usageLocation: 'US' },
    tenant: tenantId,
  });
  expect(located.status).toBe(204);
  const assigned = await client.call('graph', 'POST', `/v1.0/users/${user.id}/assignLicense`, {
    body,
    tenant: tenantId,
  });
  expect(assigned.status).toBe(200);
  await eventually(async () => {
    const details = await client.call('graph', 'GET', `/v1.0/users/${user.id}/licenseDetails`, {
      tenant: tenantId,
    });
    return details.json.value.some((row: Json) => row.skuPartNumber === 'EMS');
  });
}

describe('path 3.1: an existing tenant that is not our customer yet', () => {
  it('plays from the relationship request to an assigned licence', async () => {
    const tenantId = SEED_TENANTS.contoso;
    const found = await client.call(
      'graph',
      'GET',
      "/v1.0/tenantRelationships/findTenantInformationByDomainName(domainName='contoso.example')",
    );
    expect(found.json).toMatchObject({ tenantId, displayName: 'Contoso Ltd' });
    expect(await pc('GET', `/v1/customers/${tenantId}`)).toMatchObject({
      status: 403,
      json: { code: 20002, source: 'PartnerFD' },
    });

    const request = await pc('GET', '/v1/customers/relationshiprequests');
    expect(request.json.url).toContain(`partnerId=${PARTNER.tenantId}`);
    const relationshipId = await requestGdap(client, tenantId, 'onb-contoso');
    expect(relationshipId).toMatch(/^[0-9a-f-]{36}-[0-9a-f-]{36}$/);
    await client.call('control', 'POST', '/consents/reseller/accept', {
      body: { domain: 'contoso.example', signAgreement: false },
    });
    await client.call('control', 'POST', `/consents/gdap/${relationshipId}/approve`, { body: {} });
    await eventually(
      async () => (await pc('GET', `/v1/customers/${tenantId}`)).json.relationshipToPartner === 'reseller',
    );
    const base = '/v1.0/tenantRelationships/delegatedAdminRelationships';
    await eventually(
      async () => (await client.call('graph', 'GET', `${base}/${relationshipId}`)).json.status === 'active',
    );

    expect((await client.token('https://graph.microsoft.com', tenantId)).json.error_codes).toEqual([50020]);
    expect((await consentApplication(client, tenantId)).json.code).toBe(900308);
    await assignGroup(client, relationshipId);
    expect((await client.token('https://graph.microsoft.com', tenantId)).json.error_codes).toEqual([65001]);
    expect((await consentApplication(client, tenantId)).status).toBe(201);
    expect((await consentApplication(client, tenantId)).json.description).toContain(
      'Permission entry already exists',
    );
    await eventually(
      async () => (await client.token('https://graph.microsoft.com', tenantId)).status === 200,
    );

    const item = await catalogueItem(client, tenantId, 'CFQ7TTC0LHT4:0001');
    const line = { catalogItemId: item, quantity: 25, billingCycle: 'monthly', termDuration: 'P1Y' };
    const cart = await pc('POST', `/v1/customers/${tenantId}/carts`, { LineItems: [line] });
    expect(cart).toMatchObject({
      status: 201,
      json: { status: 'Active', lineItems: [{ error: null, quantity: 25 }] },
    });
    expect(await pc('POST', `/v1/customers/${tenantId}/carts/${cart.json.id}/checkout`)).toMatchObject({
      status: 403,
      json: { code: 13605 },
    });
    expect(
      (await pc('GET', `/v1/customers/${tenantId}/directSignedMicrosoftCustomerAgreementStatus`)).json,
    ).toEqual({ isSigned: false });
    const agreement = {
      primaryContact: {
        firstName: 'Ada',
        lastName: 'Meyer',
        email: 'ada@contoso.example',
        phoneNumber: '4255550100',
      },
      dateAgreed: '2026-01-02T00:00:00Z',
      templateId: '117a77b0-9360-443b-8795-c6dedc750cf9',
      type: 'MicrosoftCustomerAgreement',
    };
    expect((await pc('POST', `/v1/customers/${tenantId}/agreements`, agreement)).status).toBe(201);
    expect((await pc('POST', `/v1/customers/${tenantId}/agreements`, agreement)).json.code).toBe(600061);
    expect((await pc('GET', `/v1/customers/${tenantId}/subscriptions`)).json.totalCount).toBe(0);

    const bought = await buy(client, tenantId, [{ id: item, quantity: 25 }]);
    expect(bought.status).toBe(201);
    expect(bought.checkout.orders[0].lineItems[0].subscriptionId).toBeUndefined();
    await eventually(async () => (await seatsOf(client, tenantId, EMS_SKU)) === 25);
    await licenseFirstUser(tenantId);
    const books = await client.books();
    expect(books.orders.filter((order: Json) => order.customerId === tenantId)).toHaveLength(1);
    expect(books.licences).toEqual([expect.objectContaining({ tenantId, skuPartNumber: 'EMS' })]);
  });
});

describe('path 3.2: an existing customer', () => {
  it('buys EMS, then raises the seats of the subscription to an absolute number', async () => {
    const tenantId = SEED_TENANTS.fabrikam;
    const filter = encodeURIComponent(
      JSON.stringify({ Field: 'CompanyName', Value: 'fabr', Operator: 'starts_with' }),
    );
    const search = await pc('GET', `/v1/customers?filter=${filter}`);
    expect(search.json.items.map((row: Json) => row.id)).toEqual([tenantId]);
    const gdap = await client.call(
      'graph',
      'GET',
      `/v1.0/tenantRelationships/delegatedAdminRelationships?$filter=customer/tenantId eq '${tenantId}' and status eq 'active'`,
    );
    expect(gdap.json.value).toHaveLength(1);
    const before = await pc('GET', `/v1/customers/${tenantId}/subscriptions`);
    expect(before.json.items[0].offerName).toBe('Office 365 E3');

    await buy(client, tenantId, [
      { id: await catalogueItem(client, tenantId, 'CFQ7TTC0LHT4:0001'), quantity: 10 },
    ]);
    const { json } = await pc('GET', `/v1/customers/${tenantId}/subscriptions`);
    const ems = json.items.find((row: Json) => row.offerId.startsWith('CFQ7TTC0LHT4:0001:'));
    const changed = await pc('PATCH', `/v1/customers/${tenantId}/subscriptions/${ems.id}`, {
      ...ems,
      quantity: 15,
    });
    expect(changed).toMatchObject({ status: 200, json: { quantity: 15, autoRenewEnabled: true } });
    await eventually(async () => (await seatsOf(client, tenantId, EMS_SKU)) === 15);
    const status = await pc('GET', `/v1/customers/${tenantId}/subscriptions/${ems.id}/provisioningstatus`);
    expect(status.json).toMatchObject({ skuId: EMS_SKU.toUpperCase(), quantity: 15, status: 'success' });

    await client.call('control', 'PATCH', '/settings', { body: { subscriptionPatch: 'accepted' } });
    const accepted = await pc('PATCH', `/v1/customers/${tenantId}/subscriptions/${ems.id}`, {
      ...changed.json,
      quantity: 20,
    });
    expect(accepted.status).toBe(202);
    expect(accepted.headers.get('location')).toContain(ems.id);
    await eventually(
      async () => (await pc('GET', `/v1/customers/${tenantId}/subscriptions/${ems.id}`)).json.quantity === 20,
    );
    await client.call('control', 'PATCH', '/settings', { body: { subscriptionPatch: 'ok' } });
    await licenseFirstUser(tenantId);
  });
});

describe('path 3.3: a new customer', () => {
  it('creates the tenant once, shows its credentials once a request id, and sells two products', async () => {
    expect((await pc('GET', '/v1/countryvalidationrules/US')).json).toMatchObject({
      iso2Code: 'US',
      isStateRequired: true,
    });
    expect((await pc('HEAD', '/v1/domains/adventure.onmicrosoft.com')).status).toBe(404);
    expect((await pc('HEAD', '/v1/domains/contoso.onmicrosoft.com')).status).toBe(200);
    const address = {
      addressLine1: '1 Example Way',
      city: 'Redmond',
      state: 'WA',
      postalCode: '98052',
      country: 'US',
    };
    expect((await pc('POST', '/v1/validations/address', address)).json.status).toBe('VerifiedShippable');

    const customer = {
      enableGDAPByDefault: true,
      CompanyProfile: { Domain: 'adventure.onmicrosoft.com' },
      BillingProfile: {
        Email: 'it@adventure.example',
        Culture: 'en-US',
        Language: 'en',
        CompanyName: 'Adventure GmbH',
        FirstName: 'Ada',
        LastName: 'Meyer',
        DefaultAddress: { ...address, FirstName: 'Ada', LastName: 'Meyer', PhoneNumber: '4255550100' },
      },
    };
    expect((await pc('POST', '/v1/customers', customer)).status).toBe(400);
    const ids = {
      'MS-RequestId': 'c0ffee00-0000-4000-8000-000000000001',
      'MS-CorrelationId': 'c0ffee00-0000-4000-8000-000000000002',
    };
    const made = await pc(
      'POST',
      '/v1/customers',
      { ...customer, CompanyProfile: { ...customer.CompanyProfile, CompanyName: 'Adventure GmbH' } },
      ids,
    );
    expect(made).toMatchObject({
      status: 201,
      json: { relationshipToPartner: 'none', userCredentials: { userName: 'admin' } },
    });
    expect(made.headers.get('ms-requestid')).toBe(ids['MS-RequestId']);
    const again = await pc(
      'POST',
      '/v1/customers',
      { ...customer, CompanyProfile: { ...customer.CompanyProfile, CompanyName: 'Adventure GmbH' } },
      ids,
    );
    expect(again.json).toEqual(made.json);
    const tenantId: string = made.json.id;
    await eventually(
      async () => (await pc('GET', `/v1/customers/${tenantId}`)).json.relationshipToPartner === 'reseller',
    );
    expect((await pc('GET', `/v1/customers/${tenantId}/validationStatus?type=account`)).json).toMatchObject({
      code: 600074,
      isRetryable: false,
    });
    await pc('POST', `/v1/customers/${tenantId}/agreements`, {
      primaryContact: { firstName: 'Ada', lastName: 'Meyer', email: 'ada@adventure.example' },
      dateAgreed: '2026-01-02T00:00:00Z',
      templateId: '117a77b0-9360-443b-8795-c6dedc750cf9',
      type: 'MicrosoftCustomerAgreement',
    });

    const items = await Promise.all(
      ['CFQ7TTC0LHT4:0001', 'CFQ7TTC0LF8R:0001'].map((product) => catalogueItem(client, tenantId, product)),
    );
    const bought = await buy(
      client,
      tenantId,
      items.map((id) => ({ id, quantity: 5 })),
    );
    expect(bought.checkout.orders).toHaveLength(2);
    const defaults = await eventually(async () => {
      const { json } = await client.call(
        'graph',
        'GET',
        `/v1.0/tenantRelationships/delegatedAdminRelationships?$filter=customer/tenantId eq '${tenantId}'`,
      );
      return json.value[0]?.status === 'active' && json.value;
    });
    expect(defaults[0].displayName).toMatch(/^Default_/);
    await assignGroup(client, defaults[0].id);
    expect((await consentApplication(client, tenantId)).status).toBe(201);
    await eventually(
      async () => (await client.token('https://graph.microsoft.com', tenantId)).status === 200,
    );
    await eventually(async () => (await seatsOf(client, tenantId, EMS_SKU)) === 5);
    await licenseFirstUser(tenantId);
    const books = await client.books();
    expect(books.tenantsCreated).toEqual([tenantId]);
    expect(books.duplicatesRefused.map((row: Json) => row.operation)).toContain('POST /pc/v1/customers');
  });
});
