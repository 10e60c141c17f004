/** Answers that do not fit, ordered and random: each ends as a failure that names what is wrong, and shows no secret. */
import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Connectors } from '../../connectors/index.ts';
import { redacted } from '../../connectors/redact.ts';
import { ActivityFailure } from '../../shared/errors.ts';
import { drawing } from '../support/drawing.ts';
import { samplesOf } from '../support/microsoft-samples.ts';
import {
  CUSTOMER,
  connect,
  type FakeService,
  failureOf,
  IDS,
  NEW_CUSTOMER,
  startFakeService,
} from './connector-fake-service.ts';

const CANARY = 'Hunter2-canary!';
const CREATED = {
  id: 'dfd80000-0000-4000-8000-000000000001',
  userCredentials: { userName: 'admin', password: CANARY },
  companyProfile: { domain: NEW_CUSTOMER.domain, companyName: NEW_CUSTOMER.companyName },
  padding: 'x'.repeat(100),
};

let service: FakeService;
let connectors: Connectors;
beforeAll(async () => {
  service = await startFakeService();
});
afterAll(() => service.close());
beforeEach(() => {
  connectors = connect(service.url);
});
afterEach(() => connectors.close());

function answer(write: (response: ServerResponse) => void): void {
  for (const method of ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'])
    for (const path of ['/v1', '/webhooks/']) service.on(method, path, (_, response) => write(response));
}
const say = (status: number, type: string, body: string) =>
  answer((response) => response.writeHead(status, { 'content-type': type }).end(body));

const create = () => failureOf(connectors.partnerCenter.customers.create(NEW_CUSTOMER, IDS));
const read = () => failureOf(connectors.partnerCenter.customers.get(CUSTOMER));
const shown = (failure: Record<string, unknown>) =>
  `${String(failure['message'])} ${JSON.stringify(failure['details'])}`;

describe('an answer that does not fit', () => {
  const page = '<!DOCTYPE html><html><body><h1>Sign in</h1></body></html>';

  it.each([
    ['a page', 200, 'text/html', page, 'it is no JSON (text/html)'],
    ['nothing', 200, 'application/json', '', 'it is empty'],
    ['half of it', 200, 'application/json', '{"id":"6f0c', 'it is no JSON (application/json)'],
    ['a list', 200, 'application/json', '[]', 'it is array, not object'],
    ['a field missing', 200, 'application/json', '{"companyProfile":{}}', 'id is missing'],
    [
      'a word nobody knows',
      200,
      'application/json',
      `{"id":"${CUSTOMER}","companyProfile":{"domain":"d","companyName":"c"},"relationshipToPartner":"friend"}`,
      'relationshipToPartner is none of none, reseller',
    ],
    [
      'another type',
      200,
      'application/json',
      `{"id":"${CUSTOMER}","companyProfile":{"domain":7,"companyName":"c"},"relationshipToPartner":"none"}`,
      'companyProfile.domain is number, not string',
    ],
  ])('(%s) is told in plain words, by field', async (_, status, type, body, words) => {
    say(status, type, body);

    const failure = await read();

    expect(failure).toMatchObject({ kind: 'unexpected', code: 'partner-center-shape' });
    expect(failure['message']).toContain(words);
    expect(failure['details']).toMatchObject({
      status: 200,
      issues: expect.any(Array),
      ...{ requestId: expect.any(String) },
    });
  });

  it('under another content type is read all the same', async () => {
    say(200, 'text/plain', JSON.stringify({ totalCount: 0, items: [] }));

    expect(await connectors.partnerCenter.customers.list()).toEqual([]);
  });

  it.each([
    ['an error page of a gateway', 502, 'text/html', 'retryable'],
    ['a page where a refusal should be', 400, 'text/html', 'terminal'],
    ['a redirection', 302, 'text/html', 'unexpected'],
  ])('(%s) is judged by its status', async (_, status, type, kind) => {
    say(status, type, page);

    expect(await read()).toMatchObject({ kind, details: { status } });
  });

  it('too large to read is no reason to ask again and again', async () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    answer((response) => {
      response.on('error', () => {});
      response.writeHead(200, { 'content-type': 'application/json' });
      for (let sent = 0; sent < 9; sent += 1) response.write(chunk);
      response.end();
    });

    expect(await read()).toMatchObject({ kind: 'unexpected', code: 'partner-center-answer-too-large' });
    expect(await create()).toMatchObject({ kind: 'unknown', code: 'partner-center-answer-too-large' });
  });

  it.each([
    ['cut off in the middle', JSON.stringify(CREATED).slice(0, -40)],
    ['cut off inside the password', JSON.stringify(CREATED).split('canary')[0] ?? ''],
    ['in a text inside the text', JSON.stringify({ description: JSON.stringify(CREATED) })],
    ['under another name', JSON.stringify({ result: { ...CREATED, id: 7 } })],
    ['as a form', `id=1&password=${CANARY}&x=1`],
  ])('to a creation (%s) may have created a tenant, and its password shows nowhere', async (_, body) => {
    say(201, 'application/json', body);

    const failure = await create();

    expect(failure).toMatchObject({ kind: 'unknown', code: 'partner-center-shape' });
    expect(shown(failure)).not.toContain('Hunter2');
  });

  it('says the same words in a refusal without what must stay secret', async () => {
    say(
      400,
      'application/json',
      JSON.stringify({ code: 2007, description: `{"password":"${CANARY}","city":"Ulm"}` }),
    );

    const failure = await create();

    expect(failure).toMatchObject({ kind: 'terminal', code: 'partner-center-2007' });
    expect(shown(failure)).not.toContain('Hunter2');
    expect(failure['message']).toContain('partner-center refused (400, 2007)');
  });
});

describe('any answer at all', () => {
  const graph = samplesOf('graph').map(({ answer: body }) => body);
  const partnerCenter = samplesOf('partner-center').map(({ answer: body }) => body);
  const calls: readonly (() => Promise<unknown>)[] = [
    () => connectors.partnerCenter.customers.create(NEW_CUSTOMER, IDS),
    () => connectors.partnerCenter.customers.get(CUSTOMER),
    () => connectors.partnerCenter.customers.list(),
    () => connectors.partnerCenter.customers.vettingStatus(CUSTOMER),
    () => connectors.partnerCenter.validations.checkAddress({ country: 'US', addressLine1: 'x' }),
    () => connectors.partnerCenter.validations.countryRules('US'),
    () => connectors.partnerCenter.agreements.list(CUSTOMER),
    () => connectors.partnerCenter.catalogue.sku(CUSTOMER, 'p', 's'),
    () => connectors.partnerCenter.catalogue.availabilities(CUSTOMER, 'p', 's'),
    () => connectors.partnerCenter.carts.create(CUSTOMER, [], IDS),
    () => connectors.partnerCenter.carts.checkout(CUSTOMER, 'c', IDS),
    () => connectors.partnerCenter.orders.find(CUSTOMER, 'o'),
    () => connectors.partnerCenter.orders.provisioning(CUSTOMER, 'o'),
    () => connectors.partnerCenter.subscriptions.list(CUSTOMER),
    () => connectors.partnerCenter.subscriptions.change(CUSTOMER, 's', { quantity: 3 }, IDS),
    () => connectors.partnerCenter.audit.records({ startDate: '2026-11-01' }),
    () => connectors.partnerCenter.webhooks.get(),
    () => connectors.graph.tenants.findByDomain('contoso.example'),
    () => connectors.graph.gdap.list(CUSTOMER),
    () => connectors.graph.gdap.lock('r', IDS),
    () => connectors.graph.licences.subscribedSkus(CUSTOMER),
    () => connectors.graph.licences.assignBatch(CUSTOMER, ['u'], { skuId: CUSTOMER }, IDS),
    () => connectors.graph.directory.organization(CUSTOMER),
    () => connectors.graph.directory.synchronizationFeatures(CUSTOMER),
    () => connectors.graph.users.list(CUSTOMER),
  ];
  /** Good answers with one place changed, and things that are no answers. */
  const body = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.tuple(
        fc.constantFrom(...partnerCenter, ...graph),
        fc.nat(),
        fc.jsonValue({ maxDepth: 2 }),
      ),
    },
    { weight: 1, arbitrary: fc.tuple(fc.jsonValue({ maxDepth: 4 }), fc.constant(-1), fc.constant(null)) },
  );
  const status = fc.constantFrom(200, 200, 200, 201, 202, 204, 302, 400, 403, 404, 409, 412, 429, 500, 503);

  it('is read or ends as one of our failures, without the secret that stood in it', async () => {
    const secret = { userCredentials: { userName: 'admin', password: CANARY }, refresh_token: CANARY };
    await drawing(400, (drawn) =>
      fc.assert(
        fc.asyncProperty(
          fc.nat(calls.length - 1),
          status,
          body,
          fc.nat(60),
          async (which, code, [good, at, other], cut) => {
            const value = at < 0 ? good : changedAt(good, at, other);
            const whole =
              typeof value === 'object' && value !== null && !Array.isArray(value)
                ? { ...secret, ...value }
                : value;
            const text = JSON.stringify(whole) ?? '';
            // Once in a while it stops in the middle.
            say(
              code,
              'application/json',
              cut < 6 ? text.slice(0, Math.floor((text.length * cut) / 6)) : text,
            );

            const outcome = await (calls[which] as () => Promise<unknown>)().catch((error: unknown) => error);

            if (!(outcome instanceof Error)) return;
            expect(outcome).toBeInstanceOf(ActivityFailure);
            expect(outcome).toMatchObject({
              kind: expect.stringMatching(/^(retryable|terminal|unexpected|unknown)$/),
              code: expect.stringMatching(/^[a-z]+-/),
            });
            expect(shown(outcome as never)).not.toContain('Hunter2');
          },
        ),
        drawn,
      ),
    );
  });

  it('is masked and bounded when it is kept', () =>
    drawing(300, (drawn) =>
      fc.assert(
        fc.property(fc.jsonValue({ maxDepth: 20 }), (value) => {
          const kept = JSON.stringify(
            redacted({ inner: value, Password: CANARY, list: [{ accessToken: CANARY }] }),
          );
          expect(kept).not.toContain('Hunter2');
        }),
        drawn,
      ),
    ));
});

/** The value with its n-th place (objects and lists walked in order) replaced. */
function changedAt(value: unknown, at: number, other: unknown): unknown {
  const places = countOf(value);
  let left = places === 0 ? -1 : at % places;
  const walk = (inner: unknown): unknown => {
    if (left === 0) {
      left = -1;
      return other;
    }
    if (left > 0) left -= 1;
    if (Array.isArray(inner)) return inner.map(walk);
    if (typeof inner !== 'object' || inner === null) return inner;
    return Object.fromEntries(Object.entries(inner).map(([name, field]) => [name, walk(field)]));
  };
  return walk(value);
}

function countOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((sum: number, inner) => sum + countOf(inner), 1);
}
