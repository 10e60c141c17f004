import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { secretAad } from '../../shared/secrets.ts';
import { onboardNewCustomer } from '../../workflows/onboard-new-customer.ts';
import { playToTheEnd } from '../support/play.ts';
import { COMMON, ems, NEW_CUSTOMER, type Onboarding, office, startOnboarding } from './onboarding-fixture.ts';

let onboarding: Onboarding;
beforeEach(async () => {
  onboarding = await startOnboarding();
});
afterEach(() => onboarding.close());

const form = { ...COMMON, customer: NEW_CUSTOMER, order: { lines: [ems(10), office(10)] } } as never;

/** Passwords the emulated Microsoft handed out. */
function passwords({ microsoft }: Onboarding): string[] {
  const answers = microsoft.emulator.world.partner.remembered.all().map((row) => JSON.stringify(row.json));
  return answers.flatMap((text) =>
    [...text.matchAll(/"password":"([^"]+)"/g)].flatMap((match) => match[1] ?? []),
  );
}

describe('a new customer (guide 3.3)', () => {
  it('is on board with one tenant, both subscriptions and a licence for its administrator', async () => {
    const { client, microsoft, books } = onboarding;
    const { instance } = await client.start(onboardNewCustomer, form);

    const played = await playToTheEnd(instance.id, { client, microsoft });

    expect(played.instance).toMatchObject({ status: 'completed', output: { outcome: 'completed' } });
    const { tenantsCreated, orders, licences } = books();
    expect(tenantsCreated).toHaveLength(1);
    const lines = orders
      .filter(({ customerId }) => customerId === tenantsCreated[0])
      .flatMap((order) => order.lines);
    expect(orders.every(({ customerId }) => customerId === tenantsCreated[0])).toBe(true);
    expect(lines.map((line) => [line.skuPartNumber, line.quantity]).toSorted()).toEqual([
      ['EMS', 10],
      ['ENTERPRISEPACK', 10],
    ]);
    expect(licences.filter(({ tenantId }) => tenantId === tenantsCreated[0])).toMatchObject([
      { userPrincipalName: 'admin@adventureworks.onmicrosoft.com' },
      { userPrincipalName: 'admin@adventureworks.onmicrosoft.com' },
    ]);
    expect(await client.verifyHistory(instance.id)).toMatchObject({ intact: true });
  });

  it('leaves its password sealed for one reveal and no secret anywhere in clear', async () => {
    const { client, microsoft, secretBox } = onboarding;
    const { instance } = await client.start(onboardNewCustomer, form);
    await playToTheEnd(instance.id, { client, microsoft });
    const [password = 'none'] = passwords(onboarding);

    const stored = await onboarding.dump();
    const sealed = await client.takeSecret(instance.id, 'admin-password');

    expect(stored.length).toBeGreaterThan(10_000);
    expect(stored).not.toContain(password);
    expect(stored).not.toMatch(/eyJ[\w-]{8,}\.[\w-]+/);
    expect(stored).not.toContain('emulator-client-secret');
    expect(stored).not.toContain('emulator-refresh-token');
    expect(JSON.parse(secretBox.open(secretAad(instance.id, 'admin-password'), sealed))).toEqual({
      userName: 'admin@adventureworks.onmicrosoft.com',
      password,
    });
    await expect(client.takeSecret(instance.id, 'admin-password')).rejects.toMatchObject({
      code: 'secret-unknown',
    });
  });

  it('adopts the one tenant, and has its password reset, when Microsoft’s answers never arrive', async () => {
    const { client, microsoft, books } = onboarding;
    microsoft.emulator.addFault({ kind: 'hang-up-after', route: 'POST /pc/v1/customers' });
    const { instance } = await client.start(onboardNewCustomer, form);

    const played = await playToTheEnd(instance.id, { client, microsoft, within: 40_000 });

    expect(played.answered).toContain('reset-password');
    expect(played.answered).not.toContain('hand-over-sign-in');
    expect(books().tenantsCreated).toEqual([
      (played.instance.output as { customer: { tenantId: string } }).customer.tenantId,
    ]);
  }, 60_000);
});
