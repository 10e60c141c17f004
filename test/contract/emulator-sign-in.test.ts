import { constants, createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createConnectors } from '../../connectors/index.ts';
import { DEFAULT_CLIENT, PARTNER, SEED_TENANTS } from '../../emulator/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { Secret } from '../../shared/secrets.ts';
import { type EmulatedMicrosoft, startEmulatedMicrosoft } from '../support/emulated-microsoft.ts';
import { issueCertificate, pemOf } from '../unit/shared-test-certificate.ts';

const YEAR = 365 * 24 * 3_600_000;
const issue = (from = -YEAR, until = YEAR) => {
  const certificate = issueCertificate({
    name: [['CN', 'onboarding']],
    from: Date.now() + from,
    until: Date.now() + until,
  });
  const key = certificate.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { ...certificate, pem: pemOf(certificate.der), withKey: `${key}${pemOf(certificate.der)}` };
};
const CERTIFICATE = issue();

let microsoft: EmulatedMicrosoft;
beforeEach(async () => {
  microsoft = await startEmulatedMicrosoft({ clientCertificate: CERTIFICATE.pem });
});
afterEach(() => microsoft.close());

const connectBy = (change: object) => {
  const { config } = microsoft;
  return createConnectors(
    { ...config, microsoft: { ...config.microsoft, ...change } },
    { log: silentLogger() },
  );
};
const partner = { tenant: PARTNER.tenantId, resource: 'partner-center' } as const;

describe('a certificate', () => {
  it('signs the partner in, in our own tenant and in a customer’s, as user and as application', async () => {
    const { identity, graph, partnerCenter } = connectBy({ clientSecret: new Secret(CERTIFICATE.withKey) });

    await identity.token({ ...partner, grant: 'app' });

    expect(await partnerCenter.customers.find(SEED_TENANTS.fabrikam)).toMatchObject({
      companyName: 'Fabrikam Inc',
    });
    expect((await graph.users.list(SEED_TENANTS.fabrikam)).length).toBeGreaterThan(1);
  });

  it('that is registered only after a renewal counts from then on, and the old one no more', async () => {
    const renewed = issue();
    const [before, after] = [CERTIFICATE, renewed].map(({ withKey }) =>
      connectBy({ clientSecret: new Secret(withKey) }),
    );

    await expect(after?.identity.token(partner)).rejects.toMatchObject({
      code: 'aadsts-700027',
      pausesQueue: 'partner-center',
    });
    await microsoft.control('/client-certificate', { pem: renewed.pem }, 'PUT');
    await after?.identity.token(partner);
    await expect(before?.identity.token(partner)).rejects.toMatchObject({ code: 'aadsts-700027' });
  });
});

interface Forgery {
  readonly head?: object;
  readonly claims?: object;
  readonly key?: KeyObject;
  readonly form?: Record<string, string>;
}

async function present({ head, claims, key = CERTIFICATE.privateKey, form }: Forgery) {
  const { urls } = microsoft;
  const seconds = Math.floor(Date.now() / 1_000);
  const print = createHash('sha256').update(CERTIFICATE.der).digest('base64url');
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const text = [
    part({ alg: 'PS256', typ: 'JWT', 'x5t#S256': print, ...head }),
    part({
      aud: `${urls.authority}/${PARTNER.tenantId}/oauth2/v2.0/token`,
      iss: DEFAULT_CLIENT.clientId,
      sub: DEFAULT_CLIENT.clientId,
      jti: 'one',
      nbf: seconds,
      exp: seconds + 600,
      ...claims,
    }),
  ].join('.');
  const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  const signature = sign('sha256', Buffer.from(text), { key, ...padding }).toString('base64url');
  const response = await fetch(`${urls.authority}/${PARTNER.tenantId}/oauth2/v2.0/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: DEFAULT_CLIENT.clientId,
      scope: 'https://graph.microsoft.com/.default',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: `${text}.${signature}`,
      ...form,
    }),
  });
  const answer = (await response.json()) as { error_codes?: number[] };
  return { status: response.status, code: answer.error_codes?.[0] };
}

describe('the emulated authority', () => {
  const hour = 3_600;
  const now = () => Math.floor(Date.now() / 1_000);

  it('takes a good assertion', async () => {
    expect(await present({})).toEqual({ status: 200, code: undefined });
  });

  it.each<[string, () => Forgery, number]>([
    [
      'signed by another key',
      () => ({ key: generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey }),
      700027,
    ],
    ['that names another certificate', () => ({ head: { 'x5t#S256': 'other' } }), 700027],
    ['that names no certificate', () => ({ head: { 'x5t#S256': undefined } }), 700027],
    ['without signature algorithm', () => ({ head: { alg: 'none' } }), 50027],
    ['for another audience', () => ({ claims: { aud: 'https://elsewhere.example/token' } }), 700023],
    ['of another application', () => ({ claims: { sub: PARTNER.tenantId } }), 700021],
    ['without an id', () => ({ claims: { jti: undefined } }), 50027],
    ['that is over', () => ({ claims: { exp: now() - hour } }), 700024],
    ['that has not begun', () => ({ claims: { nbf: now() + hour } }), 700024],
    ['that lasts for ever', () => ({ claims: { exp: now() + 1_000 * hour } }), 700024],
    ['beside a secret', () => ({ form: { client_secret: DEFAULT_CLIENT.clientSecret } }), 7000216],
    ['of another type', () => ({ form: { client_assertion_type: 'urn:other' } }), 7000217],
  ])('refuses an assertion %s', async (_, forgery, code) => {
    expect(await present(forgery())).toEqual({ status: 401, code });
  });

  it('refuses an assertion by a certificate that ran out', async () => {
    const old = issue(-2 * YEAR, -60_000);
    await microsoft.control('/client-certificate', { pem: old.pem }, 'PUT');
    const print = createHash('sha256').update(old.der).digest('base64url');

    expect(await present({ key: old.privateKey, head: { 'x5t#S256': print } })).toEqual({
      status: 401,
      code: 1000502,
    });
  });

  it('refuses a client secret that is wrong, expired or not there', async () => {
    const wrong = connectBy({ clientSecret: new Secret('wrong') });
    await expect(wrong.identity.token(partner)).rejects.toMatchObject({
      code: 'aadsts-7000215',
      pausesQueue: 'partner-center',
    });

    await microsoft.control('/settings', { clientSecretExpired: true }, 'PATCH');
    await expect(microsoft.connectors.identity.token(partner)).rejects.toMatchObject({
      code: 'aadsts-7000222',
      pausesQueue: 'partner-center',
    });
    const response = await fetch(`${microsoft.urls.authority}/${PARTNER.tenantId}/oauth2/v2.0/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'client_credentials', client_id: DEFAULT_CLIENT.clientId }),
    });
    expect(await response.json()).toMatchObject({ error: 'invalid_client', error_codes: [7000218] });
  });
});

describe('a partner’s sign-in', () => {
  const withToken = (refreshToken: string, requireMfa = true) =>
    connectBy({ refreshToken: new Secret(refreshToken), requireMfa });
  const signIn = async (body: object = {}) =>
    ((await microsoft.control('/refresh-tokens', body)) as { refreshToken: string }).refreshToken;

  it('that was revoked is given again by a new consent', async () => {
    await microsoft.control('/refresh-tokens/revoke');
    await expect(microsoft.connectors.identity.token(partner)).rejects.toMatchObject({
      code: 'aadsts-700082',
    });

    await microsoft.control('/clock/advance', { ms: 1_000 });
    const { partnerCenter } = withToken(await signIn());

    expect(await partnerCenter.customers.find(SEED_TENANTS.fabrikam)).not.toBeNull();
  });

  it('without a second factor is refused, whoever looks first', async () => {
    const refreshToken = await signIn({ mfa: false });

    await expect(withToken(refreshToken).identity.token(partner)).rejects.toMatchObject({
      code: 'identity-mfa-missing',
      pausesQueue: 'partner-center',
    });
    const { partnerCenter } = withToken(refreshToken, false);
    await expect(partnerCenter.customers.get(SEED_TENANTS.fabrikam)).rejects.toMatchObject({
      code: 'partner-center-mfa-missing',
      pausesQueue: 'partner-center',
    });
  });

  it('that nobody used for ninety days is dead, and one that was used is not', async () => {
    const day = 24 * 3_600_000;
    const idle = await signIn();
    const used = withToken(await signIn());
    await microsoft.control('/clock/advance', { ms: 80 * day });
    await used.identity.token(partner);
    used.identity.forget(PARTNER.tenantId);
    await microsoft.control('/clock/advance', { ms: 11 * day });

    await used.identity.token(partner);
    await expect(withToken(idle).identity.token(partner)).rejects.toMatchObject({ code: 'aadsts-700082' });
  });
});
