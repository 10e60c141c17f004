/** What the pages ask beside instances: mails before they are sent, statecharts, the age of the sign-in. */
import { describe, expect, it } from '@jest/globals';
import { mailPage, mailParagraphs } from '../../shared/mail-page.ts';
import { createFixture } from './api-fixture.ts';

const DAY_MS = 86_400_000;
const asked = { path: 'onboard-existing-office-customer', customerName: 'Contoso', partnerName: 'Northwind' };

describe('the preview of an invitation', () => {
  const { as } = createFixture();
  const preview = (body: object) => as('operator').post('/v1/invitations/preview', body);
  const linksIn = ({ paragraphs }: { paragraphs: { text: string; isLink: boolean }[][][] }) =>
    paragraphs.flat(2).filter(({ isLink }) => isLink).length;

  it('has both links for an existing Office customer, and one for a customer who is ours', async () => {
    const both = await preview(asked);
    const one = await preview({ ...asked, path: 'onboard-existing-csp-customer' });

    expect([both.status, linksIn(both.body), linksIn(one.body)]).toEqual([200, 2, 1]);
  });

  it('takes words of its own, and refuses those without a place for the links', async () => {
    const own = await preview({ ...asked, text: { subject: '{customer}!', body: 'Go: {steps}' } });
    const lost = await preview({ ...asked, text: { subject: '{customer}!', body: 'Go.' } });

    expect(own.body.subject).toBe('Contoso!');
    expect(lost.status).toBe(400);
    expect(lost.body.errors).toEqual([
      { pointer: '/text/body', detail: 'The text lacks {steps}, where the links go.' },
    ]);
  });
});

describe('the page of a mail', () => {
  it('says in its paragraphs exactly what its HTML says', () => {
    const body = 'Dear <b>&co</b>,\n\n   - see https://x.example/?a=1&b=2 "now"\nand then';
    const text = mailParagraphs(body)
      .map((lines) => lines.map((pieces) => pieces.map(({ text: words }) => words).join('')).join('\n'))
      .join('\n\n');

    expect(text.replaceAll('\u00a0', ' ')).toBe(body);
    expect(mailPage(body)).toContain('<p>Dear &lt;b&gt;&amp;co&lt;/b&gt;,</p>');
    expect(mailPage(body)).toContain(
      '&nbsp;&nbsp;&nbsp;- see <a href="https://x.example/?a=1&amp;b=2">https://x.example/?a=1&amp;b=2</a> &quot;now&quot;<br>\nand then',
    );
  });
});

describe('the chart of an instance', () => {
  it('names every state and way, and the instance’s own states are in it', async () => {
    const { as, start } = createFixture();
    const { id } = await start();
    const chart = (await as('viewer').get(`/v1/instances/${id}/chart`)).body;
    const present = (await as('viewer').get(`/v1/instances/${id}`)).body.states[0].id;
    const first = chart.states.find((state: { id: string }) => state.id === present);

    expect(first).toMatchObject({ name: 'awaitingApproval', isInitial: true, kind: 'atomic' });
    expect(first.leadsTo).toEqual([
      { on: 'order.approved', to: ['order.asking'] },
      { on: 'order.rejected', to: ['order.rejected'] },
    ]);
    expect((await as('viewer').get('/v1/instances/wf_none/chart')).status).toBe(404);
  });
});

describe('the age of the sign-in', () => {
  it.each([
    [75 * DAY_MS, false],
    [76 * DAY_MS, true],
    [200 * DAY_MS, true],
  ])('of %d ms rings: %s', async (age, alarm) => {
    const { as, clock } = createFixture({
      health: { signInRenewedAt: () => Promise.resolve(clock.now() - age) },
    });

    expect((await as('viewer').get('/v1/sign-in')).body).toMatchObject({ alarm });
  });

  it('is not known before a worker signed in', async () => {
    const { as } = createFixture();

    expect((await as('viewer').get('/v1/sign-in')).body).toEqual({
      renewedAt: null,
      diesAt: null,
      alarm: false,
    });
  });
});
