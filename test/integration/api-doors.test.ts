/** The guarantees every route shares: who may, what is refused, what never gets out. */
import { describe, expect, it } from '@jest/globals';
import request from 'supertest';
import { PERMISSIONS } from '../../api/permissions.ts';
import type { Client } from '../../engine/index.ts';
import { createFixture, INPUT, ROLE_NAMES } from './api-fixture.ts';

interface Operation {
  readonly operationId: string;
}
type Paths = Record<string, Record<string, Operation>>;

const { app } = createFixture();
const { body: description } = await request(app).get('/openapi.json');
const operations = Object.entries(description.paths as Paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { operationId }]) => ({ path, method, operationId })),
);

function addressOf(path: string): string {
  const values: Record<string, string> = { taskId: 'a~b', queue: 'x', signalId: 's', name: 'order' };
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? 'a');
}

describe('permissions', () => {
  it('the table names every route and no other', () => {
    expect(operations.map(({ operationId }) => operationId).toSorted()).toEqual(
      Object.keys(PERMISSIONS).toSorted(),
    );
  });

  const cells = operations.flatMap((operation) => ROLE_NAMES.map((role) => ({ ...operation, role })));

  it.each(cells)(
    '$operationId for $role is as the table says',
    async ({ path, method, operationId, role }) => {
      const { as } = createFixture();
      const permission = PERMISSIONS[operationId] ?? [];
      const allowed = permission === 'public' || permission.includes(role);
      const calls = as(role);

      const { status, body } =
        method === 'get'
          ? await calls.get(addressOf(path))
          : method === 'delete'
            ? await calls.delete(addressOf(path))
            : await calls.post(addressOf(path));

      const refused = status === 403 && body.detail?.startsWith(`The role '${role}'`) === true;
      expect(refused).toBe(!allowed);
    },
  );

  it.each(operations.filter(({ operationId }) => PERMISSIONS[operationId] !== 'public'))(
    '$operationId is closed to whoever has no key, a wrong key or another scheme',
    async ({ path, method }) => {
      const send = (headers: Record<string, string>) =>
        (method === 'get' ? request(app).get(addressOf(path)) : request(app).post(addressOf(path))).set(
          headers,
        );

      for (const headers of [
        {},
        { Authorization: 'Bearer wfk_no' },
        { Authorization: 'Basic YTpi' },
        { Cookie: 'session=v1.a.b.c' },
      ]) {
        const { status, body, headers: answered } = await send(headers as Record<string, string>);
        expect([status, body.code, answered['www-authenticate']]).toEqual([401, 'unauthorized', 'Bearer']);
      }
    },
  );

  it('guessing keys is slowed down', async () => {
    const guarded = createFixture({ limits: { failures: 3 } });
    const guess = () => request(guarded.app).get('/v1/tasks').set('Authorization', 'Bearer wfk_guess');

    const codes: string[] = [];
    for (let count = 0; count < 5; count += 1) codes.push((await guess()).body.code);

    expect(codes).toEqual(['unauthorized', 'unauthorized', 'unauthorized', 'rate-limited', 'rate-limited']);
    expect((await guarded.as('viewer').get('/v1/tasks')).status).toBe(200);
  });

  it('a key that asks too often is told when to come back', async () => {
    const guarded = createFixture({ limits: { perKey: 2 } });
    const ask = () => guarded.as('viewer').get('/v1/tasks');
    await ask();
    await ask();

    const { status, body, headers } = await ask();

    expect([status, body.code]).toEqual([429, 'rate-limited']);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  });
});

describe('bodies', () => {
  const START = '/v1/instances';
  const raw = (text: string, type = 'application/json') => {
    const fixture = createFixture();
    return request(fixture.app)
      .post(START)
      .set({ Authorization: `Bearer ${fixture.tokens.admin}`, 'Content-Type': type, 'Idempotency-Key': 'k' })
      .send(text);
  };
  const deep = (levels: number) => `${'['.repeat(levels)}${']'.repeat(levels)}`;

  it.each([
    ['that is not JSON', '{', 'application/json', 400, 'body-malformed'],
    ['that is a bare value', '1', 'application/json', 400, 'body-malformed'],
    ['of another type', 'a=b', 'application/x-www-form-urlencoded', 415, 'media-type-unsupported'],
    ['in another charset', '{}', 'application/json; charset=iso-8859-1', 415, 'media-type-unsupported'],
    ['15000 levels deep', deep(15_000), 'application/json', 400, 'input-invalid'],
    ['33 levels deep', `{"input":${deep(32)}}`, 'application/json', 400, 'input-invalid'],
    [
      'larger than the route takes',
      `{"workflow":"${'x'.repeat(600_000)}"}`,
      'application/json',
      413,
      'body-too-large',
    ],
    [
      'that reaches for the prototype',
      '{"workflow":"order","input":{"__proto__":{"admin":true}}}',
      'application/json',
      400,
      'input-invalid',
    ],
  ])('a body %s is refused', async (_title, text, type, status, code) => {
    const response = await raw(text, type);

    expect([response.status, response.body.code]).toEqual([status, code]);
    expect(response.headers['content-type']).toContain('application/problem+json');
  });

  it('a body of a thousand fields too many is refused where no list travels', async () => {
    const { as, start } = createFixture();
    const { id } = await start();
    const many = Object.fromEntries(Array.from({ length: 1_001 }, (_, index) => [`k${index}`, 1]));

    const response = await as('operator').post(`/v1/instances/${id}/pause`, many);

    expect([response.status, response.body.detail]).toEqual([400, 'The body holds more than 1000 fields.']);
  });

  it('a compressed body is refused', async () => {
    const fixture = createFixture();

    const response = await request(fixture.app)
      .post(START)
      .set({
        Authorization: `Bearer ${fixture.tokens.admin}`,
        'Content-Type': 'application/json',
        'Content-Encoding': 'gzip',
      })
      .send('{}');

    expect([response.status, response.body.code]).toEqual([415, 'media-type-unsupported']);
  });

  const bodies: readonly (readonly [string, object])[] = [
    ['/v1/instances', { workflow: 'order', input: INPUT }],
    ['/v1/instances/a/signals', { type: 'x' }],
    ['/v1/instances/a/pause', {}],
    ['/v1/instances/a/resume', {}],
    ['/v1/instances/a/retry', {}],
    ['/v1/instances/a/cancel', { reason: 'x' }],
    ['/v1/instances/a/secrets/b/reveal', { reason: 'x' }],
    ['/v1/tasks/a~b/c', {}],
    ['/v1/unmatched/s/assign', { instanceId: 'a' }],
    ['/v1/queues/q/resume', {}],
  ];
  const internal = ['revision', 'tenantId', 'approvedBy', 'by', 'actor', 'role', 'constructor', 'prototype'];

  it.each(bodies.flatMap(([path, body]) => internal.map((field) => ({ path, body, field }))))(
    '$path takes no $field from outside',
    async ({ path, body, field }) => {
      const { as } = createFixture();

      const response = await as('admin').post(path, { ...body, [field]: 'x' }, { 'Idempotency-Key': 'k' });

      expect([response.status, response.body.code]).toEqual([400, 'input-invalid']);
      expect(response.body.errors).toContainEqual({ pointer: `/${field}`, detail: 'is not a known field' });
    },
  );
});

describe('answers', () => {
  it('a problem has the documented form and points to its explanation', async () => {
    const trace = '0af7651916cd43dd8448eb211c80319c';
    const { status, body } = await request(app)
      .get('/nowhere')
      .set('traceparent', `00-${trace}-b7ad6b7169203331-01`);

    expect(status).toBe(404);
    expect(body).toEqual({
      type: '/docs/errors.md#route-unknown',
      title: 'Nothing lives at this address',
      status: 404,
      detail: 'Nothing lives at this address.',
      instance: '/nowhere',
      code: 'route-unknown',
      traceId: trace,
    });
  });

  it('a wrong method is told the right ones', async () => {
    const { status, body, headers } = await request(app).put('/v1/instances');

    expect([status, body.code, headers['allow']]).toEqual([405, 'method-not-allowed', 'GET, HEAD, POST']);
  });

  it('what breaks inside stays inside', async () => {
    const broken = { listed: () => undefined, list: () => Promise.reject(new Error('secret path /srv/x')) };
    const fixture = createFixture({ client: { ...createFixture().client, ...broken } as unknown as Client });

    const response = await fixture.as('viewer').get('/v1/instances');

    expect([response.status, response.body.code]).toEqual([500, 'internal']);
    expect(response.text).not.toMatch(/secret path|at .*\.ts/);
  });

  it('a store that is away is answered with 503 and when to come back', async () => {
    const away = {
      list: () => Promise.reject(new Error("Stream isn't writeable and enableOfflineQueue options is false")),
    };
    const fixture = createFixture({ client: { ...createFixture().client, ...away } as Client });

    const { status, body, headers } = await fixture.as('viewer').get('/v1/instances');

    expect([status, body.code, headers['retry-after']]).toEqual([503, 'store-unavailable', '2']);
  });

  it('every answer carries the strict headers', async () => {
    for (const path of ['/v1/workflows', '/livez', '/nowhere', '/openapi.json']) {
      const { headers } = await request(app).get(path);
      expect(headers['content-security-policy']).toBe(
        "default-src 'none';script-src 'self';style-src 'self';img-src 'self' data:;connect-src 'self';form-action 'self';base-uri 'none';frame-ancestors 'none';require-trusted-types-for 'script'",
      );
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-opener-policy': 'same-origin',
        'cache-control': 'no-store',
      });
      expect(headers['permissions-policy']).toContain('camera=()');
      expect(headers).not.toHaveProperty('x-powered-by');
      expect(headers).not.toHaveProperty('access-control-allow-origin');
    }
  });

  it('behind TLS the browser is told to stay there', async () => {
    const { app: secure } = createFixture({ publicUrl: 'https://onboarding.example' });

    const { headers, body } = await request(secure).get('/nowhere');

    expect(headers['strict-transport-security']).toContain('max-age=31536000');
    expect(body.type).toBe('https://onboarding.example/docs/errors.md#route-unknown');
  });
});

describe('the dashboard’s session', () => {
  const HOST = 'dash.example';
  const same = { Host: HOST, Origin: `http://${HOST}`, 'Sec-Fetch-Site': 'same-origin' };

  async function signedIn(fixture = createFixture()) {
    const response = await request(fixture.app)
      .post('/v1/session')
      .set(same)
      .send({ key: fixture.tokens.operator });
    const cookie = String(response.headers['set-cookie']?.[0] ?? '');
    return { fixture, response, cookie, pair: cookie.split(';')[0] ?? '' };
  }

  it('opens with a key and works as that key', async () => {
    const { fixture, response, cookie, pair } = await signedIn();

    const who = await request(fixture.app).get('/v1/session').set({ Cookie: pair });

    expect([response.status, response.body.role]).toEqual([201, 'operator']);
    expect(cookie).toMatch(/^session=.*HttpOnly; SameSite=Strict/);
    expect(who.body).toMatchObject({ signedIn: true, name: 'operator' });
    expect(cookie).not.toContain(fixture.tokens.operator);
  });

  it('is bound to host and TLS where there is TLS', async () => {
    const fixture = createFixture({ publicUrl: 'https://dash.example' });

    const response = await request(fixture.app)
      .post('/v1/session')
      .set({ ...same, Origin: 'https://dash.example' })
      .send({ key: fixture.tokens.admin });

    expect(response.headers['set-cookie']?.[0]).toMatch(
      /^__Host-session=.*Path=\/;.*Secure; SameSite=Strict/,
    );
  });

  it('does not open with a wrong key', async () => {
    const response = await request(app).post('/v1/session').set(same).send({ key: 'wfk_wrong' });

    expect([response.status, response.body.code]).toEqual([401, 'unauthorized']);
  });

  it('ends after half an hour of silence and after twelve hours in any case', async () => {
    const { fixture, pair } = await signedIn();
    fixture.clock.advance(29 * 60_000);
    const renewed = await request(fixture.app).get('/v1/session').set({ Cookie: pair });
    const newer = String(renewed.headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';
    fixture.clock.advance(29 * 60_000);

    const old = await request(fixture.app).get('/v1/session').set({ Cookie: pair });
    const kept = await request(fixture.app).get('/v1/session').set({ Cookie: newer });
    fixture.clock.advance(12 * 3_600_000);
    const late = await request(fixture.app).get('/v1/session').set({ Cookie: newer });

    expect([old.body.signedIn, kept.body.signedIn, late.body.signedIn]).toEqual([false, true, false]);
  });

  const forgeries: readonly Record<string, string>[] = [
    {},
    { Origin: 'https://evil.example' },
    { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' },
    { Origin: `http://${HOST}`, 'Sec-Fetch-Site': 'same-site' },
    { Origin: 'null', 'Sec-Fetch-Site': 'none' },
  ];
  const changing = operations.filter(
    ({ method, path }) => method !== 'get' && path.startsWith('/v1/') && path !== '/v1/session',
  );

  it.each(changing)('$operationId cannot be forged by another site', async ({ path }) => {
    const { fixture, pair } = await signedIn();

    for (const headers of forgeries) {
      const response = await request(fixture.app)
        .post(addressOf(path))
        .set({ Host: HOST, Cookie: pair, ...headers })
        .send({});
      expect([response.status, response.body.detail]).toEqual([
        403,
        'The request does not come from the dashboard itself.',
      ]);
    }
  });

  it('signing out ends it in this browser', async () => {
    const { fixture, pair } = await signedIn();

    const response = await request(fixture.app)
      .delete('/v1/session')
      .set({ ...same, Cookie: pair });

    expect(response.status).toBe(204);
    expect(response.headers['set-cookie']?.[0]).toContain('Expires=Thu, 01 Jan 1970');
  });

  it('the demo lets in without a key on this machine only', async () => {
    const demo = createFixture({ demo: true });
    const local = {
      Host: '127.0.0.1:3000',
      Origin: 'http://127.0.0.1:3000',
      'Sec-Fetch-Site': 'same-origin',
    };
    const signIn = (target: typeof demo, headers: Record<string, string>) =>
      request(target.app).post('/v1/session').set(headers).send({ demo: true });

    expect((await signIn(demo, local)).status).toBe(201);
    expect((await signIn(demo, { ...local, 'X-Forwarded-For': '203.0.113.7' })).status).toBe(401);
    expect((await signIn(demo, same)).status).toBe(401);
    expect((await signIn(createFixture(), local)).status).toBe(401);
  });
});

describe('health', () => {
  it('lives, and is ready while the store answers', async () => {
    expect((await request(app).get('/livez')).body).toEqual({ status: 'ok' });
    expect((await request(app).get('/startupz')).body).toEqual({ status: 'ok' });
    expect((await request(app).get('/readyz')).body).toEqual({ status: 'ok' });
    expect((await request(app).get('/readyz?verbose')).body).toMatchObject({
      checks: { store: { ok: true, durable: true }, workers: { ok: false, count: 0 } },
    });
  });

  it('is not ready while the store is away or the process shuts down', async () => {
    const away = createFixture({ health: { store: () => Promise.reject(new Error('away')) } });
    const draining = createFixture({ health: { draining: () => true } });

    const [first, second] = [
      await request(away.app).get('/readyz'),
      await request(draining.app).get('/readyz'),
    ];

    expect([first.status, first.body.status]).toEqual([503, 'unavailable']);
    expect([second.status, second.body.status]).toEqual([503, 'draining']);
  });
});
