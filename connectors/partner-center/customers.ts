/** Customers (facts 3): search, read, create, let go. */
import { z } from 'zod';
import { Secret } from '../../shared/secrets.ts';
import { query, type ReadOptions, route, type WriteOptions } from '../http.ts';
import { wasRefused } from '../refusals.ts';
import { codeText, enumOf, guid, ignored, listOf, nullable } from '../schema.ts';
import type { PartnerCenterCalls } from './service.ts';

const Relationship = enumOf('none', 'reseller', 'advisor', 'syndication', 'microsoft_support');

export const Address = z.object({
  country: z.string(),
  region: nullable(z.string()),
  city: nullable(z.string()),
  state: nullable(z.string()),
  addressLine1: nullable(z.string()),
  addressLine2: nullable(z.string()),
  postalCode: nullable(z.string()),
});
export type Address = z.output<typeof Address>;

const Customer = z
  .object({
    id: guid,
    companyProfile: z.object({ domain: z.string(), companyName: z.string() }),
    relationshipToPartner: Relationship,
    commerceId: nullable(z.string()),
    allowDelegatedAccess: nullable(z.boolean()),
    customDomains: listOf(z.string()),
    associatedPartnerId: nullable(codeText),
    billingProfile: nullable(
      z.object({
        email: nullable(z.string()),
        culture: nullable(z.string()),
        defaultAddress: nullable(Address),
      }),
    ),
  })
  .transform(({ companyProfile, billingProfile, ...rest }) => ({
    ...rest,
    domain: companyProfile.domain.toLowerCase(),
    companyName: companyProfile.companyName,
    email: billingProfile?.email ?? null,
    country: billingProfile?.defaultAddress?.country ?? null,
  }));
/** `id` is also the customer's tenant id. `domain` is the default domain, not necessarily the mail domain. */
export type Customer = z.output<typeof Customer>;

/** Says little more than the id for sure, and is shown once: nothing else in it may cost us the password. */
const CreatedCustomer = z.object({
  id: guid,
  companyProfile: nullable(z.object({ domain: nullable(z.string()), companyName: nullable(z.string()) })),
  userCredentials: nullable(z.object({ userName: z.string(), password: z.string().min(1) })),
});

export interface NewCustomer {
  /** `<prefix>.onmicrosoft.com`. */
  readonly domain: string;
  readonly companyName: string;
  readonly email: string;
  readonly culture: string;
  readonly language: string;
  readonly firstName: string;
  readonly lastName: string;
  readonly phoneNumber?: string;
  readonly organizationRegistrationNumber?: string;
  /** Partner id of the indirect reseller, where there is one. */
  readonly associatedPartnerId?: string;
  readonly address: {
    readonly country: string;
    readonly region?: string;
    readonly city?: string;
    readonly state?: string;
    readonly addressLine1: string;
    readonly addressLine2?: string;
    readonly postalCode?: string;
  };
}

export interface CustomerCreated {
  readonly customerId: string;
  readonly domain: string;
  readonly companyName: string;
  /** The first administrator, shown here once and never again; null when a replay left it out. */
  readonly administrator: { readonly userPrincipalName: string; readonly password: Secret } | null;
}

const VettingStatus = z.object({
  status: enumOf('Unknown', 'UnderReview', 'Allowed', 'NotAllowed', 'Not Ready'),
  lastUpdateDateTime: nullable(z.string()),
});
export type VettingStatus = z.output<typeof VettingStatus>;

const PcUser = z.object({ id: guid, userPrincipalName: z.string(), displayName: nullable(z.string()) });
export type PartnerCenterUser = z.output<typeof PcUser>;

/** Codes that say "not our customer, or not visible yet". */
const NOT_OURS = ['partner-center-20002', 'partner-center-60003'];

export function customers(calls: PartnerCenterCalls) {
  async function get(customerId: string, options?: ReadOptions): Promise<Customer> {
    return (
      await calls.call({ method: 'GET', path: route`/v1/customers/${customerId}`, schema: Customer }, options)
    ).body;
  }

  return {
    get,

    /** The customer, or null while it is not ours or not visible yet (403/20002, 404/60003). */
    async find(customerId: string, options?: ReadOptions): Promise<Customer | null> {
      try {
        return await get(customerId, options);
      } catch (failure) {
        if (wasRefused(failure, ...NOT_OURS)) return null;
        throw failure;
      }
    },

    /** Customers whose name or default domain *starts with* the value, in any letter case. */
    search(
      by: { readonly field: 'CompanyName' | 'Domain'; readonly value: string },
      options?: ReadOptions & { limit?: number },
    ): Promise<Customer[]> {
      const filter = JSON.stringify({ Field: by.field, Value: by.value, Operator: 'starts_with' });
      return calls.collect(`/v1/customers${query({ size: 40, filter })}`, Customer, options);
    },

    list(options?: ReadOptions & { limit?: number }): Promise<Customer[]> {
      return calls.collect(`/v1/customers${query({ size: 100 })}`, Customer, options);
    },

    /**
     * Creates a tenant, which cannot be undone. Idempotent by request id. Doubtful outcomes end as `unknown`: look the
     * domain up before another try.
     */
    async create(customer: NewCustomer, options: WriteOptions): Promise<CustomerCreated> {
      const { body } = await calls.call(
        {
          method: 'POST',
          path: '/v1/customers',
          body: creationBody(customer),
          schema: CreatedCustomer,
          strict: true,
        },
        options,
      );
      const domain = body.companyProfile?.domain ?? customer.domain;
      const companyName = body.companyProfile?.companyName ?? customer.companyName;
      const credentials = body.userCredentials;
      return {
        customerId: body.id,
        domain: domain.toLowerCase(),
        companyName,
        administrator: credentials && {
          userPrincipalName: credentials.userName.includes('@')
            ? credentials.userName
            : `${credentials.userName}@${domain}`,
          password: new Secret(credentials.password),
        },
      };
    },

    /** Microsoft's review of a new customer; null when there is none (404/600074), which blocks nothing. */
    async vettingStatus(customerId: string, options?: ReadOptions): Promise<VettingStatus | null> {
      const path = `${route`/v1/customers/${customerId}/validationStatus`}${query({ type: 'account' })}`;
      try {
        return (await calls.call({ method: 'GET', path, schema: VettingStatus }, options)).body;
      } catch (failure) {
        if (wasRefused(failure, 'partner-center-600074')) return null;
        throw failure;
      }
    },

    /** Ends the reseller relationship. Subscriptions must be cancelled or suspended first. */
    async removeRelationship(customerId: string, options: WriteOptions): Promise<void> {
      const body = { relationshipToPartner: 'none', attributes: { objectType: 'Customer' } };
      await calls.call(
        { method: 'PATCH', path: route`/v1/customers/${customerId}`, body, schema: ignored },
        options,
      );
    },

    users(customerId: string, options?: ReadOptions & { limit?: number }): Promise<PartnerCenterUser[]> {
      return calls.collect(route`/v1/customers/${customerId}/users`, PcUser, options);
    },

    /** Gives a user a new password to be changed at first sign-in; refused for users with high roles. */
    async resetPassword(
      customerId: string,
      userId: string,
      password: Secret,
      options: WriteOptions,
    ): Promise<void> {
      const body = {
        passwordProfile: { password: password.reveal(), forceChangePassword: true },
        attributes: { objectType: 'CustomerUser' },
      };
      const path = route`/v1/customers/${customerId}/users/${userId}`;
      await calls.call({ method: 'PATCH', path, body, schema: ignored }, options);
    },
  };
}

function creationBody(customer: NewCustomer): object {
  const { address } = customer;
  return {
    enableGDAPByDefault: true,
    associatedPartnerId: customer.associatedPartnerId ?? null,
    companyProfile: {
      domain: customer.domain,
      companyName: customer.companyName,
      organizationRegistrationNumber: customer.organizationRegistrationNumber ?? null,
    },
    billingProfile: {
      email: customer.email,
      culture: customer.culture,
      language: customer.language,
      companyName: customer.companyName,
      firstName: customer.firstName,
      lastName: customer.lastName,
      defaultAddress: {
        country: address.country,
        region: address.region ?? null,
        city: address.city ?? null,
        state: address.state ?? null,
        addressLine1: address.addressLine1,
        addressLine2: address.addressLine2 ?? null,
        postalCode: address.postalCode ?? null,
        firstName: customer.firstName,
        lastName: customer.lastName,
        phoneNumber: customer.phoneNumber ?? null,
      },
    },
  };
}
