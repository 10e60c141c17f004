/**
 * The token endpoint, spoken to by MSAL: it knows Microsoft's protocol, we keep the tokens. Each exchange has a client
 * application of its own, so nothing of one tenant, user or failure is left over for the next, and MSAL's cache holds
 * exactly what this exchange brought. Its requests go out by our own HTTP client: same time limits, logs, ids and failures
 * as every other call, and a stand-in for Microsoft needs no https.
 */
import { ConfidentialClientApplication, type INetworkModule } from '@azure/msal-node';
import { z } from 'zod';
import type { MicrosoftConfig } from '../shared/config.ts';
import { ActivityFailure } from '../shared/errors.ts';
import { Secret } from '../shared/secrets.ts';
import { clientCredential } from './client-credential.ts';
import { call, route, type Service } from './http.ts';

export interface Exchange {
  /** A tenant id or verified domain. */
  readonly tenant: string;
  readonly scope: string;
  /** Absent: the application asks for itself. */
  readonly refreshToken?: string;
  readonly correlationId: string;
}

export interface Exchanged {
  readonly accessToken: Secret;
  /** From now on, milliseconds. */
  readonly lifetimeMs: number;
  /** What takes the place of the refresh token that was used. */
  readonly rotated: Secret | null;
}

/** Raises ActivityFailure with the authority's own code. */
export type TokenEndpoint = (exchange: Exchange, service: Service) => Promise<Exchanged>;

const PUBLIC_CLOUD = 'https://login.microsoftonline.com';

/** MSAL reads the rest of it; this is what nothing works without. */
const TokenAnswer = z.looseObject({
  token_type: z.string(),
  access_token: z.string().min(1),
  expires_in: z.coerce.number().positive(),
  refresh_token: z.string().min(1).optional(),
});

/** The part of MSAL's serialised cache that holds refresh tokens. */
const CachedRefreshTokens = z.object({
  RefreshToken: z.record(z.string(), z.object({ secret: z.string().min(1) })).default({}),
});

export function createTokenEndpoint(config: MicrosoftConfig): TokenEndpoint {
  const credential = clientCredential(config.clientSecret);

  return async ({ tenant, scope, refreshToken, correlationId }, service) => {
    const network = networkOf(service, tenant, correlationId);
    const application = new ConfidentialClientApplication({
      auth: { clientId: config.clientId, ...credential, ...authorityOf(config.authorityUrl, tenant) },
      system: { networkClient: network.client },
    });
    const request = { scopes: [scope], correlationId };
    try {
      const result =
        refreshToken === undefined
          ? await application.acquireTokenByClientCredential({
              ...request,
              azureRegion: 'DisableMsalForceRegion',
            })
          : // Without an account in its cache MSAL would drop the new refresh token.
            await application.acquireTokenByRefreshToken({ ...request, refreshToken, forceCache: true });
      if (!result?.expiresOn) throw new Error('MSAL names no expiry');
      return {
        accessToken: new Secret(result.accessToken),
        lifetimeMs: result.expiresOn.getTime() - Date.now(),
        rotated: refreshTokenIn(application.getTokenCache().serialize()),
      };
    } catch (cause) {
      throw network.failure() ?? misunderstood(cause);
    }
  };
}

/**
 * MSAL takes https authorities only and asks the network about those it does not know: it is told everything here, and where
 * its requests really go is the network's business. An http address stands in for the public cloud.
 */
function authorityOf(authorityUrl: string, tenant: string) {
  const { protocol, origin } = new URL(authorityUrl);
  const base = protocol === 'https:' ? origin : PUBLIC_CLOUD;
  const authority = `${base}${route`/${tenant}`}`;
  return {
    authority,
    knownAuthorities: [new URL(base).host],
    authorityMetadata: JSON.stringify({
      issuer: `${authority}/v2.0`,
      authorization_endpoint: `${authority}/oauth2/v2.0/authorize`,
      token_endpoint: `${authority}/oauth2/v2.0/token`,
      jwks_uri: `${authority}/discovery/v2.0/keys`,
    }),
  };
}

/** MSAL wraps what its network raises, so the failure is kept aside: it says more than MSAL's own error. */
function networkOf(service: Service, tenant: string, correlationId: string) {
  let failure: ActivityFailure | undefined;
  const client: INetworkModule = {
    async sendGetRequestAsync(url) {
      throw new Error(`MSAL asked for ${new URL(url).pathname}, and everything it may ask for was given.`);
    },
    async sendPostRequestAsync<Body>(url: string, options?: { readonly body?: string }) {
      const form = Object.fromEntries(new URLSearchParams(options?.body ?? ''));
      const path = `${route`/${tenant}/oauth2/v2.0/token`}${new URL(url).search}`;
      try {
        // A lost answer does no harm: the old refresh token stays valid.
        const request = { method: 'POST', path, form, mutating: false, schema: TokenAnswer } as const;
        const { status, headers, body } = await call(service, request, { correlationId });
        return { status, headers: Object.fromEntries(headers), body: body as Body };
      } catch (error) {
        if (error instanceof ActivityFailure) failure = error;
        throw error;
      }
    },
  };
  return { client, failure: () => failure };
}

function refreshTokenIn(cache: string): Secret | null {
  const tokens = CachedRefreshTokens.parse(JSON.parse(cache)).RefreshToken;
  const newest = Object.values(tokens).at(-1);
  return newest === undefined ? null : new Secret(newest.secret);
}

function misunderstood(cause: unknown): ActivityFailure {
  const message = 'The answer of the sign-in service could not be used.';
  const reason = cause instanceof Error ? cause.name : 'unknown';
  return new ActivityFailure('unexpected', 'identity-shape', message, { details: { reason }, cause });
}
