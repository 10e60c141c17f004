/** HS256 JSON Web Tokens of the emulated authority. Only the emulator reads them. */
import { createHmac, timingSafeEqual } from 'node:crypto';

export type Claims = Readonly<Record<string, unknown>>;

export function signToken(claims: Claims, secret: string): string {
  const head = encode({ typ: 'JWT', alg: 'HS256', kid: 'emulator' });
  const body = encode(claims);
  return `${head}.${body}.${signatureOf(`${head}.${body}`, secret)}`;
}

/** The claims of a token this secret signed, else undefined; expiry is the caller's business. */
export function readToken(token: string, secret: string): Claims | undefined {
  const [head, body, signature, ...rest] = token.split('.');
  if (head === undefined || body === undefined || signature === undefined || rest.length > 0)
    return undefined;
  const expected = Buffer.from(signatureOf(`${head}.${body}`, secret));
  const given = Buffer.from(signature);
  if (expected.length !== given.length || !timingSafeEqual(expected, given)) return undefined;
  try {
    return JSON.parse(Buffer.from(body, 'base64url').toString('utf8')) as Claims;
  } catch {
    return undefined;
  }
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

const signatureOf = (text: string, secret: string): string =>
  createHmac('sha256', secret).update(text).digest('base64url');
