/** What exists when an emulator starts for the first time. */
import { domainOf } from './directory/helpers.ts';
import { PARTNER, SEED_TENANTS } from './options.ts';
import { buildTenant } from './tenants.ts';
import type { World } from './world.ts';

export function seed(world: World): void {
  seedPartner(world);
  for (const fault of world.options.faults) world.faults.add(fault);
  if (world.options.seedCustomers) seedCustomers(world);
}

function seedPartner(world: World): void {
  const now = world.clock.now();
  world.directory.tenants.put({
    id: PARTNER.tenantId,
    displayName: PARTNER.name,
    country: 'US',
    language: 'en',
    contactEmail: PARTNER.adminUpn,
    domains: [
      domainOf(PARTNER.initialDomain, { addedAt: now, isInitial: true }),
      domainOf(PARTNER.domain, { addedAt: now, isDefault: true }),
    ],
    createdAt: now,
    syncEnabled: null,
    syncChangedAt: null,
    passwordSyncEnabled: false,
    agreementSignedDirectly: true,
  });
  world.directory.users.put({
    id: PARTNER.adminId,
    tenantId: PARTNER.tenantId,
    userPrincipalName: PARTNER.adminUpn,
    displayName: 'Alex Admin Agent',
    givenName: 'Alex',
    surname: 'Agent',
    mailNickname: 'admin',
    accountEnabled: true,
    usageLocation: 'US',
    isGlobalAdmin: true,
    onPremisesSyncEnabled: null,
    licences: [],
    createdAt: now,
    visibleAt: now,
  });
  for (const [id, displayName] of [
    [PARTNER.adminAgentsGroupId, 'AdminAgents'],
    [PARTNER.securityGroupId, PARTNER.securityGroupName],
  ] as const) {
    world.directory.groups.put({ id, tenantId: PARTNER.tenantId, displayName, memberIds: [PARTNER.adminId] });
  }
}

function seedCustomers(world: World): void {
  buildTenant(world, {
    tenantId: SEED_TENANTS.contoso,
    domain: 'contoso',
    name: 'Contoso Ltd',
    contactEmail: 'it@contoso.example',
    customDomains: ['contoso.example'],
    users: [
      {
        name: 'admin@contoso.onmicrosoft.com',
        displayName: 'Grace Administrator',
        usageLocation: 'US',
        globalAdmin: true,
      },
      { name: 'ada', displayName: 'Ada Meyer', usageLocation: 'US' },
      { name: 'ben', displayName: 'Ben Okafor', usageLocation: 'US' },
      { name: 'chloe', displayName: 'Chloe Laurent' },
    ],
    subscriptions: [{ sku: 'ENTERPRISEPACK', quantity: 25, soldBy: 'direct' }],
  });
  buildTenant(world, {
    tenantId: SEED_TENANTS.fabrikam,
    domain: 'fabrikam',
    name: 'Fabrikam Inc',
    contactEmail: 'it@fabrikam.example',
    customDomains: ['fabrikam.example'],
    customer: true,
    gdapReady: true,
    agreementSigned: true,
    users: [
      {
        name: 'admin@fabrikam.onmicrosoft.com',
        displayName: 'Henry Administrator',
        usageLocation: 'US',
        globalAdmin: true,
      },
      { name: 'dana', displayName: 'Dana Silva', usageLocation: 'US' },
      { name: 'emil', displayName: 'Emil Novak', usageLocation: 'US' },
      { name: 'fatou', displayName: 'Fatou Diop' },
    ],
    subscriptions: [{ sku: 'ENTERPRISEPACK', quantity: 30, soldBy: 'partner' }],
  });
}
