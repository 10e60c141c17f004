import { z } from 'zod';
import type { Routes } from '../../core/http.ts';
import { newEtag } from '../../directory/delegation.ts';
import { domainOf } from '../../directory/helpers.ts';
import { DEFAULT_GDAP_ROLES } from '../../directory/roles.ts';
import { PARTNER } from '../../options.ts';
import type { World } from '../../world.ts';
import { countryOf, invalidAddressField, needsRegistrationNumber } from '../countries.ts';
import type { BillingProfile, Customer } from '../entities.ts';
import { audit } from '../events.ts';
import { authorise, bodyOf, objectType, partnerError, self } from '../helpers.ts';
import { billingProfile, companyProfile } from '../shapes.ts';
import { domainTaken } from './customers.ts';

const text = z.string().nullish();
const bodySchema = z.object({
  enablegdapbydefault: z.boolean().nullish(),
  associatedpartnerid: text,
  companyprofile: z.object({
    domain: z.string(),
    companyname: z.string().nullish(),
    organizationregistrationnumber: text,
  }),
  billingprofile: z.object({
    email: z.string(),
    culture: z.string(),
    language: z.string(),
    companyname: z.string(),
    firstname: text,
    lastname: text,
    defaultaddress: z.object({
      country: z.string().length(2),
      region: text,
      city: text,
      state: text,
      addressline1: z.string(),
      addressline2: text,
      postalcode: text,
      firstname: z.string().min(1).max(50),
      middlename: text,
      lastname: z.string().min(1).max(50),
      phonenumber: text,
    }),
  }),
});

type Body = z.output<typeof bodySchema>;

export function createCustomerRoutes(routes: Routes, world: World): void {
  routes.on('POST', '/v1/customers', (request) => {
    authorise(world, request);
    for (const name of ['ms-requestid', 'ms-correlationid']) {
      if (request.headers[name] === undefined) throw partnerError(400, 800002, `${name} is required.`);
    }
    const body = bodyOf(request, bodySchema);
    refuseInvalid(world, body);
    if (world.faults.take(request.operation.key, 'prefix-taken') !== undefined) takeDomain(world, body);
    if (domainTaken(world, body.companyprofile.domain)) {
      throw partnerError(400, 3000, `The domain ${body.companyprofile.domain} is not available.`);
    }
    const vetting = world.faults.take(request.operation.key, 'vetting') !== undefined;
    const { customer, password } = createCustomer(world, body, vetting);
    return {
      status: 201,
      headers: { Location: `/customers/${customer.id}` },
      json: {
        id: customer.id,
        commerceId: customer.commerceId,
        companyProfile: companyProfile(customer),
        billingProfile: billingProfile(customer),
        relationshipToPartner: 'none',
        allowDelegatedAccess: true,
        userCredentials: { userName: 'admin', password },
        links: { self: self(`/customers/${customer.id}`) },
        attributes: objectType('Customer'),
      },
    };
  });
}

function refuseInvalid(world: World, body: Body): void {
  const address = body.billingprofile.defaultaddress;
  const country = countryOf(address.country);
  if (country === undefined) throw partnerError(403, 2030, 'The country is not supported for this partner.');
  const prefix = /^([a-z0-9-]{1,27})\.onmicrosoft\.com$/i.exec(body.companyprofile.domain)?.[1];
  if (prefix === undefined) throw partnerError(400, 3000, 'Invalid property: companyProfile.domain');
  if (needsRegistrationNumber(address.country) && !body.companyprofile.organizationregistrationnumber) {
    throw partnerError(
      400,
      600049,
      'The organization registration number is missing. Format: 6 to 20 letters or digits.',
    );
  }
  if (country.isPhoneRequired && !address.phonenumber)
    throw partnerError(400, 600051, 'The phone number is missing.');
  const invalid = invalidAddressField({
    country: address.country,
    city: address.city,
    state: address.state,
    postalCode: address.postalcode,
    addressLine1: address.addressline1,
  });
  if (invalid !== undefined) {
    const detail = JSON.stringify({
      code: '60071',
      message: `Address field invalid for property: '${invalid}'`,
    });
    throw partnerError(400, 2007, detail);
  }
  const email = body.billingprofile.email.toLowerCase();
  const ours = world.directory.tenants
    .get(PARTNER.tenantId)
    ?.domains.some((domain) => email.endsWith(`@${domain.name}`));
  if (!email.includes('@') || email.endsWith('@microsoft.com') || ours === true) {
    throw partnerError(400, 3000, 'Invalid property: billingProfile.email');
  }
  const name = body.billingprofile.companyname.trim();
  if (name.length < 2 || /^[^\p{L}\p{N}]+$/u.test(name) || /^test$/i.test(name)) {
    throw partnerError(400, 3000, 'Invalid property: billingProfile.companyName');
  }
  if (
    !country.cultures.some((culture) => culture.toLowerCase() === body.billingprofile.culture.toLowerCase())
  ) {
    throw partnerError(400, 3000, 'Invalid property: billingProfile.culture');
  }
}

function createCustomer(
  world: World,
  body: Body,
  vetting: boolean,
): { customer: Customer; password: string } {
  const now = world.clock.now();
  const id = world.random.guid();
  const domain = body.companyprofile.domain.toLowerCase();
  const billing = body.billingprofile;
  world.directory.tenants.put({
    id,
    displayName: billing.companyname,
    country: billing.defaultaddress.country.toUpperCase(),
    language: billing.language,
    contactEmail: billing.email,
    domains: [domainOf(domain, { addedAt: now, isInitial: true, isDefault: true })],
    createdAt: now,
    syncEnabled: null,
    syncChangedAt: null,
    passwordSyncEnabled: false,
    agreementSignedDirectly: false,
  });
  const adminId = world.random.guid();
  world.directory.users.put({
    id: adminId,
    tenantId: id,
    userPrincipalName: `admin@${domain}`,
    displayName: `${billing.defaultaddress.firstname} ${billing.defaultaddress.lastname}`,
    givenName: billing.defaultaddress.firstname,
    surname: billing.defaultaddress.lastname,
    mailNickname: 'admin',
    accountEnabled: true,
    usageLocation: null,
    isGlobalAdmin: true,
    onPremisesSyncEnabled: null,
    licences: [],
    createdAt: now,
    visibleAt: now,
  });
  const customer = world.partner.customers.put({
    id,
    commerceId: world.random.guid(),
    companyName: billing.companyname,
    domain,
    billingProfile: toBillingProfile(world.random.guid(), billing),
    associatedPartnerId: body.associatedpartnerid ?? null,
    visibleAt: now,
    resellerAt: now + world.delay('customerReady'),
    removed: false,
    origin: 'created',
    validation: vetting ? { status: 'UnderReview', updatedAt: now } : null,
    qualification: null,
  });
  if (vetting)
    world.scheduler.schedule('vetting-ends', world.delay('vetting'), { customerId: id, status: 'Allowed' });
  if (body.enablegdapbydefault !== false) grantDefaultRoles(world, customer);
  audit(world, {
    operationType: 'add_customer',
    resourceType: 'customer',
    customerId: id,
    newValue: { Id: id, CompanyProfile: { Domain: domain } },
  });
  return { customer, password: `Xk3-${world.random.hex(12)}!` };
}

function toBillingProfile(id: string, billing: Body['billingprofile']): BillingProfile {
  const address = billing.defaultaddress;
  return {
    id,
    email: billing.email,
    culture: billing.culture,
    language: billing.language,
    companyName: billing.companyname,
    firstName: billing.firstname ?? null,
    lastName: billing.lastname ?? null,
    defaultAddress: {
      country: address.country.toUpperCase(),
      region: address.region ?? null,
      city: address.city ?? null,
      state: address.state ?? null,
      addressLine1: address.addressline1,
      addressLine2: address.addressline2 ?? null,
      postalCode: address.postalcode ?? null,
      firstName: address.firstname,
      middleName: address.middlename ?? null,
      lastName: address.lastname,
      phoneNumber: address.phonenumber ?? null,
    },
  };
}

/** New customers get GDAP by default; security groups are still the partner's to assign. */
function grantDefaultRoles(world: World, customer: Customer): void {
  const now = world.clock.now();
  const relationshipId = `${world.random.guid()}-${world.random.guid()}`;
  world.directory.relationships.put({
    id: relationshipId,
    displayName: `Default_${PARTNER.name.slice(0, 18)}_${world.random.hex(14)}`,
    duration: 'P730D',
    autoExtendDuration: 'PT0S',
    customer: { tenantId: customer.id, displayName: customer.companyName },
    roleIds: DEFAULT_GDAP_ROLES,
    status: 'approved',
    createdAt: now,
    modifiedAt: now,
    activatedAt: null,
    endAt: null,
    etag: newEtag(world),
  });
  world.scheduler.schedule('gdap-active', world.delay('gdapActivation'), { relationshipId });
}

/** Somebody else was faster between check and create. */
function takeDomain(world: World, body: Body): void {
  const now = world.clock.now();
  const id = world.random.guid();
  world.directory.tenants.put({
    id,
    displayName: 'Somebody Else',
    country: 'US',
    language: 'en',
    contactEmail: 'somebody@else.example',
    domains: [domainOf(body.companyprofile.domain, { addedAt: now, isInitial: true, isDefault: true })],
    createdAt: now,
    syncEnabled: null,
    syncChangedAt: null,
    passwordSyncEnabled: false,
    agreementSignedDirectly: false,
  });
}
