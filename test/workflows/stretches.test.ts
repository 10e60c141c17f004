import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { allWorkflows, workflows } from '../../workflows/index.ts';
import { accessMachine } from '../../workflows/parts/access.ts';
import { directoryMachine } from '../../workflows/parts/directory.ts';
import { licencesMachine } from '../../workflows/parts/licences.ts';
import { type PrerequisitesOutput, prerequisitesMachine } from '../../workflows/parts/prerequisites.ts';
import { drive } from './harness.ts';
import { ANSWERS, EMS_SKU, PAYLOADS, STARTS } from './samples.ts';

const answer = (name: string, index = 0) => ANSWERS[name]?.[index];
const payload = (name: string, index = 0) => PAYLOADS[name]?.[index];

describe('licences', () => {
  const outcomes = {
    outcomes: [
      { userPrincipalName: 'ada@contoso.example', outcome: 'assigned', code: null, message: null },
      {
        userPrincipalName: 'bob@contoso.example',
        outcome: 'pending',
        code: 'no-seats',
        message: 'No seats yet.',
      },
      {
        userPrincipalName: 'eve@contoso.example',
        outcome: 'failed',
        code: 'conflict',
        message: 'Conflicting plans.',
      },
    ],
  };
  const users = ['ada', 'bob', 'eve'].map((name) => ({
    userPrincipalName: `${name}@contoso.example`,
    usageLocation: null,
  }));
  const assigned = () =>
    drive(licencesMachine, STARTS['licences'])
      .done('listUsers', answer('listUsers'))
      .signal('users.chosen', { mode: 'chosen', users })
      .done('readSeats', answer('readSeats'))
      .done('assignLicences', outcomes);

  it('that are pending are tried again by themselves, and only those', () => {
    const driver = assigned().timer('licenceRetry');

    expect(driver.input('assignLicences')).toMatchObject({ users: [users[1]] });
  });

  it('that failed are put before a person with the outcome of each user', () => {
    const driver = assigned()
      .timer('licenceRetry')
      .done('assignLicences', {
        outcomes: [
          { userPrincipalName: 'bob@contoso.example', outcome: 'assigned', code: null, message: null },
        ],
      });

    expect(driver.is('reviewingOutcomes')).toBe(true);
    expect(driver.context()).toMatchObject({ counts: { assigned: 2, failed: 1, pending: 0 } });
    expect(driver.signal('retry.requested').input('assignLicences')).toMatchObject({ users: [users[2]] });
  });

  it('for more users than seats are decided by a person before anything is assigned', () => {
    const short = { seats: [{ skuId: EMS_SKU, present: true, enabled: 2, consumed: 0, free: 2 }] };
    const driver = drive(licencesMachine, STARTS['licences'])
      .done('listUsers', answer('listUsers'))
      .signal('users.chosen', { mode: 'chosen', users })
      .done('readSeats', short);
    expect(driver.is('seatsShort')).toBe(true);
    expect(driver.context()).toMatchObject({ missing: 1 });

    expect(driver.signal('retry.requested').done('readSeats', short).is('seatsShort')).toBe(true);
    driver.signal('shortage.accepted');

    expect(driver.input('assignLicences')).toMatchObject({ users });
  });

  it('wait for seats that do not show yet', () => {
    const driver = drive(licencesMachine, STARTS['licences'])
      .done('listUsers', answer('listUsers'))
      .signal('users.chosen', payload('users.chosen'))
      .done('readSeats', answer('readSeats', 1));

    expect(driver.is({ awaitingSeats: 'waiting' })).toBe(true);
    expect(driver.timer('seatsPoll').running()).toEqual(['readSeats']);
  });
});

describe('prerequisites', () => {
  it('that no API answers are attested by a person, each with evidence', () => {
    const driver = drive(prerequisitesMachine, STARTS['prerequisites'])
      .done('checkPartnerAccess', answer('checkPartnerAccess'))
      .done('checkTooling', answer('checkTooling'))
      .done('findTenant', answer('findTenant'))
      .done('checkCustomerAccess', answer('checkCustomerAccess', 1));
    expect(driver.is('awaitingEvidence')).toBe(true);
    expect(driver.takes('prerequisite.attested', payload('prerequisite.attested', 0))).toBe(false);

    driver
      .signal('prerequisite.attested', payload('prerequisite.attested', 2))
      .signal('prerequisite.attested', payload('prerequisite.attested', 3));

    const { outcome, met } = driver.snapshot().output as PrerequisitesOutput;
    expect(outcome).toBe('done');
    expect(met.map(({ condition, how }) => [condition, how])).toEqual([
      ['partner-access', 'checked'],
      ['tooling', 'checked'],
      ['domain', 'checked'],
      ['admin-access', 'attested'],
      ['identities', 'attested'],
    ]);
  });

  it('of a customer without a tenant are those on our own side', () => {
    const driver = drive(prerequisitesMachine, {
      ...(STARTS['prerequisites'] as object),
      tenantId: null,
      domain: null,
    })
      .done('checkPartnerAccess', answer('checkPartnerAccess'))
      .done('checkTooling', answer('checkTooling'));

    expect(driver.snapshot().status).toBe('done');
  });
});

describe('access', () => {
  it('that works already is left as it is', () => {
    expect(
      drive(accessMachine, STARTS['access'])
        .done('probeAccess', answer('checkCustomerAccess'))
        .is('accessible'),
    ).toBe(true);
  });

  it('settles before our application is consented to, and asks again while it is not ready', () => {
    const driver = drive(accessMachine, STARTS['access'])
      .done('probeAccess', answer('checkCustomerAccess', 1))
      .done('findAdminRelationship', answer('findAdminRelationship'))
      .done('assignAccess', answer('assignAccess'))
      .done('readAccess', answer('readAccess'))
      .timer('accessSettling')
      .done('grantAppConsent', answer('grantAppConsent', 1))
      .timer('accessPoll');

    expect(driver.running()).toEqual(['grantAppConsent']);
  });
});

describe('the directory', () => {
  const toSync = () =>
    drive(directoryMachine, STARTS['directory'])
      .done('verifyTenant', answer('verifyTenant'))
      .signal('directory.decided', payload('directory.decided'));

  it('gives the engineer the options of the customised installation as a checklist', () => {
    expect(toSync().context<{ checklist: string[] }>().checklist).toContain('Enable password write-back');
  });

  it('believes a reported synchronisation only when the tenant shows it, and notices one that nobody reported', () => {
    const driver = toSync()
      .signal('sync.reported', payload('sync.reported'))
      .done('verifySync', answer('verifySync', 1));
    expect(driver.is({ awaitingSynchronisation: 'waiting' })).toBe(true);

    driver.timer('syncPoll').done('verifySync', answer('verifySync'));

    expect(driver.is('awaitingWriteBack')).toBe(true);
    expect(driver.signal('write-back.attested', payload('write-back.attested')).snapshot().status).toBe(
      'done',
    );
  });
});

describe('schemas', () => {
  it.each(workflows.map(({ name, input }) => [name, input]))(
    'of the start form of %s can be shown as JSON Schema',
    (_, input) => {
      expect(z.toJSONSchema(input as z.ZodType, { io: 'input' })).toMatchObject({ type: 'object' });
    },
  );

  it('of every signal can be shown as JSON Schema', () => {
    for (const { signals } of allWorkflows) {
      for (const { payload: schema } of Object.values(signals ?? {})) {
        expect(z.toJSONSchema(schema, { io: 'input' })).toMatchObject({ type: 'object' });
      }
    }
  });
});

describe('a customer who blocks our access', () => {
  const probing = () => drive(accessMachine, STARTS['access']);

  it.each([
    ['conditional-access', 'Blocked by policy.'],
    ['guest-account', 'Our user is a guest there.'],
  ])('by %s is asked at once, before anything is tried in vain', (reason, message) => {
    const driver = probing().done('probeAccess', { accessible: false, reason, message });

    expect(driver.is('accessBlocked')).toBe(true);
    expect(driver.context<{ obstacle: string }>().obstacle).toBe(message);
    expect(driver.signal('retry.requested').is('probingAccess')).toBe(true);
  });
});
