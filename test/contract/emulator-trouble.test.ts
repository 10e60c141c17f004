/** The emulator's rarer troubles, as the connectors meet them. */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SEED_TENANTS } from '../../emulator/index.ts';
import { type EmulatedMicrosoft, startEmulatedMicrosoft } from '../support/emulated-microsoft.ts';
import { eventually } from '../support/eventually.ts';
import { buy, catalogueItem, clientOf, EMS_SKU, seatsOf } from './emulator-client.ts';

const FABRIKAM = SEED_TENANTS.fabrikam;
const ids = () => ({ requestId: randomUUID(), correlationId: randomUUID() });
const TOKENS = 'POST /login/:tenant/oauth2/v2.0/token';

let microsoft: EmulatedMicrosoft;
beforeEach(async () => {
  microsoft = await startEmulatedMicrosoft();
});
afterEach(() => microsoft.close());

const fault = (kind: string, more: object = {}) =>
  microsoft.emulator.addFault({ kind, times: 1, ...more } as Parameters<
    typeof microsoft.emulator.addFault
  >[0]);

describe('on order, the emulator', () => {
  it('says nothing at all, or says it late', async () => {
    const route = 'GET /pc/v1/customers/:customerId';
    const { customers } = microsoft.connectors.partnerCenter;
    fault('no-answer', { route });
    await expect(customers.get(FABRIKAM)).rejects.toMatchObject({
      kind: 'retryable',
      code: 'partner-center-timeout',
    });

    fault('delay', { route, delayMs: 5_000 });
    await expect(customers.get(FABRIKAM)).rejects.toMatchObject({ code: 'partner-center-timeout' });
    fault('delay', { route, delayMs: 1 });
    expect((await customers.get(FABRIKAM)).id).toBe(FABRIKAM);
  });

  it('sends a gateway’s page instead of an answer, before anything was done', async () => {
    fault('gateway-page', { route: 'GET /pc/*', status: 502, retryAfterSeconds: 3 });

    await expect(microsoft.connectors.partnerCenter.customers.list()).rejects.toMatchObject({
      kind: 'retryable',
      code: 'partner-center-http-502',
      retryAfterMs: 3_000,
    });
  });

  it.each([
    ['html', {}, 'it is no JSON'],
    ['empty', {}, 'it is empty'],
    ['truncated', {}, 'it is no JSON'],
    ['field', { field: 'relationshipToPartner', value: 'friend' }, 'relationshipToPartner is none of'],
    ['field', { field: 'companyProfile.domain' }, 'companyProfile.domain is missing'],
    ['huge', {}, 'too large'],
  ])('garbles an answer (%s %j)', async (as, more, words) => {
    fault('garbled', { route: 'GET /pc/v1/customers/:customerId', as, ...more });

    await expect(microsoft.connectors.partnerCenter.customers.get(FABRIKAM)).rejects.toMatchObject({
      kind: 'unexpected',
      message: expect.stringContaining(words),
    });
  });

  it('gives a good answer under another content type', async () => {
    fault('garbled', { route: 'GET /pc/v1/customers/:customerId', as: 'wrong-type' });

    expect((await microsoft.connectors.partnerCenter.customers.get(FABRIKAM)).id).toBe(FABRIKAM);
  });

  it('refuses to lock a relationship that it has not copied around', async () => {
    const { gdap } = microsoft.connectors.graph;
    const { id } = await gdap.create(
      {
        displayName: 'trouble',
        customerTenantId: SEED_TENANTS.contoso,
        roleIds: ['88d8e3e3-8f55-4a1e-953a-9b9898b8876b'],
        duration: 'P730D',
        autoExtendDuration: 'PT0S',
      },
      ids(),
    );
    fault('lock-not-allowed');

    await eventually(async () => {
      const locked = await gdap.lock(id, ids()).catch((error: unknown) => error);
      expect(locked).toMatchObject({ status: 'approvalPending' });
    });
    expect(microsoft.emulator.world.faults.all()).toMatchObject([{ kind: 'lock-not-allowed', struck: 1 }]);
  });

  it('forgets a consent for one token, runs out of licences, misses a location', async () => {
    const { licences, users } = microsoft.connectors.graph;
    fault('consent-missing', { route: TOKENS });
    await expect(users.list(FABRIKAM)).rejects.toMatchObject({ kind: 'retryable', code: 'aadsts-65001' });

    const [user] = await users.list(FABRIKAM);
    const assign = () => licences.assign(FABRIKAM, user?.id ?? '', { skuId: EMS_SKU }, ids());
    fault('out-of-licences');
    await expect(assign()).rejects.toMatchObject({ code: 'graph-licences-exhausted' });
    fault('invalid-usage-location');
    await expect(assign()).rejects.toMatchObject({ code: 'graph-usage-location-missing' });
  });

  it('leaves an order where it is, or fails to bring its seats into being', async () => {
    const client = clientOf(microsoft.emulator);
    const item = await catalogueItem(client, FABRIKAM, 'CFQ7TTC0LHT4:0001');
    const { carts, orders, subscriptions } = microsoft.connectors.partnerCenter;
    const line = { catalogItemId: item, quantity: 3, billingCycle: 'monthly', termDuration: 'P1Y' };
    const order = async () => {
      const cart = await carts.create(FABRIKAM, [line], ids());
      return (await carts.checkout(FABRIKAM, cart.id, ids())).orders[0]?.id ?? '';
    };
    fault('order-stuck');
    const stuck = await order();
    fault('provisioning-failed');
    const failing = await order();

    await eventually(async () => expect((await orders.get(FABRIKAM, failing)).status).toBe('completed'));
    const [subscription] = await subscriptions.list(FABRIKAM, { orderId: failing });
    expect(await subscriptions.provisioning(FABRIKAM, subscription?.id ?? '')).toMatchObject({
      status: 'failed',
    });
    expect(await orders.provisioning(FABRIKAM, failing)).toMatchObject([{ status: 'unfulfilled' }]);
    expect((await orders.get(FABRIKAM, stuck)).status).toBe('pending');
    await buy(client, FABRIKAM, [{ id: item, quantity: 2 }]);
    await eventually(async () => expect(await seatsOf(client, FABRIKAM, EMS_SKU)).toBe(2));
  });

  it('answers a repeated request id with the first answer, whatever the body, when told so', async () => {
    const client = clientOf(microsoft.emulator);
    const headers = { 'MS-RequestId': randomUUID() };
    const lineItems = [{ catalogItemId: 'x', quantity: 1, billingCycle: 'monthly', termDuration: 'P1Y' }];
    const create = (quantity: number) =>
      client.call('partnerCenter', 'POST', `/v1/customers/${FABRIKAM}/carts`, {
        headers,
        body: { lineItems: lineItems.map((line) => ({ ...line, quantity })) },
      });
    const first = await create(1);
    expect((await create(2)).json.code).toBe(800002);

    await microsoft.control('/settings', { requestIdReuse: 'replay' }, 'PATCH');

    expect((await create(2)).json).toEqual(first.json);
  });

  it('keeps its confirmation mails to itself', async () => {
    await microsoft.control('/settings', { confirmationMails: false }, 'PATCH');
    await microsoft.control('/consents/reseller/accept', { tenantId: SEED_TENANTS.contoso });
    const { customers } = microsoft.connectors.partnerCenter;

    await eventually(async () => expect(await customers.find(SEED_TENANTS.contoso)).not.toBeNull());

    expect(microsoft.emulator.world.mail.mails.all()).toEqual([]);
    expect(microsoft.emulator.world.scheduler.pending().map(({ kind }) => kind)).not.toContain(
      'confirmation-mail',
    );
  });

  it('delivers events out of order, signed in the header that was asked for', async () => {
    const received: { headers: IncomingHttpHeaders; name: string }[] = [];
    const receiver = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { EventName: name } = JSON.parse(Buffer.concat(chunks).toString()) as { EventName: string };
      received.push({ headers: request.headers, name });
      response.end();
    });
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const accepted = 'reseller-relationship-accepted-by-customer';
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
    const { webhooks } = microsoft.connectors.partnerCenter;
    await webhooks.ensure({ url, events: [accepted, 'test-created'] }, ids());
    fault('webhook-out-of-order', { route: accepted, delayMs: 300 });

    await microsoft.control('/consents/reseller/accept', { tenantId: SEED_TENANTS.contoso });
    await eventually(() => microsoft.emulator.world.partner.deliveries.all().length === 1);
    await webhooks.sendTest(ids());

    await eventually(() => expect(received.map(({ name }) => name)).toEqual(['test-created', accepted]));
    expect(received[0]?.headers['x-ms-signature']).toMatch(/^Signature /);
    expect(received[0]?.headers.authorization).toBeUndefined();
    receiver.closeAllConnections();
    await new Promise((resolve) => receiver.close(resolve));
  });
});
