/**
 * The test root and the certificate that signs webhooks, made with plain DER: Node signs but cannot issue. Subject and
 * issuer carry `O=Microsoft Corporation`, as the real ones do.
 */
import { createPrivateKey, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';

export interface WebhookIdentity {
  readonly rootPem: string;
  readonly rootDer: string;
  readonly certificateDer: string;
  /** PKCS#8 PEM of the certificate's key. */
  readonly privateKeyPem: string;
}

const OID_SHA256_RSA = '2a864886f70d01010b';
const OID_COUNTRY = '550406';
const OID_ORGANISATION = '55040a';
const OID_COMMON_NAME = '550403';
const OID_BASIC_CONSTRAINTS = '551d13';
const OID_KEY_USAGE = '551d0f';
const YEAR_MS = 365 * 24 * 60 * 60 * 1_000;

/** All binary values of the result are base64. */
export function createWebhookIdentity(now: number): WebhookIdentity {
  const root = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const leaf = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const rootName = name('Emulated Microsoft Test Root');
  const rootDer = certificate({
    serial: 1,
    issuer: rootName,
    subject: rootName,
    publicKey: root.publicKey,
    signer: root.privateKey,
    authority: true,
    from: now - YEAR_MS,
    to: now + 10 * YEAR_MS,
  });
  const certificateDer = certificate({
    serial: 2,
    issuer: rootName,
    subject: name('pcnotifications-dispatch.emulator'),
    publicKey: leaf.publicKey,
    signer: root.privateKey,
    authority: false,
    from: now - YEAR_MS,
    to: now + 10 * YEAR_MS,
  });
  return {
    rootPem: pem(rootDer),
    rootDer: rootDer.toString('base64'),
    certificateDer: certificateDer.toString('base64'),
    privateKeyPem: leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** `Signature` header value: RSA PKCS#1 v1.5 with SHA-256 over the raw body, base64. */
export function signBody(identity: WebhookIdentity, body: string): string {
  return createSign('RSA-SHA256').update(body).sign(createPrivateKey(identity.privateKeyPem), 'base64');
}

interface CertificateFields {
  readonly serial: number;
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly publicKey: KeyObject;
  readonly signer: KeyObject;
  readonly authority: boolean;
  readonly from: number;
  readonly to: number;
}

function certificate(fields: CertificateFields): Buffer {
  const algorithm = sequence(oid(OID_SHA256_RSA), der(0x05, Buffer.alloc(0)));
  const body = sequence(
    der(0xa0, integer(2)),
    integer(fields.serial),
    algorithm,
    fields.issuer,
    sequence(generalizedTime(fields.from), generalizedTime(fields.to)),
    fields.subject,
    fields.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions(fields.authority))),
  );
  const signature = createSign('RSA-SHA256').update(body).sign(fields.signer);
  return sequence(body, algorithm, der(0x03, Buffer.concat([Buffer.of(0), signature])));
}

function extensions(authority: boolean): Buffer[] {
  const yes = der(0x01, Buffer.of(0xff));
  const constraints = authority ? sequence(yes) : sequence();
  // keyCertSign and cRLSign for the root, digitalSignature for the leaf; the first byte counts unused bits
  const usage = der(0x03, authority ? Buffer.of(0x01, 0x06) : Buffer.of(0x07, 0x80));
  return [
    sequence(oid(OID_BASIC_CONSTRAINTS), yes, der(0x04, constraints)),
    sequence(oid(OID_KEY_USAGE), yes, der(0x04, usage)),
  ];
}

function name(commonName: string): Buffer {
  const attribute = (kind: string, tag: number, value: string): Buffer =>
    der(0x31, sequence(oid(kind), der(tag, Buffer.from(value))));
  return sequence(
    attribute(OID_COUNTRY, 0x13, 'US'),
    attribute(OID_ORGANISATION, 0x0c, 'Microsoft Corporation'),
    attribute(OID_COMMON_NAME, 0x0c, commonName),
  );
}

function der(tag: number, content: Buffer): Buffer {
  const length = content.length;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  const bytes = length < 0x100 ? Buffer.of(0x81, length) : Buffer.of(0x82, length >> 8, length & 0xff);
  return Buffer.concat([Buffer.of(tag), bytes, content]);
}

const sequence = (...parts: Buffer[]): Buffer => der(0x30, Buffer.concat(parts));
const integer = (value: number): Buffer => der(0x02, Buffer.of(value));
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));

/** UTCTime up to 2049, as RFC 5280 asks. */
function generalizedTime(time: number): Buffer {
  const digits = new Date(time).toISOString().replace(/[-:T]/g, '').slice(0, 14);
  return time < Date.UTC(2050, 0, 1)
    ? der(0x17, Buffer.from(`${digits.slice(2)}Z`))
    : der(0x18, Buffer.from(`${digits}Z`));
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
