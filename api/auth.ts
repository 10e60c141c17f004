/** Who is calling: an API key as bearer token, or the dashboard's session that was opened with one. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Request, Response } from 'express';
import type { Clock } from '../shared/clock.ts';
import type { ApiKey, Role } from '../shared/config.ts';
import { AppError } from '../shared/errors.ts';
import type { SecretBox } from '../shared/secrets.ts';

export interface Caller {
  readonly name: string;
  readonly role: Role;
  readonly via: 'key' | 'session';
}

export interface AuthOptions {
  readonly keys: readonly ApiKey[];
  readonly secretBox: SecretBox;
  readonly clock: Clock;
  /** Where people reach this API; with https the cookie is bound to host and TLS. */
  readonly publicUrl: string | null;
  /** Lets a browser on this machine sign in without a key, as this key's holder. */
  readonly demoKey: ApiKey | null;
}

export interface Auth {
  /** Raises `unauthorized` for a credential that is not valid and `forbidden` for a forged request; null without any. */
  authenticate(request: Request, response: Response): Caller | null;
  /** Opens a session; raises `unauthorized`. */
  signIn(request: Request, response: Response, key: string): Caller;
  signInDemo(request: Request, response: Response): Caller;
  signOut(request: Request, response: Response): void;
  /** Whether this request could sign in without a key. */
  offersDemo(request: Request): boolean;
}

const IDLE_MS = 30 * 60_000;
const ABSOLUTE_MS = 12 * 3_600_000;
const RENEW_AFTER_MS = 60_000;
const AAD = 'dashboard-session';
const LOOPBACK = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1']);
const LOOPBACK_HOSTS = new Set(['127.0.0.1', '[::1]', 'localhost']);

interface Session {
  /** Digest of the key: a key taken out of the configuration ends its sessions. */
  readonly key: string;
  readonly startedAt: number;
  readonly seenAt: number;
}

export function createAuth(options: AuthOptions): Auth {
  const { keys, secretBox, clock, demoKey } = options;
  const secure = options.publicUrl?.startsWith('https://') ?? false;
  const cookieName = secure ? '__Host-session' : 'session';

  function keyByDigest(digest: string): ApiKey | undefined {
    const wanted = Buffer.from(digest, 'hex');
    let found: ApiKey | undefined;
    // Every key is compared, so that the time taken tells nothing.
    for (const key of keys) if (timingSafeEqual(Buffer.from(key.sha256, 'hex'), wanted)) found = key;
    return found;
  }

  function writeSession(response: Response, session: Session): void {
    response.cookie(cookieName, secretBox.seal(AAD, JSON.stringify(session)), {
      httpOnly: true,
      sameSite: 'strict',
      secure,
      path: '/',
      maxAge: ABSOLUTE_MS,
    });
  }

  function readSession(request: Request): { session: Session; key: ApiKey } | null {
    const sealed = cookieOf(request, cookieName);
    if (sealed === undefined) return null;
    let session: Session;
    try {
      session = JSON.parse(secretBox.open(AAD, sealed)) as Session;
    } catch {
      return null;
    }
    const now = clock.now();
    const key = keyByDigest(session.key);
    const alive = now - session.startedAt < ABSOLUTE_MS && now - session.seenAt < IDLE_MS;
    return key === undefined || !alive ? null : { session, key };
  }

  function open(request: Request, response: Response, key: ApiKey): Caller {
    requireSameOrigin(request, options.publicUrl);
    const now = clock.now();
    writeSession(response, { key: key.sha256, startedAt: now, seenAt: now });
    return { name: key.name, role: key.role, via: 'session' };
  }

  const offersDemo = (request: Request): boolean =>
    demoKey !== null &&
    LOOPBACK.has(request.socket.remoteAddress ?? '') &&
    request.headers['x-forwarded-for'] === undefined &&
    LOOPBACK_HOSTS.has((request.headers.host ?? '').replace(/:\d+$/, ''));

  return {
    authenticate(request, response) {
      const { authorization } = request.headers;
      if (authorization !== undefined) {
        const token = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(authorization)?.[1];
        const key = token === undefined ? undefined : keyByDigest(sha256(token));
        if (key === undefined) throw new AppError('unauthorized', 'The API key is not known.');
        return { name: key.name, role: key.role, via: 'key' };
      }
      const found = readSession(request);
      if (found === null) return null;
      if (request.method !== 'GET' && request.method !== 'HEAD')
        requireSameOrigin(request, options.publicUrl);
      const now = clock.now();
      if (now - found.session.seenAt > RENEW_AFTER_MS)
        writeSession(response, { ...found.session, seenAt: now });
      return { name: found.key.name, role: found.key.role, via: 'session' };
    },
    signIn(request, response, text) {
      const key = keyByDigest(sha256(text));
      if (key === undefined) throw new AppError('unauthorized', 'The API key is not known.');
      return open(request, response, key);
    },
    signInDemo(request, response) {
      if (demoKey === null || !offersDemo(request))
        throw new AppError('unauthorized', 'Signing in without a key is for the demo on this machine only.');
      return open(request, response, demoKey);
    },
    signOut(request, response) {
      requireSameOrigin(request, options.publicUrl);
      response.clearCookie(cookieName, { httpOnly: true, sameSite: 'strict', secure, path: '/' });
      response.set('Clear-Site-Data', '"cookies", "storage"');
    },
    offersDemo,
  };
}

/** A page of another site cannot set these two headers, whatever it makes the browser send. */
function requireSameOrigin(request: Request, publicUrl: string | null): void {
  const site = request.headers['sec-fetch-site'];
  const { origin, host } = request.headers;
  const own = [`${request.protocol}://${host}`, publicUrl === null ? null : new URL(publicUrl).origin];
  const sameOrigin = origin !== undefined && own.includes(origin);
  if (sameOrigin && (site === undefined || site === 'same-origin')) return;
  throw new AppError('forbidden', 'The request does not come from the dashboard itself.');
}

function cookieOf(request: Request, name: string): string | undefined {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const cut = part.indexOf('=');
    if (part.slice(0, cut).trim() !== name) continue;
    const value = part.slice(cut + 1).trim();
    return /^[A-Za-z0-9._-]{1,2048}$/.test(value) ? value : undefined;
  }
  return undefined;
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
