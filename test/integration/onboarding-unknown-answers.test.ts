/** What Microsoft says and nobody knows: kept as it came, never guessed. And since when a task waits. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { onboardExistingCspCustomer } from '../../workflows/onboard-existing-csp-customer.ts';
import { onboardExistingOfficeCustomer } from '../../workflows/onboard-existing-office-customer.ts';
import { eventually } from '../support/eventually.ts';
import { stretchOf } from '../support/play.ts';
import { ATTESTED, COMMON, type Onboarding, office, startOnboarding } from './onboarding-fixture.ts';

const SUBSCRIPTIONS = 'GET /pc/v1/customers/:customerId/subscriptions';

let onboarding: Onboarding;
beforeEach(async () => {
  onboarding = await startOnboarding();
});
afterEach(() => onboarding.close());

const fabrikam = {
  ...COMMON,
  customer: { name: 'Fabrikam', domain: 'fabrikam.example' },
  order: { lines: [office(5)] },
} as never;

describe('a value Microsoft added', () => {
  it('stops the step with the answer as it came, and the step goes on when it can be read', async () => {
    const { client, microsoft, books } = onboarding;
    const spoilt = { kind: 'garbled', as: 'field', field: 'items.0.status', value: 'hibernating' } as const;
    microsoft.emulator.addFault({ ...spoilt, route: SUBSCRIPTIONS, times: 1 });
    const { instance } = await client.start(onboardExistingCspCustomer, fabrikam);

    await eventually(async () =>
      expect((await stretchOf(client, instance.id, 'purchase'))?.tasks.map(({ title }) => title)).toEqual([
        'Review the subscriptions',
      ]),
    );

    const purchase = await stretchOf(client, instance.id, 'purchase');
    const history = JSON.stringify(await client.history(purchase?.id ?? ''));
    expect(history).toContain('partner-center-shape');
    expect(history).toContain('hibernating');
    expect(history).toMatch(/items\.0\.status/);
    expect(await onboarding.dump()).not.toMatch(/eyJ[\w-]{8,}\.[\w-]+\.[\w-]+/);
    expect(books().orders).toEqual([]);
  });
});

describe('a value Microsoft will keep', () => {
  it('is before a person after three readings, with the raw answer, and is read again when they say so', async () => {
    const { client, microsoft, books } = onboarding;
    const spoilt = { kind: 'garbled', as: 'field', field: 'items.0.status', value: 'hibernating' } as const;
    microsoft.emulator.addFault({ ...spoilt, route: SUBSCRIPTIONS });
    const { instance } = await client.start(onboardExistingCspCustomer, fabrikam);
    const purchase = () => stretchOf(client, instance.id, 'purchase');

    await eventually(async () => expect((await purchase())?.tasks).toHaveLength(1), { within: 20_000 });

    const stuck = await purchase();
    expect(stuck?.attention).toBeNull();
    expect(stuck?.tasks[0]?.id).toMatch(/-stuck$/);
    expect(stuck?.tasks[0]?.shows).toMatchObject({
      Code: 'partner-center-shape',
      Message: expect.stringContaining('items.0.status'),
    });
    expect(books().requests[SUBSCRIPTIONS]).toBe(3);
    expect(JSON.stringify(await client.history(stuck?.id ?? ''))).toContain('hibernating');

    microsoft.emulator.world.faults.clear();
    await client.signalById(stuck?.id ?? '', 'retry.requested', {});
    await eventually(async () =>
      expect((await purchase())?.tasks.map(({ title }) => title)).toEqual(['Review the subscriptions']),
    );
    expect(books().orders).toEqual([]);
  }, 40_000);
});

describe('a task', () => {
  it('is due so long after it opened, whatever polls meanwhile', async () => {
    const { client } = onboarding;
    const { instance } = await client.start(onboardExistingOfficeCustomer, {
      ...COMMON,
      customer: { name: 'Contoso Ltd', domain: 'contoso.example' },
      invitation: { mode: 'send', to: ['it@contoso.example'] },
      order: { lines: [office(5)] },
      attested: ATTESTED,
    } as never);
    const consent = () => stretchOf(client, instance.id, 'consent');
    await eventually(async () =>
      expect((await consent())?.tasks.map(({ title }) => title)).toEqual([
        'The customer accepts us as its reseller',
        'The customer approves our roles',
      ]),
    );
    const before = await consent();

    // Both relationships are read again and again; the tasks stay the ones that were opened.
    await eventually(async () =>
      expect((await consent())?.revision).toBeGreaterThan((before?.revision ?? 0) + 6),
    );

    const [first, later] = [before?.tasks[0], (await consent())?.tasks[0]];
    expect(later?.since).toBe(first?.since);
    expect(later?.dueAt).toBe((first?.since ?? 0) + 30 * 86_400_000);
  });
});
