/** OAuth errors and the tokens the emulated authority issues. */
import { Refusal } from '../core/http.ts';
import { readToken, signToken } from '../core/tokens.ts';
import { consentedScopes, delegatedRoles } from '../directory/helpers.ts';
import { PARTNER } from '../options.ts';
import type { World } from '../world.ts';

const ACCESS_TOKEN_SECONDS = 3_599;
const REFRESH_TOKEN_SECONDS = 90 * 24 * 60 * 60;

/** `{ error, error_description: "AADSTS…", error_codes, … }` (facts 1.2). */
export function oauthError(world: World, status: number, error: string, code: number, text: string): Refusal {
  return new Refusal({
    status,
    json: {
      error,
      error_description: `AADSTS${code}: ${text}`,
      error_codes: [code],
      timestamp: `${world.clock.iso().slice(0, 19).replace('T', ' ')}Z`,
      trace_id: world.random.guid(),
      correlation_id: world.random.guid(),
    },
  });
}

/** Who signed in, and whether with a second factor. */
export interface SignedInUser {
  readonly id: string;
  readonly mfa: boolean;
}

export interface Grant {
  readonly tenantId: string;
  /** `https://graph.microsoft.com`. */
  readonly audience: string;
  /** The signed-in user, or null for an application token. */
  readonly user: SignedInUser | null;
  readonly scope: string;
}

export function accessToken(
  world: World,
  grant: Grant,
): { token: string; expiresIn: number; notBefore: number } {
  const now = Math.floor(world.clock.now() / 1_000);
  const common = {
    aud: grant.audience,
    iss: `https://sts.windows.net/${grant.tenantId}/`,
    tid: grant.tenantId,
    appid: world.options.clientId,
    iat: now,
    nbf: now,
    exp: now + ACCESS_TOKEN_SECONDS,
    ver: '1.0',
    uti: world.random.hex(16),
  };
  const claims =
    grant.user === null
      ? { ...common, oid: world.options.clientId, idtyp: 'app', roles: [] }
      : {
          ...common,
          oid: grant.user.id,
          upn: PARTNER.adminUpn,
          scp: grant.scope,
          amr: world.settings().mfa && grant.user.mfa ? ['pwd', 'mfa'] : ['pwd'],
        };
  return {
    token: signToken(claims, world.keys().tokenSecret),
    expiresIn: ACCESS_TOKEN_SECONDS,
    notBefore: now,
  };
}

export function idToken(world: World, tenantId: string, user: SignedInUser): string {
  const now = Math.floor(world.clock.now() / 1_000);
  const claims = {
    aud: world.options.clientId,
    iss: `https://login.microsoftonline.com/${tenantId}/v2.0`,
    iat: now,
    nbf: now,
    exp: now + ACCESS_TOKEN_SECONDS,
    oid: user.id,
    sub: user.id,
    tid: tenantId,
    preferred_username: PARTNER.adminUpn,
    ver: '2.0',
  };
  return signToken(claims, world.keys().tokenSecret);
}

/** A new refresh token per exchange; the old one keeps working until it expires, as with Microsoft. */
export function newRefreshToken(world: World, user: SignedInUser): string {
  const now = world.clock.now();
  const claims = {
    use: 'refresh',
    oid: user.id,
    mfa: user.mfa,
    issuedAt: now,
    expiresAt: now + REFRESH_TOKEN_SECONDS * 1_000,
    jti: world.random.hex(16),
  };
  return `0.${signToken(claims, world.keys().tokenSecret)}`;
}

/** Who a refresh token belongs to; refuses expired, revoked and forged ones. */
export function userOfRefreshToken(world: World, token: string): SignedInUser {
  const revokedAt = world.tokensRevokedAt();
  const dead = () =>
    oauthError(
      world,
      400,
      'invalid_grant',
      700082,
      'The refresh token has expired due to inactivity or was revoked.',
    );
  if (token === world.options.refreshToken) {
    if (revokedAt !== null) throw dead();
    return { id: PARTNER.adminId, mfa: true };
  }
  const claims = token.startsWith('0.') ? readToken(token.slice(2), world.keys().tokenSecret) : undefined;
  if (claims?.['use'] !== 'refresh')
    throw oauthError(world, 400, 'invalid_grant', 9002313, 'The refresh token is malformed.');
  const issuedAt = Number(claims['issuedAt']);
  if (Number(claims['expiresAt']) <= world.clock.now() || (revokedAt !== null && issuedAt <= revokedAt))
    throw dead();
  return { id: String(claims['oid']), mfa: claims['mfa'] === true };
}

/** What keeps a partner user from a token for a customer's tenant; answers the scopes otherwise. */
export function customerScopes(world: World, tenantId: string, userId: string): string {
  if (world.settings().conditionalAccessBlocks) {
    throw oauthError(
      world,
      400,
      'invalid_grant',
      53003,
      'Access has been blocked by Conditional Access policies.',
    );
  }
  if (delegatedRoles(world, tenantId, userId).size === 0) {
    const text = `User account '${PARTNER.adminUpn}' does not exist in tenant '${tenantId}' and cannot access the application.`;
    throw oauthError(world, 400, 'invalid_grant', 50020, text);
  }
  const scopes = consentedScopes(world, tenantId);
  const missing = world.faults.take('POST /login/:tenant/oauth2/v2.0/token', 'consent-missing') !== undefined;
  if (scopes.size === 0 || missing) {
    const text = `The user or administrator has not consented to use the application with ID '${world.options.clientId}'.`;
    throw oauthError(world, 400, 'invalid_grant', 65001, text);
  }
  return [...scopes].join(' ');
}
