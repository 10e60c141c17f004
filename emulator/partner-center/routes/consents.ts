import { z } from 'zod';
import { created, type Routes } from '../../core/http.ts';
import { CONSENT_ROLES } from '../../directory/roles.ts';
import type { World } from '../../world.ts';
import { authorise, bodyOf, customerOf, partnerError, requireRole } from '../helpers.ts';

const bodySchema = z.object({
  applicationid: z.string(),
  displayname: z.string().nullish(),
  applicationgrants: z
    .array(z.object({ enterpriseapplicationid: z.string(), scope: z.string().min(1) }))
    .min(1),
});

export function consentRoutes(routes: Routes, world: World): void {
  routes.on('POST', '/v1/customers/:customerId/applicationconsents', (request) => {
    const caller = authorise(world, request, 'user');
    const customer = customerOf(world, request);
    requireRole(world, caller, customer, CONSENT_ROLES);
    const body = bodyOf(request, bodySchema);
    if (world.faults.take(request.operation.key, 'consent-in-progress') !== undefined) {
      throw partnerError(
        400,
        650051,
        'AADSTS650051: The service principal is being created in the tenant. Please retry in 30 seconds.',
      );
    }
    if (body.applicationid.toLowerCase() !== world.options.clientId.toLowerCase()) {
      throw partnerError(400, 800002, 'The application is not the one that calls.');
    }
    const grants = body.applicationgrants.map((grant) => ({
      enterpriseApplicationId: grant.enterpriseapplicationid,
      scope: grant.scope,
    }));
    const known = world.directory.consents.get(customer.id);
    const covered = new Set((known?.grants ?? []).flatMap((grant) => grant.scope.split(',')));
    if (
      known !== undefined &&
      grants.every((grant) => grant.scope.split(',').every((scope) => covered.has(scope)))
    ) {
      world.ledger.duplicate(request.operation.key, 'application consent exists');
      throw partnerError(409, 1000, 'Permission entry already exists.');
    }
    world.directory.consents.put({
      id: customer.id,
      applicationId: body.applicationid,
      displayName: body.displayname ?? '',
      grants: [...(known?.grants ?? []), ...grants],
      effectiveAt: world.clock.now() + world.delay('consentPropagation'),
    });
    return created({
      applicationId: body.applicationid,
      displayName: body.displayname ?? null,
      applicationGrants: grants,
    });
  });
}
