/** Which orders are left alone, and which are put before a person. */
import { describe, expect, it } from '@jest/globals';
import { compare } from '../../workers/order-reconciliation.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 20);
const at = (ms: number): string => new Date(ms).toISOString();
const window = { since: NOW - 10 * DAY, until: NOW - 3_600_000 };

const customer = { name: 'Fabrikam', tenantId: 't' };
const intent = (orders: readonly string[], running = false, placed = NOW - DAY) => ({
  customer,
  running,
  orders: orders.map((orderId) => ({ orderId, placedAt: at(placed), key: 'a:b:c x 5' })),
});
const order = (id: string, more: object = {}) =>
  ({
    ...{ id, status: 'completed', creationDate: at(NOW - DAY) },
    lineItems: [{ offerId: 'a:b:c', quantity: 5 }],
    ...more,
  }) as never;
const found = (ours: Parameters<typeof compare>[0], theirs: Parameters<typeof compare>[1]) =>
  compare(ours, theirs, window).map(({ kind, orderId }) => [kind, orderId]);

describe('a reconciliation of one customer', () => {
  it('tells a repeat of our own order from a stranger', () => {
    const theirs = [
      order('ours'),
      order('twin'),
      order('other', { lineItems: [{ offerId: 'x', quantity: 5 }] }),
    ];
    expect(found([intent(['ours'])], theirs)).toEqual([
      ['duplicate', 'twin'],
      ['orphan', 'other'],
    ]);
  });

  it.each([
    ['that was cancelled', { status: 'cancelled' }],
    ['placed a moment ago', { creationDate: at(window.until + 1) }],
    ['from before the time looked at', { creationDate: at(window.since - 1) }],
    ['without a date', { creationDate: null }],
  ])('leaves a stranger %s alone', (_which, more) => {
    expect(found([intent(['ours'])], [order('ours'), order('twin', more)])).toEqual([]);
  });

  it('leaves strangers for another night while an ordering is under way, whichever it is', () => {
    expect(found([intent(['ours']), intent([], true)], [order('ours'), order('twin')])).toEqual([]);
  });

  it('misses an order of ours, also while another is under way, but none placed a moment ago', () => {
    expect(found([intent(['ours']), intent([], true)], [])).toEqual([['missing', 'ours']]);
    expect(found([intent(['ours'], false, window.until + 1)], [])).toEqual([]);
  });
});
