/** Lost answers and slow Microsofts on the way: the onboarding still ends, and the books show each effect once. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SEED_TENANTS } from '../../emulator/index.ts';
import { secretAad } from '../../shared/secrets.ts';
import { onboardExistingCspCustomer } from '../../workflows/onboard-existing-csp-customer.ts';
import { onboardExistingOfficeCustomer } from '../../workflows/onboard-existing-office-customer.ts';
import { onboardNewCustomer } from '../../workflows/onboard-new-customer.ts';
import { eventually } from '../support/eventually.ts';
import { playToTheEnd } from '../support/play.ts';
import {
  ATTESTED,
  COMMON,
  ems,
  NEW_CUSTOMER,
  type Onboarding,
  startOnboarding,
} from './onboarding-fixture.ts';

const CHECKOUT = 'POST /pc/v1/customers/:customerId/carts/:cartId/checkout';
const ORDERS = 'GET /pc/v1/customers/:customerId/orders';
const CREATE = 'POST /pc/v1/customers';

let onboarding: Onboarding;
beforeEach(async () => {
  onboarding = await startOnboarding();
});
afterEach(() => onboarding.close());

const existing = {
  ...COMMON,
  customer: { name: 'Fabrikam', domain: 'fabrikam.example' },
  order: { lines: [ems(30)] },
} as never;
const fresh = { ...COMMON, customer: NEW_CUSTOMER, order: { lines: [ems(10)] } } as never;

describe('an onboarding whose answers get lost', () => {
  it('places one order although the checkout was answered into a dead connection', async () => {
    const { client, microsoft, books } = onboarding;
    microsoft.emulator.addFault({ kind: 'hang-up-after', route: CHECKOUT, times: 1 });
    const { instance } = await client.start(onboardExistingCspCustomer, existing);

    const played = await playToTheEnd(instance.id, { client, microsoft });

    expect(played.instance.status).toBe('completed');
    expect(books().orders.map(({ customerId }) => customerId)).toEqual([SEED_TENANTS.fabrikam]);
    expect(books().carts.map(({ status }) => status)).toEqual(['Ordered']);
  });

  it('checks nothing out again as long as the look-up itself fails', async () => {
    const { client, microsoft, books } = onboarding;
    microsoft.emulator.addFault({ kind: 'hang-up-after', route: CHECKOUT, times: 1 });
    microsoft.emulator.addFault({ kind: 'error', route: ORDERS, times: 1, status: 503 });
    const { instance } = await client.start(onboardExistingCspCustomer, existing);

    const played = await playToTheEnd(instance.id, { client, microsoft });

    expect(played.instance.status).toBe('completed');
    expect(books().requests[CHECKOUT]).toBe(1);
    expect(books().orders).toHaveLength(1);
  });

  it('asks a person, and buys nothing more, when the order never shows', async () => {
    const { client, microsoft, books } = onboarding;
    await microsoft.control('/delays', { orderListed: 600_000 }, 'PATCH');
    microsoft.emulator.addFault({ kind: 'hang-up-after', route: CHECKOUT });
    const { instance } = await client.start(onboardExistingCspCustomer, existing);

    const asked = playToTheEnd(instance.id, { client, microsoft });

    await expect(asked).rejects.toThrow(/order-unknown/);
    expect(books().orders).toHaveLength(1);
    expect(books().carts).toHaveLength(1);
  });

  it('creates one tenant and still has its password', async () => {
    const { client, microsoft, books, secretBox } = onboarding;
    microsoft.emulator.addFault({ kind: 'hang-up-after', route: CREATE, times: 2 });
    const { instance } = await client.start(onboardNewCustomer, fresh);

    const played = await playToTheEnd(instance.id, { client, microsoft });

    expect(played.answered).toContain('hand-over-sign-in');
    expect(books().tenantsCreated).toHaveLength(1);
    const sealed = await client.takeSecret(instance.id, 'admin-password');
    expect(secretBox.open(secretAad(instance.id, 'admin-password'), sealed)).toContain('password');
  });

  it('waits for the account verification before it buys', async () => {
    const { client, microsoft, books } = onboarding;
    microsoft.emulator.addFault({ kind: 'vetting', route: CREATE, times: 1 });
    const { instance } = await client.start(onboardNewCustomer, fresh);

    const played = await playToTheEnd(instance.id, { client, microsoft });

    expect(played.instance.status).toBe('completed');
    expect(books().orders).toHaveLength(1);
  });

  it('asks for other data when somebody was faster with the domain', async () => {
    const { client, microsoft, books } = onboarding;
    microsoft.emulator.addFault({ kind: 'prefix-taken', route: CREATE, times: 1 });
    const { instance } = await client.start(onboardNewCustomer, fresh);

    const played = await playToTheEnd(instance.id, {
      client,
      microsoft,
      answer: ({ id }) =>
        id.endsWith('~correct-form')
          ? { action: 'complete', payload: { domainPrefix: 'adventureworks2' } }
          : undefined,
    });

    expect(played.instance).toMatchObject({
      status: 'completed',
      output: { domain: 'adventureworks2.onmicrosoft.com' },
    });
    expect(books().tenantsCreated).toHaveLength(1);
  });

  it('survives a throttled and failing Microsoft without doing anything twice', async () => {
    const { client, microsoft, books } = onboarding;
    microsoft.emulator.addFault({ kind: 'error', route: 'GET /pc/*', times: 1, status: 503 });
    for (const route of ['GET /graph/*', 'POST /graph/*', 'POST /pc/*'])
      microsoft.emulator.addFault({ kind: 'hang-up-after', route, times: 1 });
    const { instance } = await client.start(onboardExistingOfficeCustomer, {
      ...COMMON,
      customer: { name: 'Contoso Ltd', domain: 'contoso.example' },
      invitation: { mode: 'send', to: ['it@contoso.example'] },
      order: { lines: [ems(25)] },
      attested: ATTESTED,
    } as never);

    const played = await playToTheEnd(instance.id, { client, microsoft });

    expect(played.instance.status).toBe('completed');
    expect(books().orders).toHaveLength(1);
    expect(books().relationships.filter(({ tenantId }) => tenantId === SEED_TENANTS.contoso)).toHaveLength(1);
  }, 60_000);
});

describe('a canceled onboarding', () => {
  it('takes its admin relationship back and buys nothing', async () => {
    const { client, microsoft, books } = onboarding;
    const { instance } = await client.start(onboardExistingOfficeCustomer, {
      ...COMMON,
      customer: { name: 'Contoso Ltd', domain: 'contoso.example' },
      invitation: { mode: 'review', to: ['it@contoso.example'] },
      order: { lines: [ems(25)] },
      attested: ATTESTED,
    } as never);
    await eventually(() =>
      expect(books().relationships.some(({ tenantId }) => tenantId === SEED_TENANTS.contoso)).toBe(true),
    );

    await client.cancel(instance.id, { reason: 'The customer changed its mind.' });
    const leaveAlone = () => null;
    const played = await playToTheEnd(instance.id, { client, microsoft, answer: leaveAlone });

    expect(played.instance).toMatchObject({ output: { outcome: 'canceled' } });
    expect(books().orders).toEqual([]);
    const own = books().relationships.filter(({ tenantId }) => tenantId === SEED_TENANTS.contoso);
    expect(own.every(({ status }) => !['active', 'approved', 'activating'].includes(status))).toBe(true);
  });
});
