/**
 * The real paths played against the emulator, and every instance they made replayed from its history alone.
 * `UPDATE_HISTORIES=1` keeps those histories as the fixtures of the workflow versions of today; see
 * docs/engine.md, "Versions".
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { PARTNER, SEED_TENANTS } from '../../emulator/index.ts';
import { createRegistry } from '../../engine/index.ts';
import { allWorkflows } from '../../workflows/index.ts';
import { onboardExistingCspCustomer } from '../../workflows/onboard-existing-csp-customer.ts';
import { onboardExistingOfficeCustomer } from '../../workflows/onboard-existing-office-customer.ts';
import { onboardMany } from '../../workflows/onboard-many.ts';
import { onboardNewCustomer } from '../../workflows/onboard-new-customer.ts';
import { renewSignIn } from '../../workflows/renew-sign-in.ts';
import { routeOnboarding } from '../../workflows/route-onboarding.ts';
import { strayOrder } from '../../workflows/stray-order.ts';
import { undoPurchase } from '../../workflows/undo-purchase.ts';
import { eventually } from '../support/eventually.ts';
import {
  dropHistories,
  HISTORIES,
  type RecordedHistory,
  recordAll,
  writeHistory,
} from '../support/histories.ts';
import { type PlayOptions, playToTheEnd } from '../support/play.ts';
import { expectReplays } from '../support/replays.ts';
import {
  ATTESTED,
  COMMON,
  ems,
  NEW_CUSTOMER,
  type Onboarding,
  office,
  SETTINGS,
  startOnboarding,
} from './onboarding-fixture.ts';

let onboarding: Onboarding;
beforeAll(async () => {
  onboarding = await startOnboarding();
});
afterAll(() => onboarding.close());

const MINUTES = 60_000;

it(
  'every instance of the paths replays from its history to what is stored',
  async () => {
    const { worker, client, microsoft } = onboarding;
    const play = (id: string, options: Partial<PlayOptions> = {}) =>
      playToTheEnd(id, { client, microsoft, within: 2 * MINUTES, ...options });

    const csp = await client.start(onboardExistingCspCustomer, existing('Fabrikam', 'fabrikam.example'));
    const bought = (await play(csp.instance.id)).instance.output as { undo: { subscriptionId: string }[] };
    await microsoft.control('/tenants', {
      domain: 'tailspin',
      name: 'Tailspin Toys',
      customDomains: ['tailspin.example'],
      ...{ customer: true, gdapReady: true, agreementSigned: true },
      users: [{ name: 'ada', usageLocation: 'DE' }, { name: 'ben' }],
      subscriptions: [{ sku: 'EMS', quantity: 5, soldBy: 'partner' }],
    });
    const seats = await client.start(onboardExistingCspCustomer, existing('Tailspin', 'tailspin.example'));
    await play(seats.instance.id);
    const invited = await client.start(onboardExistingOfficeCustomer, {
      ...COMMON,
      customer: { name: 'Contoso Ltd', domain: 'contoso.example' },
      invitation: { mode: 'review', to: ['it@contoso.example'] },
      order: { lines: [ems(25)] },
      attested: ATTESTED,
    } as never);
    await play(invited.instance.id);
    const fresh = await client.start(onboardNewCustomer, {
      ...COMMON,
      customer: NEW_CUSTOMER,
      order: { lines: [ems(10), office(10)] },
    } as never);
    await play(fresh.instance.id);
    const undo = await client.start(undoPurchase, {
      customer: { name: 'Fabrikam', tenantId: SEED_TENANTS.fabrikam },
      subscriptionId: bought.undo[0]?.subscriptionId,
      settings: SETTINGS,
    } as never);
    await play(undo.instance.id, {
      answer: (task) =>
        task.id.endsWith('~decide-undo')
          ? { action: 'approve', payload: { reason: 'A mistake.' } }
          : undefined,
    });
    const route = await client.start(routeOnboarding, { domain: 'contoso.example' } as never);
    await play(route.instance.id);
    const many = await client.start(onboardMany, list() as never);
    await play(many.instance.id);
    const errands = [
      await client.start(renewSignIn, { problem: 'The sign-in expired.', settings: SETTINGS } as never),
      await client.start(strayOrder, {
        customer: { name: 'Fabrikam', tenantId: SEED_TENANTS.fabrikam },
        ...{ orderId: 'order-1', placedAt: null, kind: 'orphan', what: 'Nobody asked.', settings: SETTINGS },
      } as never),
    ];
    for (const { instance } of errands) {
      await eventually(async () => expect((await client.describe(instance.id))?.tasks).not.toEqual([]));
      await client.cancel(instance.id, { force: true });
    }
    await worker.engine.settled();

    const recorded = await recordAll(worker.engine.store);
    const registry = createRegistry(allWorkflows);
    for (const history of recorded) expectReplays(registry, history);
    const definitions = new Set(recorded.map(({ definition }) => definition));
    expect(
      allWorkflows.map(({ name, version }) => `${name}@${version}`).filter((ref) => !definitions.has(ref)),
    ).toEqual([]);
    if (process.env['UPDATE_HISTORIES'] === '1') keep(recorded);
  },
  10 * MINUTES,
);

const existing = (name: string, domain: string) =>
  ({ ...COMMON, customer: { name, domain }, order: { lines: [ems(30)] } }) as never;

function list() {
  const raw = {
    company: 'Adventure One',
    partner_name: PARTNER.name,
    group_ids: PARTNER.securityGroupId,
    ...{ seats: '5', usage_location: 'US', domain: 'adventure-one.example', domain_prefix: 'adventureone' },
    ...{ first_name: 'Ada', last_name: 'Meyer', email: 'ada@adventure.example', phone: '4255550100' },
    ...{ street: '1 Example Way', city: 'Redmond', state: 'WA', postal_code: '98052', country: 'US' },
  };
  const defaults = { settings: SETTINGS, licences: { mode: 'all' }, directory: { model: 'cloud-only' } };
  return { title: 'Spring list', rows: [{ line: 2, raw }], defaults, pauseMs: 10 };
}

/** The longest history of each version, and the one with the most kinds of events. */
function keep(recorded: readonly RecordedHistory[]): void {
  const kinds = ({ lines }: RecordedHistory) =>
    new Set(lines.flatMap((line) => [...line.matchAll(/"(?:kind|type)":"([^"]+)"/g)].map(([, kind]) => kind)))
      .size;
  for (const definition of new Set(recorded.map((history) => history.definition))) {
    const histories = recorded.filter((history) => history.definition === definition);
    dropHistories(HISTORIES, definition);
    const longest = histories.toSorted((a, b) => b.lines.length - a.lines.length)[0];
    const richest = histories.toSorted((a, b) => kinds(b) - kinds(a))[0];
    const kept = [...new Set([longest, richest])].filter((history) => history !== undefined);
    for (const [index, history] of kept.entries()) writeHistory(HISTORIES, String(index + 1), history);
  }
}
