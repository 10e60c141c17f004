import { constants, createHash, generateKeyPairSync, verify, X509Certificate } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Secret } from '../../shared/secrets.ts';
import { connect, type FakeService, PARTNER_TENANT, startFakeService } from './connector-fake-service.ts';
import { issueCertificate, pemOf } from './shared-test-certificate.ts';

let service: FakeService;
beforeEach(async () => {
  service = await startFakeService();
});
afterEach(() => service.close());

const YEAR = 365 * 24 * 3_600_000;
const issued = issueCertificate({
  name: [['CN', 'onboarding']],
  from: Date.now() - YEAR,
  until: Date.now() + YEAR,
});
const keyPem = issued.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const certificatePem = pemOf(issued.der);
const partnerToken = { tenant: PARTNER_TENANT, resource: 'partner-center' } as const;
const jsonOf = (part = '') => JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));

describe('a certificate instead of a secret', () => {
  it.each([
    ['key first', `${keyPem}${certificatePem}`],
    ['certificate first', `${certificatePem}\n${keyPem}`],
  ])('signs a short-lived assertion for this one endpoint and never travels (%s)', async (_, pem) => {
    const config = { clientSecret: new Secret(pem) };

    await connect(service.url, { config }).identity.token(partnerToken);

    const form = new URLSearchParams(service.asked[0]?.body);
    expect(form.get('client_secret')).toBeNull();
    expect(form.get('client_assertion_type')).toBe('urn:ietf:params:oauth:client-assertion-type:jwt-bearer');
    const [head = '', claims = '', signature = ''] = (form.get('client_assertion') ?? '').split('.');
    const certificate = new X509Certificate(certificatePem);
    expect(jsonOf(head)).toEqual({
      alg: 'PS256',
      typ: 'JWT',
      'x5t#S256': createHash('sha256').update(certificate.raw).digest('base64url'),
    });
    const id = '44444444-0000-4000-8000-000000000004';
    const { nbf, exp, ...said } = jsonOf(claims);
    expect(said).toEqual({
      // A stand-in on this machine is spoken to as if it were Microsoft.
      aud: `https://login.microsoftonline.com/${PARTNER_TENANT}/oauth2/v2.0/token`,
      iss: id,
      sub: id,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      iat: expect.any(Number),
    });
    expect(exp - nbf).toBe(600);
    const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
    const key = { key: certificate.publicKey, ...padding };
    expect(verify('sha256', Buffer.from(`${head}.${claims}`), key, Buffer.from(signature, 'base64url'))).toBe(
      true,
    );
    expect(service.asked[0]?.body).not.toContain('PRIVATE');
  });

  it.each([
    ['without its key', certificatePem],
    ['without the certificate', keyPem],
    [
      'with another key',
      `${certificatePem}${generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' })}`,
    ],
    ['that is cut off', certificatePem.slice(0, 200)],
  ])('%s stops the start with the name of the variable, and quotes nothing', (_, pem) => {
    const start = () => connect(service.url, { config: { clientSecret: new Secret(pem) } });

    expect(start).toThrow(/^CLIENT_SECRET begins like a PEM/);
    expect(start).not.toThrow(/MII/);
  });
});
