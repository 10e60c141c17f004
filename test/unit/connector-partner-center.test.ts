import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chooseAvailability } from '../../connectors/index.ts';
import {
  CUSTOMER,
  connect,
  type FakeService,
  failureOf,
  IDS,
  json,
  startFakeService,
} from './connector-fake-service.ts';

let service: FakeService;
beforeEach(async () => {
  service = await startFakeService();
});
afterEach(() => service.close());

const customerPath = `/v1/customers/${CUSTOMER}`;
const summary = (id: string) => ({
  id,
  companyProfile: { domain: 'contoso.onmicrosoft.com', companyName: 'Contoso Ltd' },
  relationshipToPartner: 'reseller',
});
const partnerCenter = () => connect(service.url).partnerCenter;

describe('customers', () => {
  it('are searched through all pages, with the headers a page asks for', async () => {
    const other = '6f0c1111-0000-4000-8000-000000000002';
    service.on('GET', '/v1/customers?', (asked, response) =>
      asked.headers['ms-continuationtoken'] === 'AAA'
        ? json(response, 200, { items: [summary(other)], links: {} })
        : json(response, 200, {
            items: [summary(CUSTOMER)],
            links: {
              next: {
                uri: '/customers?size=40&seekOperation=Next',
                headers: [{ key: 'MS-ContinuationToken', value: 'AAA' }],
              },
            },
          }),
    );

    const found = await partnerCenter().customers.search({ field: 'Domain', value: 'con' });

    expect(found.map((customer) => customer.id)).toEqual([CUSTOMER, other]);
    const [first, second] = service.askedFor('/v1/');
    expect(decodeURIComponent(first?.path ?? '')).toContain(
      '{"Field":"Domain","Value":"con","Operator":"starts_with"}',
    );
    expect(second?.path).toBe('/v1/customers?size=40&seekOperation=Next');
  });

  it('that are not ours are null, and any other refusal is a failure', async () => {
    service.on('GET', customerPath, (_, response, count) =>
      count === 1
        ? json(response, 403, { code: 20002, description: 'x' })
        : json(response, 403, { code: 1002, description: 'x' }),
    );

    expect(await partnerCenter().customers.find(CUSTOMER)).toBeNull();
    expect(await failureOf(partnerCenter().customers.find(CUSTOMER))).toMatchObject({
      code: 'partner-center-1002',
    });
  });

  const fabrikam = {
    domain: 'fabrikam.onmicrosoft.com',
    companyName: 'Fabrikam',
    email: 'it@fabrikam.example',
    culture: 'en-US',
    language: 'en',
    firstName: 'Ada',
    lastName: 'Meyer',
    address: { country: 'US', addressLine1: '1 Example Way' },
  };

  it('are created with the administrator’s password as a secret', async () => {
    service.on('POST', '/v1/customers', (_, response) =>
      json(response, 201, {
        ...summary(CUSTOMER),
        relationshipToPartner: 'none',
        companyProfile: { domain: 'fabrikam.onmicrosoft.com', companyName: 'Fabrikam' },
        userCredentials: { userName: 'admin', password: 'Xk3secret' },
      }),
    );

    const created = await partnerCenter().customers.create(fabrikam, IDS);

    expect(created.administrator?.userPrincipalName).toBe('admin@fabrikam.onmicrosoft.com');
    expect(created.administrator?.password.reveal()).toBe('Xk3secret');
    expect(() => JSON.stringify(created)).toThrow('seal it');
    expect(JSON.parse(service.askedFor('/v1/')[0]?.body ?? '')).toMatchObject({
      enableGDAPByDefault: true,
      companyProfile: { domain: 'fabrikam.onmicrosoft.com' },
      billingProfile: { defaultAddress: { country: 'US', firstName: 'Ada' } },
    });
  });

  it('whose creation answers in an unknown shape leave no password in the failure', async () => {
    service.on('POST', '/v1/customers', (_, response) =>
      json(response, 201, { id: 7, userCredentials: { userName: 'admin', password: 'Xk3secret' } }),
    );

    const failure = await failureOf(partnerCenter().customers.create(fabrikam, IDS));

    expect(failure).toMatchObject({ kind: 'unknown', code: 'partner-center-shape' });
    expect(JSON.stringify(failure['details'])).not.toContain('Xk3secret');
  });

  it('under review say so, and no review is null', async () => {
    service.on('GET', `${customerPath}/validationStatus`, (_, response, count) =>
      count === 1
        ? json(response, 200, { status: 'UnderReview' })
        : json(response, 404, { code: 600074, description: 'x' }),
    );

    expect(await partnerCenter().customers.vettingStatus(CUSTOMER)).toMatchObject({ status: 'UnderReview' });
    expect(await partnerCenter().customers.vettingStatus(CUSTOMER)).toBeNull();
  });
});

describe('carts', () => {
  it('report errors line by line and checkouts order group by order group', async () => {
    service.on('POST', `${customerPath}/carts`, (_, response) =>
      json(response, 201, {
        id: 'c1',
        status: 'Active',
        lineItems: [
          {
            id: 0,
            catalogItemId: 'P:1:A',
            quantity: 25,
            billingCycle: 'Monthly',
            pricing: { price: 8.48, extendedPrice: 2544 },
          },
          {
            id: 1,
            catalogItemId: 'P:2:B',
            quantity: 1,
            billingCycle: 'monthly',
            error: { errorCode: 10015, errorDescription: 'too many' },
          },
        ],
      }),
    );
    service.on('POST', `${customerPath}/carts/c1/checkout`, (_, response) =>
      json(response, 201, {
        orders: [
          {
            id: 'o1',
            status: 'pending',
            totalPrice: 2544,
            lineItems: [{ lineItemNumber: 0, offerId: 'P:1:A', quantity: 25 }],
          },
        ],
        orderErrors: [{ orderGroupId: '1', code: 800025, description: 'credit' }],
      }),
    );
    const { carts } = partnerCenter();

    const cart = await carts.create(CUSTOMER, [], IDS);
    const result = await carts.checkout(CUSTOMER, 'c1', IDS);

    expect(cart.lineItems.map((line) => line.error)).toEqual([null, { code: '10015', text: 'too many' }]);
    expect(cart.lineItems[0]).toMatchObject({ unitPrice: 8.48, totalPrice: 2544, billingCycle: 'monthly' });
    expect(result.orders[0]).toMatchObject({ id: 'o1', lineItems: [{ subscriptionId: null }] });
    expect(result.errors).toEqual([{ orderGroup: '1', code: '800025', text: 'credit' }]);
    expect(service.askedFor(`${customerPath}/carts/c1`)[0]?.headers['content-length']).toBe('0');
  });

  it('take the availability with the lowest id among those that fit', () => {
    const term = { id: null, duration: 'P1Y', description: null, billingCycle: 'monthly' };
    const base = {
      productId: 'P',
      skuId: '1',
      segment: 'commercial',
      country: 'US',
      defaultCurrency: null,
      isPurchasable: true,
      terms: [term],
    };
    const all = [
      { ...base, id: 'C', catalogItemId: 'P:1:C' },
      { ...base, id: 'B', catalogItemId: 'P:1:B' },
      { ...base, id: 'A', catalogItemId: 'P:1:A', segment: 'education' },
    ];

    expect(chooseAvailability(all, { termDuration: 'P1Y', billingCycle: 'Monthly' })?.id).toBe('B');
    expect(chooseAvailability(all, { termDuration: 'P3Y', billingCycle: 'monthly' })).toBeUndefined();
  });
});

describe('subscriptions', () => {
  const raw = {
    id: 's1',
    offerId: 'P:1:A',
    quantity: 5,
    status: 'active',
    autoRenewEnabled: true,
    unknownToUs: { keep: 'me' },
    attributes: { etag: 'W1' },
  };

  it('are sent back whole against their etag when the seats change', async () => {
    service.on('GET', `${customerPath}/subscriptions/s1`, (_, response) => json(response, 200, raw));
    service.on('PATCH', `${customerPath}/subscriptions/s1`, (_, response) =>
      json(response, 200, { ...raw, quantity: 30 }),
    );

    const result = await partnerCenter().subscriptions.change(CUSTOMER, 's1', { quantity: 30 }, IDS);

    expect(result).toMatchObject({ outcome: 'changed', subscription: { quantity: 30, isNewCommerce: true } });
    const patch = service.asked.at(-1);
    expect(patch?.headers['if-match']).toBe('"W1"');
    expect(JSON.parse(patch?.body ?? '')).toEqual({ ...raw, quantity: 30 });
  });

  it('may take a change on and apply it later', async () => {
    service.on('GET', `${customerPath}/subscriptions/s1`, (_, response) => json(response, 200, raw));
    service.on('PATCH', `${customerPath}/subscriptions/s1`, (_, response) =>
      json(response, 202, undefined, { location: '/x' }),
    );

    expect(await partnerCenter().subscriptions.change(CUSTOMER, 's1', { quantity: 30 }, IDS)).toEqual({
      outcome: 'accepted',
    });
  });

  it('name their Graph SKU in lower case, or nothing while unprovisioned', async () => {
    const skuId = 'EFCCB6F7-5641-4E0E-BD10-B4976E1BF68E';
    service.on('GET', `${customerPath}/subscriptions/s1/provisioningstatus`, (_, response, count) =>
      count === 1
        ? json(response, 404, { code: 800007, description: 'x' })
        : json(response, 200, { skuId, status: 'success', quantity: 25 }),
    );

    expect(await partnerCenter().subscriptions.provisioning(CUSTOMER, 's1')).toBeNull();
    expect(await partnerCenter().subscriptions.provisioning(CUSTOMER, 's1')).toMatchObject({
      skuId: skuId.toLowerCase(),
    });
  });
});

describe('what is already so', () => {
  it('an attestation, an application consent and an invisible order are answers, not failures', async () => {
    service.on('POST', `${customerPath}/agreements`, (_, response) =>
      json(response, 400, { code: 600061, message: 'm', description: 'd' }),
    );
    service.on('POST', `${customerPath}/applicationconsents`, (_, response) =>
      json(response, 409, { code: 409, description: 'Permission entry already exists.' }),
    );
    service.on('GET', `${customerPath}/orders/o1`, (_, response) =>
      json(response, 404, { code: 20000, description: 'x' }),
    );
    const { agreements, orders, relationships } = partnerCenter();
    const contact = { firstName: 'Ada', lastName: 'Meyer', email: 'ada@fabrikam.example' };

    expect(
      await agreements.attest(
        CUSTOMER,
        { templateId: 't', dateAgreed: '2026-11-02T00:00:00Z', contact },
        IDS,
      ),
    ).toEqual({ alreadyThere: true });
    const consent = { applicationId: CUSTOMER, displayName: 'Onboarding', grants: [] };
    expect(await relationships.consentToApplication(CUSTOMER, consent, IDS)).toEqual({ alreadyThere: true });
    expect(await orders.find(CUSTOMER, 'o1')).toBeNull();
  });
});

describe('the webhook registration', () => {
  const path = '/webhooks/v1/registration';
  const wanted = {
    url: 'https://hooks.partner.example/pc',
    events: ['test-created', 'subscription-updated'],
  };
  const echo = (method: string) =>
    service.on(method, path, (asked, response) => json(response, 200, JSON.parse(asked.body)));

  it('is created where there is none', async () => {
    service.on('GET', path, (_, response) => json(response, 404, undefined));
    echo('POST');

    expect(await partnerCenter().webhooks.ensure(wanted, IDS)).toBe('created');
  });

  it('keeps the events that are already there', async () => {
    service.on('GET', path, (_, response) =>
      json(response, 200, { WebhookUrl: wanted.url, WebhookEvents: ['invoice-ready', 'test-created'] }),
    );
    echo('PUT');

    expect(await partnerCenter().webhooks.ensure(wanted, IDS)).toBe('updated');

    expect(JSON.parse(service.asked.at(-1)?.body ?? '').WebhookEvents).toEqual([
      'invoice-ready',
      'test-created',
      'subscription-updated',
    ]);
  });

  it('of another product is not taken over unasked', async () => {
    service.on('GET', path, (_, response) =>
      json(response, 200, { WebhookUrl: 'https://other.example', WebhookEvents: [] }),
    );

    expect(await failureOf(partnerCenter().webhooks.ensure(wanted, IDS))).toMatchObject({
      code: 'partner-center-webhook-foreign',
    });
    expect(service.askedFor(path)).toHaveLength(1);
  });
});

describe('an address', () => {
  it.each([
    [200, { status: 'VerifiedShippable' }, 'accepted'],
    [
      200,
      { status: 'Multiple', suggestedAddresses: [{ country: 'US', addressLine1: '1 Example Way' }] },
      'suggested',
    ],
    [200, { status: 'NotValidated', suggestedAddresses: null }, 'rejected'],
    [200, undefined, 'accepted'],
    [400, { code: 2007, description: '{"code":"60071"}' }, 'rejected'],
  ])('answered %d %j is %s', async (status, body, verdict) => {
    service.on('POST', '/v1/validations/address', (_, response) => json(response, status, body));

    const result = await partnerCenter().validations.checkAddress({
      country: 'US',
      addressLine1: '1 Example Way',
    });

    expect(result.verdict).toBe(verdict);
  });
});
