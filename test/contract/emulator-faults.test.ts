import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createEmulator, type Emulator, SEED_TENANTS } from '../../emulator/index.ts';
import { eventually } from '../support/eventually.ts';
import { type Client, catalogueItem, clientOf, type Json } from './emulator-client.ts';

let emulator: Emulator;
let client: Client;
const tenantId = SEED_TENANTS.fabrikam;
const carts = `/v1/customers/${tenantId}/carts`;
const checkoutRoute = 'POST /pc/v1/customers/:customerId/carts/:cartId/checkout';

beforeEach(async () => {
  emulator = createEmulator();
  await emulator.listen();
  client = clientOf(emulator);
});
afterEach(() => emulator.close());

async function cart(products: readonly string[] = ['CFQ7TTC0LHT4:0001']): Promise<Json> {
  const lineItems = await Promise.all(
    products.map(async (product) => ({
      catalogItemId: await catalogueItem(client, tenantId, product),
      quantity: 2,
      billingCycle: 'monthly',
      termDuration: 'P1Y',
    })),
  );
  return (await client.call('partnerCenter', 'POST', carts, { body: { lineItems } })).json;
}

const checkout = (id: string) => client.call('partnerCenter', 'POST', `${carts}/${id}/checkout`);

describe('faults on order', () => {
  it('throttles the next N requests with the gateway body and then lets go', async () => {
    emulator.addFault({ kind: 'throttle', route: 'GET /pc/v1/customers', times: 1, retryAfterSeconds: 57 });

    const refused = await client.call('partnerCenter', 'GET', '/v1/customers');

    expect(refused).toMatchObject({
      status: 429,
      json: { statusCode: 429, message: 'Rate limit is exceeded. Try again in 57 seconds.' },
    });
    expect(refused.headers.get('retry-after')).toBe('57');
    expect((await client.call('partnerCenter', 'GET', '/v1/customers')).status).toBe(200);
  });

  it('loses the answer after the commit: the order exists once, the repeat gets the first result', async () => {
    const { id } = await cart();
    emulator.addFault({ kind: 'hang-up-after', route: checkoutRoute, times: 1 });

    await expect(checkout(id)).rejects.toThrow();
    const repeated = await checkout(id);

    expect(repeated.status).toBe(201);
    expect((await client.books()).orders).toHaveLength(1);
  });

  it('loses the request before the commit: nothing happened', async () => {
    const { id } = await cart();
    emulator.addFault({ kind: 'hang-up-before', route: checkoutRoute, times: 1 });

    await expect(checkout(id)).rejects.toThrow();

    expect((await client.books()).orders).toHaveLength(0);
  });

  it('knows the other answer to a repeated checkout', async () => {
    const { id } = await cart();
    await checkout(id);
    await client.call('control', 'PATCH', '/settings', { body: { repeatCheckout: 'already-submitted' } });

    expect(await checkout(id)).toMatchObject({ status: 400, json: { code: 800065 } });
  });

  it('changes the availability under a cart, which a new cart mends', async () => {
    const { id } = await cart();
    emulator.addFault({ kind: 'availability-gone', route: checkoutRoute, times: 1 });

    expect(await checkout(id)).toMatchObject({ status: 404, json: { code: 400019 } });

    expect((await checkout((await cart()).id)).status).toBe(201);
  });

  it('creates carts with line errors and checks out in part', async () => {
    emulator.addFault({ kind: 'cart-line-error', code: 10015, times: 1 });
    const broken = await cart();
    expect(broken.lineItems[0].error.errorCode).toBe(10015);
    expect((await checkout(broken.id)).json.code).toBe(800009);

    const { id } = await cart(['CFQ7TTC0LHT4:0001', 'CFQ7TTC0LF8R:0001']);
    emulator.addFault({ kind: 'partial-checkout', times: 1 });
    expect((await checkout(id)).json).toMatchObject({
      orders: [{ status: 'pending' }],
      orderErrors: [{ orderGroupId: '1', code: 800025 }],
    });
  });

  it('answers a chosen code for a chosen route', async () => {
    const { id } = await cart();
    emulator.addFault({ kind: 'error', route: checkoutRoute, status: 409, code: 800064, times: 1 });
    expect(await checkout(id)).toMatchObject({ status: 409, json: { code: 800064, source: 'PartnerFD' } });
    expect((await client.call('control', 'POST', '/faults', { body: { kind: 'nonsense' } })).status).toBe(
      400,
    );
  });

  it('refuses the wrong tokens with the documented codes', async () => {
    const app = await client.token('https://api.partnercenter.microsoft.com', undefined, {
      grant_type: 'client_credentials',
    });
    const asApp = { bearer: app.json.access_token };
    expect((await client.call('partnerCenter', 'GET', '/v1/customers', asApp)).status).toBe(200);
    expect(
      (await client.call('partnerCenter', 'GET', '/v1/customers/relationshiprequests', asApp)).json.code,
    ).toBe(900329);
    const graph = await client.token('https://graph.microsoft.com');
    expect(
      (await client.call('partnerCenter', 'GET', '/v1/customers', { bearer: graph.json.access_token }))
        .status,
    ).toBe(401);

    await client.call('control', 'PATCH', '/settings', { body: { mfa: false } });
    expect(await client.call('partnerCenter', 'GET', '/v1/customers')).toMatchObject({
      status: 401,
      json: { description: 'MFA required' },
    });

    await client.call('control', 'POST', '/refresh-tokens/revoke');
    expect((await client.token('https://graph.microsoft.com')).json.error_codes).toEqual([700082]);
  });

  it('runs a batch in any order, each part counted and failing alone', async () => {
    emulator.addFault({ kind: 'throttle', route: 'GET /graph/v1.0/subscribedSkus', times: 1 });
    const { json } = await client.call('graph', 'POST', '/v1.0/$batch', {
      tenant: tenantId,
      body: {
        requests: [
          { id: '1', method: 'GET', url: '/organization' },
          { id: '2', method: 'GET', url: '/subscribedSkus' },
          { id: '3', method: 'GET', url: '/users', dependsOn: ['2'] },
        ],
      },
    });
    const byId = Object.fromEntries(json.responses.map((row: Json) => [row.id, row.status]));
    expect(byId).toEqual({ 1: 200, 2: 429, 3: 424 });
  });

  it('starts from the seed again after a reset', async () => {
    await checkout((await cart()).id);
    await client.call('control', 'POST', '/reset');
    const books = await eventually(() => client.books());
    expect(books.orders).toEqual([]);
    expect(books.customers).toHaveLength(1);
  });
});
