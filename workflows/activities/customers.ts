/** End customers at Partner Center: finding, creating, vetting, agreement. Facts: microsoft-apis 2.1 and 3. */
import { z } from 'zod';
import { defineActivity } from '../../engine/activity.ts';
import {
  Address,
  ContactPerson,
  CountryCode,
  CustomerId,
  CustomerMatch,
  ForeignSubscription,
  Guid,
  Subscription,
  Timestamp,
} from './shapes.ts';

/** `findTenantInformationByDomainName`; all null when no tenant owns the domain. */
export const findTenant = defineActivity({
  name: 'findTenant',
  description: 'Looking up the tenant of the domain',
  queue: 'graph',
  input: z.object({ domain: z.string() }),
  output: z.object({
    tenantId: Guid.nullable(),
    displayName: z.string().nullable(),
    defaultDomain: z.string().nullable(),
  }),
});

/**
 * Finds customers of ours: by tenant id (exact), by domain (exact, through the tenant that owns it) and by the beginning
 * of the company name. At most 50 matches.
 */
export const findCustomer = defineActivity({
  name: 'findCustomer',
  description: 'Searching our customers',
  queue: 'partner-center',
  input: z.object({
    tenantId: Guid.nullable(),
    domain: z.string().nullable(),
    companyName: z.string().nullable(),
  }),
  output: z.object({ matches: z.array(CustomerMatch), truncated: z.boolean() }),
});

/**
 * What the customer bought through us, and what its tenant holds from others (`/directory/subscriptions`); the latter is empty
 * where we may not read it.
 */
export const listSubscriptions = defineActivity({
  name: 'listSubscriptions',
  description: 'Listing the subscriptions',
  queue: 'partner-center',
  input: z.object({ customerId: CustomerId }),
  output: z.object({
    subscriptions: z.array(Subscription),
    elsewhere: z.array(ForeignSubscription),
    /** False while we may not look into the tenant, so that `elsewhere` is empty for want of rights. */
    elsewhereKnown: z.boolean(),
  }),
});

export const readSubscription = defineActivity({
  name: 'readSubscription',
  description: 'Reading the subscription',
  queue: 'partner-center',
  input: z.object({ customerId: CustomerId, subscriptionId: z.string() }),
  output: Subscription,
});

/** Is the `*.onmicrosoft.com` name free? Asks Partner Center and, as second opinion, sign-in discovery. */
export const checkDomain = defineActivity({
  name: 'checkDomain',
  description: 'Checking that the domain is free',
  queue: 'partner-center',
  input: z.object({ domain: z.string() }),
  output: z.object({ available: z.boolean() }),
});

export const validateAddress = defineActivity({
  name: 'validateAddress',
  description: 'Validating the address',
  queue: 'partner-center',
  input: z.object({ address: Address }),
  output: z.object({
    /** `suggested`: a person has to choose; `invalid`: a person has to correct. */
    status: z.enum(['accepted', 'suggested', 'invalid']),
    suggestions: z.array(Address),
    message: z.string().nullable(),
  }),
});

export const readCountryRules = defineActivity({
  name: 'readCountryRules',
  description: 'Reading the rules of the country',
  queue: 'partner-center',
  input: z.object({ country: CountryCode }),
  output: z.object({
    country: CountryCode,
    defaultCulture: z.string(),
    /** A language the country supports, e.g. `en`. */
    defaultLanguage: z.string(),
    supportedCultures: z.array(z.string()),
    supportedLanguages: z.array(z.string()),
    stateRequired: z.boolean(),
    states: z.array(z.string()),
    cityRequired: z.boolean(),
    postalCodeRequired: z.boolean(),
    postalCodeRegex: z.string().nullable(),
    phoneNumberRegex: z.string().nullable(),
    registrationNumberSupported: z.boolean(),
  }),
});

/**
 * `POST /v1/customers` with the stored request ids. The admin password is sealed as `admin-password` and appears nowhere
 * else; `passwordSealed` is false when the answer was lost and a repetition did not bring it back. A refusal that the form
 * can mend is an outcome with the field to mend; everything else is a terminal failure.
 */
export const createCustomer = defineActivity({
  name: 'createCustomer',
  description: 'Creating the customer and its tenant',
  queue: 'partner-center',
  effectful: true,
  timeoutMs: 120_000,
  input: z.object({
    companyName: z.string(),
    domain: z.string(),
    contact: ContactPerson,
    address: Address,
    culture: z.string(),
    language: z.string(),
    registrationNumber: z.string().nullable(),
    /** This onboarding asked for the domain before and got no clear answer, so a customer of ours with it may be its own. */
    askedBefore: z.boolean().default(false),
  }),
  output: z.discriminatedUnion('outcome', [
    z.object({
      outcome: z.literal('created'),
      customerId: CustomerId,
      domain: z.string(),
      userName: z.string(),
      passwordSealed: z.boolean(),
      createdAt: Timestamp,
    }),
    z.object({
      outcome: z.literal('refused'),
      field: z.enum(['domain', 'address', 'registrationNumber', 'phoneNumber', 'form']),
      code: z.string(),
      message: z.string(),
    }),
  ]),
});

/** Account verification by Microsoft. `none`: there is no review, orders are not blocked. */
export const readVetting = defineActivity({
  name: 'readVetting',
  description: 'Reading the account verification',
  queue: 'partner-center',
  input: z.object({ customerId: CustomerId }),
  output: z.object({
    status: z.enum(['none', 'allowed', 'under-review', 'not-allowed', 'unknown', 'not-ready']),
  }),
});

/** Microsoft Customer Agreement: attested by the partner, or accepted by the customer directly. */
export const readAgreement = defineActivity({
  name: 'readAgreement',
  description: 'Reading the customer agreement',
  queue: 'partner-center',
  input: z.object({ customerId: CustomerId }),
  output: z.object({ accepted: z.boolean(), how: z.enum(['attested', 'direct']).nullable() }),
});

/** Records at Microsoft who accepted the agreement and when; 400/600061 counts as already attested. */
export const attestAgreement = defineActivity({
  name: 'attestAgreement',
  description: 'Attesting the customer agreement',
  queue: 'partner-center',
  effectful: true,
  input: z.object({ customerId: CustomerId, contact: ContactPerson, dateAgreed: Timestamp }),
  output: z.object({ outcome: z.enum(['attested', 'already-attested']) }),
});
