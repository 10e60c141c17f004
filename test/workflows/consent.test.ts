import { describe, expect, it } from '@jest/globals';
import { type ConsentOutput, consent, consentMachine, idlePause } from '../../workflows/parts/consent.ts';
import { type Driver, drive } from './harness.ts';
import { ANSWERS, SETTINGS, STARTS, TENANT } from './samples.ts';

const answer = (name: string, index = 0) => ANSWERS[name]?.[index];
const outputOf = (driver: Driver) => driver.snapshot().output as ConsentOutput;

/** Both links fetched, invitation sent, both relationships read once and not granted yet. */
function waiting(): Driver {
  return drive(consentMachine, STARTS['consent'])
    .done('requestRelationship', answer('requestRelationship'))
    .done('createAdminRelationship', answer('createAdminRelationship'))
    .done('lockAdminRelationship', answer('lockAdminRelationship'))
    .signal('invitation.sent-by-hand')
    .done('readRelationship', answer('readRelationship', 1))
    .done('readAdminRelationship', answer('readAdminRelationship', 1));
}
const grantCommerce = (driver: Driver) =>
  driver.signal('consent.reseller.granted').done('readRelationship', answer('readRelationship'));
const grantAdmin = (driver: Driver) =>
  driver.signal('consent.admin.granted').done('readAdminRelationship', answer('readAdminRelationship'));

describe('an invitation', () => {
  it('is offered for editing with both links before it is sent', () => {
    const driver = drive(consentMachine, STARTS['consent'])
      .done('requestRelationship', answer('requestRelationship'))
      .done('createAdminRelationship', answer('createAdminRelationship'))
      .done('lockAdminRelationship', answer('lockAdminRelationship'));

    const { draft } = driver.context<{ draft: { body: string } }>();

    expect(driver.is('reviewingInvitation')).toBe(true);
    expect(draft.body).toContain('https://admin.example/reseller');
    expect(draft.body).toContain('https://admin.example/gdap-1');
  });

  it('is refused when a link was changed, and sent when the links are intact', () => {
    const driver = drive(consentMachine, STARTS['consent'])
      .done('requestRelationship', answer('requestRelationship'))
      .done('createAdminRelationship', answer('createAdminRelationship'))
      .done('lockAdminRelationship', answer('lockAdminRelationship'));
    const edited = { subject: 'Hello', body: 'https://admin.example/reseller only' };

    expect(driver.takes('invitation.approved', edited)).toBe(false);

    driver.signal('invitation.approved', { ...edited, body: `${edited.body} https://admin.example/gdap-1` });

    expect(driver.input('sendInvitation')).toMatchObject({ kind: 'invitation', subject: 'Hello' });
  });
});

describe('consent', () => {
  it.each([
    ['commerce before admin', [grantCommerce, grantAdmin]],
    ['admin before commerce', [grantAdmin, grantCommerce]],
  ])('is complete with %s', (_, steps) => {
    const driver = waiting();

    for (const step of steps) {
      expect(driver.snapshot().status).toBe('active');
      step(driver);
    }

    expect(outputOf(driver)).toMatchObject({
      outcome: 'done',
      relationshipId: 'gdap-1',
      commerceGranted: true,
      adminGranted: true,
    });
  });

  it('is not believed from a hint: the relationship is read, and a refusal of the read keeps the wait', () => {
    const driver = waiting()
      .signal('consent.reseller.granted')
      .done('readRelationship', answer('readRelationship', 1));

    expect(driver.is({ awaitingConsent: { commerce: { pending: 'waiting' } } })).toBe(true);
  });

  it('is found by the poll when no hint arrives', () => {
    const driver = waiting().timer('commercePoll').done('readRelationship', answer('readRelationship'));

    expect(driver.is({ awaitingConsent: { commerce: 'granted', admin: { pending: 'waiting' } } })).toBe(true);
  });

  it('that arrives twice, or late, changes nothing', () => {
    const driver = grantCommerce(waiting());
    const before = driver.snapshot().value;

    driver.signal('consent.reseller.granted').signal('consent.reseller.granted');

    expect(driver.snapshot().value).toEqual(before);
    expect(driver.running()).toEqual([]);
  });

  it('hinted at before the invitation is out is taken without harm', () => {
    const driver = drive(consentMachine, STARTS['consent']);

    expect(driver.takes('consent.reseller.granted')).toBe(true);
    expect(driver.signal('consent.reseller.granted').running()).toEqual(['requestRelationship']);
  });

  it('that stays out is reminded of, then escalated', () => {
    const driver = waiting().timer('nextReminder');
    expect(driver.input('sendReminder')).toMatchObject({ kind: 'reminder', to: ['it@contoso.example'] });

    driver.done('sendReminder', answer('sendInvitation')).timer('nextReminder');

    expect(driver.input('sendEscalation')).toMatchObject({
      kind: 'escalation',
      to: ['boss@partner.example'],
    });
    expect(
      driver
        .done('sendEscalation', answer('sendInvitation'))
        .is({ awaitingConsent: { reminders: 'silent' } }),
    ).toBe(true);
  });

  it('that expired is asked for again with the same links while the admin relationship is still open', () => {
    const driver = waiting().timer('consentDeadline');
    expect(driver.is('consentExpired')).toBe(true);

    driver.signal('resend.requested').done('requestRelationship', answer('requestRelationship'));

    expect(driver.is('reviewingInvitation')).toBe(true);
  });

  it('whose admin relationship lapsed is asked for with a new one', () => {
    const driver = waiting()
      .timer('adminPoll')
      .done('readAdminRelationship', answer('readAdminRelationship', 2));
    expect(driver.is('consentExpired')).toBe(true);

    driver.signal('resend.requested').done('requestRelationship', answer('requestRelationship'));

    expect(driver.input('createAdminRelationship')).toMatchObject({ round: 2 });
  });

  it('that comes after expiry still counts', () => {
    const driver = waiting().timer('consentDeadline').signal('consent.admin.granted');

    expect(driver.is('awaitingConsent')).toBe(true);
  });

  it('that is declined goes to a person, who may give up; the admin relationship is then withdrawn', () => {
    const driver = waiting().signal('consent.declined', { reason: 'Too dear.' });
    expect(driver.is('consentDeclined')).toBe(true);

    driver
      .signal('work.abandoned', { reason: 'No use.' })
      .done('terminateAdminRelationship', answer('terminateAdminRelationship'));

    expect(outputOf(driver)).toMatchObject({ outcome: 'abandoned', relationshipId: null });
  });
});

describe('a cancel', () => {
  it('withdraws the admin relationship', () => {
    const driver = waiting()
      .signal('cancel.requested')
      .done('terminateAdminRelationship', answer('terminateAdminRelationship'));

    expect(outputOf(driver)).toMatchObject({ outcome: 'canceled', relationshipId: null, leftBehind: [] });
  });

  it('that finds the relationship being created waits for it and then withdraws it', () => {
    const driver = drive(consentMachine, STARTS['consent'])
      .done('requestRelationship', answer('requestRelationship'))
      .signal('cancel.requested');
    expect(driver.running()).toEqual(['createAdminRelationship']);

    driver.done('createAdminRelationship', answer('createAdminRelationship'));

    expect(driver.input('terminateAdminRelationship')).toEqual({ relationshipId: 'gdap-1' });
  });

  it('that cannot withdraw asks a person and names what stays', () => {
    const driver = waiting().signal('cancel.requested').fail('terminateAdminRelationship');
    expect(driver.is('withdrawalFailed')).toBe(true);

    driver.signal('work.abandoned', { reason: 'Leave it.' });

    expect(outputOf(driver).leftBehind).toEqual(['Admin relationship gdap-1 could not be withdrawn.']);
  });
});

describe('the end of an admin relationship', () => {
  it('is only a hint: the relationship is read, and expiry is believed from the API alone', () => {
    const driver = waiting();

    driver.signal('consent.admin.ended', { source: 'webhook' });
    expect(driver.running()).toContain('readAdminRelationship');
    driver.done('readAdminRelationship', answer('readAdminRelationship', 1));
    expect(driver.is('awaitingConsent')).toBe(true);

    driver.signal('consent.admin.ended').done('readAdminRelationship', {
      ...(answer('readAdminRelationship', 1) as object),
      status: 'terminated',
    });
    expect(driver.is('consentExpired')).toBe(true);
  });
});

describe('the pause between two polls', () => {
  const customer = { name: 'Contoso', tenantId: TENANT };
  const settings = { ...SETTINGS, consentPollMinMs: 60_000, consentPollMs: 3_600_000 };
  const pause = (polls: number) => idlePause({ customer, settings }, polls);

  it('widens up to the longest, a little shorter by chance that is the same for the same customer and poll', () => {
    const widths = [60_000, 120_000, 240_000, 480_000, 960_000, 1_920_000, 3_600_000, 3_600_000, 3_600_000];
    for (const [polls, width] of widths.entries()) {
      expect(pause(polls)).toBeLessThanOrEqual(width);
      expect(pause(polls)).toBeGreaterThanOrEqual(width * 0.8);
    }
    expect(pause(100_000)).toBeLessThanOrEqual(3_600_000);
    expect(pause(3)).toBe(pause(3));
    expect(pause(7)).not.toBe(pause(8));
  });

  it('begins narrow again after a hint', () => {
    const driver = waiting().timer('commercePoll').done('readRelationship', answer('readRelationship', 1));
    expect(driver.context<{ idlePolls: object }>().idlePolls).toEqual({ commerce: 2, admin: 1 });

    driver.signal('consent.reseller.granted').done('readRelationship', answer('readRelationship', 1));

    expect(driver.context<{ idlePolls: object }>().idlePolls).toEqual({ commerce: 0, admin: 1 });
  });
});

describe('the delivery of an invitation', () => {
  const delivery = (driver: Driver) => driver.context<{ delivery: string }>().delivery;
  const sending = () =>
    drive(consentMachine, {
      ...(STARTS['consent'] as object),
      invitation: { mode: 'send', to: ['it@contoso.example'], escalateTo: [] },
    })
      .done('requestRelationship', answer('requestRelationship'))
      .done('createAdminRelationship', answer('createAdminRelationship'))
      .done('lockAdminRelationship', answer('lockAdminRelationship'));

  it('is shown while the customer is waited for, and so is a bounce', () => {
    const driver = sending().done('sendInvitation', answer('sendInvitation'));
    expect(delivery(driver)).toMatch(/^Taken by the mail server on /);
    expect(consent.correlationKeys(driver.snapshot().context as never)).toContain('mail:<1@partner.example>');

    driver.signal('invitation.bounced', { source: 'mailbox' });

    expect(delivery(driver)).toMatch(/^Came back undelivered/);
    expect(driver.is('awaitingConsent')).toBe(true);
  });

  it('names the recipients that the server refused at once', () => {
    expect(delivery(sending().done('sendInvitation', answer('sendInvitation', 1)))).toBe(
      'Refused by the mail server for it@contoso.example.',
    );
  });
});
