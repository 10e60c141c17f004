/** Users of a customer's tenant (facts 5.2). */
import { z } from 'zod';
import { query, type ReadOptions, route, type WriteOptions } from '../http.ts';
import { wasRefused } from '../refusals.ts';
import { guid, ignored, listOf, nullable } from '../schema.ts';
import { type BatchPart, batch } from './batch.ts';
import { type UserOutcome, userOutcomes } from './licences.ts';
import type { GraphCalls } from './service.ts';

const User = z
  .object({
    id: guid,
    userPrincipalName: z.string(),
    displayName: nullable(z.string()),
    accountEnabled: nullable(z.boolean()),
    /** ISO 3166 alpha-2; without it no licence can be assigned. */
    usageLocation: nullable(z.string()),
    userType: nullable(z.string()),
    onPremisesSyncEnabled: nullable(z.boolean()),
    assignedLicenses: listOf(z.object({ skuId: guid, disabledPlans: listOf(guid) })),
  })
  .transform(({ assignedLicenses, ...user }) => ({ ...user, licences: assignedLicenses }));
export type User = z.output<typeof User>;

const SELECT =
  'id,userPrincipalName,displayName,accountEnabled,usageLocation,userType,onPremisesSyncEnabled,assignedLicenses';

export function users(calls: GraphCalls) {
  return {
    list(tenant: string, options?: ReadOptions & { limit?: number }): Promise<User[]> {
      return calls.collect(tenant, `/v1.0/users${query({ $select: SELECT, $top: 100 })}`, User, options);
    },

    /** A user by id or user principal name, or null when there is none (404). */
    async find(tenant: string, idOrName: string, options?: ReadOptions): Promise<User | null> {
      const path = `${route`/v1.0/users/${idOrName}`}${query({ $select: SELECT })}`;
      try {
        return (await calls.call(tenant, { method: 'GET', path, schema: User }, options)).body;
      } catch (failure) {
        if (wasRefused(failure, 404)) return null;
        throw failure;
      }
    },

    async setUsageLocation(
      tenant: string,
      userId: string,
      country: string,
      options: WriteOptions,
    ): Promise<void> {
      const path = route`/v1.0/users/${userId}`;
      await calls.call(
        tenant,
        { method: 'PATCH', path, body: { usageLocation: country }, schema: ignored },
        options,
      );
    },

    /** Sets the usage location of up to 20 users in one call, each with an outcome of its own, in the order given. */
    async setUsageLocations(
      tenant: string,
      userIds: readonly string[],
      country: string,
      options: WriteOptions,
    ): Promise<UserOutcome[]> {
      const parts = userIds.map(
        (userId, index): BatchPart => ({
          id: String(index),
          method: 'PATCH',
          url: route`/users/${userId}`,
          body: { usageLocation: country },
        }),
      );
      return userOutcomes(userIds, await batch(calls, tenant, parts, options));
    },
  };
}
