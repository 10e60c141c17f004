/**
 * Access tokens by the Secure Application Model (microsoft-apis facts 1): one application, one partner user who signed
 * in once with MFA, one refresh token that serves every tenant and is replaced on each use.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type Clock, systemClock } from '../shared/clock.ts';
import type { MicrosoftConfig } from '../shared/config.ts';
import { ActivityFailure } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import type { Secret } from '../shared/secrets.ts';
import { call, type ReadOptions, route, type Service, type TokenSource } from './http.ts';
import { type AadError, signInFailure } from './sign-in-failures.ts';
import { createTokenEndpoint, type Exchanged } from './token-endpoint.ts';

export type Resource = 'partner-center' | 'graph';

/** Where the newest refresh token lives between processes; the worker seals it in Redis. */
export interface RefreshTokenStore {
  load(): Promise<Secret | null>;
  save(refreshToken: Secret): Promise<void>;
}

export interface TokenRequest {
  /** A tenant id or verified domain. */
  readonly tenant: string;
  readonly resource: Resource;
  /** `user` (default) acts as the partner's user, `app` as the application alone. */
  readonly grant?: 'user' | 'app';
  /** A token that was just refused: it is not handed out again. */
  readonly refused?: string;
}

export interface Identity {
  /** A token that is good for at least another minute. Raises ActivityFailure with an `aadsts-<number>` code. */
  token(request: TokenRequest): Promise<Secret>;
  tokenSource(request: Pick<TokenRequest, 'tenant' | 'resource' | 'grant'>): TokenSource;
  /** Drops the tokens of a tenant: those issued before a consent lack the new scopes. */
  forget(tenant: string): void;
  /** The tenant that owns a domain, found without signing in; null when no tenant does. */
  discoverTenant(domain: string, options?: ReadOptions): Promise<{ readonly tenantId: string } | null>;
}

export interface IdentityDeps {
  readonly log: Logger;
  readonly clock?: Clock;
  readonly refreshTokens?: RefreshTokenStore;
}

const Discovery = z.object({ issuer: z.string().optional(), error: z.string().optional() });
const Claims = z.object({ amr: z.array(z.string()).optional() });

const EARLY_EXPIRY_MS = 5 * 60_000;
const MAX_CACHED = 1_000;
/** Refresh tokens that will never work again: another one is tried, the one a new consent brought. */
const USELESS_GRANT = [
  'identity-mfa-missing',
  'aadsts-70008',
  'aadsts-700082',
  'aadsts-50173',
  'aadsts-70043',
  'aadsts-9002313',
  'identity-invalid_grant',
];

interface CachedToken {
  readonly value: Secret;
  readonly usableUntil: number;
}

export function createIdentity(config: MicrosoftConfig, deps: IdentityDeps): Identity {
  const clock = deps.clock ?? systemClock;
  const endpoint = createTokenEndpoint(config);
  const cache = new Map<string, CachedToken>();
  const underWay = new Map<string, Promise<Secret>>();
  let newest = config.refreshToken;

  /** The newest one, then the configured one: after a new consent the stored one is dead and the configured is not. */
  async function refreshTokens(): Promise<string[]> {
    const stored = (await deps.refreshTokens?.load()) ?? newest;
    const tokens = [stored, config.refreshToken].flatMap((token) => (token === null ? [] : [token.reveal()]));
    return [...new Set(tokens)];
  }

  async function keep(rotated: Secret): Promise<void> {
    newest = rotated;
    // The one in use stays valid for weeks, so a failed save must not cost the token in hand.
    await deps.refreshTokens?.save(rotated).catch((error: unknown) => {
      deps.log.error(
        { reason: error instanceof Error ? error.message : 'unknown' },
        'refresh-token-not-saved',
      );
    });
  }

  async function acquire(request: TokenRequest): Promise<Secret> {
    const grant = request.grant ?? 'user';
    const {
      accessToken: value,
      lifetimeMs,
      rotated,
    } = grant === 'user' ? await redeem(request) : await exchange(request);
    if (grant === 'user' && rotated !== null) await keep(rotated);
    const early = Math.min(EARLY_EXPIRY_MS, lifetimeMs / 2);
    if (cache.size >= MAX_CACHED) cache.delete(cache.keys().next().value ?? '');
    cache.set(keyOf(request), { value, usableUntil: clock.now() + lifetimeMs - early });
    return value;
  }

  async function redeem(request: TokenRequest): Promise<Exchanged> {
    const tokens = await refreshTokens();
    for (const [index, refreshToken] of tokens.entries()) {
      try {
        const exchanged = await exchange(request, refreshToken);
        if (request.resource === 'partner-center' && config.requireMfa)
          requireMfa(exchanged.accessToken.reveal());
        return exchanged;
      } catch (failure) {
        const isDead = failure instanceof ActivityFailure && USELESS_GRANT.includes(failure.code);
        if (!isDead || index === tokens.length - 1) throw failure;
      }
    }
    throw new ActivityFailure('terminal', 'refresh-token-missing', 'No partner user has signed in yet.', {
      pausesQueue: request.resource,
    });
  }

  async function exchange(request: TokenRequest, refreshToken?: string): Promise<Exchanged> {
    const isPartner = request.tenant.toLowerCase() === config.partnerTenantId.toLowerCase();
    const service = authority(config, deps.log, request.resource);
    try {
      const options = {
        tenant: request.tenant,
        scope: request.resource === 'partner-center' ? config.partnerCenterScope : config.graphScope,
        correlationId: randomUUID(),
        ...(refreshToken === undefined ? {} : { refreshToken }),
      };
      return await endpoint(options, service);
    } catch (failure) {
      throw signInFailure(failure, { isPartner, queue: request.resource });
    }
  }

  async function token(request: TokenRequest): Promise<Secret> {
    const key = keyOf(request);
    const cached = cache.get(key);
    const usable =
      cached !== undefined && clock.now() < cached.usableUntil && cached.value.reveal() !== request.refused;
    if (usable) return cached.value;
    const running = underWay.get(key);
    if (running !== undefined) return running;
    // Shared by every caller, so no single caller's abort may end it; its own time limit does.
    const started = acquire(request).finally(() => underWay.delete(key));
    underWay.set(key, started);
    return started;
  }

  return {
    token,
    tokenSource:
      (request) =>
      async ({ refused }) =>
        (await token({ ...request, refused })).reveal(),
    forget(tenant) {
      for (const key of cache.keys()) {
        if (key.startsWith(`${tenant.toLowerCase()} `)) cache.delete(key);
      }
    },
    async discoverTenant(domain, options = {}) {
      const path = route`/${domain}/v2.0/.well-known/openid-configuration`;
      const service = authority(config, deps.log, 'identity');
      const { status, body } = await call(
        service,
        { method: 'GET', path, schema: Discovery, accept: [400] },
        options,
      );
      const tenantId = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i.exec(body.issuer ?? '')?.[0];
      if (status === 400) return null;
      if (tenantId !== undefined) return { tenantId: tenantId.toLowerCase() };
      throw new ActivityFailure('unexpected', 'identity-shape', 'The discovery document names no tenant.');
    },
  };
}

function keyOf(request: TokenRequest): string {
  return `${request.tenant.toLowerCase()} ${request.resource} ${request.grant ?? 'user'}`;
}

/** Partner Center refuses app+user tokens without it, so say so before the first call does. */
function requireMfa(accessToken: string): void {
  const payload = accessToken.split('.')[1] ?? '';
  const claims = Claims.safeParse(jsonOf(Buffer.from(payload, 'base64url').toString('utf8')));
  if (claims.data?.amr?.includes('mfa') === true) return;
  throw new ActivityFailure(
    'terminal',
    'identity-mfa-missing',
    'The partner user signed in without MFA; consent again with MFA.',
    {
      pausesQueue: 'partner-center',
    },
  );
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const AadErrorBody = z.object({
  error: z.string(),
  error_description: z.string().default(''),
  error_codes: z.array(z.number()).default([]),
});

function authority(config: MicrosoftConfig, log: Logger, queue: string): Service {
  return {
    name: 'identity',
    queue,
    baseUrl: config.authorityUrl,
    timeoutMs: config.timeoutMs,
    log,
    headers: (ids) => ({ 'client-request-id': ids.correlationId }),
    readError(body) {
      const parsed = AadErrorBody.safeParse(body);
      if (!parsed.success) return undefined;
      const { error, error_description: text, error_codes: codes } = parsed.data;
      const known: AadError = { error, number: codes[0] ?? numberIn(text) };
      return {
        code: known.number === undefined ? error : `aadsts-${known.number}`,
        text,
        retryAdvised: false,
      };
    },
    rules: {
      conflicts: {},
      stale: [],
      transient: ['temporarily_unavailable'],
      doubtful: [],
      unauthorizedPauses: false,
    },
  };
}

function numberIn(text: string): number | undefined {
  const digits = /AADSTS(\d{4,9})/.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
