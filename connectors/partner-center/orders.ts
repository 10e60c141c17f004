/** Orders (facts 4.6). This product never posts one: see carts. */
import { z } from 'zod';
import { type ReadOptions, route } from '../http.ts';
import { wasRefused } from '../refusals.ts';
import { enumOf, listOf, nullable } from '../schema.ts';
import type { PartnerCenterCalls } from './service.ts';

const OrderLine = z.object({
  lineItemNumber: z.number().int(),
  offerId: z.string(),
  /** Null while Microsoft provisions. */
  subscriptionId: nullable(z.string()),
  quantity: z.number().int(),
  friendlyName: nullable(z.string()),
  termDuration: nullable(z.string()),
});

export const Order = z.object({
  id: z.string(),
  status: enumOf('pending', 'completed', 'cancelled', 'unknown'),
  creationDate: nullable(z.string()),
  currencyCode: nullable(z.string()),
  totalPrice: nullable(z.number()),
  lineItems: listOf(OrderLine),
});
export type Order = z.output<typeof Order>;

const LineProvisioning = z.object({
  lineItemNumber: z.number().int(),
  status: enumOf('fulfilled', 'unfulfilled', 'prefulfillmentPending'),
});
export type LineProvisioning = z.output<typeof LineProvisioning>;

export function orders(calls: PartnerCenterCalls) {
  async function get(customerId: string, orderId: string, options?: ReadOptions): Promise<Order> {
    const path = route`/v1/customers/${customerId}/orders/${orderId}`;
    return (await calls.call({ method: 'GET', path, schema: Order }, options)).body;
  }

  return {
    get,

    /** The order, or null while it is not visible (404/20000); absence proves nothing for 15 minutes. */
    async find(customerId: string, orderId: string, options?: ReadOptions): Promise<Order | null> {
      try {
        return await get(customerId, orderId, options);
      } catch (failure) {
        if (wasRefused(failure, 404)) return null;
        throw failure;
      }
    },

    list(customerId: string, options?: ReadOptions): Promise<Order[]> {
      return calls.collect(route`/v1/customers/${customerId}/orders`, Order, options);
    },

    provisioning(customerId: string, orderId: string, options?: ReadOptions): Promise<LineProvisioning[]> {
      return calls.collect(
        route`/v1/customers/${customerId}/orders/${orderId}/provisioningstatus`,
        LineProvisioning,
        options,
      );
    },
  };
}
