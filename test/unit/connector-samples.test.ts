/** The answers that Microsoft's documentation prints, played at the connectors: what each is read as. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Connectors, chooseAvailability } from '../../connectors/index.ts';
import { Secret } from '../../shared/secrets.ts';
import { type Sample, samplesOf } from '../support/microsoft-samples.ts';
import {
  CUSTOMER,
  connect,
  type FakeService,
  failureOf,
  IDS,
  json,
  NEW_CUSTOMER,
  startFakeService,
} from './connector-fake-service.ts';

let service: FakeService;
let connectors: Connectors;
beforeAll(async () => {
  service = await startFakeService();
  connectors = connect(service.url);
});
afterAll(() => service.close());

const samples = [...samplesOf('partner-center'), ...samplesOf('graph')];
const EMS = 'efccb6f7-5641-4e0e-bd10-b4976e1bf68e';
const ITEM = 'CFQ7TTC0LHT4:0001:CFQ7TTC0K97X';
const ATTESTATION = {
  templateId: '117a77b0-9360-443b-8795-c6dedc750cf9',
  dateAgreed: '2026-01-02',
  contact: { firstName: 'Ada', lastName: 'Meyer', email: 'ada@adatum.example' },
};
const PRODUCT = 'CFQ7TTC0LHT4';
const CREATED = {
  customerId: 'dfd80000-0000-4000-8000-000000000001',
  domain: 'adatum7f3a.onmicrosoft.com',
  companyName: 'Adatum GmbH',
  administrator: { userPrincipalName: 'admin@adatum7f3a.onmicrosoft.com', password: expect.any(Secret) },
};
const RELATIONSHIP = {
  displayName: 'sample Contoso',
  customerTenantId: CUSTOMER,
  roleIds: [],
  duration: 'P730D',
  autoExtendDuration: 'P180D',
};

type Play = (connectors: Connectors) => Promise<unknown>;

/** Sample → the call that gets it as an answer, and what comes of it. */
const READ_AS: Record<string, readonly [Play, unknown]> = {
  'customers found by a filter': [
    ({ partnerCenter }) => partnerCenter.customers.search({ field: 'CompanyName', value: 'fab' }),
    [{ companyName: 'Fabrikam Inc', domain: 'fabrikam.onmicrosoft.com', relationshipToPartner: 'reseller' }],
  ],
  'one customer': [
    ({ partnerCenter }) => partnerCenter.customers.get(CUSTOMER),
    {
      email: 'it@fabrikam.example',
      country: 'US',
      customDomains: ['fabrikam.example'],
      associatedPartnerId: '4500001',
    },
  ],
  'no relationship with the customer': [({ partnerCenter }) => partnerCenter.customers.find(CUSTOMER), null],
  'a reseller relationship request': [
    ({ partnerCenter }) => partnerCenter.relationships.invitation(),
    {
      url: expect.stringMatching(
        /^https:\/\/admin\.microsoft\.com\/Adminportal\/Home\?invType=ResellerRelationship/,
      ),
    },
  ],
  'an address that is accepted, with a better spelling': [
    ({ partnerCenter }) => partnerCenter.validations.checkAddress({ country: 'US', addressLine1: 'x' }),
    { verdict: 'accepted', suggestions: [{ postalCode: '98052-0001' }] },
  ],
  'an address in the older words': [
    ({ partnerCenter }) => partnerCenter.validations.checkAddress({ country: 'US', addressLine1: 'x' }),
    { verdict: 'rejected', message: expect.stringContaining('60071') },
  ],
  'the rules of a country': [
    ({ partnerCenter }) => partnerCenter.validations.countryRules('US'),
    { states: ['AK', 'AL'], postalCodeRegex: '^\\d{5}(-\\d{4})?$', supportedCultures: ['en-US', 'es-US'] },
  ],
  'a new customer': [({ partnerCenter }) => partnerCenter.customers.create(NEW_CUSTOMER, IDS), CREATED],
  'a new customer whose answer names no company': [
    ({ partnerCenter }) => partnerCenter.customers.create(NEW_CUSTOMER, IDS),
    CREATED,
  ],
  "Microsoft's review of a customer": [
    ({ partnerCenter }) => partnerCenter.customers.vettingStatus(CUSTOMER),
    { status: 'UnderReview' },
  ],
  'a customer nobody reviews': [({ partnerCenter }) => partnerCenter.customers.vettingStatus(CUSTOMER), null],
  'the templates of the agreement': [
    ({ partnerCenter }) => partnerCenter.agreements.templates(),
    [{ templateId: '117a77b0-9360-443b-8795-c6dedc750cf9', versionRank: 0 }],
  ],
  'the text of the agreement': [
    ({ partnerCenter }) => partnerCenter.agreements.document('t', { language: 'en-US', country: 'US' }),
    { displayUri: 'https://example.com/display' },
  ],
  'an attestation': [
    ({ partnerCenter }) => partnerCenter.agreements.attest(CUSTOMER, ATTESTATION, IDS),
    { alreadyThere: false },
  ],
  'an attestation that is there already': [
    ({ partnerCenter }) => partnerCenter.agreements.attest(CUSTOMER, ATTESTATION, IDS),
    { alreadyThere: true },
  ],
  'whether the customer signed directly': [
    ({ partnerCenter }) => partnerCenter.agreements.isSignedByCustomer(CUSTOMER),
    true,
  ],
  'a SKU': [
    ({ partnerCenter }) => partnerCenter.catalogue.sku(CUSTOMER, PRODUCT, '0001'),
    { maximumQuantity: 10_000_000, graphSkuId: EMS, isAddon: false },
  ],
  availabilities: [
    async ({ partnerCenter }) =>
      chooseAvailability(await partnerCenter.catalogue.availabilities(CUSTOMER, PRODUCT, '0001'), {
        termDuration: 'P1Y',
        billingCycle: 'annual',
      }),
    { catalogItemId: ITEM, defaultCurrency: { code: 'USD' } },
  ],
  'an availability that is paid once': [
    async ({ partnerCenter }) =>
      chooseAvailability(await partnerCenter.catalogue.availabilities(CUSTOMER, PRODUCT, '0001'), {
        termDuration: 'P1Y',
        billingCycle: 'annual',
      }),
    undefined,
  ],
  'a cart': [
    ({ partnerCenter }) => partnerCenter.carts.create(CUSTOMER, [], IDS),
    { status: 'Active', lineItems: [{ totalPrice: 2544, unitPrice: 8.48, error: null, orderGroup: '0' }] },
  ],
  'a cart with an error in a line': [
    ({ partnerCenter }) => partnerCenter.carts.create(CUSTOMER, [], IDS),
    { lineItems: [{ error: { code: '10015' }, totalPrice: null }] },
  ],
  'a checkout': [
    ({ partnerCenter }) => partnerCenter.carts.checkout(CUSTOMER, 'c', IDS),
    { orders: [{ id: 'a68736758d9c', status: 'pending', totalPrice: 2544 }], errors: [] },
  ],
  'a checkout that was refused in part': [
    ({ partnerCenter }) => partnerCenter.carts.checkout(CUSTOMER, 'c', IDS),
    { orders: [{ lineItems: [{ subscriptionId: null }] }], errors: [{ orderGroup: '1', code: '800025' }] },
  ],
  'an order': [
    ({ partnerCenter }) => partnerCenter.orders.find(CUSTOMER, 'a68736758d9c'),
    { status: 'completed', lineItems: [{ offerId: ITEM, quantity: 25 }] },
  ],
  'an order that does not show yet': [({ partnerCenter }) => partnerCenter.orders.find(CUSTOMER, 'x'), null],
  'how far an order is': [
    ({ partnerCenter }) => partnerCenter.orders.provisioning(CUSTOMER, 'x'),
    [{ lineItemNumber: 0, status: 'fulfilled' }],
  ],
  'the subscriptions of a customer': [
    ({ partnerCenter }) => partnerCenter.subscriptions.list(CUSTOMER),
    [
      {
        quantity: 25,
        isNewCommerce: true,
        cancellationAllowedUntilDate: '2026-11-09T10:20:57Z',
        refundableQuantity: { totalQuantity: 25 },
      },
    ],
  ],
  'subscriptions of other kinds': [
    ({ partnerCenter }) => partnerCenter.subscriptions.list(CUSTOMER),
    [
      { offerId: '', isNewCommerce: false },
      { friendlyName: 'A software licence', isNewCommerce: false },
      {
        offerName: 'Enterprise Mobility Suite',
        isNewCommerce: false,
        id: '968b0000-0000-4000-8000-000000000001',
      },
    ],
  ],
  'seats that cannot be given back': [
    ({ partnerCenter }) => failureOf(partnerCenter.subscriptions.get(CUSTOMER, 'x')),
    { kind: 'terminal', code: 'partner-center-800090' },
  ],
  'how far a subscription is': [
    ({ partnerCenter }) => partnerCenter.subscriptions.provisioning(CUSTOMER, 'x'),
    { skuId: EMS, status: 'success', quantity: 25 },
  ],
  'the audit log': [
    ({ partnerCenter }) => partnerCenter.audit.records({ startDate: '2026-11-01' }),
    [{ operationType: 'create_order', customizedData: [{ key: 'OrderId', value: 'a68736758d9c' }] }],
  ],
  'consent to our application': [
    ({ partnerCenter }) =>
      partnerCenter.relationships.consentToApplication(
        CUSTOMER,
        { applicationId: 'a', displayName: 'b', grants: [] },
        IDS,
      ),
    { alreadyThere: false },
  ],
  'webhook events on offer': [
    ({ partnerCenter }) => partnerCenter.webhooks.events(),
    ['subscription-updated', 'test-created'],
  ],
  'a webhook registration': [
    ({ partnerCenter }) => partnerCenter.webhooks.get(),
    { url: 'https://onboarding.partner.example/hook', events: ['test-created'] },
  ],
  'the webhook registration that is there': [
    ({ partnerCenter }) => partnerCenter.webhooks.get(),
    { url: 'https://onboarding.partner.example/hook', events: ['test-created'] },
  ],
  'a test of the webhooks': [
    ({ partnerCenter }) => partnerCenter.webhooks.sendTest(IDS),
    { correlationId: '04af0000-0000-4000-8000-000000000001' },
  ],
  'how the test of the webhooks went': [
    ({ partnerCenter }) => partnerCenter.webhooks.testResult('x'),
    { status: 'completed', results: [{ responseCode: 'OK', systemError: false }] },
  ],
  'throttling by the gateway': [
    ({ partnerCenter }) => failureOf(partnerCenter.customers.list()),
    { kind: 'retryable', code: 'partner-center-throttled', retryAfterMs: 57_000 },
  ],
  'success that is none': [
    ({ partnerCenter }) => failureOf(partnerCenter.catalogue.sku(CUSTOMER, PRODUCT, '0001')),
    { kind: 'terminal', code: 'partner-center-400072' },
  ],
  'the tenant of a domain': [
    ({ graph }) => graph.tenants.findByDomain('contoso.example'),
    { tenantId: '6f0c1111-0000-4000-8000-000000000001', defaultDomainName: 'contoso.onmicrosoft.com' },
  ],
  'a request for admin rights': [
    ({ graph }) => graph.gdap.create(RELATIONSHIP, IDS),
    { status: 'created', customerTenantId: '6f0c1111-0000-4000-8000-000000000001', etag: expect.any(String) },
  ],
  'rights for a group': [
    ({ graph }) => graph.gdap.assign('r', { groupId: 'g', roleIds: [] }, IDS),
    { status: 'pending', groupId: '3a1d0c55-0000-4000-8000-00000000c5ec' },
  ],
  seats: [
    ({ graph }) => graph.licences.subscribedSkus(CUSTOMER),
    [{ skuId: EMS, freeUnits: 22, servicePlans: [{ servicePlanName: 'AAD_PREMIUM' }] }],
  ],
  'who owns the subscriptions': [
    ({ graph }) => graph.licences.directorySubscriptions(CUSTOMER),
    [{ ownerTenantId: '3a1d0c55-0000-4000-8000-00000000aaaa', totalLicenses: 25 }],
  ],
  'a licence for a user': [
    async ({ graph }) => (await graph.licences.assign(CUSTOMER, 'u', { skuId: EMS }, IDS)) ?? 'done',
    'done',
  ],
  'a licence for a user without location': [
    ({ graph }) => failureOf(graph.licences.assign(CUSTOMER, 'u', { skuId: EMS }, IDS)),
    { kind: 'terminal', code: 'graph-usage-location-missing' },
  ],
  'the licences of a user': [
    ({ graph }) => graph.licences.details(CUSTOMER, 'u'),
    [{ skuId: EMS, skuPartNumber: 'EMS' }],
  ],
  'several calls in one': [
    ({ graph }) => graph.users.setUsageLocations(CUSTOMER, ['u'], 'US', IDS),
    // the part the printed answer names is not ours, and an unanswered part may have been done
    [{ userId: 'u', outcome: 'failed', failure: { kind: 'unknown', code: 'graph-no-answer' } }],
  ],
  'the organisation': [
    ({ graph }) => graph.directory.organization(CUSTOMER),
    { onPremisesSyncEnabled: true, assignedPlans: [{ capabilityStatus: 'Enabled' }] },
  ],
  'how the directory is synchronised': [
    ({ graph }) => graph.directory.synchronizationFeatures(CUSTOMER),
    { passwordSyncEnabled: true, groupWriteBackEnabled: false },
  ],
  'how the directory is synchronised, as a list': [
    ({ graph }) => graph.directory.synchronizationFeatures(CUSTOMER),
    { passwordSyncEnabled: true, groupWriteBackEnabled: false },
  ],
  'a domain to be verified': [
    ({ graph }) => graph.directory.addDomain(CUSTOMER, 'sample.example', IDS),
    { id: 'sample.example', isVerified: false },
  ],
  'the records that prove a domain': [
    ({ graph }) => graph.directory.verificationRecords(CUSTOMER, 'sample.example'),
    [
      { recordType: 'Txt', text: 'MS=ms12345678' },
      { recordType: 'Mx', preference: 32_767 },
    ],
  ],
  'throttling by Graph': [
    ({ graph }) => failureOf(graph.users.list(CUSTOMER)),
    { kind: 'retryable', code: 'graph-throttled', retryAfterMs: 10_000 },
  ],
  'rights that are missing': [
    ({ graph }) => failureOf(graph.users.list(CUSTOMER)),
    { kind: 'terminal', code: 'graph-Authorization_RequestDenied' },
  ],
};

/** Read by nobody: the page after the first, the lock whose result is read again, a call we do not make. */
const NOT_PLAYED = ['a page of users', 'locking it for approval', 'the licences that Partner Center counts'];

function answerEverythingWith(sample: Sample, mark = ''): void {
  for (const method of ['GET', 'POST', 'PATCH', 'PUT'])
    for (const path of ['/v1', '/webhooks/'])
      service.on(method, path, (_, response) => {
        const type = { 'content-type': 'application/json; charset=utf-8', ...sample.headers };
        response.writeHead(sample.status, type);
        response.end(`${mark}${JSON.stringify(sample.answer)}`);
      });
}

describe('an answer as Microsoft prints it', () => {
  it('is played, for every sample there is', () => {
    const names = samples.map(({ name }) => name);
    expect(names.filter((name) => !(name in READ_AS)).sort()).toEqual([...NOT_PLAYED].sort());
    expect(Object.keys(READ_AS).filter((name) => !names.includes(name))).toEqual([]);
  });

  describe.each([
    ['plain', ''],
    ['with a byte order mark', '\uFEFF'],
  ])('%s', (_, mark) => {
    it.each(samples.filter(({ name }) => name in READ_AS))('is read: $name', async (sample) => {
      const [play, expected] = READ_AS[sample.name] ?? [];
      answerEverythingWith(sample, mark);

      const read = await play?.(connectors);

      if (typeof expected === 'object' && expected !== null) expect(read).toMatchObject(expected);
      else expect(read).toEqual(expected);
    });
  });
});

describe('an answer', () => {
  it('without the list that was asked for is not an empty list, unless it counts none', async () => {
    const { subscriptions } = connectors.partnerCenter;
    service.on('GET', '/v1/', (_, response) => json(response, 200, { value: [] }));
    expect(await failureOf(subscriptions.list(CUSTOMER))).toMatchObject({
      kind: 'unexpected',
      code: 'partner-center-shape',
      details: { issues: [{ path: 'items', problem: 'is missing' }] },
    });

    service.on('GET', '/v1/', (_, response) => json(response, 200, { totalCount: 0 }));
    expect(await subscriptions.list(CUSTOMER)).toEqual([]);
  });
});
