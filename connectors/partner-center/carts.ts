/** Carts and their checkout (facts 4.4, 4.5; reliability facts 3.1): the only way this product buys. */
import { z } from 'zod';
import { type ReadOptions, route, type WriteOptions } from '../http.ts';
import { codeText, enumOf, listOf, nullable } from '../schema.ts';
import { Order } from './orders.ts';
import type { PartnerCenterCalls } from './service.ts';

const LineError = z
  .object({ errorCode: nullable(codeText), errorDescription: nullable(z.string()) })
  .transform((error) => ({ code: error.errorCode ?? 'unknown', text: error.errorDescription ?? '' }));

const CartLine = z
  .object({
    id: z.number().int(),
    catalogItemId: z.string(),
    quantity: z.number().int(),
    billingCycle: z.string().transform((cycle) => cycle.toLowerCase()),
    termDuration: nullable(z.string()),
    friendlyName: nullable(z.string()),
    currencyCode: nullable(z.string()),
    orderGroup: nullable(codeText),
    pricing: nullable(z.object({ price: z.number(), extendedPrice: nullable(z.number()) })),
    error: nullable(LineError),
  })
  .transform(({ pricing, ...line }) => ({
    ...line,
    unitPrice: pricing?.price ?? null,
    totalPrice: pricing?.extendedPrice ?? null,
  }));
export type CartLine = z.output<typeof CartLine>;

const Cart = z.object({
  id: z.string(),
  status: nullable(enumOf('Active', 'Ordered')),
  creationTimestamp: nullable(z.string()),
  expirationTimestamp: nullable(z.string()),
  lineItems: listOf(CartLine),
});
/** A cart that was created may still hold lines with `error`: look before checkout. */
export type Cart = z.output<typeof Cart>;

const CheckoutResult = z
  .object({
    orders: listOf(Order),
    orderErrors: listOf(
      z.object({
        orderGroupId: nullable(codeText),
        code: nullable(codeText),
        description: nullable(z.string()),
      }),
    ),
  })
  .transform(({ orders, orderErrors }) => ({
    orders,
    errors: orderErrors.map((error) => ({
      orderGroup: error.orderGroupId,
      code: error.code ?? 'unknown',
      text: error.description ?? '',
    })),
  }));
/** Some order groups may have succeeded and others not. */
export type CheckoutResult = z.output<typeof CheckoutResult>;

export interface NewCartLine {
  readonly catalogItemId: string;
  readonly quantity: number;
  readonly billingCycle: string;
  readonly termDuration: string;
  readonly friendlyName?: string;
  /** Partner id of the indirect reseller who sells. */
  readonly transactionReseller?: string;
}

export function carts(calls: PartnerCenterCalls) {
  return {
    /** Costs nothing and expires after 7 days, so an orphan does no harm. Keep the id before checking out. */
    async create(customerId: string, lines: readonly NewCartLine[], options: WriteOptions): Promise<Cart> {
      const lineItems = lines.map(({ transactionReseller, ...line }, id) => ({
        id,
        ...line,
        participants:
          transactionReseller === undefined
            ? []
            : [{ key: 'transaction_reseller', value: transactionReseller }],
        provisioningContext: {},
      }));
      const body = { PartnerOnRecordAttestationAccepted: true, lineItems };
      const path = route`/v1/customers/${customerId}/carts`;
      return (await calls.call({ method: 'POST', path, body, schema: Cart }, options)).body;
    },

    async get(customerId: string, cartId: string, options?: ReadOptions): Promise<Cart> {
      const path = route`/v1/customers/${customerId}/carts/${cartId}`;
      return (await calls.call({ method: 'GET', path, schema: Cart }, options)).body;
    },

    /**
     * Spends money. Idempotent per cart. Anything but orders or a clean business refusal ends as `unknown` (timeouts,
     * 5xx, 800060, 800064, 800065): read the cart and the customer's orders before another try of the same cart.
     */
    async checkout(customerId: string, cartId: string, options: WriteOptions): Promise<CheckoutResult> {
      const path = route`/v1/customers/${customerId}/carts/${cartId}/checkout`;
      return (await calls.call({ method: 'POST', path, schema: CheckoutResult, strict: true }, options)).body;
    },
  };
}
