/** Seats and who has them (facts 5). */
import { z } from 'zod';
import type { ActivityFailure } from '../../shared/errors.ts';
import { type ReadOptions, route, type WriteOptions } from '../http.ts';
import { enumOf, guid, listOf, nullable } from '../schema.ts';
import { BATCH_SIZE, type BatchOutcome, type BatchPart, batch } from './batch.ts';
import type { GraphCalls } from './service.ts';

const SubscribedSku = z
  .object({
    skuId: guid,
    skuPartNumber: z.string(),
    capabilityStatus: enumOf('Enabled', 'Warning', 'Suspended', 'Deleted', 'LockedOut'),
    consumedUnits: z.number().int(),
    prepaidUnits: z.object({
      enabled: z.number().int(),
      warning: z
        .number()
        .int()
        .nullish()
        .transform((units) => units ?? 0),
      suspended: z
        .number()
        .int()
        .nullish()
        .transform((units) => units ?? 0),
    }),
    subscriptionIds: listOf(z.string().transform((id) => id.toLowerCase())),
    servicePlans: listOf(
      z.object({
        servicePlanId: guid,
        servicePlanName: z.string(),
        provisioningStatus: enumOf(
          'Success',
          'PendingInput',
          'PendingActivation',
          'PendingProvisioning',
          'Disabled',
          'Error',
        ),
      }),
    ),
  })
  .transform((sku) => ({
    ...sku,
    freeUnits: sku.prepaidUnits.enabled + sku.prepaidUnits.warning - sku.consumedUnits,
  }));
export type SubscribedSku = z.output<typeof SubscribedSku>;

const DirectorySubscription = z.object({
  id: z.string(),
  commerceSubscriptionId: nullable(z.string()),
  skuId: nullable(guid),
  skuPartNumber: nullable(z.string()),
  status: nullable(z.string()),
  totalLicenses: nullable(z.number().int()),
  /** The partner tenant that bought it; null when the customer did. */
  ownerTenantId: nullable(guid),
});
export type DirectorySubscription = z.output<typeof DirectorySubscription>;

const LicenceDetail = z.object({ skuId: guid, skuPartNumber: z.string() });
export type LicenceDetail = z.output<typeof LicenceDetail>;

export interface LicenceAssignment {
  readonly skuId: string;
  /** Service plans switched off. Overwrites what the user had for this SKU. */
  readonly disabledPlans?: readonly string[];
}

export type UserOutcome =
  | { readonly userId: string; readonly outcome: 'done' }
  | { readonly userId: string; readonly outcome: 'failed'; readonly failure: ActivityFailure };

export function licences(calls: GraphCalls) {
  return {
    subscribedSkus(tenant: string, options?: ReadOptions): Promise<SubscribedSku[]> {
      return calls.collect(tenant, '/v1.0/subscribedSkus', SubscribedSku, options);
    },

    /** Who bought the tenant's subscriptions: ours, another partner's, or its own. */
    directorySubscriptions(tenant: string, options?: ReadOptions): Promise<DirectorySubscription[]> {
      return calls.collect(tenant, '/v1.0/directory/subscriptions', DirectorySubscription, options);
    },

    details(tenant: string, userId: string, options?: ReadOptions): Promise<LicenceDetail[]> {
      return calls.collect(tenant, route`/v1.0/users/${userId}/licenseDetails`, LicenceDetail, options);
    },

    /** Gives one user a licence; giving it again changes nothing. */
    async assign(
      tenant: string,
      userId: string,
      licence: LicenceAssignment,
      options: WriteOptions,
    ): Promise<void> {
      const request = {
        method: 'POST',
        path: route`/v1.0/users/${userId}/assignLicense`,
        body: assignmentBody(licence),
        schema: z.unknown(),
      } as const;
      await calls.call(tenant, request, options);
    },

    /**
     * Gives up to 20 users a licence in one call, each with an outcome of its own, in the order given. Raises only
     * when the call as a whole fails.
     */
    async assignBatch(
      tenant: string,
      userIds: readonly string[],
      licence: LicenceAssignment,
      options: WriteOptions,
    ): Promise<UserOutcome[]> {
      const parts = userIds.map(
        (userId, index): BatchPart => ({
          id: String(index),
          method: 'POST',
          url: route`/users/${userId}/assignLicense`,
          body: assignmentBody(licence),
        }),
      );
      return userOutcomes(userIds, await batch(calls, tenant, parts, options));
    },
  };
}

/** Lists of at most 20, the size of one `assignBatch`. */
export function inBatches<Item>(items: readonly Item[]): Item[][] {
  return Array.from({ length: Math.ceil(items.length / BATCH_SIZE) }, (_, index) =>
    items.slice(index * BATCH_SIZE, (index + 1) * BATCH_SIZE),
  );
}

export function userOutcomes(userIds: readonly string[], outcomes: readonly BatchOutcome[]): UserOutcome[] {
  return outcomes.map((result, index) => {
    const userId = userIds[index] ?? result.id;
    return result.outcome === 'done'
      ? { userId, outcome: 'done' }
      : { userId, outcome: 'failed', failure: result.failure };
  });
}

function assignmentBody({ skuId, disabledPlans }: LicenceAssignment): object {
  return { addLicenses: [{ skuId, disabledPlans: disabledPlans ?? [] }], removeLicenses: [] };
}
