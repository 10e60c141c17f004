/** Building customer tenants, for the seed and for `POST /control/tenants`. */
import { z } from 'zod';
import { newEtag } from './directory/delegation.ts';
import type { User } from './directory/entities.ts';
import { domainOf, initialDomain } from './directory/helpers.ts';
import { productNamed } from './directory/products.ts';
import { DEFAULT_GDAP_ROLES, ROLES } from './directory/roles.ts';
import { PARTNER } from './options.ts';
import { catalogItemId } from './partner-center/catalogue.ts';
import { CANCELLATION_MS, exampleProfile } from './partner-center/shapes.ts';
import type { World } from './world.ts';

export const tenantInput = z.strictObject({
  /** `contoso` or `contoso.onmicrosoft.com`. */
  domain: z.string().min(1),
  name: z.string().min(1),
  tenantId: z.guid().optional(),
  country: z.string().length(2).default('US'),
  contactEmail: z.string().optional(),
  /** Verified domains besides the initial one; the first becomes the default. */
  customDomains: z.array(z.string()).default([]),
  users: z
    .array(
      z.strictObject({
        /** Part before the `@` of the default domain, or a whole principal name. */
        name: z.string().min(1),
        displayName: z.string().optional(),
        usageLocation: z.string().length(2).nullable().default(null),
        globalAdmin: z.boolean().default(false),
        synced: z.boolean().default(false),
      }),
    )
    .default([]),
  subscriptions: z
    .array(
      z.strictObject({
        /** Part number (`ENTERPRISEPACK`) or `product:sku`. */
        sku: z.string(),
        quantity: z.number().int().positive(),
        /** `direct`: bought from Microsoft, unknown to Partner Center. */
        soldBy: z.enum(['direct', 'partner']).default('direct'),
        termDuration: z.enum(['P1M', 'P1Y', 'P3Y']).default('P1Y'),
        billingCycle: z.enum(['monthly', 'annual']).default('monthly'),
      }),
    )
    .default([]),
  /** Already our customer. */
  customer: z.boolean().default(false),
  /** An active relationship whose roles are assigned to the partner's security group. */
  gdapReady: z.boolean().default(false),
  /** Scopes our application holds in the tenant; defaults to none, or to the usual ones when GDAP is ready. */
  consentedScopes: z.array(z.string()).optional(),
  agreementSigned: z.boolean().default(false),
  syncEnabled: z.boolean().nullable().default(null),
});

export type TenantInput = z.input<typeof tenantInput>;

const USUAL_SCOPES = [
  'Directory.Read.All',
  'User.ReadWrite.All',
  'Organization.Read.All',
  'LicenseAssignment.ReadWrite.All',
  'Domain.ReadWrite.All',
];

export interface BuiltTenant {
  readonly tenantId: string;
  readonly domain: string;
  readonly users: readonly {
    readonly id: string;
    readonly userPrincipalName: string;
    readonly globalAdmin: boolean;
  }[];
  readonly relationshipId: string | null;
  readonly subscriptionIds: readonly string[];
}

export function buildTenant(world: World, input: TenantInput): BuiltTenant {
  const fields = tenantInput.parse(input);
  const now = world.clock.now();
  const id = fields.tenantId?.toLowerCase() ?? world.random.guid();
  const initial = (
    fields.domain.includes('.') ? fields.domain : `${fields.domain}.onmicrosoft.com`
  ).toLowerCase();
  const custom = fields.customDomains.map((name, index) =>
    domainOf(name, { addedAt: now, isDefault: index === 0 }),
  );
  world.directory.tenants.put({
    id,
    displayName: fields.name,
    country: fields.country.toUpperCase(),
    language: 'en',
    contactEmail: fields.contactEmail ?? `it@${custom[0]?.name ?? initial}`,
    domains: [
      domainOf(initial, { addedAt: now, isInitial: true, isDefault: custom.length === 0 }),
      ...custom,
    ],
    createdAt: now,
    syncEnabled: fields.syncEnabled,
    syncChangedAt: fields.syncEnabled === null ? null : now,
    passwordSyncEnabled: fields.syncEnabled === true,
    agreementSignedDirectly: fields.agreementSigned,
  });
  const hasAdmin = fields.users.some((user) => user.globalAdmin);
  const people = hasAdmin ? fields.users : [{ ...ADMIN, name: `admin@${initial}` }, ...fields.users];
  const users = people.map((person) => addUser(world, id, custom[0]?.name ?? initial, person));
  const subscriptionIds = fields.subscriptions.map((subscription) =>
    addSubscription(world, id, subscription),
  );
  if (fields.customer) addCustomer(world, id);
  const relationshipId = fields.gdapReady ? grantRoles(world, id, fields.name) : null;
  const scopes = fields.consentedScopes ?? (fields.gdapReady ? USUAL_SCOPES : []);
  if (scopes.length > 0) consentApplication(world, id, scopes);
  return {
    tenantId: id,
    domain: initial,
    users: users.map((user) => ({
      id: user.id,
      userPrincipalName: user.userPrincipalName,
      globalAdmin: user.isGlobalAdmin,
    })),
    relationshipId,
    subscriptionIds,
  };
}

type Person = z.output<typeof tenantInput>['users'][number];
const ADMIN = { displayName: 'Global Administrator', usageLocation: null, globalAdmin: true, synced: false };

function addUser(world: World, tenantId: string, domain: string, person: Person): User {
  const upn = person.name.includes('@') ? person.name : `${person.name}@${domain}`;
  const now = world.clock.now();
  return world.directory.users.put({
    id: world.random.guid(),
    tenantId,
    userPrincipalName: upn,
    displayName: person.displayName ?? person.name,
    givenName: null,
    surname: null,
    mailNickname: upn.split('@')[0] ?? upn,
    accountEnabled: true,
    usageLocation: person.usageLocation,
    isGlobalAdmin: person.globalAdmin,
    onPremisesSyncEnabled: person.synced ? true : null,
    licences: [],
    createdAt: now,
    visibleAt: now,
  });
}

function addSubscription(
  world: World,
  tenantId: string,
  input: z.output<typeof tenantInput>['subscriptions'][number],
): string {
  const product = productNamed(input.sku);
  if (product === undefined) throw new RangeError(`Unknown product ${input.sku}.`);
  const createdAt = world.clock.now() - 30 * 24 * 60 * 60 * 1_000;
  const ours = input.soldBy === 'partner';
  const subscription = world.directory.subscriptions.put({
    id: world.random.guid(),
    tenantId,
    ownerTenantId: ours ? PARTNER.tenantId : tenantId,
    orderId: ours ? world.random.hex(12) : null,
    offerId: catalogItemId(world, product),
    skuId: product.skuId,
    friendlyName: product.title,
    quantity: input.quantity,
    status: 'active',
    termDuration: input.termDuration,
    billingCycle: input.billingCycle,
    autoRenewEnabled: true,
    createdAt,
    refundable: [{ quantity: input.quantity, until: createdAt + CANCELLATION_MS }],
    seatsVisibleAt: createdAt,
    seatsBefore: 0,
    etag: newEtag(world),
    changePending: false,
    provisioningFailed: false,
  });
  return subscription.id;
}

function addCustomer(world: World, tenantId: string): void {
  const tenant = world.directory.tenants.get(tenantId);
  if (tenant === undefined) return;
  const now = world.clock.now();
  world.partner.customers.put({
    id: tenantId,
    commerceId: world.random.guid(),
    companyName: tenant.displayName,
    domain: initialDomain(tenant),
    billingProfile: exampleProfile(world.random.guid(), tenant),
    associatedPartnerId: null,
    visibleAt: now,
    resellerAt: now,
    removed: false,
    origin: 'seeded',
    validation: null,
    qualification: null,
  });
}

/** Default GDAP roles and Domain Name Administrator, active and assigned to the partner's security group. */
function grantRoles(world: World, tenantId: string, name: string): string {
  const now = world.clock.now();
  const roleIds = [...DEFAULT_GDAP_ROLES, ROLES.domainNameAdministrator];
  const relationship = world.directory.relationships.put({
    id: `${world.random.guid()}-${world.random.guid()}`,
    displayName: `Ready ${name.slice(0, 24)} ${world.random.hex(8)}`,
    duration: 'P730D',
    autoExtendDuration: 'PT0S',
    customer: { tenantId, displayName: name },
    roleIds,
    status: 'active',
    createdAt: now,
    modifiedAt: now,
    activatedAt: now,
    endAt: now + 730 * 24 * 60 * 60 * 1_000,
    etag: newEtag(world),
  });
  world.directory.assignments.put({
    id: world.random.guid(),
    relationshipId: relationship.id,
    groupId: PARTNER.securityGroupId,
    roleIds,
    status: 'active',
    createdAt: now,
    modifiedAt: now,
    etag: newEtag(world),
  });
  return relationship.id;
}

function consentApplication(world: World, tenantId: string, scopes: readonly string[]): void {
  world.directory.consents.put({
    id: tenantId,
    applicationId: world.options.clientId,
    displayName: 'Onboarding',
    grants: [{ enterpriseApplicationId: '00000003-0000-0000-c000-000000000000', scope: scopes.join(',') }],
    effectiveAt: world.clock.now(),
  });
}
