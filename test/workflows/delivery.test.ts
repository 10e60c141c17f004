/** What all paths share: authorisation and purchase side by side, then seats, licences, directory; and how they stop. */
import { describe, expect, it } from '@jest/globals';
import { type AuthorisationOutput, authorisationMachine } from '../../workflows/parts/authorisation.ts';
import { DeliveryInput, type DeliveryOutput, deliveryMachine } from '../../workflows/parts/delivery.ts';
import { type PurchaseOutput, purchaseMachine } from '../../workflows/parts/purchase.ts';
import { type Driver, drive } from './harness.ts';
import { ANSWERS, EMS_SKU, OTHER_STARTS, OUTCOMES, PAYLOADS, STARTS } from './samples.ts';

const answer = (name: string, index = 0) => ANSWERS[name]?.[index];
const outcome = (name: string, index = 0) => OUTCOMES[name]?.[index];
const payload = (name: string, index = 0) => PAYLOADS[name]?.[index];
const begin = (start: unknown = STARTS['delivery']) => drive(deliveryMachine, DeliveryInput.parse(start));
const outputOf = (driver: Driver) => driver.snapshot().output as DeliveryOutput;

describe('taking a customer on', () => {
  it('orders as soon as the reseller relationship is accepted, however long the admin rights take', () => {
    const driver = begin();
    expect(driver.running()).toEqual(['authorisation']);

    driver.signal('commerce.granted');
    expect(driver.running()).toEqual(['authorisation', 'purchase']);
    driver.done('purchase', outcome('purchase'));

    expect(driver.is({ takingOn: { authorisation: 'authorising', purchase: 'bought' } })).toBe(true);
    expect(driver.running()).toEqual(['authorisation']);
  });

  it('looks into the tenant only once it may: seats, licences, directory', () => {
    const driver = begin()
      .signal('commerce.granted')
      .done('purchase', outcome('purchase'))
      .done('authorisation', outcome('authorisation'));
    expect(driver.input('provisioning')).toMatchObject({
      orderIds: [],
      expectedSeats: [{ skuId: EMS_SKU, enabled: 25 }],
    });

    driver
      .done('provisioning', outcome('provisioning'))
      .done('licences', outcome('licences'))
      .done('directory', outcome('directory'));

    expect(outputOf(driver)).toMatchObject({ outcome: 'done', facts: { ordering: { outcome: 'done' } } });
  });

  it('buys at once for a customer that is ours already', () => {
    expect(begin(OTHER_STARTS['delivery']?.[0]).running()).toEqual(['authorisation', 'purchase']);
  });

  it('ends the purchase when the customer refuses, and says whose ending it was', () => {
    const driver = begin()
      .signal('commerce.granted')
      .done('authorisation', { ...(outcome('authorisation', 2) as object), consent: null, access: null });
    expect(driver.running()).toEqual(['purchase']);

    driver.done('purchase', outcome('purchase', 1));

    expect(outputOf(driver)).toMatchObject({ outcome: 'abandoned' });
  });

  it('that is canceled before anything was bought withdraws the admin relationship', () => {
    const driver = begin()
      .signal('cancel.requested')
      .done('authorisation', { ...(outcome('authorisation', 1) as object), access: null });
    expect(driver.input('terminateAdminRelationship')).toEqual({ relationshipId: 'gdap-1' });

    driver.done('terminateAdminRelationship', answer('terminateAdminRelationship'));

    expect(outputOf(driver)).toMatchObject({ outcome: 'canceled', facts: { withdrawn: true } });
  });

  it('that is canceled after the order keeps the admin relationship, which the subscription needs', () => {
    const driver = begin()
      .signal('commerce.granted')
      .done('purchase', outcome('purchase'))
      .done('authorisation', outcome('authorisation'))
      .signal('cancel.requested')
      .done('provisioning', outcome('provisioning', 1));

    expect(outputOf(driver)).toMatchObject({ outcome: 'canceled', facts: { withdrawn: false } });
  });
});

describe('authorisation', () => {
  const authorise = (index?: number) =>
    drive(
      authorisationMachine,
      index === undefined ? STARTS['authorisation'] : OTHER_STARTS['authorisation']?.[index],
    );

  it('without a usable admin relationship is asked for, then access is set up with what was approved', () => {
    const driver = authorise(0);
    expect(driver.input('access')).toMatchObject({ relationshipExpected: true, relationshipId: null });

    driver.done('access', outcome('access', 3));
    expect(driver.input('consent')).toMatchObject({ needs: { commerce: false, admin: true } });
    driver.done('consent', outcome('consent'));

    expect(driver.input('access')).toMatchObject({ relationshipExpected: false, relationshipId: 'gdap-1' });
    driver.done('access', outcome('access'));
    expect((driver.snapshot().output as AuthorisationOutput).outcome).toBe('done');
  });

  it('asks for both where neither is there', () => {
    expect(authorise().input('consent')).toMatchObject({ needs: { commerce: true, admin: true } });
  });
});

describe('a purchase', () => {
  const toReview = (index = 0) =>
    drive(purchaseMachine, STARTS['purchase'])
      .done('findCustomer', answer('findCustomer'))
      .done('listSubscriptions', answer('listSubscriptions', index));
  const outputOfPurchase = (driver: Driver) => driver.snapshot().output as PurchaseOutput;

  it('whose plan contains Enterprise Mobility + Security already is pointed out in the review', () => {
    const held = {
      ...((answer('listSubscriptions') as { subscriptions: object[] }).subscriptions[0] as object),
      offerId: 'CFQ7TTC0LCHC:0002:X',
      name: 'Microsoft 365 Business Premium',
      isEms: false,
      containsEms: true,
    };
    const driver = drive(purchaseMachine, STARTS['purchase'])
      .done('findCustomer', answer('findCustomer'))
      .done('listSubscriptions', { subscriptions: [held], elsewhere: [], elsewhereKnown: true });

    expect(driver.context<{ remarks: string[] }>().remarks).toEqual([
      'Microsoft 365 Business Premium already contains Enterprise Mobility + Security.',
    ]);
  });

  it.each([
    ['legacy', { commerce: 'legacy', offerId: '79C29AF7-3CD0-4A6F-B182-A81E31DEC84E' }, /legacy/],
    [
      'on another term',
      { termDuration: 'P1M' },
      /for the term P1M, not P1Y: a new subscription would overlap/,
    ],
    ['on the same term', {}, /same term: more seats can be added/],
    ['suspended', { status: 'suspended' }, /suspended/],
  ])('beside a subscription that is %s says what that means', (_, changed, remark) => {
    const { subscriptions } = answer('listSubscriptions') as { subscriptions: object[] };
    const driver = drive(purchaseMachine, STARTS['purchase'])
      .done('findCustomer', answer('findCustomer'))
      .done('listSubscriptions', {
        subscriptions: [{ ...subscriptions[0], ...changed }],
        elsewhere: [],
        elsewhereKnown: true,
      });

    expect(driver.context<{ remarks: string[] }>().remarks.join()).toMatch(remark);
  });

  it('says that purchases elsewhere cannot be seen while the customer has not approved our roles', () => {
    expect(toReview(2).context<{ remarks: string[] }>().remarks).toEqual([
      'What was bought elsewhere cannot be seen before the customer approves our roles.',
    ]);
  });

  it('outside our markets stops before anything is listed, and goes on only with a reason that is reported', () => {
    const driver = drive(purchaseMachine, OTHER_STARTS['purchase']?.[0]).done(
      'findCustomer',
      answer('findCustomer'),
    );
    expect(driver.is('marketRefused')).toBe(true);
    expect(driver.running()).toEqual([]);

    driver
      .signal('task.overridden', { reason: 'The list is out of date.' })
      .done('listSubscriptions', answer('listSubscriptions'))
      .signal('subscriptions.reviewed', payload('subscriptions.reviewed', 2));

    expect(outputOfPurchase(driver).waivers).toEqual([
      'Sold to US although it is not one of our markets: The list is out of date.',
    ]);
  });

  it('that was rejected is decided anew', () => {
    const driver = toReview()
      .signal('subscriptions.reviewed', payload('subscriptions.reviewed'))
      .done('ordering', outcome('ordering', 3));

    expect(driver.running()).toEqual(['listSubscriptions']);
  });

  it('opens the seven days for what was ordered, whole, and for seats that were added, down to what there was', () => {
    const ordered = toReview()
      .signal('subscriptions.reviewed', payload('subscriptions.reviewed'))
      .done('ordering', outcome('ordering'));
    const grown = toReview()
      .signal('subscriptions.reviewed', payload('subscriptions.reviewed', 1))
      .done('seats', outcome('seats'));

    expect(ordered.input('openUndoWindows')).toMatchObject({
      purchases: [{ subscriptionId: 'subscription-1', restoreTo: null }],
    });
    expect(grown.input('openUndoWindows')).toMatchObject({
      purchases: [{ subscriptionId: 'subscription-1', restoreTo: 25 }],
    });
    expect(outputOfPurchase(grown.done('openUndoWindows', answer('openUndoWindows')))).toMatchObject({
      outcome: 'done',
      expectedSeats: [{ enabled: 35 }],
    });
  });

  it('that was canceled after it was paid can still be given back', () => {
    const driver = toReview()
      .signal('subscriptions.reviewed', payload('subscriptions.reviewed'))
      .signal('cancel.requested')
      .done('ordering', outcome('ordering', 1));
    expect(driver.running()).toEqual(['openUndoWindows']);

    driver.done('openUndoWindows', answer('openUndoWindows'));

    expect(outputOfPurchase(driver).outcome).toBe('canceled');
  });

  it('cannot add seats to a subscription the customer does not have', () => {
    expect(toReview(1).takes('subscriptions.reviewed', payload('subscriptions.reviewed', 1))).toBe(false);
  });
});
