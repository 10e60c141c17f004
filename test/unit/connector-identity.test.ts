import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createSimulatedClock } from '../../shared/clock.ts';
import { Secret } from '../../shared/secrets.ts';
import {
  CUSTOMER,
  connect,
  type FakeService,
  failureOf,
  IDS,
  json,
  jwt,
  PARTNER_TENANT,
  startFakeService,
  tokenAnswer,
} from './connector-fake-service.ts';

let service: FakeService;
beforeEach(async () => {
  service = await startFakeService();
});
afterEach(() => service.close());

const tokenPath = (tenant: string) => `/${tenant}/oauth2/v2.0/token`;
const partnerToken = { tenant: PARTNER_TENANT, resource: 'partner-center' } as const;
const customerToken = { tenant: CUSTOMER, resource: 'graph' } as const;

function refuseTokens(tenant: string, status: number, number: number, error = 'invalid_grant'): void {
  service.on('POST', tokenPath(tenant), (_, response) =>
    json(response, status, { error, error_description: `AADSTS${number}: no.`, error_codes: [number] }),
  );
}

describe('a token', () => {
  it('is asked for once by many callers and kept until shortly before it expires', async () => {
    const clock = createSimulatedClock();
    const { identity } = connect(service.url, { clock });

    const tokens = await Promise.all(Array.from({ length: 10 }, () => identity.token(partnerToken)));
    clock.advance(50 * 60_000);
    await identity.token(partnerToken);
    expect(new Set(tokens.map((token) => token.reveal())).size).toBe(1);
    expect(service.asked).toHaveLength(1);

    clock.advance(6 * 60_000);
    await identity.token(partnerToken);
    expect(service.asked).toHaveLength(2);
  });

  it('is asked for with the newest refresh token, which is handed to the store', async () => {
    let stored: Secret | null = null;
    const save = async (token: Secret) => {
      stored = token;
    };
    const refreshTokens = { load: async () => stored, save };
    const { identity } = connect(service.url, { refreshTokens });

    await identity.token(partnerToken);
    await identity.token(customerToken);

    const forms = service.asked.map((asked) => new URLSearchParams(asked.body));
    expect(forms.map((form) => form.get('refresh_token'))).toEqual(['first', 'rotated']);
    expect(forms.map((form) => form.get('scope'))).toEqual([
      'https://api.partnercenter.microsoft.com/.default openid profile offline_access',
      'https://graph.microsoft.com/.default openid profile offline_access',
    ]);
    expect((stored as Secret | null)?.reveal()).toBe('rotated');
  });

  it('comes from the configured refresh token when the stored one is dead', async () => {
    const refreshTokens = { load: async () => new Secret('dead'), save: async () => undefined };
    service.on('POST', tokenPath(PARTNER_TENANT), (asked, response) =>
      asked.body.includes('refresh_token=dead')
        ? json(response, 400, {
            error: 'invalid_grant',
            error_description: 'AADSTS700082: expired',
            error_codes: [700082],
          })
        : json(response, 200, tokenAnswer()),
    );

    await connect(service.url, { refreshTokens }).identity.token(partnerToken);

    expect(service.asked).toHaveLength(2);
  });

  it('comes from the configured refresh token when the stored one was given without MFA', async () => {
    const refreshTokens = { load: async () => new Secret('without-mfa'), save: async () => undefined };
    service.on('POST', tokenPath(PARTNER_TENANT), (asked, response) =>
      json(
        response,
        200,
        tokenAnswer(
          asked.body.includes('refresh_token=without-mfa') ? { access_token: jwt({ amr: ['pwd'] }) } : {},
        ),
      ),
    );

    await connect(service.url, { refreshTokens }).identity.token(partnerToken);

    expect(service.asked).toHaveLength(2);
  });

  it('is asked for by MSAL, which asks nobody else anything, with ids that can be traced', async () => {
    await connect(service.url).identity.token(partnerToken);

    const [asked, ...more] = service.asked;
    const form = new URLSearchParams(asked?.body);
    expect(more).toEqual([]);
    expect(form.get('x-client-SKU')).toBe('msal.js.node');
    expect(form.get('client_info')).toBe('1');
    const id = asked?.headers['client-request-id'];
    expect(new URLSearchParams(asked?.path.split('?')[1]).get('client-request-id')).toBe(id);
  });

  it.each([
    ['without an access token', { access_token: undefined }],
    ['without a lifetime', { expires_in: 'soon' }],
    ['without a type', { token_type: undefined }],
  ])('is never made of an answer %s', async (_, change) => {
    service.on('POST', tokenPath(PARTNER_TENANT), (_, response) => json(response, 200, tokenAnswer(change)));

    const failure = await failureOf(connect(service.url).identity.token(partnerToken));

    expect(failure).toMatchObject({ kind: 'unexpected', code: 'identity-shape' });
    expect(JSON.stringify(failure['details'])).not.toContain('rotated');
  });

  it('for the application alone needs no refresh token', async () => {
    const { identity } = connect(service.url, { config: { refreshToken: null } });

    await identity.token({ ...partnerToken, grant: 'app' });

    expect(service.asked[0]?.body).toContain('grant_type=client_credentials');
    expect(await failureOf(identity.token(partnerToken))).toMatchObject({
      code: 'refresh-token-missing',
      pausesQueue: 'partner-center',
    });
  });

  it('without MFA pauses the queue, unless MFA is not required', async () => {
    const answer = tokenAnswer({ access_token: jwt({ amr: ['pwd'] }) });
    service.on('POST', tokenPath(PARTNER_TENANT), (_, response) => json(response, 200, answer));

    expect(await failureOf(connect(service.url).identity.token(partnerToken))).toMatchObject({
      kind: 'terminal',
      code: 'identity-mfa-missing',
      pausesQueue: 'partner-center',
    });
    await connect(service.url, { config: { requireMfa: false } }).identity.token(partnerToken);
  });

  it('is forgotten on request, so that a new consent counts', async () => {
    const { identity } = connect(service.url);
    await identity.token(customerToken);

    identity.forget(CUSTOMER.toUpperCase());
    await identity.token(customerToken);

    expect(service.asked).toHaveLength(2);
  });
});

describe('a refused sign-in', () => {
  it.each([
    [
      'a dead refresh token pauses the queue',
      CUSTOMER,
      400,
      700082,
      { kind: 'terminal', code: 'aadsts-700082', pausesQueue: 'graph' },
    ],
    [
      'a wrong client secret pauses the queue',
      CUSTOMER,
      401,
      7000215,
      { kind: 'terminal', code: 'aadsts-7000215', pausesQueue: 'graph' },
    ],
    [
      'an unknown certificate pauses the queue',
      CUSTOMER,
      401,
      700027,
      { kind: 'terminal', code: 'aadsts-700027', pausesQueue: 'graph' },
    ],
    [
      'our application missing in a customer’s tenant is this customer’s matter',
      CUSTOMER,
      400,
      700016,
      { kind: 'terminal', code: 'aadsts-700016', pausesQueue: undefined },
    ],
    [
      'a consent that is not there yet is waited for',
      CUSTOMER,
      400,
      65001,
      { kind: 'retryable', code: 'aadsts-65001', retryAfterMs: 60_000, pausesQueue: undefined },
    ],
    [
      'a missing consent in our own tenant pauses the queue',
      PARTNER_TENANT,
      400,
      65001,
      { kind: 'terminal', code: 'aadsts-65001', pausesQueue: 'graph' },
    ],
    [
      'a guest account is this customer’s matter',
      CUSTOMER,
      400,
      50020,
      { kind: 'terminal', code: 'aadsts-50020', pausesQueue: undefined },
    ],
    [
      'a customer’s Conditional Access is this customer’s matter',
      CUSTOMER,
      400,
      53003,
      { kind: 'terminal', code: 'aadsts-53003', pausesQueue: undefined },
    ],
    [
      'our own MFA policy pauses the queue',
      PARTNER_TENANT,
      400,
      50076,
      { kind: 'terminal', code: 'aadsts-50076', pausesQueue: 'graph' },
    ],
    [
      'a tenant that is gone is final',
      CUSTOMER,
      400,
      90002,
      { kind: 'terminal', code: 'aadsts-90002', pausesQueue: undefined },
    ],
    [
      'a sign-in service in trouble is tried again',
      CUSTOMER,
      503,
      90033,
      { kind: 'retryable', pausesQueue: undefined },
    ],
  ])('%s', async (_, tenant, status, number, expected) => {
    refuseTokens(tenant, status, number);

    const failure = await failureOf(connect(service.url).identity.token({ tenant, resource: 'graph' }));

    expect(failure).toMatchObject(expected);
    expect(JSON.stringify(failure['details'])).not.toMatch(/client-secret|first/);
  });
});

describe('a refusal of our application itself', () => {
  it('pauses the queue even by a number we do not know', async () => {
    refuseTokens(CUSTOMER, 401, 7009999, 'invalid_client');

    expect(await failureOf(connect(service.url).identity.token(customerToken))).toMatchObject({
      code: 'aadsts-7009999',
      pausesQueue: 'graph',
    });
  });
});

describe('a call met by 401', () => {
  const path = `/v1/customers/${CUSTOMER}`;
  const customer = {
    id: CUSTOMER,
    companyProfile: { domain: 'd', companyName: 'c' },
    relationshipToPartner: 'reseller',
  };

  it('gets one new token and is made again with the same request id', async () => {
    service.on('PATCH', path, (_, response, count) =>
      count === 1 ? json(response, 401, undefined) : json(response, 200, customer),
    );

    await connect(service.url).partnerCenter.customers.removeRelationship(CUSTOMER, IDS);

    const [first, second, ...more] = service.askedFor('/v1/');
    expect(more).toEqual([]);
    expect(first?.headers.authorization).not.toBe(second?.headers.authorization);
    expect(second?.headers['ms-requestid']).toBe(IDS.requestId);
  });

  it('renews the token once for all callers whose token was refused', async () => {
    const connectors = connect(service.url);
    const old = (await connectors.identity.token(partnerToken)).reveal();
    service.on('GET', path, (asked, response) =>
      asked.headers.authorization === `Bearer ${old}`
        ? json(response, 401, undefined)
        : json(response, 200, customer),
    );

    await Promise.all(Array.from({ length: 5 }, () => connectors.partnerCenter.customers.get(CUSTOMER)));
    await connectors.partnerCenter.customers.get(CUSTOMER);

    expect(service.askedFor(tokenPath(PARTNER_TENANT))).toHaveLength(2);
  });

  it('twice pauses the queue', async () => {
    service.on('GET', path, (_, response) =>
      json(response, 401, { code: 400, description: 'Access denied' }),
    );

    expect(await failureOf(connect(service.url).partnerCenter.customers.get(CUSTOMER))).toMatchObject({
      kind: 'terminal',
      code: 'partner-center-400',
      pausesQueue: 'partner-center',
    });
    expect(service.askedFor('/v1/')).toHaveLength(2);
  });

  it('for want of MFA asks for a new consent at once', async () => {
    service.on('GET', path, (_, response) => json(response, 401, { code: 1, description: 'MFA required' }));

    expect(await failureOf(connect(service.url).partnerCenter.customers.get(CUSTOMER))).toMatchObject({
      kind: 'terminal',
      code: 'partner-center-mfa-missing',
      pausesQueue: 'partner-center',
    });
    expect(service.askedFor('/v1/')).toHaveLength(1);
  });

  it('in one customer’s directory pauses nothing', async () => {
    service.on('GET', '/v1.0/subscribedSkus', (_, response) =>
      json(response, 401, { error: { code: 'InvalidAuthenticationToken', message: 'no' } }),
    );

    expect(await failureOf(connect(service.url).graph.licences.subscribedSkus(CUSTOMER))).toMatchObject({
      kind: 'terminal',
      code: 'graph-InvalidAuthenticationToken',
      pausesQueue: undefined,
    });
  });
});

describe('the tenant of a domain', () => {
  it('is read from the discovery document, or is null when no tenant owns it', async () => {
    const { identity } = connect(service.url);
    const issuer = `https://login.microsoftonline.com/${CUSTOMER}/v2.0`;
    service.on('GET', '/contoso.example/', (_, response) => json(response, 200, { issuer }));
    service.on('GET', '/nobody.example/', (_, response) =>
      json(response, 400, {
        error: 'invalid_tenant',
        error_description: 'AADSTS90002',
        error_codes: [90002],
      }),
    );

    expect(await identity.discoverTenant('contoso.example')).toEqual({ tenantId: CUSTOMER });
    expect(await identity.discoverTenant('nobody.example')).toBeNull();
  });
});
