/**
 * How the application proves itself: by its secret, or by an assertion that the key of a registered certificate signed
 * (facts 1.2). Checked as the real authority does: who, for whom, how long, by which certificate, really signed.
 */
import { constants, createHash, verify, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import type { World } from '../world.ts';
import { oauthError } from './helpers.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** Clocks differ. */
const SKEW_SECONDS = 300;
const LONGEST_SECONDS = 24 * 60 * 60;

export interface Proof {
  readonly client_secret?: string | undefined;
  readonly client_assertion?: string | undefined;
  readonly client_assertion_type?: string | undefined;
}

const headSchema = z.object({
  alg: z.enum(['PS256', 'RS256']),
  'x5t#S256': z.string().optional(),
  x5t: z.string().optional(),
});
const claimsSchema = z.object({
  aud: z.string(),
  iss: z.string(),
  sub: z.string(),
  jti: z.string().min(1),
  exp: z.number(),
  nbf: z.number().optional(),
});

/** Refuses with the authority's own numbers; `audiences` are the addresses an assertion may be meant for. */
export function checkClient(world: World, proof: Proof, audiences: readonly string[]): void {
  if (proof.client_assertion !== undefined && proof.client_secret !== undefined)
    throw refused(world, 7000216, 'Either a client secret or a client assertion is expected, not both.');
  if (proof.client_assertion !== undefined) checkAssertion(world, proof, audiences);
  else checkSecret(world, proof.client_secret);
}

function checkSecret(world: World, secret: string | undefined): void {
  if (secret === undefined)
    throw refused(
      world,
      7000218,
      "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
    );
  if (secret !== world.options.clientSecret) throw refused(world, 7000215, 'Invalid client secret provided.');
  if (world.settings().clientSecretExpired)
    throw refused(world, 7000222, 'The provided client secret keys are expired.');
}

function checkAssertion(world: World, proof: Proof, audiences: readonly string[]): void {
  const fail = (text: string, code = 700027) => refused(world, code, text);
  if (proof.client_assertion_type !== ASSERTION_TYPE)
    throw fail('The client assertion type is not supported.', 7000217);
  const [head = '', body = '', signature = '', ...rest] = (proof.client_assertion ?? '').split('.');
  const header = headSchema.safeParse(jsonOf(head)).data;
  const claims = claimsSchema.safeParse(jsonOf(body)).data;
  if (header === undefined || claims === undefined || rest.length > 0)
    throw fail('The client assertion is malformed.', 50027);
  const certificate = certificateOf(world, header);
  if (certificate === undefined)
    throw fail('The certificate with identifier used to sign the client assertion is not registered.');
  if (!isSigned(certificate, header.alg, `${head}.${body}`, signature))
    throw fail('Client assertion failed signature validation.');
  const now = Math.floor(world.clock.now() / 1_000);
  if (Date.parse(certificate.validTo) <= world.clock.now())
    throw fail('The certificate used to sign the client assertion has expired.', 1000502);
  const { clientId } = world.options;
  if (claims.iss !== clientId || claims.sub !== clientId)
    throw fail("The 'iss' and 'sub' claims must be the client id.", 700021);
  if (!audiences.includes(claims.aud.toLowerCase()))
    throw fail('The client assertion audience is not this endpoint.', 700023);
  const early = claims.nbf !== undefined && claims.nbf - SKEW_SECONDS > now;
  if (early || claims.exp + SKEW_SECONDS <= now || claims.exp > now + LONGEST_SECONDS)
    throw fail('Client assertion is not within its valid time range.', 700024);
}

function certificateOf(world: World, header: z.output<typeof headSchema>): X509Certificate | undefined {
  const pem = world.clientCertificate();
  if (pem === null) return undefined;
  const certificate = new X509Certificate(pem);
  const print = (algorithm: string) =>
    createHash(algorithm).update(certificate.raw).digest('base64url').replace(/=+$/, '');
  const named =
    header['x5t#S256'] === undefined ? header.x5t === print('sha1') : header['x5t#S256'] === print('sha256');
  return named ? certificate : undefined;
}

function isSigned(
  certificate: X509Certificate,
  algorithm: 'PS256' | 'RS256',
  text: string,
  signature: string,
): boolean {
  const padding =
    algorithm === 'PS256'
      ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }
      : { padding: constants.RSA_PKCS1_PADDING };
  const key = { key: certificate.publicKey, ...padding };
  return verify('sha256', Buffer.from(text), key, Buffer.from(signature, 'base64url'));
}

function jsonOf(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}

const refused = (world: World, code: number, text: string) =>
  oauthError(world, 401, 'invalid_client', code, text);
