/** A list of customers over the API, onboarded against the emulator, and the reports that close them. */
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Express } from 'express';
import request from 'supertest';
import { createApp } from '../../api/app.ts';
import { PARTNER, SEED_TENANTS } from '../../emulator/index.ts';
import { createRegistry } from '../../engine/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { allWorkflows, workflows } from '../../workflows/index.ts';
import type { OnboardManyOutput } from '../../workflows/onboard-many.ts';
import { playToTheEnd } from '../support/play.ts';
import { type Onboarding, SETTINGS, startOnboarding } from './onboarding-fixture.ts';

const TOKEN = 'wfk_test_0123456789abcdef0123456789abcdef';
const HEADER =
  'company,partner_name,group_ids,seats,usage_location,domain,domain_prefix,first_name,last_name,email,phone,street,city,state,postal_code,country';
const common = `Northwind,${PARTNER.securityGroupId},5,US`;
const person = 'Ada,Meyer,ada@adventure.example,4255550100,1 Example Way,Redmond,WA,98052,US';
const LIST = [
  HEADER,
  `Fabrikam,${common},fabrikam.example,,,,,,,,,,`,
  `Adventure One,${common},adventure-one.example,adventureone,${person}`,
  `Adventure Two,${common},adventure-two.example,,,,,,,,,,`,
].join('\n');

let onboarding: Onboarding;
let app: Express;
beforeEach(async () => {
  onboarding = await startOnboarding();
  app = createApp({
    client: onboarding.client,
    registry: createRegistry(allWorkflows),
    workflows,
    auth: {
      keys: [{ name: 'grace', role: 'operator', sha256: createHash('sha256').update(TOKEN).digest('hex') }],
      fourEyes: false,
      demoKey: null,
    },
    webhookVerifier: {
      verify: () => Promise.resolve({ outcome: 'refused', reason: 'malformed', status: 401 }),
    },
    secretBox: onboarding.secretBox,
    log: silentLogger(),
    health: {
      store: () => Promise.resolve({ durable: true }),
      workers: () => onboarding.client.liveWorkers(),
      signInRenewedAt: () => Promise.resolve(null),
      draining: () => false,
    },
    unpark: () => Promise.resolve(),
    dashboardDir: null,
    publicUrl: null,
    startDefaults: { settings: SETTINGS, licences: { mode: 'all' }, directory: { model: 'cloud-only' } },
    checkResponses: true,
  } as never);
});
afterEach(() => onboarding.close());

const auth = { Authorization: `Bearer ${TOKEN}` };
const send = (list: string, dryRun: boolean) =>
  request(app)
    .post(`/v1/imports?dryRun=${dryRun}&title=Spring%20list`)
    .set({ ...auth, 'Content-Type': 'text/csv' })
    .send(list);
const attest = { action: 'complete', payload: { condition: 'identities', evidence: 'Seen on the phone.' } };

describe('the path of a customer', () => {
  it.each([
    ['contoso.example', 'onboard-existing-office-customer', SEED_TENANTS.contoso],
    ['fabrikam.example', 'onboard-existing-csp-customer', SEED_TENANTS.fabrikam],
    ['nobody.example', 'onboard-new-customer', null],
  ])('with the domain %s is %s', async (domain, path, tenantId) => {
    const { status, body } = await request(app).post('/v1/paths').set(auth).send({ domain });

    expect([status, body.path, body.tenantId]).toEqual([200, path, tenantId]);
  });
});

describe('a list of customers', () => {
  it('changes nothing while it is tried dry', async () => {
    const { status, body } = await send(LIST, true);

    expect(status).toBe(200);
    expect(body).toMatchObject({ dryRun: true, instanceId: null, problems: [] });
    expect(body.rows.map(({ line, company }: { line: number; company: string }) => [line, company])).toEqual([
      [2, 'Fabrikam'],
      [3, 'Adventure One'],
      [4, 'Adventure Two'],
    ]);
    expect((await onboarding.client.list({})).items).toEqual([]);
  });

  it('is refused as a whole with every mistake named by line and column', async () => {
    const list = LIST.replace(',5,US', ',many,USA').replace('fabrikam.example', 'fabrikam');
    const { status, body } = await send(list, false);

    expect([status, body.code]).toEqual([400, 'input-invalid']);
    expect(body.errors.map(({ pointer }: { pointer: string }) => pointer).sort()).toEqual([
      '/lines/2/domain',
      '/lines/2/seats',
      '/lines/2/usage_location',
    ]);
    expect((await onboarding.client.list({})).items).toEqual([]);
  });

  it('onboards every row once under its own path, sets aside what lacks data, and reports', async () => {
    const { client, microsoft, books } = onboarding;
    const first = await send(LIST, false);
    expect([first.status, first.body.instanceId]).toEqual([201, expect.stringMatching(/^wf_/)]);
    const again = await send(LIST, false);
    expect([again.status, again.body.instanceId]).toEqual([200, first.body.instanceId]);
    const other = await send(`${LIST}\n`, true);
    // The third lacks data and is set aside, sooner or later than this answer.
    const underWay = other.body.rows.map((row: { underWay: string | null }) => row.underWay);
    expect(underWay.slice(0, 2)).toEqual([first.body.instanceId, first.body.instanceId]);

    const played = await playToTheEnd(first.body.instanceId, {
      client,
      microsoft,
      within: 60_000,
      answer: ({ id }) => (id.endsWith('~attest') ? attest : undefined),
    });

    const output = played.instance.output as OnboardManyOutput;
    expect(output.rows.map(({ name, path, state, why }) => [name, path, state, why])).toEqual([
      ['Fabrikam', 'onboard-existing-csp-customer', 'completed', expect.any(String)],
      ['Adventure One', 'onboard-new-customer', 'completed', expect.any(String)],
      [
        'Adventure Two',
        'onboard-new-customer',
        'set-aside',
        expect.stringContaining('domain_prefix is missing'),
      ],
    ]);
    const later = await send(LIST, false);
    expect([later.status, later.body.instanceId]).toEqual([200, first.body.instanceId]);
    expect(books().tenantsCreated).toHaveLength(1);
    expect(books().orders).toHaveLength(2);

    const reportOn = (id: string, accept: string) =>
      request(app)
        .get(`/v1/instances/${id}/report`)
        .set({ ...auth, Accept: accept });
    const list = (await reportOn(first.body.instanceId, 'application/json')).body;
    expect(list).toMatchObject({ subject: 'Spring list', outcome: 'completed', startedBy: 'grace' });
    const rows = list.tables.find(({ title }: { title: string }) => title === 'Rows').rows as string[][];
    const adventure = rows[1]?.at(-1) ?? '';
    // What has ended is a child no more and is found all the same.
    const began = await request(app).get(`/v1/instances/${first.body.instanceId}/children`).set(auth);
    expect(began.body.data).toContainEqual({
      actorId: 'row-3',
      instanceId: adventure,
      startedAt: expect.any(String),
    });
    expect(played.instance.children).toEqual([]);
    const { body: report } = await reportOn(adventure, 'application/json');
    expect(report.changes.map(({ what }: { what: string }) => what)).toEqual(
      expect.arrayContaining([
        'Onboard a new customer: Creating the customer and its tenant',
        'Ordering subscriptions: Placing the order',
        'Licences for users: Assigning licences',
      ]),
    );
    expect(report.decisions).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          by: 'test',
          what: expect.stringContaining('Order approved'),
          said: expect.stringContaining('Cart id'),
        }),
      ]),
    );
    const page = await reportOn(adventure, 'text/html');
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.text).toContain('<h1>Adventure One</h1>');
    expect(page.text).not.toContain('password');
  }, 90_000);
});
