/** Granular delegated admin privileges (facts 2.3): the request, its approval, the groups that may use it. */
import { z } from 'zod';
import { ActivityFailure } from '../../shared/errors.ts';
import { query, type ReadOptions, route, type WriteOptions } from '../http.ts';
import { wasRefused } from '../refusals.ts';
import { enumOf, guid, ignored, listOf, nullable } from '../schema.ts';
import { type GraphCalls, odata } from './service.ts';

const roles = z
  .object({ unifiedRoles: listOf(z.object({ roleDefinitionId: guid })) })
  .nullish()
  .transform((details) => details?.unifiedRoles.map((role) => role.roleDefinitionId) ?? []);

const Relationship = z
  .object({
    id: z.string(),
    displayName: z.string(),
    duration: nullable(z.string()),
    autoExtendDuration: nullable(z.string()),
    customer: nullable(z.object({ tenantId: nullable(guid), displayName: nullable(z.string()) })),
    accessDetails: roles,
    status: enumOf(
      'created',
      'approvalPending',
      'approved',
      'activating',
      'active',
      'expiring',
      'expired',
      'terminationRequested',
      'terminating',
      'terminated',
    ),
    createdDateTime: nullable(z.string()),
    activatedDateTime: nullable(z.string()),
    endDateTime: nullable(z.string()),
    '@odata.etag': nullable(z.string()),
  })
  .transform(({ accessDetails, customer, '@odata.etag': etag, ...relationship }) => ({
    ...relationship,
    customerTenantId: customer?.tenantId ?? null,
    roleIds: accessDetails,
    etag,
  }));
export type GdapRelationship = z.output<typeof Relationship>;

const Assignment = z
  .object({
    id: z.string(),
    status: enumOf('pending', 'active', 'deleting', 'deleted', 'error'),
    accessContainer: z.object({ accessContainerId: guid }),
    accessDetails: roles,
  })
  .transform(({ accessContainer, accessDetails, ...assignment }) => ({
    ...assignment,
    groupId: accessContainer.accessContainerId,
    roleIds: accessDetails,
  }));
export type GdapAssignment = z.output<typeof Assignment>;

export interface NewGdapRelationship {
  /** At most 50 characters, unique among all the partner's relationships: derive it from the instance. */
  readonly displayName: string;
  readonly customerTenantId: string;
  readonly customerName?: string;
  readonly roleIds: readonly string[];
  /** ISO 8601, `P1D` to `P2Y`. */
  readonly duration: string;
  /** `P180D` or `PT0S`; not together with Global Administrator. */
  readonly autoExtendDuration: string;
}

const BASE = '/v1.0/tenantRelationships/delegatedAdminRelationships';
const REPLICATION_MS = 5_000;

/** Where the customer approves; the relationship must be `approvalPending`. */
export function gdapInvitationUrl(
  relationshipId: string,
  adminCenterUrl = 'https://admin.microsoft.com',
): string {
  const path = `/AdminPortal/Home#/partners/invitation/granularAdminRelationships/${encodeURIComponent(relationshipId)}`;
  return `${adminCenterUrl.replace(/\/+$/, '')}${path}`;
}

export function gdap(calls: GraphCalls) {
  const tenant = calls.partnerTenantId;

  async function get(relationshipId: string, options?: ReadOptions): Promise<GdapRelationship> {
    const path = `${BASE}${route`/${relationshipId}`}`;
    return (await calls.call(tenant, { method: 'GET', path, schema: Relationship }, options)).body;
  }

  function list(customerTenantId: string, options?: ReadOptions): Promise<GdapRelationship[]> {
    const filter = query({ $filter: `customer/tenantId eq ${odata(customerTenantId)}` });
    return calls.collect(tenant, `${BASE}${filter}`, Relationship, options);
  }

  async function findByName(customerTenantId: string, displayName: string, options?: ReadOptions) {
    const all = await list(customerTenantId, options);
    return all.find((relationship) => relationship.displayName === displayName) ?? null;
  }

  function assignments(relationshipId: string, options?: ReadOptions): Promise<GdapAssignment[]> {
    return calls.collect(
      tenant,
      `${BASE}${route`/${relationshipId}/accessAssignments`}`,
      Assignment,
      options,
    );
  }

  async function request(
    relationshipId: string,
    action: 'lockForApproval' | 'terminate',
    options: WriteOptions,
    headers = {},
  ) {
    const path = `${BASE}${route`/${relationshipId}/requests`}`;
    await calls.call(tenant, { method: 'POST', path, body: { action }, headers, schema: ignored }, options);
  }

  return {
    get,
    /** All relationships with one customer, of any status. */
    list,
    findByName,
    assignments,

    /** Creates the request, or returns the one of that name that is already there (409). */
    async create(relationship: NewGdapRelationship, options: WriteOptions): Promise<GdapRelationship> {
      const { displayName, customerTenantId, customerName, roleIds, duration, autoExtendDuration } =
        relationship;
      const body = {
        displayName,
        duration,
        autoExtendDuration,
        customer: {
          tenantId: customerTenantId,
          ...(customerName === undefined ? {} : { displayName: customerName }),
        },
        accessDetails: { unifiedRoles: roleIds.map((roleDefinitionId) => ({ roleDefinitionId })) },
      };
      try {
        return (await calls.call(tenant, { method: 'POST', path: BASE, body, schema: Relationship }, options))
          .body;
      } catch (failure) {
        if (!wasRefused(failure, 409)) throw failure;
        const existing = await findByName(customerTenantId, displayName, readOf(options));
        if (existing === null) throw failure;
        return existing;
      }
    },

    /**
     * Fixes the request so that the customer can approve it. Returns the relationship as it then is; one that is past
     * `created` is returned untouched. `graph-gdap-replicating` (retryable) while Microsoft still copies it around.
     */
    async lock(relationshipId: string, options: WriteOptions): Promise<GdapRelationship> {
      const read = readOf(options);
      try {
        const current = await get(relationshipId, read);
        if (current.status !== 'created') return current;
        await request(relationshipId, 'lockForApproval', options, ifMatch(current.etag));
        return await get(relationshipId, read);
      } catch (failure) {
        if (!wasRefused(failure, 404, 405, 409)) throw failure;
        throw new ActivityFailure('retryable', 'graph-gdap-replicating', failure.message, {
          details: failure.details,
          cause: failure,
          retryAfterMs: REPLICATION_MS,
        });
      }
    },

    /** Lets a group of the partner use roles of an active relationship; one that already may is success. */
    async assign(
      relationshipId: string,
      assignment: { readonly groupId: string; readonly roleIds: readonly string[] },
      options: WriteOptions,
    ): Promise<GdapAssignment> {
      const body = {
        accessContainer: { accessContainerId: assignment.groupId, accessContainerType: 'securityGroup' },
        accessDetails: { unifiedRoles: assignment.roleIds.map((roleDefinitionId) => ({ roleDefinitionId })) },
      };
      const path = `${BASE}${route`/${relationshipId}/accessAssignments`}`;
      try {
        return (await calls.call(tenant, { method: 'POST', path, body, schema: Assignment }, options)).body;
      } catch (failure) {
        if (!wasRefused(failure, 409)) throw failure;
        const existing = await assignments(relationshipId, readOf(options));
        const same = existing.find((candidate) => covers(candidate, assignment));
        if (same === undefined) throw failure;
        return same;
      }
    },

    async assignment(
      relationshipId: string,
      assignmentId: string,
      options?: ReadOptions,
    ): Promise<GdapAssignment> {
      const path = `${BASE}${route`/${relationshipId}/accessAssignments/${assignmentId}`}`;
      return (await calls.call(tenant, { method: 'GET', path, schema: Assignment }, options)).body;
    },

    /** Ends an approved relationship. */
    terminate(relationshipId: string, options: WriteOptions): Promise<void> {
      return request(relationshipId, 'terminate', options);
    },

    /** Removes a request that was never locked; one that is gone already is success. */
    async remove(relationshipId: string, options: WriteOptions): Promise<void> {
      try {
        const { etag } = await get(relationshipId, readOf(options));
        const path = `${BASE}${route`/${relationshipId}`}`;
        await calls.call(
          tenant,
          { method: 'DELETE', path, headers: ifMatch(etag), schema: ignored },
          options,
        );
      } catch (failure) {
        if (!wasRefused(failure, 404)) throw failure;
      }
    },
  };
}

function readOf({ correlationId, signal }: WriteOptions): ReadOptions {
  return { correlationId, ...(signal === undefined ? {} : { signal }) };
}

function ifMatch(etag: string | null): Record<string, string> {
  return etag === null ? {} : { 'If-Match': etag };
}

function covers(
  existing: GdapAssignment,
  wanted: { readonly groupId: string; readonly roleIds: readonly string[] },
): boolean {
  const isLive = existing.status === 'pending' || existing.status === 'active';
  return (
    isLive &&
    existing.groupId === wanted.groupId.toLowerCase() &&
    wanted.roleIds.every((roleId) => existing.roleIds.includes(roleId.toLowerCase()))
  );
}
