/** Questions asked in the partner's own tenant: whose domain is it, are our groups and our user in order. */
import { z } from 'zod';
import { query, type ReadOptions, route } from '../http.ts';
import { wasRefused } from '../refusals.ts';
import { guid, nullable } from '../schema.ts';
import { type GraphCalls, odata } from './service.ts';

const TenantInformation = z.object({
  tenantId: guid,
  displayName: nullable(z.string()),
  defaultDomainName: nullable(z.string()),
});
export type TenantInformation = z.output<typeof TenantInformation>;

const Group = z.object({
  id: guid,
  displayName: nullable(z.string()),
  securityEnabled: nullable(z.boolean()),
});
export type Group = z.output<typeof Group>;

const Member = z.object({ id: guid });
const SignedInUser = z.object({ id: guid, userPrincipalName: nullable(z.string()) });

export function tenants(calls: GraphCalls) {
  function membersOf(groupId: string, options?: ReadOptions & { limit?: number }) {
    const path = route`/v1.0/groups/${groupId}/members`;
    return calls.collect(calls.partnerTenantId, path, Member, options);
  }

  async function signedInUser(
    options?: ReadOptions,
  ): Promise<{ readonly userPrincipalName: string | null; readonly isAdminAgent: boolean }> {
    const tenant = calls.partnerTenantId;
    const { body: me } = await calls.call(
      tenant,
      { method: 'GET', path: '/v1.0/me', schema: SignedInUser },
      options,
    );
    const filter = query({ $filter: `displayName eq ${odata('AdminAgents')}` });
    const [group] = await calls.collect(tenant, `/v1.0/groups${filter}`, Group, options);
    const members = group === undefined ? [] : await membersOf(group.id, options);
    return {
      userPrincipalName: me.userPrincipalName,
      isAdminAgent: members.some((member) => member.id === me.id),
    };
  }

  return {
    /** The tenant that owns a domain, or null when none does (404). */
    async findByDomain(domain: string, options?: ReadOptions): Promise<TenantInformation | null> {
      const quoted = encodeURIComponent(odata(domain)).replaceAll('%27', "'");
      const path = `/v1.0/tenantRelationships/findTenantInformationByDomainName(domainName=${quoted})`;
      try {
        return (
          await calls.call(calls.partnerTenantId, { method: 'GET', path, schema: TenantInformation }, options)
        ).body;
      } catch (failure) {
        if (wasRefused(failure, 404)) return null;
        throw failure;
      }
    },

    /** Whether a group of the partner's tenant exists and has members: an empty one carries no rights. */
    async isUsableGroup(groupId: string, options?: ReadOptions): Promise<boolean> {
      try {
        return (await membersOf(groupId, { ...options, limit: 1 })).length > 0;
      } catch (failure) {
        if (wasRefused(failure, 404)) return false;
        throw failure;
      }
    },

    /** A group of the partner's tenant, or null when it is gone. */
    async findGroup(groupId: string, options?: ReadOptions): Promise<Group | null> {
      const path = route`/v1.0/groups/${groupId}`;
      try {
        return (await calls.call(calls.partnerTenantId, { method: 'GET', path, schema: Group }, options))
          .body;
      } catch (failure) {
        if (wasRefused(failure, 404)) return null;
        throw failure;
      }
    },

    /** Whether the user who signed in for the partner is an Admin Agent. */
    async isAdminAgent(options?: ReadOptions): Promise<boolean> {
      return (await signedInUser(options)).isAdminAgent;
    },

    /** The user who signed in for the partner, and whether it is an Admin Agent. */
    signedInUser,
  };
}
