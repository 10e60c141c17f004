import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { allWorkflows, workflows } from '../../workflows/index.ts';
import { accessMachine } from '../../workflows/parts/access.ts';
import { directoryMachine } from '../../workflows/parts/directory.ts';
import { licencesMachine } from '../../workflows/parts/licences.ts';
import { type PrerequisitesOutput, prerequisitesMachine } from '../../workflows/parts/prerequisites.ts';
import { type Driver, drive } from './harness.ts';
import { ANSWERS, EMS_SKU, OTHER_STARTS, OUTCOMES, PAYLOADS, STARTS } from './samples.ts';

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
      .done('findUsers', answer('findUsers'))
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
      .done('findUsers', answer('findUsers'))
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

describe('a list of users', () => {
  const listed = () => drive(licencesMachine, OTHER_STARTS['licences']?.[1]);
  const rows = (driver: Driver) => driver.context<{ rowProblems: object[] }>().rowProblems;

  it('with names the tenant does not know comes back by row and field before anybody is licensed', () => {
    const driver = listed().done('findUsers', { users: [], unknown: ['eve@contoso.example'] });
    expect(driver.is('rowsWrong')).toBe(true);
    expect(rows(driver)).toEqual([
      {
        row: 2,
        field: 'userPrincipalName',
        value: 'eve@contoso.example',
        problem: 'is no user of this tenant',
      },
    ]);

    driver.signal('rows.dropped', { reason: 'Left the company.' });

    expect(driver.input('findUsers')).toMatchObject({ names: ['ada@contoso.example'] });
  });

  it('with a name given twice comes back, too', () => {
    const users = ['ada@contoso.example', 'ADA@contoso.example'].map((userPrincipalName) => ({
      userPrincipalName,
      usageLocation: null,
    }));
    const driver = drive(licencesMachine, { ...(STARTS['licences'] as object), mode: 'listed', users });

    expect(rows(driver.done('findUsers', answer('findUsers')))).toMatchObject([
      { row: 2, problem: 'is given twice' },
    ]);
  });

  it('is asked for where a tenant has more users than one list holds: nobody is left out in silence', () => {
    const driver = drive(licencesMachine, OTHER_STARTS['licences']?.[0]).done(
      'listUsers',
      answer('listUsers', 2),
    );
    expect(driver.is('tooManyUsers')).toBe(true);
    expect(driver.takes('users.chosen', { mode: 'all' })).toBe(false);

    expect(driver.signal('users.chosen', payload('users.chosen', 1)).running()).toEqual(['findUsers']);
  });

  it('longer than there are seats may have seats added from here, and waits for them', () => {
    const short = { seats: [{ skuId: EMS_SKU, present: true, enabled: 25, consumed: 24, free: 1 }] };
    const driver = listed().done('findUsers', answer('findUsers')).done('readSeats', short);
    expect(driver.is('seatsShort')).toBe(true);

    driver.signal('seats.wanted', { subscriptionId: 'subscription-1' });
    expect(driver.input('seats')).toMatchObject({ additionalSeats: 1, subscriptionId: 'subscription-1' });
    driver.done('seats', {
      ...(OUTCOMES['seats']?.[0] as object),
      expectedSeats: [{ skuId: EMS_SKU, enabled: 26 }],
    });

    // The old number is no shortage any more, only not yet the new one.
    expect(driver.done('readSeats', short).is({ awaitingSeats: 'waiting' })).toBe(true);
    const enough = { seats: [{ skuId: EMS_SKU, present: true, enabled: 26, consumed: 24, free: 2 }] };
    expect(driver.timer('seatsPoll').done('readSeats', enough).running()).toEqual(['assignLicences']);
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
    expect(
      driver
        .signal('write-back.attested', payload('write-back.attested'))
        .done('confirmSync', answer('verifySync'))
        .snapshot().status,
    ).toBe('done');
  });
});

describe('a domain to be verified', () => {
  const wanted = () =>
    drive(directoryMachine, {
      ...(STARTS['directory'] as object),
      model: 'cloud-only',
      domain: 'contoso.com',
    });

  it('waits for the DNS record, looked for again and again and whenever somebody says it is there', () => {
    const driver = wanted()
      .done('verifyTenant', answer('verifyTenant'))
      .done('addDomain', answer('addDomain'));
    expect(driver.is({ awaitingDnsRecord: 'waiting' })).toBe(true);
    expect(driver.context<{ records: object[] }>().records).toMatchObject([{ type: 'TXT' }]);

    driver.timer('domainPoll').done('verifyDomain', answer('verifyDomain', 1));
    expect(driver.is({ awaitingDnsRecord: 'waiting' })).toBe(true);
    driver.signal('retry.requested').done('verifyDomain', answer('verifyDomain'));

    expect(driver.snapshot().output).toMatchObject({ outcome: 'done', domain: 'contoso.com', waivers: [] });
  });

  it('that the tenant holds already is not asked for', () => {
    const driver = wanted().done('verifyTenant', {
      ...(answer('verifyTenant') as object),
      verifiedDomains: ['contoso.com'],
    });

    expect(driver.snapshot().status).toBe('done');
  });
});

describe('a synchronisation', () => {
  it('that stopped while write-back was proved is not reported as working', () => {
    const driver = drive(directoryMachine, STARTS['directory'])
      .done('verifyTenant', answer('verifyTenant'))
      .signal('directory.decided', payload('directory.decided'))
      .signal('sync.reported', payload('sync.reported'))
      .done('verifySync', answer('verifySync'))
      .signal('write-back.attested', payload('write-back.attested'))
      .done('confirmSync', answer('verifySync', 1));
    expect(driver.is('syncStopped')).toBe(true);

    driver.signal('task.overridden', { reason: 'The server is being moved.' });

    expect(driver.snapshot().output).toMatchObject({
      sync: { enabled: false },
      writeBack: { state: 'attested' },
      waivers: ['synchronisation stopped: The server is being moved.'],
    });
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
