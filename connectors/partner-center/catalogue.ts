/** The new-commerce catalogue as one customer may buy from it (facts 4.1 to 4.3). */
import { z } from 'zod';
import { query, type ReadOptions, route } from '../http.ts';
import { guid, listOf, nullable } from '../schema.ts';
import type { PartnerCenterCalls } from './service.ts';

const Product = z.object({
  id: z.string(),
  title: z.string(),
  description: nullable(z.string()),
  productType: nullable(z.object({ id: z.string() })),
});
export type Product = z.output<typeof Product>;

const Sku = z
  .object({
    id: z.string(),
    productId: z.string(),
    title: z.string(),
    minimumQuantity: z.number().int(),
    maximumQuantity: z.number().int(),
    isTrial: z.boolean(),
    purchasePrerequisites: listOf(z.string()),
    dynamicAttributes: nullable(z.object({ isAddon: nullable(z.boolean()), provisioningId: nullable(guid) })),
  })
  .transform(({ dynamicAttributes, ...sku }) => ({
    ...sku,
    isAddon: dynamicAttributes?.isAddon ?? false,
    /** The `skuId` this becomes in Microsoft Graph; null where the catalogue does not say. */
    graphSkuId: dynamicAttributes?.provisioningId ?? null,
  }));
export type Sku = z.output<typeof Sku>;

const Term = z.object({
  id: nullable(z.string()),
  /** ISO 8601: `P1M`, `P1Y`, `P3Y`. */
  duration: z.string(),
  description: nullable(z.string()),
  /** Lower case, as the cart wants it: `monthly`, `annual`, `triennial`. Null for what is paid once, such as reservations. */
  billingCycle: nullable(z.string().transform((cycle) => cycle.toLowerCase())),
});

const Availability = z.object({
  id: z.string(),
  productId: z.string(),
  skuId: z.string(),
  /** Changes without notice: use it at once, never keep it. */
  catalogItemId: z.string(),
  segment: nullable(z.string().transform((segment) => segment.toLowerCase())),
  country: nullable(z.string()),
  defaultCurrency: nullable(z.object({ code: z.string() })),
  isPurchasable: z.boolean(),
  terms: listOf(Term),
});
export type Availability = z.output<typeof Availability>;

export function catalogue(calls: PartnerCenterCalls) {
  return {
    products(customerId: string, options?: ReadOptions & { limit?: number }): Promise<Product[]> {
      const path = route`/v1/customers/${customerId}/products`;
      return calls.collect(`${path}${query({ targetView: 'OnlineServices' })}`, Product, options);
    },

    skus(customerId: string, productId: string, options?: ReadOptions): Promise<Sku[]> {
      return calls.collect(route`/v1/customers/${customerId}/products/${productId}/skus`, Sku, options);
    },

    async sku(customerId: string, productId: string, skuId: string, options?: ReadOptions): Promise<Sku> {
      const path = route`/v1/customers/${customerId}/products/${productId}/skus/${skuId}`;
      return (await calls.call({ method: 'GET', path, schema: Sku }, options)).body;
    },

    availabilities(
      customerId: string,
      productId: string,
      skuId: string,
      options?: ReadOptions,
    ): Promise<Availability[]> {
      const path = route`/v1/customers/${customerId}/products/${productId}/skus/${skuId}/availabilities`;
      return calls.collect(path, Availability, options);
    },
  };
}

/**
 * The availability to buy, or undefined when none fits. Several may fit (promotions); the lowest id wins, so that a
 * repeat chooses the same.
 */
export function chooseAvailability(
  availabilities: readonly Availability[],
  wanted: { readonly termDuration: string; readonly billingCycle: string; readonly segment?: string },
): Availability | undefined {
  const segment = (wanted.segment ?? 'commercial').toLowerCase();
  const cycle = wanted.billingCycle.toLowerCase();
  return availabilities
    .filter(
      (candidate) =>
        candidate.isPurchasable &&
        (candidate.segment === null || candidate.segment === segment) &&
        candidate.terms.some((term) => term.duration === wanted.termDuration && term.billingCycle === cycle),
    )
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))[0];
}
