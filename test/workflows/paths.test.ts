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
  driver.done('delivery', outcome('delivery')).done('writeClosingReport', answer('writeClosingReport'));

describe('an existing Office 365 customer', () => {
  const toDelivery = (ours: boolean) =>
    start('onboard-existing-office-customer')
      .done('findTenant', answer('findTenant'))
      .done('prerequisites', outcome('prerequisites'))
      .done('readRelationship', answer('readRelationship', ours ? 0 : 1));

  it('is found, checked, taken on and reported', () => {
    const driver = finish(toDelivery(false));

    expect(driver.is('completed')).toBe(true);
    expect(reportOf(driver)).toMatchObject({
      outcome: 'completed',
      customer: { name: 'Contoso Ltd', tenantId: TENANT },
      prerequisites: [{ condition: 'tooling' }],
      granted: { commerce: true, admin: true, relationshipId: 'gdap-1' },
      ordered: { orders: [{ orderId: 'order-1' }] },
      assigned: { assigned: 1 },
      undo: [{ subscriptionId: 'subscription-1' }],
      leftBehind: [],
    });
  });

  it('is asked for the reseller relationship unless it is our customer already', () => {
    expect(toDelivery(false).input('delivery')).toMatchObject({ needsCommerce: true, fresh: false });
    expect(toDelivery(true).input('delivery')).toMatchObject({ needsCommerce: false });
  });

  it('canceled while it is taken on waits until that has cleaned up', () => {
    const driver = toDelivery(false).signal('cancel.requested');
    expect(driver.running()).toEqual(['delivery']);

    driver.done('delivery', outcome('delivery', 1)).done('writeClosingReport', answer('writeClosingReport'));

    expect(driver.is('canceled')).toBe(true);
    expect(reportOf(driver).leftBehind).toContain('The order order-1 stays.');
  });
});

describe('an existing CSP customer', () => {
  it('is found, checked, taken on and reported', () => {
    const driver = start('onboard-existing-csp-customer')
      .done('findCustomer', answer('findCustomer'))
      .done('prerequisites', outcome('prerequisites'));
    expect(driver.input('delivery')).toMatchObject({ needsCommerce: false, fresh: false });

    expect(finish(driver).is('completed')).toBe(true);
  });

  it('is chosen by an operator among several matches, and only among those', () => {
    const driver = start('onboard-existing-csp-customer').done('findCustomer', answer('findCustomer', 2));

    expect(driver.takes('customer.chosen', { customerId: '0f0c2222-0000-4000-8000-00000000ffff' })).toBe(
      false,
    );
    expect(driver.signal('customer.chosen', { customerId: TENANT }).running()).toEqual(['prerequisites']);
  });
});

describe('a new customer', () => {
  const toCreation = () =>
    start('onboard-new-customer')
      .done('prerequisites', outcome('prerequisites'))
      .done('readCountryRules', answer('readCountryRules'))
      .done('checkDomain', answer('checkDomain'))
      .done('validateAddress', answer('validateAddress'));

  it('asks again as one that asked before, until an answer ends the doubt about the domain', () => {
    const driver = toCreation();
    expect(driver.input('createCustomer')).toMatchObject({ askedBefore: false });

    driver.fail('createCustomer').signal('retry.requested');
    expect(driver.input('createCustomer')).toMatchObject({ askedBefore: true });

    driver.done('createCustomer', answer('createCustomer'));
    expect(driver.context<{ doubtful: string[] }>().doubtful).toEqual([]);
  });

  it('given up in doubt names the tenant that may exist', () => {
    const driver = toCreation()
      .fail('createCustomer')
      .signal('work.abandoned', { reason: 'No longer wanted.' })
      .done('writeClosingReport', answer('writeClosingReport'));

    expect(reportOf(driver).leftBehind).toEqual([expect.stringMatching(/ may have been created/)]);
  });

  it('is created, handed its sign-in data, ordered for and reported', () => {
    const driver = toCreation()
      .done('createCustomer', answer('createCustomer'))
      .signal('sign-in.handed-over', payload('sign-in.handed-over'))
      .done('readRelationship', answer('readRelationship'));
    expect(driver.input('delivery')).toMatchObject({ needsCommerce: false, fresh: true });

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
    const driver = toCreation().signal('cancel.requested').done('createCustomer', answer('createCustomer'));
    expect(driver.is('awaitingCleanUp')).toBe(true);

    driver
      .signal('clean-up.requested', payload('clean-up.requested'))
      .done('writeClosingReport', answer('writeClosingReport'));

    expect(driver.is('canceled')).toBe(true);
    expect(reportOf(driver).leftBehind[0]).toContain('contoso.onmicrosoft.com stays');
    expect(reportOf(driver).attested).toContainEqual({
      what: 'clean-up of the tenant requested',
      evidence: '24011: Opened by telephone.',
    });
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
