/** The two relationships with an end customer: reseller (commerce) and admin (GDAP). Facts: microsoft-apis 2. */
import { z } from 'zod';
import { defineActivity } from '../../engine/activity.ts';
import { AccessAssignment, AdminRelationshipStatus, CustomerId, Guid, Timestamp } from './shapes.ts';

/** `GET /v1/customers/relationshiprequests`. The link is the same for every customer and must be sent unmodified. */
export const requestRelationship = defineActivity({
  name: 'requestRelationship',
  description: 'Fetching the reseller relationship link',
  queue: 'partner-center',
  input: z.object({}),
  output: z.object({ resellerLink: z.url() }),
});

/**
 * Creates a GDAP relationship. The display name (at most 50 characters, unique per partner) is derived from the
 * instance id and `round`, which makes creation idempotent; `verify` looks it up by that name.
 */
export const createAdminRelationship = defineActivity({
  name: 'createAdminRelationship',
  description: 'Creating the admin relationship',
  queue: 'graph',
  effectful: true,
  input: z.object({
    tenantId: Guid,
    customerName: z.string(),
    /** 1 for the first invitation, one more for each repetition. */
    round: z.int().min(1),
    roles: z.array(Guid).min(1),
    /** ISO 8601, P1D to P730D. */
    duration: z.string(),
    autoExtendDuration: z.enum(['P0D', 'P180D']),
  }),
  output: z.object({ relationshipId: z.string(), displayName: z.string(), status: AdminRelationshipStatus }),
});

/** Locks the relationship for approval; retried while Graph still replicates it (405, 409, 404). */
export const lockAdminRelationship = defineActivity({
  name: 'lockAdminRelationship',
  description: 'Locking the admin relationship for approval',
  queue: 'graph',
  effectful: true,
  input: z.object({ relationshipId: z.string() }),
  output: z.object({ status: AdminRelationshipStatus, adminLink: z.url() }),
});

/** Is the tenant our reseller customer? `visible: false` stands for 403/20002 and 404/60003. */
export const readRelationship = defineActivity({
  name: 'readRelationship',
  description: 'Reading the reseller relationship',
  queue: 'partner-center',
  input: z.object({ customerId: CustomerId }),
  output: z.object({
    visible: z.boolean(),
    /** True only for `relationshipToPartner: reseller`. */
    reseller: z.boolean(),
    name: z.string().nullable(),
    domain: z.string().nullable(),
    readAt: Timestamp,
  }),
});

export const readAdminRelationship = defineActivity({
  name: 'readAdminRelationship',
  description: 'Reading the admin relationship',
  queue: 'graph',
  input: z.object({ relationshipId: z.string() }),
  output: z.object({
    status: AdminRelationshipStatus,
    activatedAt: Timestamp.nullable(),
    endsAt: Timestamp.nullable(),
    readAt: Timestamp,
  }),
});

/**
 * Looks for a relationship with the tenant that is active and holds all roles, ours or Microsoft's default one (not the
 * read-only `MLT_` ones). All null when there is none.
 */
export const findAdminRelationship = defineActivity({
  name: 'findAdminRelationship',
  description: 'Looking for an active admin relationship',
  queue: 'graph',
  input: z.object({ tenantId: Guid, roles: z.array(Guid).min(1) }),
  output: z.object({
    relationshipId: z.string().nullable(),
    status: AdminRelationshipStatus.nullable(),
    endsAt: Timestamp.nullable(),
  }),
});

/** Deletes a `created` relationship, asks to terminate any later one; an ended one counts as done. */
export const terminateAdminRelationship = defineActivity({
  name: 'terminateAdminRelationship',
  description: 'Withdrawing the admin relationship',
  queue: 'graph',
  effectful: true,
  input: z.object({ relationshipId: z.string() }),
  output: z.object({
    outcome: z.enum(['deleted', 'termination-requested', 'already-ended', 'not-possible']),
  }),
});

/** One access assignment per group; a group that is already assigned with these roles counts as done. */
export const assignAccess = defineActivity({
  name: 'assignAccess',
  description: 'Giving our security groups their roles',
  queue: 'graph',
  effectful: true,
  input: z.object({ relationshipId: z.string(), assignments: z.array(AccessAssignment).min(1) }),
  output: z.object({ assigned: z.array(z.object({ groupId: Guid, assignmentId: z.string() })) }),
});

export const readAccess = defineActivity({
  name: 'readAccess',
  description: 'Reading the access assignments',
  queue: 'graph',
  input: z.object({ relationshipId: z.string(), groupIds: z.array(Guid).min(1) }),
  output: z.object({
    /** `missing` when no assignment of the group exists. */
    groups: z.array(
      z.object({
        groupId: Guid,
        status: z.enum(['pending', 'active', 'deleting', 'deleted', 'error', 'missing']),
      }),
    ),
    allActive: z.boolean(),
  }),
});

/**
 * Consents to our application in the customer's tenant (`POST …/applicationconsents`). Soon after the approval Microsoft
 * refuses (650051): that is `not-ready`, not an error.
 */
export const grantAppConsent = defineActivity({
  name: 'grantAppConsent',
  description: 'Consenting to our application in the customer tenant',
  queue: 'partner-center',
  effectful: true,
  input: z.object({ tenantId: Guid }),
  output: z.object({ outcome: z.enum(['granted', 'already-granted', 'not-ready']) }),
});

/** Takes a token for the customer's tenant and reads its organization. */
export const checkCustomerAccess = defineActivity({
  name: 'checkCustomerAccess',
  description: 'Checking our access to the customer tenant',
  queue: 'graph',
  input: z.object({ tenantId: Guid }),
  output: z.object({
    accessible: z.boolean(),
    /** Null when accessible. */
    reason: z
      .enum([
        'no-relationship',
        'no-consent',
        'no-role',
        'conditional-access',
        'guest-account',
        'not-propagated',
        'other',
      ])
      .nullable(),
    message: z.string().nullable(),
  }),
});
