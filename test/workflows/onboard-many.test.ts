import { describe, expect, it } from '@jest/globals';
import type { ManyRow, OnboardManyOutput } from '../../workflows/onboard-many.ts';
import { OnboardManyInput, onboardManyMachine } from '../../workflows/onboard-many.ts';
import { RouteOnboardingInput, routeOnboardingMachine } from '../../workflows/route-onboarding.ts';
import { PATHS, routeFor } from '../../workflows/routing.ts';
import { drive } from './harness.ts';
import { IMPORT_ROW, TENANT } from './samples.ts';

const CSP = 'onboard-existing-csp-customer';
const report = (outcome = 'completed') => ({
  outcome,
  customer: { name: 'Contoso', tenantId: TENANT },
  ordered: { orders: [{ orderId: 'order-1' }] },
});
const many = (rows: readonly object[], batch = 10) =>
  drive(
    onboardManyMachine,
    OnboardManyInput.parse({
      title: 'list.csv',
      rows: rows.map((raw, index) => ({ line: index + 2, raw: { ...IMPORT_ROW, ...raw } })),
      batch,
    }),
  );
const rowsOf = (driver: ReturnType<typeof drive>) => driver.context<{ rows: ManyRow[] }>().rows;

describe('the path of a customer', () => {
  it.each([
    [{ tenantId: null, ours: false }, PATHS[2]],
    [{ tenantId: TENANT, ours: false }, PATHS[0]],
    [{ tenantId: TENANT, ours: true }, PATHS[1]],
  ])('with %j is %s', (findings, path) => {
    expect(routeFor(findings).path).toBe(path);
  });

  it('is read from domain, tenant and relationship, in this order', () => {
    const driver = drive(routeOnboardingMachine, RouteOnboardingInput.parse({ domain: ' Contoso.Example ' }));
    expect(driver.input('findTenant')).toEqual({ domain: 'contoso.example' });

    driver
      .done('findTenant', { tenantId: TENANT, displayName: 'Contoso', defaultDomain: 'contoso.example' })
      .done('readRelationship', { visible: true, reseller: true });

    expect(driver.snapshot().output).toMatchObject({ path: CSP, tenantId: TENANT, tenantName: 'Contoso' });
  });

  it('stays open, with the reason, when Microsoft cannot be asked', () => {
    const driver = drive(routeOnboardingMachine, { domain: 'contoso.example' }).fail('findTenant');

    expect(driver.snapshot().output).toMatchObject({ path: null, why: expect.stringContaining('It broke.') });
  });
});

describe('a list of customers', () => {
  it('starts a child a row under the path it names, and finds the path of the others first', () => {
    const driver = many([
      { path: CSP, company: 'A' },
      { domain: 'b.example', company: 'B' },
    ]);
    expect(driver.running()).toEqual(['row-2', 'route-3']);
    expect(driver.input('row-2')).toMatchObject({ customer: { name: 'A', domain: 'contoso.example' } });

    driver.done('route-3', { path: CSP, why: 'Ours.', tenantId: TENANT });

    expect(driver.running()).toEqual(['row-2', 'row-3']);
    driver.done('row-2', report()).done('row-3', report('abandoned'));
    expect(driver.snapshot().output as OnboardManyOutput).toMatchObject({
      counts: { completed: 1, abandoned: 1, canceled: 0, failed: 0, 'set-aside': 0 },
      rows: [
        { line: 2, name: 'A', state: 'completed', tenantId: TENANT, orderIds: ['order-1'] },
        { line: 3, name: 'B', state: 'abandoned', path: CSP },
      ],
    });
  });

  it('starts a few at a time', () => {
    const driver = many([{ path: CSP }, { path: CSP }, { path: CSP }], 2);
    expect(driver.running()).toEqual(['row-2', 'row-3']);

    driver.timer('nextBatch');

    expect(driver.running()).toEqual(['row-2', 'row-3', 'row-4']);
    expect(driver.is('following')).toBe(true);
  });

  it('sets a row aside that turns out to be a new customer without an address', () => {
    const driver = many([{ domain: 'b.example' }]).done('route-2', {
      path: 'onboard-new-customer',
      why: 'No tenant.',
      tenantId: null,
    });

    const [row] = rowsOf(driver);
    expect(row).toMatchObject({ state: 'set-aside' });
    expect(row?.why).toContain('domain_prefix is missing');
    expect(driver.snapshot().status).toBe('done');
  });

  it('goes on with the others when one breaks', () => {
    const driver = many([{ path: CSP }, { path: CSP }]).fail('row-2');
    expect(rowsOf(driver).map(({ state, why }) => [state, why])).toEqual([
      ['failed', 'It broke.'],
      ['running', null],
    ]);

    driver.done('row-3', report());

    expect(driver.snapshot().status).toBe('done');
  });

  it('passes a cancel on to every row under way and waits for their ends', () => {
    const driver = many([{ path: CSP }, { domain: 'b.example' }, { path: CSP }], 2).signal(
      'cancel.requested',
    );
    expect(rowsOf(driver).map(({ state }) => state)).toEqual(['running', 'routing', 'canceled']);

    driver.done('route-3', { path: CSP, why: 'Ours.', tenantId: TENANT }).done('row-2', report('canceled'));

    expect((driver.snapshot().output as OnboardManyOutput).counts).toMatchObject({ canceled: 3 });
  });
});
