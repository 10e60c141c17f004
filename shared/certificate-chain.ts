/**
 * Walks a certificate up to a trusted root. Node verifies chains only inside TLS, so this does it for a certificate
 * that signs messages: names, signatures, CA flags and dates of every link.
 */
import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';

export type ChainResult =
  | {
      readonly outcome: 'trusted' /** Earliest end of validity on the chain, milliseconds since the epoch. */;
      readonly until: number;
    }
  | { readonly outcome: 'expired' }
  | { readonly outcome: 'untrusted'; readonly reason: string };

/** Fetches an issuing certificate by the address a certificate names; undefined when it may not or cannot. */
export type IssuerFetch = (url: string) => Promise<X509Certificate | undefined>;

export interface ChainOptions {
  readonly anchors: TrustAnchors;
  /** Certificates delivered along with the leaf, in any order. */
  readonly companions: readonly X509Certificate[];
  readonly fetchIssuer: IssuerFetch;
  readonly now: number;
}

export interface TrustAnchors {
  /** Trusted certificates that may have issued `certificate`. */
  issuersOf(certificate: X509Certificate): readonly X509Certificate[];
}

const MAX_LINKS = 4;

/** Node's own roots and `extra`; parsed when first asked for. */
export function createTrustAnchors(extra: readonly X509Certificate[]): TrustAnchors {
  let bySubject: Map<string, X509Certificate[]> | undefined;
  const index = () => {
    if (bySubject !== undefined) return bySubject;
    bySubject = new Map();
    for (const certificate of [...extra, ...rootCertificates.flatMap(readCertificates)]) {
      const known = bySubject.get(certificate.subject);
      if (known === undefined) bySubject.set(certificate.subject, [certificate]);
      else known.push(certificate);
    }
    return bySubject;
  };
  return { issuersOf: (certificate) => index().get(certificate.issuer) ?? [] };
}

export async function verifyChain(leaf: X509Certificate, options: ChainOptions): Promise<ChainResult> {
  let current = leaf;
  let until = Number.POSITIVE_INFINITY;
  for (let link = 0; link < MAX_LINKS; link += 1) {
    if (!isValidAt(current, options.now)) return { outcome: 'expired' };
    until = Math.min(until, Date.parse(current.validTo));
    const anchor = options.anchors.issuersOf(current).find((candidate) => issued(candidate, current));
    if (anchor !== undefined) {
      if (!isValidAt(anchor, options.now)) return { outcome: 'expired' };
      return { outcome: 'trusted', until: Math.min(until, Date.parse(anchor.validTo)) };
    }
    const issuer = await findIssuer(current, options);
    if (issuer === undefined) return { outcome: 'untrusted', reason: 'no trusted issuer found' };
    current = issuer;
  }
  return { outcome: 'untrusted', reason: `more than ${MAX_LINKS} links` };
}

/** Certificates in DER (one) or PEM (any number); empty when unreadable. */
export function readCertificates(bytes: Buffer | string): X509Certificate[] {
  const text = bytes.toString('latin1');
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g);
  try {
    return (blocks ?? [bytes]).map((block) => new X509Certificate(block));
  } catch {
    return [];
  }
}

async function findIssuer(
  certificate: X509Certificate,
  options: ChainOptions,
): Promise<X509Certificate | undefined> {
  const companion = options.companions.find((candidate) => issued(candidate, certificate));
  if (companion !== undefined) return companion;
  for (const url of issuerAddresses(certificate)) {
    const fetched = await options.fetchIssuer(url);
    if (fetched !== undefined && issued(fetched, certificate)) return fetched;
  }
  return undefined;
}

function issued(issuer: X509Certificate, certificate: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function isValidAt(certificate: X509Certificate, now: number): boolean {
  return Date.parse(certificate.validFrom) <= now && now < Date.parse(certificate.validTo);
}

function issuerAddresses(certificate: X509Certificate): string[] {
  const lines = certificate.infoAccess?.split('\n') ?? [];
  return lines
    .flatMap((line) => /^CA Issuers - URI:"?(https?:\/\/[^"\s]{1,500})/.exec(line)?.[1] ?? [])
    .slice(0, 2);
}
