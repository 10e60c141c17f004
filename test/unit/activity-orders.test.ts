import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import type { Cart, Order } from '../../connectors/index.ts';
import { relationshipName } from '../../workers/activities/admin-relationship.ts';
import { candidateOrders, cartOf, coverExactly, placedOrder } from '../../workers/activities/orders.ts';
import { containsEms, graphSkuOf, isEms } from '../../workers/activities/products.ts';

const NOT_BEFORE = '2026-11-02T10:00:00.000Z';
const EMS = { catalogItemId: 'CFQ7TTC0LHT4:0001:A', quantity: 25 };
const OFFICE = { catalogItemId: 'CFQ7TTC0LF8R:0001:B', quantity: 10 };

function order(
  id: string,
  lines: readonly { catalogItemId: string; quantity: number }[],
  more: Partial<Order> = {},
): Order {
  return {
    id,
    status: 'pending',
    creationDate: '2026-11-02T10:00:01.45Z',
    currencyCode: 'USD',
    totalPrice: 1,
    lineItems: lines.map(({ catalogItemId, quantity }, lineItemNumber) => ({
      lineItemNumber,
      offerId: catalogItemId,
      subscriptionId: null,
      quantity,
      friendlyName: null,
      termDuration: 'P1Y',
    })),
    ...more,
  };
}

const idsOf = (orders: readonly Order[]) => orders.map(({ id }) => id);

describe('recognising an order', () => {
  it.each([
    ['holds the lines', order('a', [EMS]), true],
    ['holds a part of the lines', order('a', [OFFICE]), true],
    ['holds another quantity', order('a', [{ ...EMS, quantity: 26 }]), false],
    ['holds a line twice', order('a', [EMS, EMS]), false],
    ['holds something else besides', order('a', [EMS, { ...EMS, catalogItemId: 'X:1:Y' }]), false],
    ['holds nothing', order('a', []), false],
    ['was cancelled', order('a', [EMS], { status: 'cancelled' }), false],
    ['is older than the approval', order('a', [EMS], { creationDate: '2026-11-02T09:59:57Z' }), false],
    ['has no date', order('a', [EMS], { creationDate: null }), false],
  ])('one that %s is a candidate: %#', (_, candidate, expected) => {
    expect(candidateOrders([candidate], [EMS, OFFICE], NOT_BEFORE)).toEqual(expected ? [candidate] : []);
  });

  it('takes two orders of one cart together, and three for too many', () => {
    const both = [order('a', [EMS]), order('b', [OFFICE])];

    expect(idsOf(candidateOrders(both, [EMS, OFFICE], NOT_BEFORE))).toEqual(['a', 'b']);
    expect(coverExactly(both, [EMS, OFFICE])).toBe(true);
    expect(coverExactly([...both, order('c', [EMS])], [EMS, OFFICE])).toBe(false);
    expect(coverExactly(both.slice(0, 1), [EMS, OFFICE])).toBe(false);
  });

  it('reads a fulfilled line only from the provisioning status', () => {
    const shown = placedOrder(order('a', [EMS, OFFICE]), [
      { lineItemNumber: 0, status: 'fulfilled' },
      { lineItemNumber: 1, status: 'unfulfilled' },
    ]);

    expect(shown.lines.map(({ fulfilled }) => fulfilled)).toEqual([true, false]);
    expect(shown.placedAt).toBe('2026-11-02T10:00:01.450Z');
  });
});

describe('a cart', () => {
  const line = (id: number, extendedPrice: number) => ({
    id,
    catalogItemId: `P:1:${id}`,
    quantity: 3,
    billingCycle: 'monthly',
    termDuration: 'P1Y',
    friendlyName: null,
    currencyCode: 'USD',
    orderGroup: String(id),
    error: null,
    unitPrice: 0.1,
    totalPrice: extendedPrice,
  });
  const cart = (lineItems: Cart['lineItems']): Cart => ({
    id: 'c',
    status: 'Active',
    creationTimestamp: '2026-11-02T10:00:00',
    expirationTimestamp: null,
    lineItems,
  });

  it('is hashed over the price of every line in line order', () => {
    const expected = createHash('sha256')
      .update('[["P:1:0",3,"P1Y","monthly","USD",0.1,0.1],["P:1:1",3,"P1Y","monthly","USD",0.1,0.2]]')
      .digest('hex');

    expect(cartOf(cart([line(1, 0.2), line(0, 0.1)])).priceHash).toBe(expected);
  });

  it('adds prices up to the cent', () => {
    expect(cartOf(cart([line(0, 0.1), line(1, 0.2)])).totalPrice).toBe(0.3);
  });

  it('lapses seven days after it was made when it does not say when', () => {
    const { expiresAt, expired } = cartOf(cart([]));

    expect(expiresAt).toBe('2026-11-09T10:00:00.000Z');
    expect(expired).toBe(Date.now() > Date.parse(expiresAt));
  });
});

describe('products', () => {
  it.each([
    ['CFQ7TTC0LHT4:0001:ANY', true, true],
    ['79C29AF7-3CD0-4A6F-B182-A81E31DEC84E', true, true],
    ['E6409072-4DC4-42E8-92C1-A24ABED5D524', true, true],
    ['CFQ7TTC0LFJ1:0001:ANY', false, true],
    ['CFQ7TTC0LFLX:0001:ANY', false, true],
    ['2B3B8D2D-10AA-4BE4-B5FD-7F2FEB0C3091', false, true],
    ['CFQ7TTC0LCHC:0002:ANY', false, true],
    ['CFQ7TTC0LDPB:0001:ANY', false, false],
    ['CFQ7TTC0LF8R:0001:ANY', false, false],
    ['CFQ7TTC0LHT4:0002:ANY', false, false],
  ])('%s: is EMS %s, contains EMS %s', (offerId, own, contained) => {
    const skuId = graphSkuOf(offerId);

    expect(isEms(offerId, skuId)).toBe(own);
    expect(containsEms(offerId, skuId)).toBe(contained);
  });
});

describe('the name of an admin relationship', () => {
  it('fits into 50 characters, stays the same, and differs by instance and round', () => {
    const name = relationshipName('wf_1.2.3', 1, 'A customer with a very long name indeed, really');

    expect(name.length).toBeLessThanOrEqual(50);
    expect(relationshipName('wf_1.2.3', 1, 'A customer with a very long name indeed, really')).toBe(name);
    expect(
      new Set(
        [name, relationshipName('wf_1.2.4', 1, 'A'), relationshipName('wf_1.2.3', 2, 'A')].map(
          (text) => text.split(' ')[0],
        ),
      ).size,
    ).toBe(3);
  });
});
