/**
 * Checks that a webhook comes from Partner Center (microsoft-apis facts 2.4): an RSA signature over the raw body,
 * by a certificate that the request only *names*. The address is therefore hostile until proven otherwise: https,
 * exact host allow-list, no redirects, small, quick, cached.
 */
import { verify, type X509Certificate } from 'node:crypto';
import { createTrustAnchors, readCertificates, type TrustAnchors, verifyChain } from './certificate-chain.ts';
import { type Clock, systemClock } from './clock.ts';

export type WebhookRefusal =
  | 'signature-missing'
  | 'certificate-url-missing'
  | 'algorithm-missing'
  | 'algorithm-refused'
  | 'certificate-url-refused'
  | 'certificate-unavailable'
  | 'certificate-malformed'
  | 'certificate-expired'
  | 'certificate-untrusted'
  | 'certificate-issuer-foreign'
  | 'signature-wrong';

export type WebhookVerification =
  | {
      readonly outcome: 'verified' /** SHA-256 of the signing certificate. */;
      readonly certificateFingerprint: string;
    }
  | {
      readonly outcome: 'refused';
      readonly reason: WebhookRefusal;
      /** 503 asks Microsoft to deliver again, because the fault may be on our side. */
      readonly status: 400 | 401 | 503;
    };

/** As Node's `request.headers`: lower-case names. */
export type WebhookHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

export interface WebhookVerifier {
  /** Never throws for anything a sender can do. `rawBody` is the exact bytes received. */
  verify(rawBody: Uint8Array, headers: WebhookHeaders): Promise<WebhookVerification>;
}

export interface WebhookVerifierOptions {
  /** Exact host names that certificates may come from. */
  readonly certificateHosts: readonly string[];
  /** Exact host names that issuing (intermediate) certificates may come from, plain http allowed. */
  readonly issuerHosts?: readonly string[];
  /** Trusted beside Node's own roots: the contents of PEM or DER files. */
  readonly extraRoots?: readonly Buffer[];
  /** Lets `http://127.0.0.1` and `http://localhost` on the allow-list through, for the emulator. */
  readonly allowLoopbackHttp?: boolean;
  readonly clock?: Clock;
  readonly timeoutMs?: number;
}

const MAX_CERTIFICATE_BYTES = 64 * 1024;
const MAX_URL_LENGTH = 2_048;
const CACHE_MS = 3_600_000;
/** A certificate replaced at the same address shows as a wrong signature: worth one new look, not one per request. */
const RENEW_AFTER_MS = 60_000;
const FAILURE_CACHE_MS = 5_000;
const MAX_CACHED = 32;
const TRUSTED_ISSUER = 'O=Microsoft Corporation';
const LOOPBACK = ['127.0.0.1', '[::1]', 'localhost'];

type Lookup =
  | { readonly certificate: X509Certificate; readonly until: number }
  | { readonly refusal: WebhookRefusal };

interface CacheEntry {
  readonly lookup: Promise<Lookup>;
  readonly at: number;
  /** Known to be a trusted certificate; made-up addresses must not push it out. */
  trusted: boolean;
}

export function createWebhookVerifier(options: WebhookVerifierOptions): WebhookVerifier {
  const clock = options.clock ?? systemClock;
  const anchors = createTrustAnchors((options.extraRoots ?? []).flatMap(readCertificates));
  const cache = new Map<string, CacheEntry>();

  function lookUp(url: string): CacheEntry {
    const known = cache.get(url);
    if (known !== undefined && clock.now() - known.at < CACHE_MS) return known;
    if (cache.size >= MAX_CACHED) {
      const [oldest] = [...cache].filter(([, entry]) => !entry.trusted).concat([...cache]);
      if (oldest !== undefined) cache.delete(oldest[0]);
    }
    const lookup = loadCertificate(url, options, anchors, clock.now()).catch(
      (): Lookup => ({ refusal: 'certificate-malformed' }),
    );
    const entry: CacheEntry = { lookup, at: clock.now(), trusted: false };
    cache.set(url, entry);
    return entry;
  }

  async function resolve(url: string): Promise<Lookup & { at: number }> {
    const entry = lookUp(url);
    const lookup = await entry.lookup;
    entry.trusted = 'certificate' in lookup;
    const age = clock.now() - entry.at;
    if ('refusal' in lookup && age >= FAILURE_CACHE_MS && cache.get(url) === entry) {
      cache.delete(url);
      return resolve(url);
    }
    if ('until' in lookup && lookup.until <= clock.now())
      return { refusal: 'certificate-expired', at: entry.at };
    return { ...lookup, at: entry.at };
  }

  return {
    async verify(rawBody, headers) {
      const request = readHeaders(headers);
      if ('refusal' in request) return refused(request.refusal);
      if (!isAllowed(request.certificateUrl, options)) return refused('certificate-url-refused');

      let found = await resolve(request.certificateUrl);
      if ('refusal' in found) return refused(found.refusal);
      if (isSigned(rawBody, found.certificate, request.signature)) return verified(found.certificate);

      if (clock.now() - found.at < RENEW_AFTER_MS) return refused('signature-wrong');
      cache.delete(request.certificateUrl);
      found = await resolve(request.certificateUrl);
      if ('refusal' in found) return refused(found.refusal);
      return isSigned(rawBody, found.certificate, request.signature)
        ? verified(found.certificate)
        : refused('signature-wrong');
    },
  };
}

function readHeaders(
  headers: WebhookHeaders,
): { signature: Buffer; certificateUrl: string } | { refusal: WebhookRefusal } {
  const signature = signatureOf(headers['x-ms-signature']) ?? signatureOf(headers['authorization']);
  if (signature === undefined) return { refusal: 'signature-missing' };
  const certificateUrl = headers['x-ms-certificate-url'];
  if (typeof certificateUrl !== 'string' || certificateUrl === '')
    return { refusal: 'certificate-url-missing' };
  const algorithm = headers['x-ms-signature-algorithm'];
  if (typeof algorithm !== 'string' || algorithm === '') return { refusal: 'algorithm-missing' };
  if (algorithm.toLowerCase() !== 'rsa-sha256') return { refusal: 'algorithm-refused' };
  return { signature, certificateUrl };
}

function signatureOf(header: WebhookHeaders[string]): Buffer | undefined {
  if (typeof header !== 'string') return undefined;
  const encoded = /^Signature ([A-Za-z0-9+/]{16,2048}={0,2})$/i.exec(header)?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64');
}

function isAllowed(address: string, options: WebhookVerifierOptions): boolean {
  if (address.length > MAX_URL_LENGTH || !URL.canParse(address)) return false;
  const url = new URL(address);
  if (url.username !== '' || url.password !== '') return false;
  if (LOOPBACK.includes(url.hostname)) {
    const listed = options.certificateHosts.some((host) => host === url.hostname || host === url.host);
    return options.allowLoopbackHttp === true && listed && /^https?:$/.test(url.protocol);
  }
  return url.protocol === 'https:' && url.port === '' && options.certificateHosts.includes(url.hostname);
}

async function loadCertificate(
  url: string,
  options: WebhookVerifierOptions,
  anchors: TrustAnchors,
  now: number,
): Promise<Lookup> {
  const timeoutMs = options.timeoutMs ?? 2_000;
  const bytes = await download(url, timeoutMs);
  if (bytes === undefined) return { refusal: 'certificate-unavailable' };
  const [certificate, ...companions] = readCertificates(bytes);
  if (certificate === undefined) return { refusal: 'certificate-malformed' };
  if (!certificate.issuer.split('\n').includes(TRUSTED_ISSUER))
    return { refusal: 'certificate-issuer-foreign' };
  if (certificate.publicKey.asymmetricKeyType !== 'rsa') return { refusal: 'certificate-malformed' };

  const fetchIssuer = async (address: string) => {
    if (!options.issuerHosts?.includes(new URL(address).host)) return undefined;
    const found = await download(address, timeoutMs);
    return found === undefined ? undefined : readCertificates(found)[0];
  };
  const chain = await verifyChain(certificate, { anchors, companions, fetchIssuer, now });
  if (chain.outcome === 'expired') return { refusal: 'certificate-expired' };
  if (chain.outcome === 'untrusted') return { refusal: 'certificate-untrusted' };
  return { certificate, until: chain.until };
}

async function download(url: string, timeoutMs: number): Promise<Buffer | undefined> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), timeoutMs);
  try {
    const response = await fetch(url, { redirect: 'error', signal: deadline.signal });
    if (response.status !== 200 || response.body === null) {
      await response.body?.cancel();
      return undefined;
    }
    const chunks: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of response.body) {
      size += chunk.length;
      if (size > MAX_CERTIFICATE_BYTES) return undefined;
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

function isSigned(rawBody: Uint8Array, certificate: X509Certificate, signature: Buffer): boolean {
  return verify('RSA-SHA256', rawBody, certificate.publicKey, signature);
}

function verified(certificate: X509Certificate): WebhookVerification {
  return { outcome: 'verified', certificateFingerprint: certificate.fingerprint256 };
}

function refused(reason: WebhookRefusal): WebhookVerification {
  if (reason === 'certificate-unavailable') return { outcome: 'refused', reason, status: 503 };
  const malformed = reason === 'certificate-url-missing' || reason === 'algorithm-missing';
  return { outcome: 'refused', reason, status: malformed ? 400 : 401 };
}
