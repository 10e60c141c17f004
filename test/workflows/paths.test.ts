import { describe, expect, it } from '@jest/globals';
import type { AnyStateMachine } from 'xstate';
import { allWorkflows, workflows } from '../../workflows/index.ts';
import type { ClosingReport } from '../../workflows/report.ts';
import { type Driver, drive } from './harness.ts';
import { ANSWERS, OUTCOMES, PAYLOADS, STARTS, TENANT } from './samples.ts';

const answer = (name: string, index = 0) => ANSWERS[name]?.[index];
const outcome = (name: string, index = 0) => OUTCOMES[name]?.[index];
const payload = (name: string, index = 0) => PAYLOADS[name]?.[index];

function start(name: string): Driver {
  const workflow = allWorkflows.find((one) => one.name === name);
  return drive(workflow?.machine as AnyStateMachine, workflow?.input?.parse(STARTS[name]));
}
const reportOf = (driver: Driver) => driver.snapshot().output as ClosingReport;

const finish = (driver: Driver) =>
  driver
    .done('licences', outcome('licences'))
    .done('directory', outcome('directory'))
    .done('writeClosingReport', answer('writeClosingReport'));

describe('an existing Office 365 customer', () => {
  const toReview = () =>
    start('onboard-existing-office-customer')
      .done('findTenant', answer('findTenant'))
      .done('prerequisites', outcome('prerequisites'))
      .done('readRelationship', answer('readRelationship', 1))
      .done('consent', outcome('consent'))
      .done('access', outcome('access'))
      .done('findCustomer', answer('findCustomer'))
      .done('listSubscriptions', answer('listSubscriptions'));

  it('is taken on: consent, access, review, order, licences, directory, report', () => {
    const driver = toReview()
      .signal('subscriptions.reviewed', payload('subscriptions.reviewed'))
      .done('ordering', outcome('ordering'));

    finish(driver);

    expect(driver.is('completed')).toBe(true);
    expect(reportOf(driver)).toMatchObject({
      outcome: 'completed',
      customer: { name: 'Contoso Ltd', tenantId: TENANT },
      granted: { commerce: true, admin: true, relationshipId: 'gdap-1' },
      ordered: { orders: [{ orderId: 'order-1' }] },
      assigned: { assigned: 1 },
      undo: [{ subscriptionId: 'subscription-1' }],
      leftBehind: [],
    });
  });

  it('who is our reseller customer already is asked for admin rights only', () => {
    const driver = start('onboard-existing-office-customer')
      .done('findTenant', answer('findTenant'))
      .done('prerequisites', outcome('prerequisites'))
      .done('readRelationship', answer('readRelationship', 0));

    expect(driver.input('consent')).toMatchObject({ needs: { commerce: false, admin: true } });
  });

  it('whose plan contains Enterprise Mobility + Security already is pointed out in the review', () => {
    expect(toReview().context<{ remarks: string[] }>().remarks).toEqual([
      expect.stringContaining('more seats'),
    ]);
  });

  it('whose order was rejected is reviewed anew', () => {
    const driver = toReview()
      .signal('subscriptions.reviewed', payload('subscriptions.reviewed'))
      .done('ordering', outcome('ordering', 3));

    expect(driver.is('reviewingSubscriptions')).toBe(true);
  });

  it('canceled during the review loses the admin relationship, and the report names what stays', () => {
    const driver = toReview().signal('cancel.requested');
    expect(driver.input('terminateAdminRelationship')).toEqual({ relationshipId: 'gdap-1' });

    driver
      .done('terminateAdminRelationship', answer('terminateAdminRelationship'))
      .done('writeClosingReport', answer('writeClosingReport'));

    expect(driver.is('canceled')).toBe(true);
    expect(reportOf(driver).leftBehind).toEqual([expect.stringContaining('reseller relationship stays')]);
  });

  it('canceled after the order keeps the admin relationship, which the subscription needs', () => {
    const driver = toReview()
      .signal('subscriptions.reviewed', payload('subscriptions.reviewed'))
      .done('ordering', outcome('ordering'))
      .signal('cancel.requested')
      .done('licences', outcome('licences', 1));

    expect(driver.running()).toEqual(['writeClosingReport']);
    expect(driver.done('writeClosingReport', answer('writeClosingReport')).is('canceled')).toBe(true);
    expect(reportOf(driver).leftBehind).toContain('The order order-1 stays.');
  });

  it('canceled while a stretch is at work waits until the stretch has cleaned up', () => {
    const driver = start('onboard-existing-office-customer')
      .done('findTenant', answer('findTenant'))
      .done('prerequisites', outcome('prerequisites'))
      .done('readRelationship', answer('readRelationship', 1))
      .signal('cancel.requested');
    expect(driver.running()).toEqual(['consent']);

    driver.done('consent', {
      ...(outcome('consent', 1) as object),
      adminGranted: false,
      relationshipId: null,
    });

    expect(driver.running()).toEqual(['writeClosingReport']);
  });
});

describe('an existing CSP customer', () => {
  it('gets more seats on the subscription it has', () => {
    const driver = start('onboard-existing-csp-customer')
      .done('findCustomer', answer('findCustomer'))
      .done('prerequisites', outcome('prerequisites'))
      .done('access', outcome('access'))
      .done('listSubscriptions', answer('listSubscriptions'))
      .signal('subscriptions.reviewed', payload('subscriptions.reviewed', 1))
      .done('seats', outcome('seats'));

    finish(driver);

    expect(reportOf(driver)).toMatchObject({
      outcome: 'completed',
      ordered: { seats: { from: 25, to: 35 } },
    });
  });

  it('is chosen by an operator among several matches, and only among those', () => {
    const driver = start('onboard-existing-csp-customer').done('findCustomer', answer('findCustomer', 2));

    expect(driver.takes('customer.chosen', { customerId: '0f0c2222-0000-4000-8000-00000000ffff' })).toBe(
      false,
    );
    expect(driver.signal('customer.chosen', { customerId: TENANT }).running()).toEqual(['prerequisites']);
  });

  it('without a usable admin relationship is asked for one', () => {
    const driver = start('onboard-existing-csp-customer')
      .done('findCustomer', answer('findCustomer'))
      .done('prerequisites', outcome('prerequisites'))
      .done('access', outcome('access', 3));

    expect(driver.input('consent')).toMatchObject({ needs: { commerce: false, admin: true } });
  });

  it('cannot get more seats on a subscription it does not have', () => {
    const driver = start('onboard-existing-csp-customer')
      .done('findCustomer', answer('findCustomer'))
      .done('prerequisites', outcome('prerequisites'))
      .done('access', outcome('access'))
      .done('listSubscriptions', answer('listSubscriptions', 1));

    expect(driver.takes('subscriptions.reviewed', payload('subscriptions.reviewed', 1))).toBe(false);
  });
});

describe('a new customer', () => {
  const toCreation = () =>
    start('onboard-new-customer')
      .done('prerequisites', outcome('prerequisites'))
      .done('readCountryRules', answer('readCountryRules'))
      .done('checkDomain', answer('checkDomain'))
      .done('validateAddress', answer('validateAddress'));

  it('is created, handed its sign-in data, ordered for and reported', () => {
    const driver = toCreation()
      .done('createCustomer', answer('createCustomer'))
      .signal('sign-in.handed-over', payload('sign-in.handed-over'))
      .done('readRelationship', answer('readRelationship'))
      .done('access', outcome('access'))
      .done('ordering', outcome('ordering'));

    finish(driver);

    expect(driver.is('completed')).toBe(true);
    expect(reportOf(driver)).toMatchObject({
      signInHandedTo: 'Ada Meyer',
      domain: 'contoso.onmicrosoft.com',
    });
  });

  it('whose password got lost on the way has it reset by a person', () => {
    expect(toCreation().done('createCustomer', answer('createCustomer', 1)).is('awaitingPasswordReset')).toBe(
      true,
    );
  });

  it('never shows a secret to the statechart', () => {
    const driver = toCreation().done('createCustomer', answer('createCustomer'));

    expect(driver.context<{ signIn: object }>().signIn).toEqual({ userName: 'admin', passwordSealed: true });
  });

  it('whose data break the rules of the country are corrected before anything is created', () => {
    const driver = start('onboard-new-customer')
      .done('prerequisites', outcome('prerequisites'))
      .done('readCountryRules', answer('readCountryRules', 1));

    expect(driver.is('correctingForm')).toBe(true);
    expect(driver.context<{ problems: string[] }>().problems).toEqual(['WA is no state of US.']);
  });

  it('whose domain was taken between check and creation is asked for another', () => {
    const driver = toCreation()
      .done('createCustomer', answer('createCustomer', 2))
      .signal('form.corrected', { domainPrefix: 'contoso2' });

    expect(driver.context()).toMatchObject({ domain: 'contoso2.onmicrosoft.com' });
  });

  it('canceled during its creation leaves a tenant that the report names', () => {
    const driver = toCreation()
      .signal('cancel.requested')
      .done('createCustomer', answer('createCustomer'))
      .done('writeClosingReport', answer('writeClosingReport'));

    expect(driver.is('canceled')).toBe(true);
    expect(reportOf(driver).leftBehind[0]).toContain('contoso.onmicrosoft.com stays');
  });
});

describe('a failed activity', () => {
  it.each(workflows.map(({ name }) => [name]))('of %s is tried again from its own state', (name) => {
    const driver = start(name);
    const [first = ''] = driver.running();

    driver.fail(first);
    expect(driver.is('needsOperator')).toBe(true);
    driver.signal('retry.requested');

    expect(driver.running()).toEqual([first]);
  });
});
