import { z } from 'zod';
import { ok, type Reply, type Request, type Routes } from '../../core/http.ts';
import { findTenant } from '../../directory/helpers.ts';
import { PARTNER } from '../../options.ts';
import type { World } from '../../world.ts';
import { checkClient } from '../client-proof.ts';
import {
  accessToken,
  customerScopes,
  idToken,
  newRefreshToken,
  oauthError,
  type SignedInUser,
  userOfRefreshToken,
} from '../helpers.ts';

const formSchema = z.object({
  grant_type: z.string(),
  client_id: z.string(),
  client_secret: z.string().optional(),
  client_assertion: z.string().optional(),
  client_assertion_type: z.string().optional(),
  client_info: z.string().optional(),
  refresh_token: z.string().optional(),
  scope: z.string().optional(),
  resource: z.string().optional(),
});

/** What the partner's application may do as the signed-in user in the partner's own tenant. */
const PARTNER_GRAPH_SCOPES =
  'CrossTenantInformation.ReadBasic.All DelegatedAdminRelationship.ReadWrite.All Directory.Read.All Group.Read.All Mail.Read User.Read';

export function tokenRoutes(routes: Routes, world: World): void {
  routes.on('POST', '/:tenant/oauth2/token', (request) => exchange(world, request, 1));
  routes.on('POST', '/:tenant/oauth2/v2.0/token', (request) => exchange(world, request, 2));
}

function exchange(world: World, request: Request, version: 1 | 2): Reply {
  const form = formSchema.safeParse(request.body).data;
  if (form === undefined)
    throw oauthError(world, 400, 'invalid_request', 900144, 'The request body is not complete.');
  const tenantId = tenantOf(world, request);
  if (form.client_id.toLowerCase() !== world.options.clientId.toLowerCase()) {
    throw oauthError(
      world,
      400,
      'unauthorized_client',
      700016,
      `Application '${form.client_id}' was not found.`,
    );
  }
  checkClient(world, form, audiencesOf(world, request, tenantId, version));
  const audience = audienceOf(world, version === 1 ? form.resource : form.scope);
  switch (form.grant_type) {
    case 'client_credentials': {
      if (tenantId !== PARTNER.tenantId) {
        throw oauthError(
          world,
          400,
          'invalid_grant',
          700016,
          'The application is not installed in the tenant.',
        );
      }
      return answer(world, version, { tenantId, audience, user: null, scope: '' }, false);
    }
    case 'refresh_token': {
      const user = userOfRefreshToken(world, form.refresh_token ?? '');
      const scope = scopeOf(world, tenantId, audience, user);
      return answer(world, version, { tenantId, audience, user, scope }, form.client_info === '1');
    }
    default:
      throw oauthError(
        world,
        400,
        'unsupported_grant_type',
        70003,
        `Grant type '${form.grant_type}' is not supported.`,
      );
  }
}

function scopeOf(world: World, tenantId: string, audience: string, user: SignedInUser): string {
  if (tenantId !== PARTNER.tenantId) return customerScopes(world, tenantId, user.id);
  return audience.includes('graph') ? PARTNER_GRAPH_SCOPES : 'user_impersonation';
}

function answer(
  world: World,
  version: 1 | 2,
  grant: Parameters<typeof accessToken>[1],
  wantsClientInfo: boolean,
): Reply {
  const { token, expiresIn, notBefore } = accessToken(world, grant);
  const common = {
    token_type: 'Bearer',
    ...(grant.scope !== '' && { scope: grant.scope }),
    access_token: token,
    ...(grant.user !== null && {
      refresh_token: newRefreshToken(world, grant.user),
      id_token: idToken(world, grant.tenantId, grant.user),
      ...(wantsClientInfo && { client_info: clientInfo(grant.user) }),
    }),
  };
  if (version === 2) return ok({ ...common, expires_in: expiresIn, ext_expires_in: expiresIn });
  return ok({
    ...common,
    expires_in: String(expiresIn),
    ext_expires_in: String(expiresIn),
    expires_on: String(notBefore + expiresIn),
    not_before: String(notBefore),
    resource: grant.audience,
  });
}

/** Whose token it is, for libraries that keep accounts apart. */
function clientInfo(user: SignedInUser): string {
  return Buffer.from(JSON.stringify({ uid: user.id, utid: PARTNER.tenantId })).toString('base64url');
}

/** The endpoint by the name it was called by, by its tenant's id, and as the real authority that it stands in for. */
function audiencesOf(world: World, request: Request, tenantId: string, version: 1 | 2): string[] {
  const path = version === 1 ? 'oauth2/token' : 'oauth2/v2.0/token';
  const tenants = [tenantId, (request.params['tenant'] ?? '').toLowerCase()];
  return [world.urls().authority, 'https://login.microsoftonline.com'].flatMap((base) =>
    tenants.map((tenant) => `${base}/${tenant}/${path}`.toLowerCase()),
  );
}

function tenantOf(world: World, request: Request): string {
  const name = (request.params['tenant'] ?? '').toLowerCase();
  if (name === 'common' || name === 'organizations') return PARTNER.tenantId;
  const tenant = findTenant(world, name);
  if (tenant === undefined)
    throw oauthError(world, 400, 'invalid_request', 90002, `Tenant '${name}' not found.`);
  return tenant.id;
}

const AUDIENCES = [
  'https://api.partnercenter.microsoft.com',
  'https://graph.microsoft.com',
  'https://graph.windows.net',
];

function audienceOf(world: World, wanted: string | undefined): string {
  const named = (wanted ?? '')
    .split(' ')
    .map((scope) => AUDIENCES.find((audience) => scope.toLowerCase().startsWith(audience)));
  const audience = named.find((candidate) => candidate !== undefined);
  // the well-known application id of Partner Center names it too
  if (audience === undefined && (wanted ?? '').includes('fa3d9a0c-3fb0-42cc-9193-47c7ecd2edbd'))
    return AUDIENCES[0] ?? '';
  if (audience === undefined) {
    throw oauthError(world, 400, 'invalid_scope', 70011, `The scope '${wanted ?? ''}' is not valid.`);
  }
  return audience;
}
