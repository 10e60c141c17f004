import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { REPORT_POLICY, reportPage } from '../../api/report-page.ts';
import { createFixture } from '../integration/api-fixture.ts';

const report = {
  instanceId: 'wf_1',
  title: 'Onboarding',
  subject: '<script>alert(1)</script> & Söhne',
  outcome: 'completed',
  startedAt: '2026-11-02T10:00:00.000Z',
  startedBy: 'grace',
  closedAt: '2026-11-03T10:00:00.000Z',
  decisions: [
    { at: '2026-11-02T11:00:00.000Z', by: '"x" onload=y', what: 'Approved', said: '', reason: "it's" },
  ],
  changes: [],
  tables: [
    { title: 'Left behind', columns: ['What'], rows: [['<img src=x>']] },
    { title: 'Nothing', columns: ['What'], rows: [] },
  ],
  output: null,
};

describe('the printable report', () => {
  const page = reportPage(report);

  it('shows what others wrote as text', () => {
    expect(page).not.toMatch(/<script|<img|" onload/);
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt; &amp; Söhne');
    expect(page).toContain('it&#39;s');
  });

  it('leaves out what has nothing to tell', () => {
    expect(page).toContain('<h2>Left behind</h2>');
    expect(page).not.toContain('<h2>Nothing</h2>');
  });

  it('may use its own style and load nothing', () => {
    const style = /<style>([\s\S]*)<\/style>/.exec(page)?.[1] ?? '';

    expect(REPORT_POLICY).toContain(`'sha256-${createHash('sha256').update(style).digest('base64')}'`);
    expect(REPORT_POLICY).toContain("default-src 'none'");
  });

  it('comes when the instance is closed, not before', async () => {
    const fixture = createFixture();
    const { id } = await fixture.start();

    const early = await fixture.as('viewer').get(`/v1/instances/${id}/report`);
    await fixture.as('operator').post(`/v1/instances/${id}/cancel`, { reason: 'Not wanted.' });
    const late = await fixture.as('viewer').get(`/v1/instances/${id}/report`);
    const html = await fixture.as('viewer').get(`/v1/instances/${id}/report?format=html`);

    expect([early.status, early.body.code]).toEqual([409, 'operation-impossible']);
    expect(late.body).toMatchObject({
      subject: 'Contoso Ltd',
      decisions: [{ by: 'operator', reason: 'Not wanted.' }],
    });
    expect(html.headers['content-security-policy']).toBe(REPORT_POLICY);
    expect(html.text).toContain('Not wanted.');
  });
});
