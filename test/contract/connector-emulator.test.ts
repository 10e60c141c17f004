/** Every connector call against the emulator: the shapes both sides took from Microsoft's documents must agree. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  type Connectors,
  chooseAvailability,
  createConnectors,
  GRAPH_APPLICATION_ID,
  type NewCustomer,
  type WriteOptions,
} from '../../connectors/index.ts';
import {
  createEmulator,
  DEFAULT_CLIENT,
  type Emulator,
  PARTNER,
  SEED_TENANTS,
  type Urls,
} from '../../emulator/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { Secret } from '../../shared/secrets.ts';
import { PartnerCenterEvent, partnerCenterEventSubject } from '../../shared/webhook-event.ts';
import { createWebhookVerifier } from '../../shared/webhook-signature.ts';
import { eventually } from '../support/eventually.ts';

const EMS = 'efccb6f7-5641-4e0e-bd10-b4976e1bf68e';
const ROLES = [
  '88d8e3e3-8f55-4a1e-953a-9b9898b8876b',
  'f2ef992c-3afb-46b9-b7cf-a126ee74c451',
  '4d6ac14f-3453-41d0-bef9-a3e0c569773a',
  'fe930be7-5e62-47db-91af-98c3a49a38b1',
  '158c047a-c907-4556-b7ef-446551a6b5f7',
];
const SCOPES = [
  'Directory.Read.All',
  'Organization.Read.All',
  'User.ReadWrite.All',
  'LicenseAssignment.ReadWrite.All',
];
const NEWCO: NewCustomer = {
  domain: 'newco7f3a.onmicrosoft.com',
  companyName: 'Newco GmbH',
  email: 'it@newco.example',
  culture: 'en-US',
  language: 'en',
  firstName: 'Ada',
  lastName: 'Meyer',
  phoneNumber: '4255550100',
  address: {
    country: 'US',
    city: 'Redmond',
    state: 'WA',
    addressLine1: '1 Example Way',
    postalCode: '98052',
  },
};

let emulator: Emulator;
let urls: Urls;
let connectors: Connectors;
const cleanUp: (() => Promise<void> | void)[] = [];

beforeEach(async () => {
  emulator = createEmulator();
  urls = await emulator.listen();
  connectors = connect();
});
afterEach(async () => {
  connectors.close();
  await emulator.close();
  for (const step of cleanUp.splice(0)) await step();
});

function connect(): Connectors {
  const microsoft = {
    authorityUrl: urls.authority,
    partnerCenterUrl: urls.partnerCenter,
    graphUrl: urls.graph,
    partnerCenterScope: 'https://api.partnercenter.microsoft.com/.default',
    graphScope: 'https://graph.microsoft.com/.default',
    partnerTenantId: PARTNER.tenantId,
    clientId: DEFAULT_CLIENT.clientId,
    clientSecret: new Secret(DEFAULT_CLIENT.clientSecret),
    refreshToken: new Secret(DEFAULT_CLIENT.refreshToken),
    requireMfa: true,
    adminCenterUrl: urls.consent,
    applicationName: 'Customer onboarding',
    customerScopes: SCOPES,
    timeoutMs: 3_000,
  };
  const mail = {
    smtpUrl: new Secret(`smtp://${urls.smtp.host}:${urls.smtp.port}`),
    from: 'onboarding@partner.example',
  };
  return createConnectors({ microsoft, mail }, { log: silentLogger() });
}

const ids = (): WriteOptions => ({ requestId: randomUUID(), correlationId: randomUUID() });

async function control(path: string, body: object = {}, method = 'POST'): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${urls.control}${path}`, { method, headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
}

async function givePartnerAccess(relationshipId: string, customerId: string): Promise<void> {
  const { graph, partnerCenter } = connectors;
  const wanted = { groupId: PARTNER.securityGroupId, roleIds: ROLES };
  const assignment = await graph.gdap.assign(relationshipId, wanted, ids());
  expect(await graph.gdap.assign(relationshipId, wanted, ids())).toMatchObject({ id: assignment.id });
  await eventually(async () => {
    expect((await graph.gdap.assignment(relationshipId, assignment.id)).status).toBe('active');
  });
  const grants = [{ enterpriseApplicationId: GRAPH_APPLICATION_ID, scopes: SCOPES }];
  const consent = { applicationId: DEFAULT_CLIENT.clientId, displayName: 'Onboarding', grants };
  expect(await partnerCenter.relationships.consentToApplication(customerId, consent, ids())).toEqual({
    alreadyThere: false,
  });
  expect(await partnerCenter.relationships.consentToApplication(customerId, consent, ids())).toEqual({
    alreadyThere: true,
  });
  await eventually(() => connectors.identity.token({ tenant: customerId, resource: 'graph' }));
}

async function buyEms(customerId: string, quantity: number) {
  const { carts, catalogue, orders } = connectors.partnerCenter;
  expect(await catalogue.sku(customerId, 'CFQ7TTC0LHT4', '0001')).toMatchObject({ graphSkuId: EMS });
  const availabilities = await catalogue.availabilities(customerId, 'CFQ7TTC0LHT4', '0001');
  const terms = { termDuration: 'P1Y', billingCycle: 'monthly' };
  const chosen = chooseAvailability(availabilities, terms);
  const line = { catalogItemId: chosen?.catalogItemId ?? '', quantity, ...terms };
  const cart = await carts.create(customerId, [line], ids());
  expect(cart).toMatchObject({ status: 'Active', lineItems: [{ error: null, quantity }] });

  const { orders: placed, errors } = await carts.checkout(customerId, cart.id, ids());

  expect(errors).toEqual([]);
  const orderId = placed[0]?.id ?? '';
  expect((await carts.checkout(customerId, cart.id, ids())).orders[0]?.id).toBe(orderId);
  await eventually(async () => {
    expect(await orders.find(customerId, orderId)).toMatchObject({ status: 'completed' });
    expect(await orders.provisioning(customerId, orderId)).toMatchObject([{ status: 'fulfilled' }]);
  });
  return orderId;
}

describe('a new customer', () => {
  it('is created, attested, sold to, opened to us and licensed', async () => {
    const { partnerCenter, graph, identity } = connectors;
    expect((await partnerCenter.validations.countryRules('US')).isPostalCodeRequired).toBe(true);
    expect(await partnerCenter.validations.isDomainTaken(NEWCO.domain)).toBe(false);
    expect((await partnerCenter.validations.checkAddress(NEWCO.address)).verdict).toBe('accepted');

    const { customerId, administrator } = await partnerCenter.customers.create(NEWCO, ids());
    expect(administrator?.userPrincipalName).toBe(`admin@${NEWCO.domain}`);
    expect(await partnerCenter.validations.isDomainTaken(NEWCO.domain)).toBe(true);
    expect(await identity.discoverTenant(NEWCO.domain)).toEqual({ tenantId: customerId });
    await eventually(async () => {
      expect(await partnerCenter.customers.find(customerId)).toMatchObject({
        relationshipToPartner: 'reseller',
      });
    });
    expect(await partnerCenter.customers.vettingStatus(customerId)).toBeNull();

    const [template] = await partnerCenter.agreements.templates();
    const contact = { firstName: 'Ada', lastName: 'Meyer', email: NEWCO.email };
    const attestation = {
      templateId: template?.templateId ?? '',
      dateAgreed: '2026-01-02T00:00:00Z',
      contact,
    };
    expect(await partnerCenter.agreements.attest(customerId, attestation, ids())).toEqual({
      alreadyThere: false,
    });
    expect(await partnerCenter.agreements.attest(customerId, attestation, ids())).toEqual({
      alreadyThere: true,
    });
    expect(await partnerCenter.agreements.list(customerId)).toHaveLength(1);

    const orderId = await buyEms(customerId, 5);
    const [subscription] = await partnerCenter.subscriptions.list(customerId, { orderId });
    expect(subscription).toMatchObject({ quantity: 5, status: 'active', isNewCommerce: true });
    const records = await partnerCenter.audit.records({ startDate: new Date().toISOString().slice(0, 10) });
    expect(records.map((record) => record.operationType)).toContain('create_order');

    const [relationship] = await graph.gdap.list(customerId);
    await givePartnerAccess(relationship?.id ?? '', customerId);
    await eventually(async () => {
      const skus = await graph.licences.subscribedSkus(customerId);
      expect(skus.find((sku) => sku.skuId === EMS)).toMatchObject({
        freeUnits: 5,
        capabilityStatus: 'Enabled',
      });
    });
    expect(await graph.directory.organization(customerId)).toMatchObject({ id: customerId });

    const users = (await graph.users.list(customerId)).map((user) => user.id);
    expect(await graph.users.setUsageLocations(customerId, users, 'US', ids())).toMatchObject([
      { outcome: 'done' },
    ]);
    expect(await graph.licences.assignBatch(customerId, users, { skuId: EMS }, ids())).toMatchObject([
      { outcome: 'done' },
    ]);
    await eventually(async () => {
      expect(await graph.licences.details(customerId, users[0] ?? '')).toMatchObject([{ skuId: EMS }]);
    });

    expect(
      await partnerCenter.subscriptions.change(customerId, subscription?.id ?? '', { quantity: 9 }, ids()),
    ).toMatchObject({
      outcome: 'changed',
      subscription: { quantity: 9 },
    });
    expect(await partnerCenter.subscriptions.provisioning(customerId, subscription?.id ?? '')).toMatchObject({
      skuId: EMS,
    });
  });

  it('whose creation went unanswered is the same one when asked for again with the same request id', async () => {
    const create = 'POST /pc/v1/customers';
    emulator.addFault({ kind: 'hang-up-after', route: create, times: 1 });
    const sameIds = ids();
    const { customers } = connectors.partnerCenter;

    await expect(customers.create(NEWCO, sameIds)).rejects.toMatchObject({
      kind: 'unknown',
      code: 'partner-center-no-answer',
    });
    const created = await customers.create(NEWCO, sameIds);

    expect(await customers.search({ field: 'CompanyName', value: 'newco' })).toMatchObject([
      { id: created.customerId },
    ]);
  });
});

describe('an existing tenant', () => {
  it('that accepts both invitations becomes our customer, and signed webhooks say so', async () => {
    const deliveries: { headers: IncomingHttpHeaders; body: Buffer }[] = [];
    const receiver = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        deliveries.push({ headers: request.headers, body: Buffer.concat(chunks) });
        response.end();
      });
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    cleanUp.push(() => {
      receiver.close();
      receiver.closeAllConnections();
    });
    const { partnerCenter, graph } = connectors;
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hooks`;
    const events = ['reseller-relationship-accepted-by-customer', 'granular-admin-relationship-approved'];
    expect(await partnerCenter.webhooks.ensure({ url, events }, ids())).toBe('created');
    expect(await partnerCenter.webhooks.ensure({ url, events }, ids())).toBe('unchanged');

    const tenant = await graph.tenants.findByDomain('contoso.example');
    const tenantId = tenant?.tenantId ?? '';
    expect(tenantId).toBe(SEED_TENANTS.contoso);
    expect(await partnerCenter.customers.find(tenantId)).toBeNull();
    expect((await partnerCenter.relationships.invitation()).url).toMatch(/ResellerRelationship/);
    const request = {
      displayName: 'onb-1 Contoso',
      customerTenantId: tenantId,
      roleIds: ROLES,
      duration: 'P730D',
      autoExtendDuration: 'P180D',
    };
    const relationship = await graph.gdap.create(request, ids());
    expect((await graph.gdap.create(request, ids())).id).toBe(relationship.id);
    await eventually(async () => {
      expect((await graph.gdap.lock(relationship.id, ids())).status).toBe('approvalPending');
    });

    await control('/consents/reseller/accept', { tenantId });
    await control(`/consents/gdap/${relationship.id}/approve`, { tenantId });

    await eventually(async () => {
      expect(await partnerCenter.customers.find(tenantId)).toMatchObject({
        relationshipToPartner: 'reseller',
      });
      expect((await graph.gdap.get(relationship.id)).status).toBe('active');
      expect(deliveries.length).toBeGreaterThanOrEqual(2);
    });
    const verifier = createWebhookVerifier({
      certificateHosts: ['127.0.0.1'],
      extraRoots: [Buffer.from(emulator.webhookRootPem())],
      allowLoopbackHttp: true,
    });
    const verdicts = await Promise.all(deliveries.map(({ body, headers }) => verifier.verify(body, headers)));
    expect(verdicts.every((verdict) => verdict.outcome === 'verified')).toBe(true);
    const forged = await verifier.verify(Buffer.from('{}'), deliveries[0]?.headers ?? {});
    expect(forged).toMatchObject({ outcome: 'refused', reason: 'signature-wrong' });
    const subjects = deliveries.map(({ body }) =>
      partnerCenterEventSubject(PartnerCenterEvent.parse(JSON.parse(body.toString()))),
    );
    expect(subjects).toContainEqual({ customerId: tenantId, gdapRelationshipId: null });
    expect(subjects).toContainEqual({ customerId: null, gdapRelationshipId: relationship.id });

    await givePartnerAccess(relationship.id, tenantId);
    expect((await graph.users.list(tenantId)).length).toBeGreaterThan(1);
    expect(await graph.licences.directorySubscriptions(tenantId)).toMatchObject([
      { skuPartNumber: 'ENTERPRISEPACK' },
    ]);
  });
});

describe('the emulator’s moods', () => {
  it('byte order marks and codes as text change nothing', async () => {
    await control('/settings', { byteOrderMark: true, stringErrorCodes: true }, 'PATCH');

    expect(await connectors.partnerCenter.customers.find(SEED_TENANTS.contoso)).toBeNull();
    expect(await connectors.partnerCenter.customers.find(SEED_TENANTS.fabrikam)).toMatchObject({
      companyName: 'Fabrikam Inc',
    });
  });

  it('throttling, a dead sign-in and missing MFA are told apart', async () => {
    const { customers } = connectors.partnerCenter;
    emulator.addFault({
      kind: 'throttle',
      route: 'GET /pc/v1/customers/:customerId',
      times: 1,
      retryAfterSeconds: 7,
    });
    await expect(customers.get(SEED_TENANTS.fabrikam)).rejects.toMatchObject({
      kind: 'retryable',
      retryAfterMs: 7_000,
    });

    await control('/settings', { mfa: false }, 'PATCH');
    await expect(connect().partnerCenter.customers.get(SEED_TENANTS.fabrikam)).rejects.toMatchObject({
      pausesQueue: 'partner-center',
    });

    await control('/refresh-tokens/revoke');
    await expect(connect().partnerCenter.customers.get(SEED_TENANTS.fabrikam)).rejects.toMatchObject({
      kind: 'terminal',
      code: 'aadsts-700082',
      pausesQueue: 'partner-center',
    });
  });

  it('a mail arrives', async () => {
    const mail = {
      to: ['ga@contoso.example'],
      subject: 'Your reseller',
      text: 'Please accept',
      messageKey: 'key-1',
    };

    expect(await connectors.mail.send(mail)).toMatchObject({ accepted: ['ga@contoso.example'] });
  });

  it('our user is an Admin Agent and our group exists', async () => {
    expect(await connectors.graph.tenants.isAdminAgent()).toBe(true);
    expect(await connectors.graph.tenants.findGroup(PARTNER.securityGroupId)).toMatchObject({
      id: PARTNER.securityGroupId,
    });
    expect(await connectors.graph.tenants.findGroup(randomUUID())).toBeNull();
  });
});
