/** Many onboardings at once while Microsoft's answers to the dear calls get lost: the emulator's books are the judge. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { onboardNewCustomer } from '../../workflows/onboard-new-customer.ts';
import { playToTheEnd } from '../support/play.ts';
import { COMMON, ems, NEW_CUSTOMER, type Onboarding, office, startOnboarding } from './onboarding-fixture.ts';

const CHECKOUT = 'POST /pc/v1/customers/:customerId/carts/:cartId/checkout';
const CREATE = 'POST /pc/v1/customers';
const INSTANCES = 30;

let onboarding: Onboarding;
beforeEach(async () => {
  onboarding = await startOnboarding({ seed: 'four' });
});
afterEach(() => onboarding.close());

describe('thirty onboardings with one outcome in five unknown', () => {
  it('leave one tenant and one order each: nothing twice, nothing orphaned', async () => {
    const { client, microsoft, books } = onboarding;
    for (const route of [CREATE, CHECKOUT]) {
      microsoft.emulator.addFault({ kind: 'hang-up-after', route, probability: 0.2 });
      microsoft.emulator.addFault({ kind: 'hang-up-before', route, probability: 0.1 });
    }
    const customers = Array.from({ length: INSTANCES }, (_, index) => ({
      ...NEW_CUSTOMER,
      name: `Adventure Works ${index}`,
      domainPrefix: `adventure${index}`,
    }));

    const ids = await Promise.all(
      customers.map(async (customer) => {
        const input = { ...COMMON, customer, order: { lines: [ems(10), office(10)] } };
        return (await client.start(onboardNewCustomer, input as never)).instance.id;
      }),
    );
    const played = await Promise.all(
      ids.map((id) => playToTheEnd(id, { client, microsoft, within: 150_000, pauseMs: 400 })),
    );

    expect(played.map(({ instance }) => instance.status)).toEqual(ids.map(() => 'completed'));
    const { tenantsCreated, orders, carts } = books();
    const tenants = played.map(
      ({ instance }) => (instance.output as { customer: { tenantId: string } }).customer.tenantId,
    );
    expect([...tenantsCreated].sort()).toEqual([...tenants].sort());
    expect(new Set(tenants).size).toBe(INSTANCES);
    const reported = played.flatMap(({ instance }) =>
      (instance.output as { ordered: { orders: { orderId: string }[] } }).ordered.orders.map(
        ({ orderId }) => orderId,
      ),
    );
    expect(orders.map(({ id }) => id).sort()).toEqual(reported.sort());
    expect(orders.map(({ customerId }) => customerId).sort()).toEqual(
      // A cart of two products becomes two orders.
      tenantsCreated.flatMap((id) => [id, id]).sort(),
    );
    expect(orders.flatMap(({ lines }) => lines.map(({ quantity }) => quantity))).toEqual(
      Array.from({ length: INSTANCES * 2 }, () => 10),
    );
    expect(carts.filter(({ status }) => status === 'Ordered')).toHaveLength(INSTANCES);
    const struck = microsoft.emulator.world.faults.all().reduce((sum, fault) => sum + fault.struck, 0);
    expect(struck).toBeGreaterThan(5);
  }, 180_000);
});
