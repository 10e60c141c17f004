import { ok, type Routes } from '../../core/http.ts';
import { findTenant } from '../../directory/helpers.ts';
import type { World } from '../../world.ts';
import { oauthError } from '../helpers.ts';

/** Anonymous OpenID discovery: the tenant id of a domain stands in `issuer`. */
export function discoveryRoutes(routes: Routes, world: World): void {
  routes.on('GET', '/:tenant/v2.0/.well-known/openid-configuration', (request) => {
    const name = request.params['tenant'] ?? '';
    const tenant = findTenant(world, name);
    if (tenant === undefined)
      throw oauthError(world, 400, 'invalid_tenant', 90002, `Tenant '${name}' not found.`);
    const base = `${world.urls().authority}/${tenant.id}`;
    return ok({
      token_endpoint: `${base}/oauth2/v2.0/token`,
      authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
      issuer: `https://login.microsoftonline.com/${tenant.id}/v2.0`,
      tenant_region_scope: tenant.country === 'US' ? 'NA' : 'EU',
      cloud_instance_name: 'microsoftonline.com',
    });
  });
}
