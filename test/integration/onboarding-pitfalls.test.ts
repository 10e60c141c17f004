/** What operators run into (docs/pitfalls.md), played on a whole onboarding with the emulator's trouble switched on. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SEED_TENANTS } from '../../emulator/index.ts';
import type { InstanceView, TaskView } from '../../engine/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { Secret } from '../../shared/secrets.ts';
import { createRefreshTokenStore } from '../../workers/refresh-tokens.ts';
import { onboardExistingCspCustomer } from '../../workflows/onboard-existing-csp-customer.ts';
import { onboardExistingOfficeCustomer } from '../../workflows/onboard-existing-office-customer.ts';
import { undoPurchase } from '../../workflows/undo-purchase.ts';
import { eventually } from '../support/eventually.ts';
import { playToTheEnd, stretchOf } from '../support/play.ts';
import { ATTESTED, COMMON, ems, type Onboarding, office, startOnboarding } from './onboarding-fixture.ts';

const CART = 'POST /pc/v1/customers/:customerId/carts';
const CHECKOUT = `${CART}/:cartId/checkout`;

let onboarding: Onboarding;
beforeEach(async () => {
  onboarding = await startOnboarding();
});
afterEach(() => onboarding.close());

const existing = (lines: readonly object[] = [ems(30)]) =>
  ({ ...COMMON, customer: { name: 'Fabrikam', domain: 'fabrikam.example' }, order: { lines } }) as never;
const invited = (name: string, domain: string) =>
  ({
    ...COMMON,
    customer: { name, domain },
    invitation: { mode: 'send', to: [`it@${domain}`] },
    order: { lines: [ems(25)] },
    attested: ATTESTED,
  }) as never;
const nameOf = (task: TaskView) => task.id.slice(task.id.indexOf('~') + 1);

const consentOf = (root: InstanceView) => stretchOf(onboarding.client, root.id, 'consent');

describe('consent', () => {
  it('moves only the customer who accepted, although all were sent the same reseller link', async () => {
    const { client, microsoft } = onboarding;
    const { tenantId } = (await microsoft.control('/tenants', {
      domain: 'tailspin',
      name: 'Tailspin',
      customDomains: ['tailspin.example'],
    })) as { tenantId: string };
    const contoso = (await client.start(onboardExistingOfficeCustomer, invited('Contoso', 'contoso.example')))
      .instance;
    const tailspin = (
      await client.start(onboardExistingOfficeCustomer, invited('Tailspin', 'tailspin.example'))
    ).instance;
    const granted = async (root: InstanceView) =>
      ((await consentOf(root))?.context as { commerceGranted?: boolean } | undefined)?.commerceGranted;
    await eventually(async () =>
      expect([await granted(contoso), await granted(tailspin)]).toEqual([false, false]),
    );

    await microsoft.control('/consents/reseller/accept', { tenantId, signAgreement: false });

    await eventually(async () => expect(await granted(tailspin)).toBe(true));
    expect(await granted(contoso)).toBe(false);
  });

  it('stays open when somebody without the right follows the link', async () => {
    const { client, microsoft } = onboarding;
    const { instance } = await client.start(
      onboardExistingOfficeCustomer,
      invited('Contoso', 'contoso.example'),
    );
    await eventually(async () =>
      expect((await consentOf(instance))?.sentence).toContain('Waiting for Contoso'),
    );

    const clicked = microsoft.control('/consents/reseller/accept', {
      tenantId: SEED_TENANTS.contoso,
      as: 'other',
    });

    await expect(clicked).rejects.toThrow(/Global Administrator/);
    expect((await consentOf(instance))?.sentence).toContain('Waiting for Contoso');
  });

  it('that was given but does not show yet raises no alarm', async () => {
    const { client, microsoft } = onboarding;
    await microsoft.control('/delays', { relationshipVisible: 500, gdapActivation: 600 }, 'PATCH');
    const { instance } = await client.start(
      onboardExistingOfficeCustomer,
      invited('Contoso', 'contoso.example'),
    );

    const played = await playToTheEnd(instance.id, { client, microsoft });

    expect(played.instance.output).toMatchObject({
      outcome: 'completed',
      granted: { commerce: true, admin: true },
    });
  });
});

describe('access', () => {
  it('that Conditional Access blocks waits for the customer, and goes on when we are let in', async () => {
    const { client, microsoft } = onboarding;
    await microsoft.control('/settings', { conditionalAccessBlocks: true }, 'PATCH');
    const { instance } = await client.start(onboardExistingCspCustomer, existing());
    let asked = false;

    const played = await playToTheEnd(instance.id, {
      client,
      microsoft,
      expected: ['access-blocked'],
      answer(task) {
        if (nameOf(task) !== 'access-blocked') return undefined;
        asked = true;
        microsoft.emulator.world.changeSettings({ conditionalAccessBlocks: false });
        return { action: 'complete', payload: {} };
      },
    });

    expect(asked).toBe(true);
    expect(played.instance.output).toMatchObject({ outcome: 'completed' });
  });
});

describe('an order', () => {
  it('whose availability changed under the cart is put together and approved anew, and placed once', async () => {
    const { client, microsoft, books } = onboarding;
    microsoft.emulator.addFault({ kind: 'availability-gone', route: CHECKOUT, times: 1 });
    const { instance } = await client.start(onboardExistingCspCustomer, existing());

    const played = await playToTheEnd(instance.id, { client, microsoft });

    expect(played.instance.output).toMatchObject({ outcome: 'completed' });
    expect(played.answered.filter((name) => name === 'approve-order')).toHaveLength(2);
    expect(books().orders).toHaveLength(1);
  });

  it('whose cart holds a line error is not taken for one that can be approved', async () => {
    const { client, microsoft, books } = onboarding;
    microsoft.emulator.addFault({ kind: 'cart-line-error', route: CART, times: 1 });
    const { instance } = await client.start(onboardExistingCspCustomer, existing());
    const problems: unknown[] = [];

    const played = await playToTheEnd(instance.id, {
      client,
      microsoft,
      expected: ['lines-refused'],
      answer(task) {
        if (nameOf(task) !== 'lines-refused') return undefined;
        problems.push(task.shows['Problems']);
        return { action: 'retry', payload: {} };
      },
    });

    expect(problems[0]).toEqual([expect.stringContaining('Enterprise Mobility + Security E3: ')]);
    expect(played.answered.filter((name) => name === 'approve-order')).toHaveLength(1);
    expect(books().orders).toHaveLength(1);
  });

  it('of which a part was refused is completed with a second, newly approved cart', async () => {
    const { client, microsoft, books } = onboarding;
    microsoft.emulator.addFault({ kind: 'partial-checkout', route: CHECKOUT, times: 1 });
    const { instance } = await client.start(onboardExistingCspCustomer, existing([ems(30), office(30)]));

    const played = await playToTheEnd(instance.id, {
      client,
      microsoft,
      answer: (task) => (nameOf(task) === 'partly-ordered' ? { action: 'retry', payload: {} } : undefined),
    });

    expect(played.instance.output).toMatchObject({ outcome: 'completed' });
    expect(played.answered.filter((name) => name === 'approve-order')).toHaveLength(2);
    const lines = books().orders.flatMap((order) => order.lines);
    expect(lines.map(({ skuPartNumber, quantity }) => [skuPartNumber, quantity]).sort()).toEqual([
      ['EMS', 30],
      ['ENTERPRISEPACK', 30],
    ]);
  });

  it('that does not show yet, with seats that Graph does not count yet, is waited for', async () => {
    const { client, microsoft, books } = onboarding;
    const late = { orderListed: 300, orderCompletion: 400, provisioningStatus: 300, seatsVisible: 500 };
    await microsoft.control('/delays', late, 'PATCH');
    const { instance } = await client.start(onboardExistingCspCustomer, existing());

    const played = await playToTheEnd(instance.id, { client, microsoft });

    expect(played.instance.output).toMatchObject({ outcome: 'completed' });
    expect(books().orders).toHaveLength(1);
  });
});

describe('a purchase by mistake', () => {
  it('is really given back within the seven days, once, although the answer got lost', async () => {
    const { client, microsoft } = onboarding;
    const { instance } = await client.start(onboardExistingCspCustomer, existing());
    const bought = await playToTheEnd(instance.id, { client, microsoft });
    const { undo } = bought.instance.output as { undo: { subscriptionId: string; until: string }[] };
    const subscriptionId = undo[0]?.subscriptionId ?? '';
    expect(Date.parse(undo[0]?.until ?? '')).toBeGreaterThan(Date.now() + 6 * 24 * 3_600_000);
    const route = 'PATCH /pc/v1/customers/:customerId/subscriptions/:subscriptionId';
    microsoft.emulator.addFault({ kind: 'hang-up-after', route, times: 1 });

    const customer = { name: 'Fabrikam', tenantId: SEED_TENANTS.fabrikam };
    const started = await client.start(undoPurchase, {
      customer,
      subscriptionId,
      settings: COMMON.settings,
    } as never);
    const played = await playToTheEnd(started.instance.id, {
      client,
      microsoft,
      answer: (task) =>
        nameOf(task) === 'decide-undo' ? { action: 'approve', payload: { reason: 'A mistake.' } } : undefined,
    });

    expect(played.instance.output).toMatchObject({ outcome: 'undone', subscriptionId });
    const { status } = microsoft.emulator.world.directory.subscriptions.get(subscriptionId) ?? {};
    expect(status).toBe('deleted');
  });
});

describe('an onboarding', () => {
  it('one part of which was given up is never reported as completed', async () => {
    const { client, microsoft } = onboarding;
    const input = { ...(existing() as object), licences: { mode: 'ask', usageLocation: 'US' } } as never;
    const { instance } = await client.start(onboardExistingCspCustomer, input);

    const played = await playToTheEnd(instance.id, {
      client,
      microsoft,
      answer: (task) =>
        nameOf(task) === 'choose-users'
          ? { action: 'reject', payload: { reason: 'Nobody knows who.' } }
          : undefined,
    });

    const { outcome, leftBehind, ordered } = played.instance.output as {
      outcome: string;
      leftBehind: string[];
      ordered: { orders: { orderId: string }[] };
    };
    expect(outcome).toBe('abandoned');
    expect(leftBehind).toContain(`The order ${ordered.orders[0]?.orderId} stays.`);
  });
});

describe('a dead sign-in of ours', () => {
  it('pauses a queue once for everybody, and nobody fails: with a new sign-in all go on', async () => {
    const { client, microsoft, redis, secretBox, books } = onboarding;
    await microsoft.control('/refresh-tokens/revoke');
    const customers = await Promise.all(
      ['one', 'two', 'three'].map(async (domain) => {
        const tenant = {
          domain,
          name: domain,
          customDomains: [`${domain}.example`],
          customer: true,
          gdapReady: true,
        };
        await microsoft.control('/tenants', { ...tenant, agreementSigned: true });
        const customer = { name: domain, domain: `${domain}.example` };
        return (
          await client.start(onboardExistingCspCustomer, { ...(existing() as object), customer } as never)
        ).instance;
      }),
    );

    await eventually(async () =>
      expect((await client.pausedQueues()).map(({ queue }) => queue)).toContain('partner-center'),
    );
    const paused = await client.pausedQueues();
    expect(new Set(paused.map(({ queue }) => queue)).size).toBe(paused.length);
    const views = await Promise.all(customers.map(({ id }) => client.describe(id)));
    expect(views.map((view) => [view?.status, view?.attention])).toEqual(
      customers.map(() => ['running', null]),
    );

    const { namespace } = onboarding;
    const store = createRefreshTokenStore({ redis, namespace, secretBox, log: silentLogger() });
    await microsoft.control('/clock/advance', { ms: 1_000 });
    const signedIn = (await microsoft.control('/refresh-tokens')) as { refreshToken: string };
    await store.save(new Secret(signedIn.refreshToken));
    for (const { queue } of await client.pausedQueues()) await client.resumeQueue(queue);

    const played = await Promise.all(
      customers.map(({ id }) => playToTheEnd(id, { client, microsoft, within: 60_000, pauseMs: 60 })),
    );
    expect(played.map(({ instance }) => instance.status)).toEqual(customers.map(() => 'completed'));
    expect(books().orders).toHaveLength(3);
  }, 90_000);
});
