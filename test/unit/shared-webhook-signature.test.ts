import { sign as signBytes } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createSimulatedClock, type SimulatedClock } from '../../shared/clock.ts';
import {
  createWebhookVerifier,
  type WebhookHeaders,
  type WebhookVerifier,
} from '../../shared/webhook-signature.ts';
import {
  type IssuedCertificate,
  type IssueOptions,
  issueCertificate,
  pemOf,
} from './shared-test-certificate.ts';

const START = Date.UTC(2026, 10, 2, 10);
const DAY = 86_400_000;

const microsoft = (commonName: string): IssuedCertificate['name'] => [
  ['C', 'US'],
  ['O', 'Microsoft Corporation'],
  ['CN', commonName],
];
const issue = (name: IssuedCertificate['name'], options: Partial<IssueOptions> = {}): IssuedCertificate =>
  issueCertificate({ name, from: START - DAY, until: START + 30 * DAY, ...options });
const sign = (body: string, signer: IssuedCertificate): string =>
  signBytes('RSA-SHA256', Buffer.from(body), signer.privateKey).toString('base64');

const served = new Map<string, Buffer | ((response: ServerResponse) => void)>();
const asked: string[] = [];
const server = createServer((request, response) => {
  asked.push(request.url ?? '');
  const answer = served.get(request.url ?? '');
  if (answer === undefined) response.writeHead(404).end();
  else if (typeof answer === 'function') answer(response);
  else response.end(answer);
});

let base: string;
let root: IssuedCertificate;
let leaf: IssuedCertificate;
let clock: SimulatedClock;
let verifier: WebhookVerifier;
const body = '{"EventName":"test-created"}';

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  root = issue(microsoft('Test Root'), { authority: true });
  leaf = issue(microsoft('pcnotifications'), { by: root });
});
afterAll(() => {
  server.close();
  server.closeAllConnections();
});
beforeEach(() => {
  served.clear();
  asked.length = 0;
  served.set('/leaf.cer', leaf.der);
  clock = createSimulatedClock(START);
  verifier = createVerifier();
});

function createVerifier(change: Partial<Parameters<typeof createWebhookVerifier>[0]> = {}): WebhookVerifier {
  return createWebhookVerifier({
    certificateHosts: ['127.0.0.1'],
    issuerHosts: [new URL(base).host],
    extraRoots: [root.der],
    allowLoopbackHttp: true,
    clock,
    timeoutMs: 8_000,
    ...change,
  });
}

async function deliver(
  change: WebhookHeaders = {},
  signer: IssuedCertificate = leaf,
  delivered = body,
  by: WebhookVerifier = verifier,
) {
  const headers = {
    authorization: `Signature ${sign(body, signer)}`,
    'x-ms-certificate-url': `${base}/leaf.cer`,
    'x-ms-signature-algorithm': 'rsa-sha256',
    ...change,
  };
  return by.verify(Buffer.from(delivered), headers);
}

describe('a webhook', () => {
  it('signed by Microsoft is verified, by either header, with one look at the certificate', async () => {
    const signature = `Signature ${sign(body, leaf)}`;

    expect(await deliver()).toMatchObject({ outcome: 'verified' });
    expect(await deliver({ authorization: undefined, 'x-ms-signature': signature })).toMatchObject({
      outcome: 'verified',
    });
    expect(await deliver({ authorization: 'Bearer x', 'x-ms-signature': signature })).toMatchObject({
      outcome: 'verified',
    });
    expect(asked).toEqual(['/leaf.cer']);
  });

  it('whose body was altered is refused', async () => {
    expect(await deliver({}, leaf, body.replace('test', 'Test'))).toEqual({
      outcome: 'refused',
      reason: 'signature-wrong',
      status: 401,
    });
  });

  it('signed by another key is refused', async () => {
    const stranger = issue(microsoft('stranger'), { by: root });

    expect(await deliver({}, stranger)).toMatchObject({ reason: 'signature-wrong' });
  });

  it.each([
    ['no signature', { authorization: undefined }, 'signature-missing', 401],
    ['another scheme', { authorization: 'Bearer abcdefghijklmnopqrstuvwxyz' }, 'signature-missing', 401],
    [
      'two signatures',
      { authorization: undefined, 'x-ms-signature': ['Signature aaaa', 'Signature bbbb'] },
      'signature-missing',
      401,
    ],
    ['no certificate', { 'x-ms-certificate-url': undefined }, 'certificate-url-missing', 400],
    ['no algorithm', { 'x-ms-signature-algorithm': undefined }, 'algorithm-missing', 400],
    ['SHA-1', { 'x-ms-signature-algorithm': 'rsa-sha1' }, 'algorithm-refused', 401],
    ['no algorithm at all', { 'x-ms-signature-algorithm': 'none' }, 'algorithm-refused', 401],
  ])('with %s is refused before anything is fetched', async (_, change, reason, status) => {
    expect(await deliver(change)).toEqual({ outcome: 'refused', reason, status });
    expect(asked).toEqual([]);
  });

  it.each([
    'http://3psostorageacct.blob.core.windows.net/cert',
    'https://attacker.example/leaf.cer',
    'https://127.0.0.1.attacker.example/leaf.cer',
    'https://3psostorageacct.blob.core.windows.net@attacker.example/x',
    'https://user@3psostorageacct.blob.core.windows.net/x',
    'https://3psostorageacct.blob.core.windows.net:8443/x',
    'http://169.254.169.254/latest/meta-data',
    'http://[::ffff:127.0.0.1]/leaf.cer',
    'http://2130706433.example/leaf.cer',
    'http://localhost/leaf.cer',
    'file:///etc/passwd',
    'data:application/pkix-cert;base64,AAAA',
    'not an address',
    `https://3psostorageacct.blob.core.windows.net/${'a'.repeat(3_000)}`,
  ])('that names %s is refused without a connection', async (address) => {
    const strict = createVerifier({
      certificateHosts: ['3psostorageacct.blob.core.windows.net', '127.0.0.1'],
    });

    expect(await deliver({ 'x-ms-certificate-url': address }, leaf, body, strict)).toMatchObject({
      reason: 'certificate-url-refused',
    });
    expect(asked).toEqual([]);
  });

  it('that names loopback is refused unless that is allowed', async () => {
    const strict = createVerifier({ allowLoopbackHttp: false });

    expect(await deliver({}, leaf, body, strict)).toMatchObject({ reason: 'certificate-url-refused' });
    expect(asked).toEqual([]);
  });
});

describe('the certificate of a webhook', () => {
  const named = (path: string) => ({ 'x-ms-certificate-url': `${base}${path}` });

  it.each([
    ['is missing', (response: ServerResponse) => response.writeHead(404).end()],
    ['redirects', (response: ServerResponse) => response.writeHead(302, { location: '/leaf.cer' }).end()],
    ['is huge', (response: ServerResponse) => response.end(Buffer.alloc(70_000))],
    ['is slow', () => undefined],
  ])('that %s makes Microsoft deliver again', async (_, answer) => {
    served.set('/odd.cer', answer);
    const impatient = createVerifier({ timeoutMs: 1_000 });

    expect(await deliver(named('/odd.cer'), leaf, body, impatient)).toEqual({
      outcome: 'refused',
      reason: 'certificate-unavailable',
      status: 503,
    });
    expect(asked).toEqual(['/odd.cer']);
  });

  it('that could not be had is asked for again, after a moment', async () => {
    expect(await deliver(named('/late.cer'))).toMatchObject({ reason: 'certificate-unavailable' });
    served.set('/late.cer', leaf.der);
    expect(await deliver(named('/late.cer'))).toMatchObject({ reason: 'certificate-unavailable' });
    clock.advance(5_000);
    expect(await deliver(named('/late.cer'))).toMatchObject({ outcome: 'verified' });
    expect(asked).toEqual(['/late.cer', '/late.cer']);
  });

  it('is remembered for an hour, and not pushed out by addresses made up', async () => {
    await deliver();
    for (let n = 0; n < 40; n += 1) await deliver(named(`/made-up-${n}.cer`));
    expect(await deliver()).toMatchObject({ outcome: 'verified' });
    expect(asked.filter((path) => path === '/leaf.cer')).toHaveLength(1);

    clock.advance(3_600_000);
    expect(await deliver()).toMatchObject({ outcome: 'verified' });
    expect(asked.filter((path) => path === '/leaf.cer')).toHaveLength(2);
  });

  it('of another kind of key is refused, though its signature would hold', async () => {
    const curve = issue(microsoft('curve'), { by: root, curve: 'P-256' });
    served.set('/curve.cer', curve.der);

    expect(await deliver(named('/curve.cer'), curve)).toMatchObject({ reason: 'certificate-malformed' });
  });

  it('that is no certificate is refused', async () => {
    served.set('/junk.cer', Buffer.from('junk'));

    expect(await deliver(named('/junk.cer'))).toMatchObject({ reason: 'certificate-malformed', status: 401 });
  });

  it('that has expired, or expires while it is remembered, is refused', async () => {
    const old = issue(microsoft('old'), { by: root, until: START - 1_000 });
    const short = issue(microsoft('short'), { by: root, until: START + 60_000 });
    served.set('/old.cer', old.der).set('/short.cer', short.der);

    expect(await deliver(named('/old.cer'), old)).toMatchObject({ reason: 'certificate-expired' });
    expect(await deliver(named('/short.cer'), short)).toMatchObject({ outcome: 'verified' });
    clock.advance(61_000);
    expect(await deliver(named('/short.cer'), short)).toMatchObject({ reason: 'certificate-expired' });
  });

  it('of another issuer is refused, even with the name in another place', async () => {
    const otherRoot = issue(
      [
        ['C', 'US'],
        ['O', 'Contoso'],
        ['CN', 'O=Microsoft Corporation'],
      ],
      { authority: true },
    );
    const other = issue(microsoft('leaf'), { by: otherRoot });
    served.set('/other.cer', other.der);
    const trusting = createVerifier({ extraRoots: [otherRoot.der] });

    expect(await deliver(named('/other.cer'), other, body, trusting)).toMatchObject({
      reason: 'certificate-issuer-foreign',
    });
  });

  it('that only claims the name of a trusted issuer is refused', async () => {
    const forgedRoot = issue(microsoft('Test Root'), { authority: true });
    const forged = issue(microsoft('pcnotifications'), { by: forgedRoot });
    served.set('/forged.cer', forged.der);

    expect(await deliver(named('/forged.cer'), forged)).toMatchObject({ reason: 'certificate-untrusted' });
  });

  it('issued by a certificate that may not issue is refused', async () => {
    const child = issue(microsoft('child'), { by: leaf });
    served.set('/child.pem', Buffer.from(pemOf(child.der) + pemOf(leaf.der)));

    expect(await deliver(named('/child.pem'), child)).toMatchObject({ reason: 'certificate-untrusted' });
  });

  it('is followed over an intermediate that is delivered along or fetched from an allowed host', async () => {
    const issuerUrl = `${base}/intermediate.cer`;
    const intermediate = issue(microsoft('Issuing CA'), { by: root, authority: true });
    const child = issue(microsoft('child'), { by: intermediate, issuerUrl });
    served.set('/child.cer', child.der).set('/intermediate.cer', intermediate.der);

    const elsewhere = createVerifier({ issuerHosts: ['cacerts.digicert.com'] });
    expect(await deliver(named('/child.cer'), child, body, elsewhere)).toMatchObject({
      reason: 'certificate-untrusted',
    });
    expect(asked).toEqual(['/child.cer']);
    expect(await deliver(named('/child.cer'), child)).toMatchObject({ outcome: 'verified' });
  });

  it('that was replaced at the same address is fetched anew, at most once a minute', async () => {
    const next = issue(microsoft('next'), { by: root });
    await deliver();
    served.set('/leaf.cer', next.der);

    expect(await deliver({}, next)).toMatchObject({ reason: 'signature-wrong' });
    clock.advance(60_000);
    expect(await deliver({}, next)).toMatchObject({ outcome: 'verified' });
    expect(await deliver({}, leaf)).toMatchObject({ reason: 'signature-wrong' });
    expect(asked).toHaveLength(2);
  });
});
