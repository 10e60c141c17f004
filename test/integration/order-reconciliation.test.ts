/** Orders on both sides: an order placed behind our back is found, put before a person once, and explained. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { chooseAvailability } from '../../connectors/index.ts';
import { SEED_TENANTS } from '../../emulator/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { reconcileOrders } from '../../workers/order-reconciliation.ts';
import { onboardExistingCspCustomer } from '../../workflows/onboard-existing-csp-customer.ts';
import { eventually } from '../support/eventually.ts';
import { playToTheEnd } from '../support/play.ts';
import { COMMON, ems, type Onboarding, office, startOnboarding } from './onboarding-fixture.ts';

let onboarding: Onboarding;
beforeEach(async () => {
  onboarding = await startOnboarding();
});
afterEach(() => onboarding.close());

async function orderByHand(quantity: number): Promise<string> {
  const { catalogue, carts } = onboarding.microsoft.connectors.partnerCenter;
  const customerId = SEED_TENANTS.fabrikam;
  const wanted = office(quantity);
  const { productId, skuId, termDuration, billingCycle } = wanted;
  const offered = await catalogue.availabilities(customerId, productId, skuId);
  const availability = chooseAvailability(offered, wanted);
  const ids = { requestId: crypto.randomUUID(), correlationId: crypto.randomUUID() };
  const line = { catalogItemId: availability?.catalogItemId ?? '', quantity, termDuration, billingCycle };
  const cart = await carts.create(customerId, [line], ids);
  const { orders } = await carts.checkout(customerId, cart.id, { ...ids, requestId: crypto.randomUUID() });
  return orders[0]?.id ?? '';
}

describe('the nightly reconciliation', () => {
  const reconcile = () =>
    reconcileOrders({
      partnerCenter: onboarding.microsoft.connectors.partnerCenter,
      client: onboarding.client,
      log: silentLogger(),
      // The emulator's clock and ours are one; what was placed a moment ago is looked at, too.
      graceMs: -60_000,
    });

  it('finds nothing where every order has its intent, and each stranger once', async () => {
    const { client, microsoft } = onboarding;
    const { instance } = await client.start(onboardExistingCspCustomer, {
      ...COMMON,
      customer: { name: 'Fabrikam', domain: 'fabrikam.example' },
      order: { lines: [office(5)] },
    } as never);
    expect((await playToTheEnd(instance.id, { client, microsoft })).instance.status).toBe('completed');
    expect(await reconcile()).toEqual([]);

    const [twin, stranger] = [await orderByHand(5), await orderByHand(7)];
    // An order takes a moment to be listed.
    const { orders } = microsoft.connectors.partnerCenter;
    await eventually(async () =>
      expect((await orders.list(SEED_TENANTS.fabrikam)).map(({ id }) => id)).toEqual(
        expect.arrayContaining([twin, stranger]),
      ),
    );

    const found = await reconcile();
    expect(found.map(({ kind, orderId }) => [kind, orderId]).toSorted()).toEqual(
      [
        ['duplicate', twin],
        ['orphan', stranger],
      ].toSorted(),
    );
    await reconcile();
    const tasks = await client.list({ workflow: 'stray-order', task: true });
    expect(tasks.items).toHaveLength(2);
    expect(tasks.items.map(({ tasks: [task] }) => task?.shows['Order']).toSorted()).toEqual(
      [twin, stranger].toSorted(),
    );
  });

  it('finds an order of ours that Partner Center does not show any more', async () => {
    const { client, microsoft } = onboarding;
    const { instance } = await client.start(onboardExistingCspCustomer, {
      ...COMMON,
      customer: { name: 'Fabrikam', domain: 'fabrikam.example' },
      order: { lines: [ems(5)] },
    } as never);
    await playToTheEnd(instance.id, {
      client,
      microsoft,
      answer: ({ id }) =>
        id.endsWith('~review-subscriptions')
          ? { action: 'complete', payload: { plan: 'new-subscription' } }
          : undefined,
    });
    await microsoft.control('/delays', { orderListed: 600_000 }, 'PATCH');
    const [placed] = onboarding.books().orders;
    const listed = await microsoft.connectors.partnerCenter.orders.list(SEED_TENANTS.fabrikam);

    const missing = await reconcileOrders({
      partnerCenter: {
        orders: { ...microsoft.connectors.partnerCenter.orders, list: async () => listed.slice(1) },
      },
      client,
      log: silentLogger(),
      graceMs: -60_000,
    });

    expect(missing).toMatchObject([{ kind: 'missing', orderId: placed?.id }]);
  });
});
