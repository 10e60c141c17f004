import { describe, expect, it } from '@jest/globals';
import request from 'supertest';
import type { Client } from '../../engine/index.ts';
import { createFixture, TENANT } from './api-fixture.ts';

const SIGNED = { 'X-MS-Signature': 'good', 'Content-Type': 'application/json' };
const accepted = (tenant = TENANT, at = '2026-11-02T10:00:00.0000000+00:00') => ({
  EventName: 'reseller-relationship-accepted-by-customer',
  ResourceUri: `https://api.partnercenter.microsoft.com/v1/customers/${tenant}`,
  ResourceName: 'Customer',
  AuditUri: null,
  ResourceChangeUtcDate: at,
});

const deliver = (
  { app }: Pick<ReturnType<typeof createFixture>, 'app'>,
  body: object | string,
  headers: object = SIGNED,
) =>
  request(app)
    .post('/webhooks/partner-center')
    .set(headers as Record<string, string>)
    .send(typeof body === 'string' ? body : JSON.stringify(body));

async function waitingForConsent(fixture: ReturnType<typeof createFixture>) {
  const { id } = await fixture.start();
  await fixture
    .as('approver')
    .post(`/v1/tasks/${id}~approve-order/approve`, { payload: { cartId: 'cart-1' } });
  await fixture.engine.settled();
  return id;
}

describe('a webhook', () => {
  it('that is genuine advances the instance that holds the customer’s key', async () => {
    const fixture = createFixture();
    const id = await waitingForConsent(fixture);

    const response = await deliver(fixture, accepted(TENANT.toUpperCase()));
    await fixture.engine.settled();

    expect([response.status, response.body]).toEqual([200, { status: 'applied' }]);
    expect((await fixture.client.describe(id))?.state).toBe('greeting');
  });

  it('that is delivered twice is applied once', async () => {
    const fixture = createFixture();
    const id = await waitingForConsent(fixture);
    const child = (await fixture.client.describe(id))?.children[0]?.instanceId ?? '';

    const [first, second] = await Promise.all([deliver(fixture, accepted()), deliver(fixture, accepted())]);
    await fixture.engine.settled();
    const history = await fixture.client.history(child);

    expect([first.status, second.status]).toEqual([200, 200]);
    expect(history.filter(({ event }) => event.kind === 'signal')).toHaveLength(1);
  });

  it('that comes again after its instance has ended is known, and nobody’s to match', async () => {
    const fixture = createFixture();
    const id = await waitingForConsent(fixture);
    await deliver(fixture, accepted());
    await fixture.engine.settled();
    await fixture.client.cancel(id, { force: true });
    await fixture.engine.settled();

    const again = await deliver(fixture, accepted());
    const another = await deliver(fixture, accepted(TENANT, '2026-12-24T10:00:00.0000000+00:00'));

    expect([again.body.status, another.body.status]).toEqual(['duplicate', 'unmatched']);
    expect(await fixture.client.unmatched()).toHaveLength(1);
  });

  it('that is forged changes nothing', async () => {
    const fixture = createFixture();
    const id = await waitingForConsent(fixture);

    const response = await deliver(fixture, accepted(), { 'Content-Type': 'application/json' });

    expect([response.status, response.body.code]).toEqual([401, 'webhook-signature-invalid']);
    expect((await fixture.client.describe(id))?.state).toBe('asking');
    expect(await fixture.client.unmatched()).toEqual([]);
  });

  it('whose certificate cannot be fetched is asked for again', async () => {
    const fixture = createFixture({
      webhookVerifier: {
        verify: () => Promise.resolve({ outcome: 'refused', reason: 'certificate-unavailable', status: 503 }),
      },
    });

    expect((await deliver(fixture, accepted())).status).toBe(503);
  });

  it('for a customer nobody waits for is kept for whoever comes', async () => {
    const fixture = createFixture();

    const response = await deliver(fixture, accepted());
    const listed = await fixture.as('viewer').get('/v1/unmatched');

    expect(response.body.status).toBe('unmatched');
    expect(listed.body.data).toMatchObject([{ key: `tenant:${TENANT}`, type: 'consent.reseller.granted' }]);
    const id = await waitingForConsent(fixture);
    await fixture.engine.settled();
    expect((await fixture.client.describe(id))?.state).toBe('greeting');
  });

  it('without an audit record is read all the same', async () => {
    const fixture = createFixture();
    await waitingForConsent(fixture);

    const response = await deliver(fixture, { ...accepted(), AuditUri: null });

    expect(response.body.status).toBe('applied');
  });

  it.each(['test-created', 'subscription-updated', 'granular-admin-relationship-activated', 'something-new'])(
    'of the kind %s is acknowledged and does nothing',
    async (EventName) => {
      const fixture = createFixture();

      const response = await deliver(fixture, { ...accepted(), EventName });

      expect([response.status, response.body.status]).toEqual([200, 'acknowledged']);
      expect(await fixture.client.unmatched()).toEqual([]);
    },
  );

  it.each([
    ['approved', 'consent.admin.granted'],
    ['expired', 'consent.admin.ended'],
    ['terminated', 'consent.admin.ended'],
  ])('about an admin relationship %s is the hint %s', async (what, type) => {
    const fixture = createFixture();
    const relationship = 'a1b2c3d4-1111-4222-8333-444455556666-0a1b2c3d-1111-4222-8333-444455556666';

    await deliver(fixture, {
      ...accepted(),
      EventName: `granular-admin-relationship-${what}`,
      ResourceUri: `https://partner.microsoft.com/granularAdminRelationships/${relationship}`,
    });

    expect(await fixture.client.unmatched()).toMatchObject([
      {
        key: `gdap:${relationship}`,
        event: { type, source: `webhook granular-admin-relationship-${what}` },
      },
    ]);
  });

  it.each(['', 'x', '[]', '{"EventName":1}'])('that is signed but reads %p is refused', async (body) => {
    const response = await deliver(createFixture(), body);

    expect([response.status, response.body.code]).toEqual([400, 'webhook-malformed']);
  });

  it('that is too large is refused before its signature is looked at', async () => {
    const response = await deliver(createFixture(), 'x'.repeat(70_000));

    expect([response.status, response.body.code]).toEqual([413, 'body-too-large']);
  });

  it('is not acknowledged while the store is away', async () => {
    const fixture = createFixture();
    const away = {
      ...fixture.client,
      signalByKey: () => Promise.reject(new Error('Connection is closed.')),
    } as Client;
    const cut = createFixture({ client: away });

    const response = await deliver(cut, accepted());

    expect([response.status, response.body.code]).toEqual([503, 'store-unavailable']);
    expect(response.headers['retry-after']).toBe('2');
  });
});
