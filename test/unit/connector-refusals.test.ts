import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { retryAfterMs } from '../../connectors/refusals.ts';
import {
  CUSTOMER,
  connect,
  type FakeService,
  failureOf,
  IDS,
  json,
  startFakeService,
} from './connector-fake-service.ts';

let service: FakeService;
beforeEach(async () => {
  service = await startFakeService();
});
afterEach(() => service.close());

const customerPath = `/v1/customers/${CUSTOMER}`;
const CART = '2517c51b-0000-4000-8000-000000000001';
const read = () => connect(service.url).partnerCenter.customers.get(CUSTOMER);
const write = () => connect(service.url).partnerCenter.carts.create(CUSTOMER, [], IDS);
const checkout = () => connect(service.url).partnerCenter.carts.checkout(CUSTOMER, CART, IDS);

describe('a refusal by Partner Center', () => {
  const cases: [string, () => Promise<unknown>, number, unknown, object][] = [
    [
      'a read met by 500 is tried again',
      read,
      500,
      { code: 800003, description: 'x' },
      { kind: 'retryable', code: 'partner-center-800003' },
    ],
    [
      'a change met by 500 may have happened',
      write,
      500,
      { code: '800003', description: 'x' },
      { kind: 'unknown', code: 'partner-center-800003' },
    ],
    [
      'a change met by 502 without a body may have happened',
      write,
      502,
      undefined,
      { kind: 'unknown', code: 'partner-center-http-502' },
    ],
    [
      'a change met by 503 was not taken on',
      write,
      503,
      undefined,
      { kind: 'retryable', code: 'partner-center-http-503' },
    ],
    ['a checkout met by 503 may have happened', checkout, 503, undefined, { kind: 'unknown' }],
    [
      'a checkout met by "order in progress" may have happened',
      checkout,
      409,
      { code: 800060, description: 'x' },
      { kind: 'unknown', code: 'partner-center-800060', retryAfterMs: 120_000 },
    ],
    [
      'a checkout met by "already submitted" may have happened',
      checkout,
      400,
      { code: 800065, description: 'x' },
      { kind: 'unknown', code: 'partner-center-800065' },
    ],
    [
      'a checkout without the customer agreement is refused for good',
      checkout,
      403,
      { code: 13605, description: 'x' },
      { kind: 'terminal', code: 'partner-center-13605' },
    ],
    [
      'a conflict is tried again after minutes',
      write,
      409,
      { code: 800082, description: 'x' },
      { kind: 'retryable', retryAfterMs: 60_000 },
    ],
    [
      'a stale copy is tried again',
      write,
      400,
      { code: 2055, description: 'x' },
      { kind: 'retryable', code: 'partner-center-2055' },
    ],
    ['a precondition is tried again', write, 412, undefined, { kind: 'retryable' }],
    [
      'throttling by the gateway waits as its text says',
      read,
      429,
      { statusCode: 429, message: 'Rate limit is exceeded. Try again in 57 seconds.' },
      { kind: 'retryable', code: 'partner-center-throttled', retryAfterMs: 57_000 },
    ],
    [
      'the newer shape is understood',
      read,
      400,
      { code: 600061, message: 'm', description: 'd', isRetryable: false },
      { kind: 'terminal', code: 'partner-center-600061' },
    ],
    [
      'the newer shape may ask for another try',
      read,
      400,
      { code: 1, message: 'm', isRetryable: true },
      { kind: 'retryable', code: 'partner-center-1' },
    ],
    [
      'a success that carries an error code is a refusal',
      read,
      200,
      { code: 400072, description: 'not available' },
      { kind: 'terminal', code: 'partner-center-400072' },
    ],
    [
      'a missing relationship is final',
      read,
      403,
      { code: 20002, description: 'x' },
      { kind: 'terminal', code: 'partner-center-20002' },
    ],
    [
      'a redirect is not followed',
      read,
      302,
      undefined,
      { kind: 'unexpected', code: 'partner-center-http-302' },
    ],
  ];
  it.each(cases)('%s', async (_, act, status, body, expected) => {
    for (const method of ['GET', 'POST']) {
      service.on(method, customerPath, (_asked, response) =>
        json(response, status, body, { location: '/elsewhere' }),
      );
    }

    expect(await failureOf(act())).toMatchObject({ name: 'ActivityFailure', ...expected });
  });

  it('waits as Retry-After says, in seconds or as a date, at most a quarter of an hour', () => {
    const now = Date.parse('2026-11-02T10:00:00Z');

    expect(retryAfterMs('7', now)).toBe(7_000);
    expect(retryAfterMs('Mon, 02 Nov 2026 10:00:30 GMT', now)).toBe(30_000);
    expect(retryAfterMs('Mon, 02 Nov 2026 09:00:00 GMT', now)).toBe(0);
    expect(retryAfterMs('99999', now)).toBe(900_000);
    expect(retryAfterMs('soon', now)).toBeUndefined();
    expect(retryAfterMs(null, now)).toBeUndefined();
  });

  it('keeps what was answered, without its secrets', async () => {
    const body = {
      code: 1,
      description: 'x',
      data: [{ password: 'hunter2', text: `Bearer eyJhbGciOiJub25l.eyJhIjoxfQ.c2ln` }],
    };
    service.on('GET', customerPath, (_, response) => json(response, 400, body));

    const failure = await failureOf(read());

    expect(JSON.stringify(failure['details'])).not.toMatch(/hunter2|eyJhbGci/);
    expect(failure['details']).toMatchObject({ status: 400, method: 'GET', path: customerPath });
  });
});

describe('a missing answer', () => {
  it('of a read is tried again, of a change leaves the outcome unknown', async () => {
    for (const method of ['GET', 'POST'])
      service.on(method, customerPath, (_, response) => response.destroy());

    expect(await failureOf(read())).toMatchObject({ kind: 'retryable', code: 'partner-center-no-answer' });
    expect(await failureOf(write())).toMatchObject({ kind: 'unknown', code: 'partner-center-no-answer' });
  });

  it('ends at the time limit', async () => {
    service.on('POST', customerPath, () => undefined);
    const { partnerCenter } = connect(service.url, { config: { timeoutMs: 500 } });

    const failure = await failureOf(partnerCenter.carts.create(CUSTOMER, [], IDS));

    expect(failure).toMatchObject({ kind: 'unknown', code: 'partner-center-timeout' });
  });

  it('ends when the caller aborts', async () => {
    const controller = new AbortController();
    service.on('POST', customerPath, () => controller.abort());

    const failure = await failureOf(
      connect(service.url).partnerCenter.carts.create(CUSTOMER, [], { ...IDS, signal: controller.signal }),
    );

    expect(failure).toMatchObject({ kind: 'unknown', code: 'partner-center-aborted' });
  });

  it('cut off in the middle of a body is no answer', async () => {
    service.on('POST', customerPath, (_, response) => {
      response.writeHead(201, { 'content-length': '1000' });
      response.write('{"id":');
      setImmediate(() => response.destroy());
    });

    expect(await failureOf(write())).toMatchObject({ kind: 'unknown', code: 'partner-center-no-answer' });
  });
});

describe('an answer in an unknown shape', () => {
  const customer = {
    id: CUSTOMER.toUpperCase(),
    companyProfile: { domain: 'Contoso.onmicrosoft.com', companyName: 'Contoso' },
    relationshipToPartner: 'Reseller',
    somethingNew: 1,
  };

  it('is read whatever else it holds, in any letter case, after a byte order mark', async () => {
    service.on('GET', customerPath, (_, response) => response.end(`\uFEFF${JSON.stringify(customer)}`));

    expect(await read()).toMatchObject({
      id: CUSTOMER,
      domain: 'contoso.onmicrosoft.com',
      relationshipToPartner: 'reseller',
    });
  });

  it('with a new enum value is unexpected on a read and unknown on a change', async () => {
    service.on('GET', customerPath, (_, response) =>
      json(response, 200, { ...customer, relationshipToPartner: 'cousin' }),
    );
    service.on('POST', customerPath, (_, response) =>
      json(response, 201, { id: 'c', status: 'Frozen', lineItems: [] }),
    );

    const onRead = await failureOf(read());

    expect(onRead).toMatchObject({ kind: 'unexpected', code: 'partner-center-shape' });
    expect(onRead['details']).toMatchObject({ issues: [{ path: 'relationshipToPartner' }] });
    expect(await failureOf(write())).toMatchObject({ kind: 'unknown', code: 'partner-center-shape' });
  });

  it('that is no JSON at all is unexpected', async () => {
    service.on('GET', customerPath, (_, response) => response.end('<html>'));

    expect(await failureOf(read())).toMatchObject({ kind: 'unexpected', code: 'partner-center-shape' });
  });
});

describe('every call', () => {
  it('carries the given ids and the contract version', async () => {
    service.on('POST', customerPath, (_, response) =>
      json(response, 201, { id: CART, status: 'Active', lineItems: [] }),
    );

    await write();

    expect(service.askedFor('/v1/')[0]?.headers).toMatchObject({
      'ms-requestid': IDS.requestId,
      'ms-correlationid': IDS.correlationId,
      'ms-contract-version': 'v1',
    });
  });

  it('refuses an id that would climb the path', async () => {
    const { partnerCenter } = connect(service.url);

    expect(await failureOf(partnerCenter.customers.get('..'))).toMatchObject({
      code: 'path-segment-invalid',
    });
    expect(service.asked).toEqual([]);
  });

  it('believes "domain is free" only when the request id is echoed', async () => {
    const domain = 'fabrikam.onmicrosoft.com';
    const { partnerCenter } = connect(service.url);
    service.on('HEAD', `/v1/domains/${domain}`, (_, response) => json(response, 404, undefined));
    expect(await failureOf(partnerCenter.validations.isDomainTaken(domain))).toMatchObject({
      code: 'partner-center-echo-missing',
    });

    service.on('HEAD', `/v1/domains/${domain}`, (asked, response) =>
      json(response, 404, undefined, { 'MS-RequestId': String(asked.headers['ms-requestid']) }),
    );

    expect(await partnerCenter.validations.isDomainTaken(domain)).toBe(false);
  });
});
