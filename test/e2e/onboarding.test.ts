/** Staff's work in a real browser: the real API, a worker and the emulator. Skipped where there is no Chromium. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { PARTNER, SEED_TENANTS } from '../../emulator/index.ts';
import { onboardExistingOfficeCustomer } from '../../workflows/onboard-existing-office-customer.ts';
import { onboardNewCustomer } from '../../workflows/onboard-new-customer.ts';
import { ATTESTED, COMMON, ems, NEW_CUSTOMER } from '../integration/onboarding-fixture.ts';
import { eventually } from '../support/eventually.ts';
import { playToTheEnd, stretchOf } from '../support/play.ts';
import { findBrowser } from './browser.ts';
import { type OnboardingSite, openOnboardingSite } from './onboarding-site.ts';

const executablePath = findBrowser();
const suite = executablePath === undefined ? describe.skip : describe;
const title =
  executablePath === undefined ? 'staff’s pages (skipped: no chromium on the PATH)' : 'staff’s pages';
const DAY_MS = 86_400_000;

suite(title, () => {
  let opened: OnboardingSite;
  let page: Page;
  beforeAll(async () => {
    opened = await openOnboardingSite(executablePath ?? '');
  }, 90_000);
  afterEach(async () => {
    await page?.context().close();
  });
  afterAll(() => opened?.close());

  async function show(address: string, role: 'viewer' | 'operator' | 'approver' = 'approver'): Promise<void> {
    page = await opened.site.open(`/#${address}`);
    page.setDefaultTimeout(20_000);
    await opened.site.signIn(page, opened.tokens[role]);
  }

  const startOffice = (name: string, more: object = {}) =>
    opened.onboarding.client.start(onboardExistingOfficeCustomer, {
      ...COMMON,
      customer: { name, domain: 'contoso.example' },
      order: { lines: [ems(25)] },
      ...more,
    } as never);

  const offered = (name: string) => page.locator('.work-item', { hasText: name });

  it('find the path of a domain, let staff override it, show the mail, and start', async () => {
    await show('/start', 'operator');
    await page.getByLabel('Domain of the customer', { exact: true }).fill('contoso.example');
    await page.getByRole('button', { name: 'Find the path' }).click();
    await page.getByText('Proposed: Onboard an existing Office 365 customer').waitFor();
    await page.getByText(SEED_TENANTS.contoso).waitFor();
    expect(await page.getByLabel('Customer', { exact: true }).inputValue()).toBe('Contoso Ltd');

    await page.getByLabel('Onboard a new customer').check();
    await page.getByText('You take another path than the one proposed.').waitFor();
    await page.getByLabel('Onboard an existing Office 365 customer').check();

    const mail = page.getByRole('region', { name: 'Preview of the mail' });
    await mail.getByText('Authorise us as your Cloud Solution Provider').waitFor();
    await page.getByRole('button', { name: 'Write it in other words' }).click();
    await page.getByLabel('Text of this mail').fill('Hello {customer}, <b>as agreed</b>:\n\n{steps}');
    await mail.getByText('Hello Contoso Ltd, <b>as agreed</b>:').waitFor();
    expect(await mail.locator('b').count()).toBe(0);

    await page.getByLabel('Security group (object id in our tenant)').fill(PARTNER.securityGroupId);
    await page.getByRole('button', { name: 'Start', exact: true }).click();
    await page.getByRole('heading', { name: 'Contoso Ltd', level: 1 }).waitFor();

    const [started] = (await opened.onboarding.client.list({})).items;
    expect(started?.labels).toEqual({ 'proposed-path': 'onboard-existing-office-customer' });
    expect(started?.context).toMatchObject({
      form: expect.objectContaining({
        invitation: expect.objectContaining({
          text: expect.objectContaining({ body: 'Hello {customer}, <b>as agreed</b>:\n\n{steps}' }),
        }),
      }),
    });
  }, 60_000);

  it('name each mistake of a list by line and column, start a right one, and follow its customers', async () => {
    const header = 'company,partner_name,group_ids,seats,usage_location,domain';
    const list = (rows: readonly string[]) => ({
      name: 'spring.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from([header, ...rows].join('\n')),
    });
    await show('/import', 'operator');
    await page
      .getByLabel('CSV list')
      .setInputFiles(list([`Fabrikam,Northwind,${PARTNER.securityGroupId},many,US,fabrikam.example`]));
    const mistake = page.getByRole('row', { name: /^2 seats/ });
    await mistake.waitFor();
    expect(await page.getByRole('button', { name: /^Start/ }).count()).toBe(0);

    await page
      .getByLabel('CSV list')
      .setInputFiles(list([`Fabrikam,Northwind,${PARTNER.securityGroupId},5,US,fabrikam.example`]));
    await page.getByRole('button', { name: 'Start 1 onboarding' }).click();
    await page.getByRole('heading', { name: 'spring', level: 1 }).waitFor();
    await page.getByText('1 running').waitFor();
    await page.getByRole('link', { name: 'Fabrikam' }).click();
    await page.getByRole('heading', { name: 'Fabrikam', level: 1 }).waitFor();
  }, 60_000);

  it('list every open task by due date, mark the overdue one, and take the answer in place', async () => {
    await startOffice('Late Ltd', { settings: { ...COMMON.settings, taskDueMs: 1 } });
    await startOffice('Patient Ltd');
    await show('/tasks');
    const late = offered('Late Ltd');
    await late.getByText(/overdue/).waitFor();
    await offered('Patient Ltd').waitFor();
    const order = (await page.locator('.work-who').allTextContents()).filter((name) => / Ltd$/.test(name));
    expect(order.indexOf('Late Ltd')).toBe(0);
    expect(order.indexOf('Patient Ltd')).toBeGreaterThan(0);

    await late.locator('summary').click();
    await late.getByRole('button', { name: 'Go on without them' }).click();
    await late.getByRole('button', { name: 'Confirm: Go on without them' }).click();
    // A reason is asked for: the browser does not send the form without it.
    expect(await late.getByText('Conditions to be met').count()).toBe(1);
    await late.getByLabel('Reason').fill('Their administrator is on holiday.');
    await late.getByRole('button', { name: 'Confirm: Go on without them' }).click();
    await offered('Late Ltd').filter({ hasText: 'Conditions to be met' }).waitFor({ state: 'detached' });
    expect(page.url()).toContain('#/tasks');
  }, 60_000);

  it('show what no onboarding waits for, and give it to one', async () => {
    const { instance } = await startOffice('Tailspin', {
      customer: { name: 'Tailspin', domain: 'contoso.example' },
      attested: ATTESTED,
    });
    const { client } = opened.onboarding;
    const waits = async () => (await stretchOf(client, instance.id, 'consent'))?.id ?? '';
    await eventually(async () => expect(await waits()).not.toBe(''));
    const stray = 'tenant:6f0c1b4e-2f6a-4f0e-9a44-8f5f7a1f0c99';
    const signal = { source: 'a forwarded mail' };
    await client.signalByKey(stray, 'consent.reseller.granted', signal, { id: 'stray-1' });

    await show('/unmatched', 'operator');
    await page.getByRole('heading', { name: 'Somebody accepted our reseller invitation' }).waitFor();
    await page.getByText('a forwarded mail').waitFor();
    await page.getByRole('button', { name: 'Give it to an onboarding' }).click();
    await page.getByLabel('Find').fill('Tailspin: ');
    await page.getByLabel('Onboarding and stretch of it').selectOption(await waits());
    await page.getByLabel('Why it belongs there').fill('They bought the company.');
    await page.getByRole('button', { name: 'Give it to this onboarding' }).click();

    await page.getByText('Everything has its place').waitFor();
    expect(await client.unmatched()).toEqual([]);
    const told = await client.history(await waits());
    expect(JSON.stringify(told)).toContain('They bought the company.');
  }, 60_000);

  it('say which queue stands still and why, let it go on, and warn of a dying sign-in', async () => {
    opened.signInRenewedAt = Date.now() - 80 * DAY_MS;
    await opened.onboarding.pauseQueue('mail', 'The mail server refuses our password.');
    await show('/health', 'operator');
    await page.getByText('mail stands still').waitFor();
    await page.getByText('The mail server refuses our password.').waitFor();
    await page.getByText(/The sign-in dies in (9|10) d/).waitFor();

    await page.getByRole('button', { name: 'Let it go on' }).click();
    await page.getByRole('button', { name: 'Resume mail' }).click();
    await page.getByText('All queues run').waitFor();
    expect(await opened.onboarding.client.pausedQueues()).toEqual([]);
  }, 60_000);

  it('show the statechart with the present state, and a move’s effects before it is made', async () => {
    const { instance } = await startOffice('Wingtip');
    await show(`/instances/${instance.id}`);
    await page.getByText('Conditions to be met').waitFor();
    await page.getByText('Statechart and interventions').click();
    const present = page.locator('.state-on');
    await present.getByText('Checking prerequisites', { exact: true }).waitFor();
    expect(await present.count()).toBe(1);
    await page.getByText('Wingtip is on board').waitFor();

    await page.getByLabel('Intervene by hand').selectOption('move');
    await page.getByLabel('State', { exact: true }).selectOption('tenantNotFound');
    await page.getByRole('button', { name: 'Show what would happen' }).click();
    await page.getByText('Stops the stretch prerequisites').waitFor();
    const { client } = opened.onboarding;
    expect((await client.describe(instance.id))?.state).toBe('checkingPrerequisites');

    await page.getByLabel('Reason', { exact: true }).fill('The domain was mistyped.');
    await page.getByRole('button', { name: 'Do it: move to a state' }).click();
    await present.getByText('Tenant not found', { exact: true }).waitFor();
    expect((await client.describe(instance.id))?.state).toBe('tenantNotFound');
    await page.getByText('The domain was mistyped.').waitFor();
  }, 60_000);

  it('offer an operator no move, which could stand for an approval', async () => {
    const { instance } = await startOffice('Litware');
    await show(`/instances/${instance.id}`, 'operator');
    await page.getByText('Statechart and interventions').click();
    const hands = page.getByLabel('Intervene by hand');
    await hands.waitFor();
    expect(await hands.locator('option').allTextContents()).toEqual(['Choose …', 'Try again from a state']);
  }, 60_000);

  it('reveal the password once, keep none of it, and link the closing report', async () => {
    const { client, microsoft } = opened.onboarding;
    const { instance } = await client.start(onboardNewCustomer, {
      ...COMMON,
      customer: NEW_CUSTOMER,
      order: { lines: [ems(5)] },
    } as never);
    const played = playToTheEnd(instance.id, {
      client,
      microsoft,
      within: 90_000,
      pauseMs: 100,
      answer: ({ id }) => (id.endsWith('~hand-over-sign-in') ? null : undefined),
    });
    await show(`/instances/${instance.id}`);
    await page.getByRole('button', { name: 'Reveal the admin password' }).click({ timeout: 60_000 });
    await page.getByText('It is shown once and destroyed.').waitFor();
    await page.getByLabel('Why it is revealed now').fill('Ada is on the phone.');
    await page.getByRole('button', { name: 'Reveal once and destroy' }).click();
    const secret = (await page.locator('.secret-text').last().textContent()) ?? '';
    expect(secret.length).toBeGreaterThan(7);

    await page.getByRole('link', { name: 'Tasks', exact: true }).click();
    await page.getByRole('heading', { name: 'Tasks', level: 1 }).waitFor();
    await page.goBack();
    await page.getByRole('heading', { name: 'Hand over the sign-in data' }).waitFor();
    expect(await page.content()).not.toContain(secret);
    await page.getByRole('button', { name: 'Reveal the admin password' }).click();
    await page.getByLabel('Why it is revealed now').fill('Once more.');
    await page.getByRole('button', { name: 'Reveal once and destroy' }).click();
    await page.getByText("There is no secret 'admin-password' to reveal.").waitFor();
    await page.getByRole('button', { name: 'Back', exact: true }).click();

    await page.getByRole('button', { name: 'Handed over' }).click();
    await page.getByLabel('To', { exact: true }).fill('ada@adventure-works.example');
    await page.getByLabel('Evidence').fill('Read out on the phone.');
    await page.getByRole('button', { name: 'Confirm: Handed over' }).click();
    expect((await played).instance.status).toBe('completed');
    const report = page.context().waitForEvent('page');
    await page.getByRole('link', { name: 'Closing report, to print' }).click();
    await (await report).getByRole('heading', { name: 'Adventure Works', level: 1 }).waitFor();
  }, 150_000);

  it('run under the strict content security policy without a complaint', () => {
    expect(opened.site.trouble).toEqual([]);
  });
});
