import { z } from 'zod';
import { created, noContent, ok, type Request, type Routes } from '../../core/http.ts';
import type { User } from '../../directory/entities.ts';
import { findUser, usersOf, visibleLicences } from '../../directory/helpers.ts';
import { changeLicences, isRefusal } from '../../directory/licensing.ts';
import { productOfSku } from '../../directory/products.ts';
import { ROLES } from '../../directory/roles.ts';
import type { World } from '../../world.ts';
import { audit } from '../events.ts';
import {
  authorise,
  bodyOf,
  collection,
  customerOf,
  objectType,
  partnerError,
  requireRole,
} from '../helpers.ts';

const READ = Object.values(ROLES);
const WRITE = [ROLES.userAdministrator, ROLES.directoryWriters, ROLES.globalAdministrator];
const LICENCE = [...WRITE, ROLES.licenceAdministrator];

const userSchema = z.object({
  userprincipalname: z.string().min(3),
  displayname: z.string().min(1),
  firstname: z.string().nullish(),
  lastname: z.string().nullish(),
  usagelocation: z.string().length(2).nullish(),
  passwordprofile: z
    .object({ password: z.string().min(8), forcechangepassword: z.boolean().nullish() })
    .nullish(),
});
const changeSchema = userSchema.partial();

const licencesSchema = z.object({
  licensestoassign: z
    .array(z.object({ skuid: z.string(), excludedplans: z.array(z.string()).nullish() }))
    .nullish(),
  licensestoremove: z.array(z.string()).nullish(),
});

export function userRoutes(routes: Routes, world: World): void {
  const enter = (request: Request, roles: readonly string[]): string => {
    const caller = authorise(world, request, 'user');
    const customer = customerOf(world, request);
    requireRole(world, caller, customer, roles);
    return customer.id;
  };
  const userOf = (request: Request, tenantId: string): User => {
    const user = findUser(world, tenantId, request.params['userId'] ?? '');
    if (user === undefined) throw partnerError(404, 60002, 'The user was not found.');
    return user;
  };

  routes.on('GET', '/v1/customers/:customerId/users', (request) => {
    return ok(collection(usersOf(world, enter(request, READ)).map(userShape)));
  });

  routes.on('POST', '/v1/customers/:customerId/users', (request) => {
    const tenantId = enter(request, WRITE);
    const body = bodyOf(request, userSchema);
    const upn = body.userprincipalname;
    if (findUser(world, tenantId, upn) !== undefined) {
      throw partnerError(
        409,
        60001,
        'Another object with the same value for property userPrincipalName already exists.',
      );
    }
    const now = world.clock.now();
    const user = world.directory.users.put({
      id: world.random.guid(),
      tenantId,
      userPrincipalName: upn,
      displayName: body.displayname,
      givenName: body.firstname ?? null,
      surname: body.lastname ?? null,
      mailNickname: upn.split('@')[0] ?? upn,
      accountEnabled: true,
      usageLocation: body.usagelocation ?? null,
      isGlobalAdmin: false,
      onPremisesSyncEnabled: null,
      licences: [],
      createdAt: now,
      visibleAt: now,
    });
    audit(world, {
      operationType: 'create_customer_user',
      resourceType: 'customer_user',
      customerId: tenantId,
    });
    return ok(userShape(user));
  });

  routes.on('GET', '/v1/customers/:customerId/users/:userId', (request) => {
    return ok(userShape(userOf(request, enter(request, READ))));
  });

  routes.on('PATCH', '/v1/customers/:customerId/users/:userId', (request) => {
    const user = userOf(request, enter(request, WRITE));
    const body = bodyOf(request, changeSchema);
    const changed = world.directory.users.update(user.id, {
      displayName: body.displayname ?? user.displayName,
      usageLocation: body.usagelocation ?? user.usageLocation,
    });
    return ok(userShape(changed));
  });

  routes.on('DELETE', '/v1/customers/:customerId/users/:userId', (request) => {
    world.directory.users.remove(userOf(request, enter(request, WRITE)).id);
    return noContent();
  });

  routes.on('GET', '/v1/customers/:customerId/users/:userId/licenses', (request) => {
    const user = userOf(request, enter(request, READ));
    return ok(
      collection(
        visibleLicences(world, user).map((licence) => {
          const product = productOfSku(licence.skuId);
          return {
            productSku: {
              id: licence.skuId,
              name: product?.title,
              skuPartNumber: product?.skuPartNumber,
              licenseGroupId: 'group1',
            },
            servicePlans: (product?.plans ?? []).map((plan) => ({
              id: plan.id,
              serviceName: plan.name,
              displayName: plan.name,
              capabilityStatus: 'Enabled',
              targetType: 'User',
            })),
            attributes: objectType('License'),
          };
        }),
      ),
    );
  });

  routes.on('POST', '/v1/customers/:customerId/users/:userId/licenseupdates', (request) => {
    const user = userOf(request, enter(request, LICENCE));
    const body = bodyOf(request, licencesSchema);
    if (world.faults.take(request.operation.key, 'out-of-licences') !== undefined)
      throw outOfLicences('injected');
    const toAssign = (body.licensestoassign ?? []).map((licence) => ({
      skuId: licence.skuid.toLowerCase(),
      disabledPlans: licence.excludedplans ?? [],
    }));
    const outcome = changeLicences(world, user, {
      add: toAssign,
      remove: (body.licensestoremove ?? []).map((skuId) => skuId.toLowerCase()),
    });
    if (isRefusal(outcome)) {
      if (outcome.reason === 'usage-location')
        throw partnerError(400, 60014, 'The usage location of the user is invalid.');
      throw outOfLicences(outcome.skuId);
    }
    audit(world, {
      operationType: 'update_customer_user_licenses',
      resourceType: 'license',
      customerId: user.tenantId,
    });
    return created({
      licensesToAssign: toAssign.map((licence) => ({ skuId: licence.skuId })),
      licenseWarnings: [],
      attributes: objectType('LicenseUpdate'),
    });
  });
}

function outOfLicences(skuId: string) {
  return partnerError(400, 60012, 'There are no licenses available for the product.', {
    data: [`LicenseQuotaExceededException : ${skuId}`],
  });
}

function userShape(user: User): unknown {
  return {
    id: user.id,
    userPrincipalName: user.userPrincipalName,
    displayName: user.displayName,
    firstName: user.givenName,
    lastName: user.surname,
    usageLocation: user.usageLocation,
    state: 'active',
    userDomainType: user.onPremisesSyncEnabled === true ? 'federated' : 'none',
    attributes: objectType('CustomerUser'),
  };
}
