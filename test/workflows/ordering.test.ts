import { describe, expect, it } from '@jest/globals';
import { type OrderingOutput, orderingMachine } from '../../workflows/parts/ordering.ts';
import { seatsMachine } from '../../workflows/parts/seats.ts';
import { type Driver, drive } from './harness.ts';
import { ANSWERS, CART, EMS_SKU, LINE, OUTCOMES, PAYLOADS, PLACED, STARTS } from './samples.ts';

const answer = (name: string, index = 0) => ANSWERS[name]?.[index];
const approval = PAYLOADS['order.approved'] ?? [];
const outputOf = (driver: Driver) => driver.snapshot().output as OrderingOutput;

function toApproval(): Driver {
  return drive(orderingMachine, STARTS['ordering'])
    .done('clearance', OUTCOMES['clearance']?.[0])
    .done('resolveCatalogue', answer('resolveCatalogue'))
    .done('createCart', CART);
}
const toCheckout = () =>
  toApproval().signal('order.approved', approval[0]).done('readCart', answer('readCart'));
/** The checkout's outcome is unknown and no order showed in two look-ups. */
const toSecondLookUp = (driver: Driver) =>
  driver
    .fail('checkoutCart')
    .done('findOrder', { orders: [] })
    .timer('orderLookup')
    .done('findOrder', { orders: [] });
/** Nobody knows, and a person is asked. */
const lookedUp = (driver: Driver) => driver.fail('checkoutCart').fail('findOrder');

describe('an approval', () => {
  it('is bound to the cart and its price', () => {
    const driver = toApproval();

    expect(driver.takes('order.approved', { cartId: 'cart-1', priceHash: 'hash-2' })).toBe(false);
    expect(driver.takes('order.approved', { cartId: 'cart-2', priceHash: 'hash-1' })).toBe(false);
    expect(driver.takes('order.approved', { cartId: 'cart-1', priceHash: 'hash-1' })).toBe(true);
  });

  it('is asked for again when the price changed meanwhile, and the old one no longer counts', () => {
    const driver = toApproval().signal('order.approved', approval[0]).done('readCart', answer('readCart', 1));

    expect(driver.is('awaitingApproval')).toBe(true);
    expect(driver.context()).toMatchObject({ priceChanged: true, approval: null });
    expect(driver.takes('order.approved', approval[0])).toBe(false);
    expect(driver.takes('order.approved', approval[1])).toBe(true);
  });

  it('that comes after the cart lapsed leads to a new cart, not to an order', () => {
    const driver = toApproval().signal('order.approved', approval[0]).done('readCart', answer('readCart', 3));

    expect(driver.running()).toEqual(['resolveCatalogue']);
  });

  it('nobody gives is asked for at the price of a new cart before the old one lapses', () => {
    expect(toApproval().timer('cartLifetime').running()).toEqual(['resolveCatalogue']);
  });
});

describe('a paid order', () => {
  it('is placed, provisioned and reported', () => {
    const driver = toCheckout().done('checkoutCart', answer('checkoutCart'));

    // Seats are verified later, by whoever may look into the tenant.
    expect(driver.input('provisioning')).toMatchObject({ orderIds: ['order-1'], expectedSeats: [] });

    driver.done('provisioning', OUTCOMES['provisioning']?.[0]);

    expect(outputOf(driver)).toMatchObject({
      outcome: 'done',
      orders: [{ orderId: 'order-1' }],
      expectedSeats: [{ enabled: 25 }],
    });
  });

  it('adds up with the seats the customer had', () => {
    const held = [{ skuId: EMS_SKU, enabled: 30 }];
    const driver = drive(orderingMachine, { ...(STARTS['ordering'] as object), held })
      .done('clearance', OUTCOMES['clearance']?.[0])
      .done('resolveCatalogue', answer('resolveCatalogue'))
      .done('createCart', CART)
      .signal('order.approved', approval[0])
      .done('readCart', answer('readCart'))
      .done('checkoutCart', answer('checkoutCart'))
      .done('provisioning', OUTCOMES['provisioning']?.[0]);

    expect(outputOf(driver).expectedSeats).toEqual([{ skuId: EMS_SKU, enabled: 55 }]);
  });

  it.each([
    ['our credit', 5, 'creditRefused'],
    ['our own account', 6, 'partnerRefused'],
    ['anything else', 4, 'orderRefused'],
  ])('refused for %s has a situation of its own, and needs a new approval afterwards', (_, index, state) => {
    const driver = toCheckout().done('checkoutCart', answer('checkoutCart', index));
    expect(driver.is(state)).toBe(true);

    driver.signal('retry.requested');

    expect(driver.running()).toEqual(['resolveCatalogue']);
    expect(driver.context()).toMatchObject({ approval: null, cart: null });
  });

  it('whose outcome is unknown is looked up and adopted', () => {
    const driver = toCheckout()
      .fail('checkoutCart')
      .done('findOrder', { orders: [PLACED] });

    expect(driver.is('provisioning')).toBe(true);
    expect(driver.context()).toMatchObject({ orders: [{ orderId: 'order-1' }] });
  });

  it('that does not show in two look-ups a pause apart is tried again with the same cart', () => {
    const driver = toSecondLookUp(toCheckout()).done('readCartAgain', answer('readCart'));

    expect(driver.input('checkoutCart')).toMatchObject({ cartId: 'cart-1' });
    expect(driver.running()).toEqual(['checkoutCart']);
  });

  it('is never repeated with another cart without a person', () => {
    const driver = toSecondLookUp(toCheckout()).done('readCartAgain', answer('readCart', 3));
    expect(driver.is('orderUnknown')).toBe(true);

    driver.signal('order.not-placed', { reason: 'Not in the history.' });

    expect(driver.running()).toEqual(['resolveCatalogue']);
    expect(driver.context()).toMatchObject({ approval: null, cart: null });
  });

  it('is left to a person after three checkouts of the same cart', () => {
    let driver = toCheckout();
    for (let checkout = 1; checkout < 3; checkout += 1)
      driver = toSecondLookUp(driver).done('readCartAgain', answer('readCart'));

    toSecondLookUp(driver).done('readCartAgain', answer('readCart'));

    expect(driver.is('orderUnknown')).toBe(true);
  });

  it('found twice is left to a person', () => {
    const driver = toCheckout()
      .fail('checkoutCart')
      .done('findOrder', { orders: [PLACED, { ...PLACED, orderId: 'order-2' }] });

    expect(driver.is('orderUnknown')).toBe(true);
  });

  it.each<[string, (driver: Driver) => Driver]>([
    ['the look-up fails', lookedUp],
    ['the cart cannot be read again', (driver) => toSecondLookUp(driver).fail('readCartAgain')],
    [
      'the cart reads ordered, and no order shows',
      (driver) => toSecondLookUp(driver).done('readCartAgain', answer('readCart', 2)),
    ],
    [
      'the cart has lapsed',
      (driver) => toSecondLookUp(driver).done('readCartAgain', { cart: { ...CART, expired: true } }),
    ],
    [
      'the order a person found cannot be read',
      (driver) => lookedUp(driver).signal('order.found', { orderId: 'order-9' }).fail('readOrder'),
    ],
    [
      'the order a person found is not there',
      (driver) =>
        lookedUp(driver).signal('order.found', { orderId: 'order-9' }).done('readOrder', { order: null }),
    ],
  ])('is neither repeated nor believed when %s: a person decides', (_what, lead) => {
    const driver = lead(toCheckout());

    expect(driver.is('orderUnknown')).toBe(true);
    expect(driver.running()).toEqual([]);
  });

  it('that a cart shows before we have placed one is left to a person', () => {
    const driver = toApproval().signal('order.approved', approval[0]).done('readCart', answer('readCart', 2));

    expect(driver.is('orderUnknown')).toBe(true);
  });

  it('is not begun from a cart that lapsed at the approved price', () => {
    const driver = toApproval()
      .signal('order.approved', approval[0])
      .done('readCart', { cart: { ...CART, expired: true }, readAt: '2026-01-02T03:04:05Z' });

    expect(driver.running()).toEqual(['resolveCatalogue']);
  });

  it('that a person says was not placed ends an ordering that was to be canceled', () => {
    const driver = lookedUp(toCheckout()).signal('cancel.requested');
    expect(driver.is('orderUnknown')).toBe(true);

    driver.signal('order.not-placed', { reason: 'Not in the history.' });

    expect(outputOf(driver)).toMatchObject({ outcome: 'canceled', orders: [] });
  });

  it('is not abandoned by a cancel in the middle of the checkout; the cancel takes effect afterwards and the order is named', () => {
    const driver = toCheckout().signal('cancel.requested');
    expect(driver.running()).toEqual(['checkoutCart']);

    driver.done('checkoutCart', answer('checkoutCart'));

    expect(outputOf(driver)).toMatchObject({ outcome: 'canceled', orders: [{ orderId: 'order-1' }] });
  });

  it('of which a part was refused keeps the placed part and orders the rest in a new, newly approved cart', () => {
    const driver = toCheckout().done('checkoutCart', answer('checkoutCart', 1)).signal('retry.requested');

    expect(driver.running()).toEqual(['resolveCatalogue']);
    expect(driver.context()).toMatchObject({ orders: [{ orderId: 'order-1' }], approval: null });
  });
});

describe('more seats', () => {
  const toSeatsApproval = () =>
    drive(seatsMachine, STARTS['seats'])
      .done('clearance', OUTCOMES['clearance']?.[0])
      .done('readSubscription', answer('readSubscription'));

  it('are an absolute number, computed once', () => {
    const driver = toSeatsApproval()
      .signal('seats.approved', { subscriptionId: 'subscription-1', targetQuantity: 35 })
      .done('changeSeats', answer('changeSeats', 1))
      .signal('retry.requested')
      .done('readSubscription', answer('readSubscription', 1));

    expect(driver.context()).toMatchObject({ baseQuantity: 25, targetQuantity: 35 });
  });

  it('approved as another number are refused', () => {
    const driver = toSeatsApproval();

    expect(driver.takes('seats.approved', { subscriptionId: 'subscription-1', targetQuantity: 36 })).toBe(
      false,
    );
  });
});

describe('a price ceiling', () => {
  const toCart = (priceCeiling: number, cart = answer('createCart')) =>
    drive(orderingMachine, { ...(STARTS['ordering'] as object), priceCeiling })
      .done('clearance', OUTCOMES['clearance']?.[0])
      .done('resolveCatalogue', answer('resolveCatalogue'))
      .done('createCart', cart);

  it('keeps a dearer cart from the approver and says so, until lines or ceiling are changed', () => {
    const driver = toCart(1_000);

    expect(driver.is('linesRefused')).toBe(true);
    expect(driver.context<{ problems: string[] }>().problems).toEqual([
      'The total of 2544 USD is above the ceiling of 1000.',
    ]);
    driver
      .signal('order.lines-changed', { lines: [LINE], priceCeiling: 3_000 })
      .done('resolveCatalogue', answer('resolveCatalogue'))
      .done('createCart', answer('createCart'));
    expect(driver.is('awaitingApproval')).toBe(true);
  });

  it('lets a cart through that is not dearer', () => {
    expect(toCart(2_544).is('awaitingApproval')).toBe(true);
  });
});
