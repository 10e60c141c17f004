import { z } from 'zod';
import { created, noContent, ok, type Request, type Routes } from '../../core/http.ts';
import type { User } from '../../directory/entities.ts';
import { findUser, usersOf } from '../../directory/helpers.ts';
import { changeLicences, isRefusal } from '../../directory/licensing.ts';
import { ROLES } from '../../directory/roles.ts';
import type { World } from '../../world.ts';
import { badRequest, bodyOf, type GraphCaller, inTenant, list, notFound, select } from '../helpers.ts';
import { licenceDetails, userShape } from '../shapes.ts';

const READ = {
  scopes: ['User.Read.All', 'User.ReadWrite.All', 'Directory.Read.All', 'Directory.ReadWrite.All'],
  roles: 'any',
} as const;
const CREATE = {
  scopes: ['User.ReadWrite.All', 'Directory.ReadWrite.All'],
  roles: [ROLES.userAdministrator, ROLES.directoryWriters, ROLES.globalAdministrator],
} as const;
const CHANGE = { scopes: CREATE.scopes, roles: [...CREATE.roles, ROLES.licenceAdministrator] } as const;
const LICENCE = {
  scopes: ['LicenseAssignment.ReadWrite.All', 'User.ReadWrite.All', 'Directory.ReadWrite.All'],
  roles: [
    ROLES.licenceAdministrator,
    ROLES.userAdministrator,
    ROLES.directoryWriters,
    ROLES.globalAdministrator,
  ],
} as const;

const country = z.string().regex(/^[A-Za-z]{2}$/);
const createSchema = z.object({
  accountEnabled: z.boolean(),
  displayName: z.string().min(1),
  mailNickname: z.string().min(1),
  userPrincipalName: z.string().min(3),
  usageLocation: country.nullish(),
  givenName: z.string().nullish(),
  surname: z.string().nullish(),
  passwordProfile: z.object({
    password: z.string().min(8),
    forceChangePasswordNextSignIn: z.boolean().nullish(),
  }),
});
const changeSchema = z.object({
  usageLocation: country.nullish(),
  displayName: z.string().min(1).optional(),
  accountEnabled: z.boolean().optional(),
});
const licenceSchema = z.object({
  addLicenses: z.array(z.object({ skuId: z.guid(), disabledPlans: z.array(z.guid()).default([]) })),
  removeLicenses: z.array(z.guid()),
});

export function userRoutes(routes: Routes, world: World): void {
  const userOf = (request: Request, caller: GraphCaller): User => {
    const user = findUser(world, caller.tenantId, request.params['userId'] ?? '');
    if (user === undefined) throw notFound(world, request.params['userId'] ?? '');
    return user;
  };

  routes.on('GET', '/v1.0/users', (request) => {
    const caller = inTenant(world, request, READ);
    const rows = usersOf(world, caller.tenantId).map((user) => userShape(world, user));
    return list(world, request, 'users', rows);
  });

  routes.on('POST', '/v1.0/users', (request) => {
    const user = createUser(world, request, inTenant(world, request, CREATE).tenantId);
    return created(userShape(world, user), { Location: `${world.urls().graph}/v1.0/users/${user.id}` });
  });

  routes.on('GET', '/v1.0/users/:userId', (request) => {
    return ok(select(request, userShape(world, userOf(request, inTenant(world, request, READ)))));
  });

  routes.on('PATCH', '/v1.0/users/:userId', (request) => {
    const user = userOf(request, inTenant(world, request, CHANGE));
    const body = bodyOf(world, request, changeSchema);
    world.directory.users.update(user.id, {
      displayName: body.displayName ?? user.displayName,
      accountEnabled: body.accountEnabled ?? user.accountEnabled,
      usageLocation:
        body.usageLocation === undefined ? user.usageLocation : (body.usageLocation?.toUpperCase() ?? null),
    });
    return noContent();
  });

  routes.on('DELETE', '/v1.0/users/:userId', (request) => {
    world.directory.users.remove(userOf(request, inTenant(world, request, CREATE)).id);
    return noContent();
  });

  routes.on('GET', '/v1.0/users/:userId/licenseDetails', (request) => {
    const user = userOf(request, inTenant(world, request, READ));
    return list(world, request, 'users/licenseDetails', licenceDetails(world, user));
  });

  routes.on('POST', '/v1.0/users/:userId/assignLicense', (request) => {
    return ok(userShape(world, assign(world, request, userOf(request, inTenant(world, request, LICENCE)))));
  });

  routes.on('POST', '/v1.0/users/:userId/reprocessLicenseAssignment', (request) => {
    return ok(userShape(world, userOf(request, inTenant(world, request, LICENCE))));
  });
}

function createUser(world: World, request: Request, tenantId: string): User {
  const body = bodyOf(world, request, createSchema);
  const upn = body.userPrincipalName;
  const domains = world.directory.tenants.get(tenantId)?.domains.filter((domain) => domain.isVerified) ?? [];
  if (!domains.some((domain) => upn.toLowerCase().endsWith(`@${domain.name}`))) {
    throw badRequest(
      world,
      'The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.',
    );
  }
  const taken = world.directory.users.find(
    (user) => user.tenantId === tenantId && user.userPrincipalName.toLowerCase() === upn.toLowerCase(),
  );
  if (taken !== undefined) {
    world.ledger.duplicate(request.operation.key, `user ${upn} exists`);
    throw badRequest(
      world,
      'Another object with the same value for property userPrincipalName already exists.',
    );
  }
  const now = world.clock.now();
  return world.directory.users.put({
    id: world.random.guid(),
    tenantId,
    userPrincipalName: upn,
    displayName: body.displayName,
    givenName: body.givenName ?? null,
    surname: body.surname ?? null,
    mailNickname: body.mailNickname,
    accountEnabled: body.accountEnabled,
    usageLocation: body.usageLocation?.toUpperCase() ?? null,
    isGlobalAdmin: false,
    onPremisesSyncEnabled: null,
    licences: [],
    createdAt: now,
    visibleAt: now + world.delay('userVisible'),
  });
}

function assign(world: World, request: Request, user: User): User {
  const body = bodyOf(world, request, licenceSchema);
  const add = body.addLicenses.map((licence) => ({
    skuId: licence.skuId.toLowerCase(),
    disabledPlans: licence.disabledPlans,
  }));
  if (world.faults.take(request.operation.key, 'invalid-usage-location') !== undefined)
    throw invalidLocation(world);
  if (world.faults.take(request.operation.key, 'out-of-licences') !== undefined)
    throw noSeats(world, add[0]?.skuId ?? '');
  const outcome = changeLicences(world, user, {
    add,
    remove: body.removeLicenses.map((skuId) => skuId.toLowerCase()),
  });
  if (!isRefusal(outcome)) return outcome;
  switch (outcome.reason) {
    case 'usage-location':
      throw invalidLocation(world);
    case 'unknown-sku':
      throw badRequest(world, `License ${outcome.skuId} does not correspond to a valid company License.`);
    case 'no-seats':
      throw noSeats(world, outcome.skuId);
  }
}

const invalidLocation = (world: World) =>
  badRequest(world, 'License assignment cannot be done for user with invalid usage location.');
const noSeats = (world: World, skuId: string) =>
  badRequest(world, `Subscription with SKU ${skuId} does not have any available licenses.`);
