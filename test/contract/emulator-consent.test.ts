import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createTransport } from 'nodemailer';
import { createEmulator, type Emulator, PARTNER, SEED_TENANTS } from '../../emulator/index.ts';
import { eventually } from '../support/eventually.ts';
import { type Client, clientOf, type Json, requestGdap } from './emulator-client.ts';

let emulator: Emulator;
let client: Client;

beforeAll(async () => {
  emulator = createEmulator({ autoConsent: { afterMs: 20 } });
  await emulator.listen();
  client = clientOf(emulator);
});
afterAll(() => emulator.close());

/** A browser without scripts: keeps the cookie, follows redirects by hand. */
function browser() {
  let cookie = '';
  const visit = async (
    path: string,
    form?: Record<string, string>,
  ): Promise<{ status: number; text: string; url: string }> => {
    const url = new URL(path, client.urls.consent);
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie },
      ...(form !== undefined && { method: 'POST', body: new URLSearchParams(form) }),
    });
    cookie = response.headers.get('set-cookie')?.split(';')[0] ?? cookie;
    const location = response.headers.get('location');
    if (location !== null) return visit(location);
    return { status: response.status, text: await response.text(), url: url.pathname + url.search };
  };
  return { visit };
}

async function userId(upn: string): Promise<string> {
  const { json } = await client.call('control', 'GET', '/tenants');
  return json.flatMap((tenant: Json) => tenant.users).find((user: Json) => user.userPrincipalName === upn).id;
}

const resellerUrl = async (): Promise<string> =>
  (await client.call('partnerCenter', 'GET', '/v1/customers/relationshiprequests')).json.url;

function sendMail(to: string, text: string): Promise<unknown> {
  const { host, port } = client.urls.smtp;
  return createTransport({ host, port, secure: false }).sendMail({
    from: 'ops@partner.example',
    to,
    subject: 'Your invitation',
    text,
  });
}

describe('the consent pages', () => {
  it('refuse a person who is not a Global Administrator', async () => {
    const page = browser();
    const signIn = await page.visit(await resellerUrl());
    expect(signIn.text).toContain('Sign in');

    const refused = await page.visit('/admin/signin', {
      user: await userId('ada@contoso.example'),
      return: (await resellerUrl()).replace(/^https?:\/\/[^/]+/, '').replace(/#.*/, ''),
    });

    expect(refused).toMatchObject({
      status: 403,
      text: expect.stringContaining('not a Global Administrator'),
    });
    expect((await page.visit('/admin/partners/invitation/reseller', { terms: 'accepted' })).status).toBe(403);
  });

  it('take an administrator from both links to the listed partner', async () => {
    const tenantId = SEED_TENANTS.contoso;
    const relationshipId = await requestGdap(client, tenantId, 'page-contoso');
    const page = browser();
    const target = (await resellerUrl()).replace(/^https?:\/\/[^/]+/, '').replace(/#.*/, '');
    const invitation = await page.visit('/admin/signin', {
      user: await userId('admin@contoso.onmicrosoft.com'),
      return: target,
    });
    expect(invitation.text).toContain(PARTNER.name);

    expect((await page.visit('/admin/partners/invitation/reseller', {})).status).toBe(400);
    const accepted = await page.visit('/admin/partners/invitation/reseller', { terms: 'accepted' });
    expect(accepted.text).toContain('is authorized as your Cloud Solution Provider');
    const path = `/admin/partners/invitation/granularAdminRelationships/${relationshipId}`;
    expect((await page.visit(path)).text).toContain('License Administrator');
    const approved = await page.visit(path, { answer: 'approve' });
    expect(approved.text).toContain('page-contoso');

    const mails = await eventually(async () => {
      const { json } = await client.call('control', 'GET', `/mails?to=${PARTNER.adminUpn}`);
      return json.mails.length === 2 && json.mails;
    });
    expect(mails.map((mail: Json) => mail.subject).join()).toContain('Contoso Ltd has accepted');
  });
});

describe('mail', () => {
  it('is shown in the inbox without running its markup', async () => {
    const { host, port } = client.urls.smtp;
    const html = '<p>Hello</p><script>alert(1)</script><a href="https://x.example">link</a>';
    await createTransport({ host, port, secure: false }).sendMail({
      from: 'a@partner.example',
      to: 'b@else.example',
      subject: '<b>Hi</b>',
      text: 'Hello',
      html,
    });

    const { json } = await client.call('control', 'GET', '/mails?to=b@else.example');
    const shown = await (await fetch(`${client.urls.inbox}/${json.mails[0].id}`)).text();
    const body = await fetch(`${client.urls.inbox}/${json.mails[0].id}/html`);

    expect(shown).toContain('&lt;b&gt;Hi&lt;/b&gt;');
    expect(shown).toContain('<iframe title="Mail" sandbox=');
    expect(body.headers.get('content-security-policy')).toContain('sandbox');
    expect(await (await fetch(client.urls.inbox)).text()).toContain('b@else.example');
  });

  it('with both links is followed by the emulated customer', async () => {
    const made = await client.call('control', 'POST', '/tenants', {
      body: { domain: 'tailspin', name: 'Tailspin Toys', customDomains: ['tailspin.example'] },
    });
    const { tenantId } = made.json;
    const relationshipId = await requestGdap(client, tenantId, 'auto-tailspin');
    const gdap = `${client.urls.consent}/AdminPortal/Home#/partners/invitation/granularAdminRelationships/${relationshipId}`;

    await sendMail('owner@tailspin.example', `1. ${await resellerUrl()}\n2. ${gdap}\n`);

    await eventually(
      async () => (await client.call('partnerCenter', 'GET', `/v1/customers/${tenantId}`)).status === 200,
    );
    await eventually(async () => {
      const { relationships } = await client.books();
      return relationships.find((row: Json) => row.id === relationshipId).status === 'active';
    });
  });

  it('without a link changes nothing', async () => {
    const made = await client.call('control', 'POST', '/tenants', {
      body: { domain: 'proseware', name: 'Proseware' },
    });
    await sendMail(
      'admin@proseware.onmicrosoft.com',
      'Please accept us: https://admin.microsoft.com/Adminportal/Home',
    );
    expect(emulator.world.scheduler.pending().map((effect) => effect.kind)).not.toContain('auto-consent');
    expect((await client.call('partnerCenter', 'GET', `/v1/customers/${made.json.tenantId}`)).json.code).toBe(
      20002,
    );
  });
});
