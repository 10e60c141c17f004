/** Subscriptions (facts 4.7): read, change the seats, suspend, cancel. */
import { z } from 'zod';
import { query, type ReadOptions, route, type WriteOptions } from '../http.ts';
import { wasRefused } from '../refusals.ts';
import { enumOf, guid, listOf, nullable } from '../schema.ts';
import type { PartnerCenterCalls } from './service.ts';

const Subscription = z
  .object({
    id: z.string().transform((id) => id.toLowerCase()),
    /** Empty for what was never an offer, such as some Azure entitlements. */
    offerId: z
      .string()
      .nullish()
      .transform((id) => id ?? ''),
    offerName: nullable(z.string()),
    friendlyName: nullable(z.string()),
    quantity: z.number().int(),
    status: enumOf('none', 'active', 'pending', 'suspended', 'expired', 'disabled', 'deleted'),
    productType: nullable(z.object({ id: z.string() })),
    billingCycle: nullable(z.string().transform((cycle) => cycle.toLowerCase())),
    termDuration: nullable(z.string()),
    autoRenewEnabled: nullable(z.boolean()),
    isTrial: nullable(z.boolean()),
    orderId: nullable(z.string()),
    commitmentEndDate: nullable(z.string()),
    cancellationAllowedUntilDate: nullable(z.string()),
    refundableQuantity: nullable(
      z.object({
        totalQuantity: z.number().int(),
        details: listOf(z.object({ quantity: z.number().int(), allowedUntilDateTime: z.string() })),
      }),
    ),
    unitType: nullable(z.string()),
    creationDate: nullable(z.string()),
  })
  .transform(({ productType, ...subscription }) => ({
    ...subscription,
    /** Licences of the new commerce. Legacy ones have a GUID as offer; software and reservations have an id with colons too. */
    isNewCommerce:
      productType === null
        ? subscription.offerId.includes(':')
        : productType.id.toLowerCase() === 'onlineservicesnce',
  }));
export type Subscription = z.output<typeof Subscription>;

const Provisioning = z.object({
  /** The `skuId` in Microsoft Graph. */
  skuId: guid,
  status: enumOf('success', 'pending', 'failed'),
  quantity: z.number().int(),
});
export type SubscriptionProvisioning = z.output<typeof Provisioning>;

/** Each field is absolute, so the same change may be sent twice. */
export interface SubscriptionChange {
  readonly quantity?: number;
  /** `deleted` cancels, which is refused later than 7 days after purchase. */
  readonly status?: 'active' | 'suspended' | 'deleted';
  readonly autoRenewEnabled?: boolean;
}

export type ChangeResult =
  | { readonly outcome: 'changed'; readonly subscription: Subscription }
  /** Taken on (202): read the subscription until it shows the change. */
  | { readonly outcome: 'accepted' };

/** The resource as it came, to be sent back whole: what is left out may be cleared. */
const Raw = z.looseObject({ attributes: z.looseObject({ etag: z.string().nullish() }).nullish() });

export function subscriptions(calls: PartnerCenterCalls) {
  const pathOf = (customerId: string, subscriptionId: string) =>
    route`/v1/customers/${customerId}/subscriptions/${subscriptionId}`;

  return {
    list(customerId: string, options?: ReadOptions & { orderId?: string }): Promise<Subscription[]> {
      const { orderId, ...read } = options ?? {};
      const path = `${route`/v1/customers/${customerId}/subscriptions`}${query({ order_id: orderId })}`;
      return calls.collect(path, Subscription, read);
    },

    async get(customerId: string, subscriptionId: string, options?: ReadOptions): Promise<Subscription> {
      const path = pathOf(customerId, subscriptionId);
      return (await calls.call({ method: 'GET', path, schema: Subscription }, options)).body;
    },

    /** Reads the whole subscription, changes it and sends it back against its etag. */
    async change(
      customerId: string,
      subscriptionId: string,
      change: SubscriptionChange,
      options: WriteOptions,
    ): Promise<ChangeResult> {
      const path = pathOf(customerId, subscriptionId);
      const { requestId: _, ...read } = options;
      const { body: current } = await calls.call({ method: 'GET', path, schema: Raw }, read);
      const etag = current.attributes?.etag;
      const answer = await calls.call(
        {
          method: 'PATCH',
          path,
          body: { ...current, ...change },
          schema: z.unknown(),
          headers: etag === null || etag === undefined ? {} : { 'If-Match': quoted(etag) },
          strict: true,
        },
        options,
      );
      const changed = Subscription.safeParse(answer.body);
      return answer.status !== 202 && changed.success
        ? { outcome: 'changed', subscription: changed.data }
        : { outcome: 'accepted' };
    },

    /** Refreshed about every 15 minutes; null when there is nothing yet (404/800007). */
    async provisioning(
      customerId: string,
      subscriptionId: string,
      options?: ReadOptions,
    ): Promise<SubscriptionProvisioning | null> {
      const path = `${pathOf(customerId, subscriptionId)}/provisioningstatus`;
      try {
        return (await calls.call({ method: 'GET', path, schema: Provisioning }, options)).body;
      } catch (failure) {
        if (wasRefused(failure, 'partner-center-800007')) return null;
        throw failure;
      }
    },
  };
}

function quoted(etag: string): string {
  return /^(W\/)?".*"$/.test(etag) ? etag : `"${etag}"`;
}
