/** The customer's tenant: users, licences, organization, synchronisation. Facts: microsoft-apis 5 and 6. */
import { z } from 'zod';
import { defineActivity } from '../../engine/activity.ts';
import {
  CountryCode,
  DirectoryUser,
  DnsRecord,
  DomainName,
  Guid,
  LicenceOutcome,
  LicenceUser,
  Timestamp,
} from './shapes.ts';

/** Members of the tenant (guests left out), at most 2,000; `truncated` says that there are more, and must be acted on. */
export const listUsers = defineActivity({
  name: 'listUsers',
  description: 'Listing the users',
  queue: 'graph',
  input: z.object({ tenantId: Guid, skuIds: z.array(Guid) }),
  output: z.object({
    users: z.array(DirectoryUser).max(2_000),
    total: z.int().min(0),
    synchronised: z.int().min(0),
    truncated: z.boolean(),
  }),
});

/** Looks each name up, whatever the size of the tenant. `unknown` are the names as given that no user has. */
export const findUsers = defineActivity({
  name: 'findUsers',
  description: 'Looking up the users',
  queue: 'graph',
  timeoutMs: 10 * 60_000,
  input: z.object({
    tenantId: Guid,
    skuIds: z.array(Guid),
    names: z.array(z.string()).min(1).max(2_000),
  }),
  output: z.object({ users: z.array(DirectoryUser), unknown: z.array(z.string()) }),
});

/**
 * Assigns the SKUs to each user: sets the usage location where it is missing, reads, assigns what is missing. One outcome
 * per user, never a failure because of one user. Progress is the list of outcomes so far; an attempt resumes behind it.
 */
export const assignLicences = defineActivity({
  name: 'assignLicences',
  description: 'Assigning licences',
  queue: 'graph',
  effectful: true,
  timeoutMs: 30 * 60_000,
  heartbeatMs: 60_000,
  input: z.object({
    tenantId: Guid,
    skuIds: z.array(Guid).min(1),
    users: z.array(LicenceUser).min(1).max(2_000),
    defaultUsageLocation: CountryCode,
  }),
  output: z.object({ outcomes: z.array(LicenceOutcome) }),
});

/** Organization and service plans: what replaced "activating the Azure AD tenant". */
export const verifyTenant = defineActivity({
  name: 'verifyTenant',
  description: 'Verifying the tenant',
  queue: 'graph',
  input: z.object({ tenantId: Guid, skuIds: z.array(Guid) }),
  output: z.object({
    name: z.string(),
    verifiedDomains: z.array(z.string()),
    /** Organization answers, the SKUs are enabled and the directory premium plan is provisioned. */
    active: z.boolean(),
    missing: z.array(z.string()),
    verifiedAt: Timestamp,
  }),
});

export const verifySync = defineActivity({
  name: 'verifySync',
  description: 'Verifying the synchronisation',
  queue: 'graph',
  input: z.object({ tenantId: Guid, maxAgeMs: z.int().min(1) }),
  output: z.object({
    enabled: z.boolean(),
    lastSyncAt: Timestamp.nullable(),
    /** The last synchronisation is younger than `maxAgeMs`. */
    fresh: z.boolean(),
    synchronisedUsers: z.int().min(0),
    /** Users with provisioning errors. */
    errors: z.int().min(0),
    verifiedAt: Timestamp,
  }),
});

/**
 * Adds a domain to the tenant, to be verified by a DNS record. One that is there already is taken as it is; one that Microsoft
 * does not let us add (our roles, another tenant) has no records and the words of the refusal as `problem`.
 */
export const addDomain = defineActivity({
  name: 'addDomain',
  description: 'Adding the domain to the tenant',
  queue: 'graph',
  effectful: true,
  input: z.object({ tenantId: Guid, domain: DomainName }),
  output: z.object({ verified: z.boolean(), records: z.array(DnsRecord), problem: z.string().nullable() }),
});

/** Asks Microsoft to look for the record, and reads whether the tenant holds the domain. */
export const verifyDomain = defineActivity({
  name: 'verifyDomain',
  description: 'Looking for the DNS record',
  queue: 'graph',
  input: z.object({ tenantId: Guid, domain: DomainName }),
  output: z.object({ verified: z.boolean() }),
});
