import { ok, type Routes } from '../../core/http.ts';
import { PARTNER } from '../../options.ts';
import type { World } from '../../world.ts';
import { authorise, collection, customerOf, objectType, partnerError } from '../helpers.ts';

/** The reseller link of facts 2.1: the same for every customer, only its host is the emulator's. */
export function resellerLink(world: World): string {
  const query = `invType=ResellerRelationship&partnerId=${PARTNER.tenantId}&msppId=0&DAP=false`;
  return `${world.urls().consent}/Adminportal/Home?${query}#/BillingAccounts/partner-invitation`;
}

export function relationshipRoutes(routes: Routes, world: World): void {
  routes.on('GET', '/v1/customers/relationshiprequests', (request) => {
    authorise(world, request, 'user');
    return ok({ url: resellerLink(world), attributes: objectType('RelationshipRequest') });
  });

  routes.on('GET', '/v1/relationships', (request) => {
    authorise(world, request, 'user');
    const type = request.query.get('relationship_type') ?? '';
    if (!/^Is(IndirectCloudSolutionProviderOf|IndirectResellerOf)$/i.test(type)) {
      throw partnerError(400, 800002, 'relationship_type is missing or unknown.');
    }
    return ok(collection([]));
  });

  routes.on('GET', '/v1/customers/:customerId/relationships', (request) => {
    authorise(world, request, 'user');
    customerOf(world, request);
    return ok(collection([]));
  });
}
