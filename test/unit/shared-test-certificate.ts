/** Issues X.509 certificates for tests with plain DER: Node reads them but cannot make them. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export interface IssuedCertificate {
  readonly name: readonly (readonly [keyof typeof ATTRIBUTES, string])[];
  readonly privateKey: KeyObject;
  readonly der: Buffer;
}

export interface IssueOptions {
  readonly name: IssuedCertificate['name'];
  /** Self-signed without. */
  readonly by?: IssuedCertificate;
  readonly authority?: boolean;
  readonly from: number;
  readonly until: number;
  /** An elliptic key instead of RSA; only for what is issued by another. */
  readonly curve?: 'P-256';
  /** Where the issuing certificate may be fetched. */
  readonly issuerUrl?: string;
}

const ATTRIBUTES = { C: '550406', O: '55040a', CN: '550403' } as const;
const SHA256_RSA = '2a864886f70d01010b';
const BASIC_CONSTRAINTS = '551d13';
const AUTHORITY_INFO_ACCESS = '2b06010505070101';
const CA_ISSUERS = '2b06010505073002';

let serial = 0;

export function issueCertificate(options: IssueOptions): IssuedCertificate {
  const { publicKey, privateKey } =
    options.curve === undefined
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: options.curve });
  serial += 1;
  const algorithm = sequence(oid(SHA256_RSA), tagged(0x05, Buffer.alloc(0)));
  const content = sequence(
    tagged(0xa0, tagged(0x02, Buffer.of(2))),
    tagged(0x02, Buffer.of(1, serial)),
    algorithm,
    nameOf(options.by?.name ?? options.name),
    sequence(time(options.from), time(options.until)),
    nameOf(options.name),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions(options))),
  );
  const signature = sign('RSA-SHA256', content, options.by?.privateKey ?? privateKey);
  const der = sequence(content, algorithm, tagged(0x03, Buffer.concat([Buffer.of(0), signature])));
  return { name: options.name, privateKey, der };
}

export function pemOf(der: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`;
}

function extensions({ authority, issuerUrl }: IssueOptions): Buffer[] {
  const isAuthority = tagged(0x01, Buffer.of(0xff));
  const constraints = authority === true ? sequence(isAuthority) : sequence();
  const found = [sequence(oid(BASIC_CONSTRAINTS), isAuthority, tagged(0x04, constraints))];
  if (issuerUrl === undefined) return found;
  const access = sequence(sequence(oid(CA_ISSUERS), tagged(0x86, Buffer.from(issuerUrl))));
  return [...found, sequence(oid(AUTHORITY_INFO_ACCESS), tagged(0x04, access))];
}

function nameOf(name: IssuedCertificate['name']): Buffer {
  const parts = name.map(([kind, value]) =>
    tagged(0x31, sequence(oid(ATTRIBUTES[kind]), tagged(kind === 'C' ? 0x13 : 0x0c, Buffer.from(value)))),
  );
  return sequence(...parts);
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}

function sequence(...parts: Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function oid(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, 'hex'));
}

function time(instant: number): Buffer {
  return tagged(0x17, Buffer.from(`${new Date(instant).toISOString().replace(/[-:T]/g, '').slice(2, 14)}Z`));
}
