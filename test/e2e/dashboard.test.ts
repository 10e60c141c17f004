/** The page in a real browser, against the app over an engine in memory. Skipped where there is no Chromium. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Page } from 'playwright-core';
import { markRewound } from '../../engine/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { createFixture } from '../integration/api-fixture.ts';
import { buildDashboard, findBrowser, openSite, type Site } from './browser.ts';

const executablePath = findBrowser();
const suite = executablePath === undefined ? describe.skip : describe;
const title =
  executablePath === undefined ? 'the dashboard (skipped: no chromium on the PATH)' : 'the dashboard';

suite(title, () => {
  let built: ReturnType<typeof buildDashboard>;
  let site: Site;
  let fixture: ReturnType<typeof createFixture>;

  beforeAll(async () => {
    built = buildDashboard();
    fixture = createFixture({ dashboardDir: built.dist });
    site = await openSite(fixture.app, executablePath ?? '');
  }, 60_000);

  afterAll(async () => {
    await site?.close();
    built?.remove();
  });

  const open = (path = '/', width = 1_280): Promise<Page> => site.open(path, { width });

  async function signIn(page: Page, role: 'admin' | 'viewer' | 'operator' = 'admin'): Promise<void> {
    await site.signIn(page, fixture.tokens[role]);
    await page.getByRole('heading', { name: 'Onboardings', exact: true }).waitFor();
  }

  it('takes an onboarding from its start over the approval to its end, live', async () => {
    const page = await open();
    await signIn(page);

    await page.getByRole('link', { name: 'Start', exact: true }).click();
    await page.getByLabel('Customer').fill('Fabrikam GmbH');
    await page.getByRole('button', { name: 'Start' }).click();
    await page.getByRole('heading', { name: 'Fabrikam GmbH' }).waitFor();
    await page.getByText('The order of 25 seats for Fabrikam GmbH waits for approval').first().waitFor();

    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByRole('button', { name: 'Confirm: Approve' }).click();
    await page.getByText('Waiting for Fabrikam GmbH to accept, day 1').first().waitFor();

    // The customer accepts and the worker does its part: the page notices by itself.
    const [root] = (await fixture.client.list({})).items;
    const child = (await fixture.client.describe(root?.id ?? ''))?.children[0]?.instanceId ?? '';
    await fixture.client.signalById(child, 'consent.reseller.granted', { source: 'webhook' });
    await fixture.engine.settled();
    const greeting = await fixture.client.describe(root?.id ?? '');
    const token = greeting?.activities[0]?.token ?? '';
    await fixture.client.operate(root?.id ?? '', {
      kind: 'complete-activity',
      token,
      output: { greeted: true },
    });

    await page.getByText('Fabrikam GmbH is a customer').first().waitFor();
    await page.getByText('Order approved. Now: asking.').waitFor();
    expect(await page.locator('.chip').textContent()).toBe('Done');
    await page.context().close();
  }, 60_000);

  it('shows a customer’s name as text, whatever it holds', async () => {
    const name = '<img src=x onerror="window.hacked=1">\u202Egnp';
    await fixture.start({ customer: name, tenantId: '6f0c1b4e-2f6a-4f0e-9a44-8f5f7a1f0c12', seats: 1 });
    const page = await open();
    await signIn(page);

    await page.getByRole('link', { name: '<img src=x onerror="window.hacked=1">[U+202E]gnp' }).click();
    await page.getByRole('heading', { level: 1 }).waitFor();

    expect(await page.evaluate('window.hacked')).toBeUndefined();
    await page.context().close();
  });

  it('refuses a wrong key and says why', async () => {
    const page = await open();

    await page.getByLabel('API key').fill('wfk_wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();

    await page.getByRole('alert').getByText('The API key is not known.').waitFor();
    await page.context().close();
  });

  it('offers a viewer nothing to change', async () => {
    const { id } = await fixture.start();
    const page = await open();
    await signIn(page, 'viewer');

    expect(await page.getByRole('link', { name: 'Start', exact: true }).count()).toBe(0);
    await page.goto(`${site.url}/#/instances/${id}`);
    await page.getByText('Your role cannot answer this task.').waitFor();
    expect(await page.getByRole('button', { name: /Approve|Pause|Cancel/ }).count()).toBe(0);
    await page.context().close();
  });

  it('says when the server is away and when it is back', async () => {
    const page = await open();
    await signIn(page);
    await page.getByText('live', { exact: true }).waitFor();

    await page.context().setOffline(true);
    await page.getByText('reconnecting', { exact: true }).waitFor();
    await page.context().setOffline(false);
    await page.getByText('live', { exact: true }).waitFor();

    site.trouble.splice(
      0,
      site.trouble.length,
      ...site.trouble.filter((text) => !text.includes('ERR_INTERNET_DISCONNECTED')),
    );
    await page.context().close();
  }, 40_000);

  it.each(['/#/', '/#/start', '/#/import', '/#/tasks', '/#/unmatched', '/#/health'])(
    'fits on a narrow phone: %s',
    async (path) => {
      const page = await open('/', 360);
      await signIn(page);
      await page.goto(`${site.url}${path}`);
      await page.getByRole('heading', { level: 1 }).waitFor();

      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
      await page.context().close();
    },
  );

  it('tells a long history to its beginning, newest first', async () => {
    const { id } = await fixture.start();
    for (let round = 0; round < 110; round += 1) {
      await fixture.client.pause(id, { reason: `round ${round}` });
      await fixture.client.resume(id);
    }
    const page = await open();
    await signIn(page);
    await page.goto(`${site.url}/#/instances/${id}`);
    await page.getByText('round 109', { exact: true }).waitFor();
    expect(await page.getByText('Started. Now: awaiting approval.').count()).toBe(0);

    await page.getByRole('button', { name: 'Show what happened earlier' }).click();
    await page.getByText('Started. Now: awaiting approval.').waitFor();
    await fixture.client.pause(id, { reason: 'afterwards' });
    await page.getByText('afterwards', { exact: true }).waitFor();

    const told = await page.locator('.timeline .quote').allTextContents();
    expect(told).toEqual(['afterwards', ...Array.from({ length: 110 }, (_, back) => `round ${109 - back}`)]);
    expect(await page.getByRole('button', { name: 'Show what happened earlier' }).count()).toBe(0);
    await page.context().close();
  }, 40_000);

  it('lists what a lost store may have set back, on a narrow screen too, and says what that means', async () => {
    const customer = 'Tailspin Toys';
    await fixture.start({ customer, tenantId: '6f0c1b4e-2f6a-4f0e-9a44-8f5f7a1f0c21', seats: 1 });
    const at = fixture.clock.now() + 1;
    const loss = { since: at - 86_400_000, at, marked: async () => undefined };
    await markRewound(fixture.engine, loss, silentLogger());
    fixture.clock.advance(10);
    await fixture.start({ customer: 'Later AG', tenantId: '6f0c1b4e-2f6a-4f0e-9a44-8f5f7a1f0c22', seats: 1 });
    const page = await open('/', 390);
    await signIn(page);

    await page.goto(`${site.url}/#/?rewound=true`);
    await page.getByText('Read them against Partner Center').waitFor();
    const tab = await page.getByRole('link', { name: 'Set back', exact: true }).boundingBox();
    expect((tab?.x ?? -1) >= 0 && (tab?.x ?? 390) + (tab?.width ?? 0) <= 390).toBe(true);
    expect(await page.getByText('Later AG').count()).toBe(0);
    await page.getByRole('link', { name: customer }).click();

    await page.getByText('this onboarding may have been further').waitFor();
    await page.context().close();
  });

  it('does one thing to all of a view, counted first, and offers it to nobody who may not', async () => {
    const { id } = await fixture.start();
    const other = await fixture.start({
      ...{ customer: 'Wingtip', tenantId: '6f0c1b4e-2f6a-4f0e-9a44-8f5f7a1f0c31', seats: 1 },
    });
    await fixture.client.pause(other.id);
    const page = await open('/#/?status=running');
    await signIn(page);
    const running = (await fixture.client.list({ status: 'running' }, { limit: 200 })).items.length;

    await page.getByText('Do one thing to all of these').click();
    await page.getByLabel('Operation').selectOption('Pause');
    await page.getByLabel('Reason').fill('Microsoft is down');
    await page.getByRole('button', { name: 'Count them' }).click();
    await page.getByRole('button', { name: `Pause: all ${running}` }).click();
    await page.getByText(`Pause: ${running} done.`).waitFor();

    expect((await fixture.client.list({ status: 'running' })).items).toEqual([]);
    const [last] = (await fixture.client.history(id, { limit: 1_000 })).slice(-1);
    expect(last).toMatchObject({ event: { kind: 'pause' }, reason: 'Microsoft is down' });
    await page.context().close();

    const plain = await open();
    await signIn(plain, 'operator');
    await plain.getByRole('link', { name: 'Wingtip' }).waitFor();
    expect(await plain.getByText('Do one thing to all of these').count()).toBe(0);
    await plain.context().close();
  }, 40_000);

  it('runs under the strict content security policy without a complaint', () => {
    expect(site.trouble).toEqual([]);
  });
});
