/** Catalogue, carts and orders: everything about buying that spends nothing. */
import { type Availability, chooseAvailability, type Sku, wasRefused } from '../../connectors/index.ts';
import { type ActivityImplementation, implementActivity } from '../../engine/index.ts';
import { ActivityFailure } from '../../shared/errors.ts';
import * as contracts from '../../workflows/activities/ordering.ts';
import type { OrderLine } from '../../workflows/activities/shapes.ts';
import { type ActivityDeps, nowIso, reading, writing } from './calls.ts';
import { candidateOrders, cartOf, placedOrder, sinceLoss } from './orders.ts';

const NOT_FOR_SALE = [
  'partner-center-400013',
  'partner-center-400018',
  'partner-center-400019',
  'partner-center-400072',
];

interface Offer {
  readonly sku: Sku;
  readonly availabilities: readonly Availability[];
}

export function resolveCatalogue({ connectors }: ActivityDeps): ActivityImplementation {
  const { catalogue } = connectors.partnerCenter;
  return implementActivity(contracts.resolveCatalogue, {
    async run({ customerId, lines }, context) {
      const offers = new Map<string, Promise<Offer | null>>();
      const offerOf = (line: OrderLine): Promise<Offer | null> => {
        const key = `${line.productId}:${line.skuId}`;
        const known = offers.get(key) ?? read(line);
        offers.set(key, known);
        return known;
      };
      const read = async ({ productId, skuId }: OrderLine): Promise<Offer | null> => {
        try {
          const [sku, availabilities] = await Promise.all([
            catalogue.sku(customerId, productId, skuId, reading(context)),
            catalogue.availabilities(customerId, productId, skuId, reading(context)),
          ]);
          return { sku, availabilities };
        } catch (failure) {
          if (wasRefused(failure, ...NOT_FOR_SALE)) return null;
          throw failure;
        }
      };
      const resolved = await Promise.all(lines.map(async (line) => resolveLine(line, await offerOf(line))));
      return { lines: resolved };
    },
  });
}

function resolveLine(line: OrderLine, offer: Offer | null) {
  const problem = (text: string) => ({ ...line, catalogItemId: null, graphSkuId: null, problem: text });
  if (offer === null) return problem('The catalogue of this customer does not have it.');
  const { minimumQuantity, maximumQuantity, isAddon, graphSkuId } = offer.sku;
  if (isAddon) return problem('It is an add-on and cannot be bought by itself.');
  if (line.quantity < minimumQuantity || line.quantity > maximumQuantity)
    return problem(`Between ${minimumQuantity} and ${maximumQuantity} licences can be ordered.`);
  const availability = chooseAvailability(offer.availabilities, line);
  if (availability === undefined)
    return problem(
      `It cannot be bought for the term ${line.termDuration} with ${line.billingCycle} billing.`,
    );
  return { ...line, catalogItemId: availability.catalogItemId, graphSkuId, problem: null };
}

export function createCart({ connectors }: ActivityDeps): ActivityImplementation {
  return implementActivity(contracts.createCart, {
    async run({ customerId, lines }, context) {
      const wanted = lines.map(({ catalogItemId, quantity, billingCycle, termDuration, name }) => {
        if (catalogItemId === null)
          throw new ActivityFailure('terminal', 'cart-line-unresolved', `${name} has no catalogue item.`);
        return { catalogItemId, quantity, billingCycle, termDuration, friendlyName: name };
      });
      return cartOf(await connectors.partnerCenter.carts.create(customerId, wanted, writing(context)));
    },
  });
}

export function readCart({ connectors }: ActivityDeps): ActivityImplementation {
  return implementActivity(contracts.readCart, {
    async run({ customerId, cartId }, context) {
      const readAt = nowIso();
      try {
        const cart = await connectors.partnerCenter.carts.get(customerId, cartId, reading(context));
        return { cart: cartOf(cart), readAt };
      } catch (failure) {
        if (wasRefused(failure, 'partner-center-800008')) return { cart: null, readAt };
        throw failure;
      }
    },
  });
}

export function findOrder({ connectors }: ActivityDeps): ActivityImplementation {
  return implementActivity(contracts.findOrder, {
    async run({ customerId, lines, notBefore }, context) {
      const all = await connectors.partnerCenter.orders.list(customerId, reading(context));
      const found = candidateOrders(all, lines, sinceLoss(notBefore, context));
      return { orders: found.map((order) => placedOrder(order, [], notBefore)) };
    },
  });
}

export function readOrder({ connectors }: ActivityDeps): ActivityImplementation {
  const { orders } = connectors.partnerCenter;
  return implementActivity(contracts.readOrder, {
    async run({ customerId, orderId }, context) {
      const order = await orders.find(customerId, orderId, reading(context));
      if (order === null) return { order: null };
      const provisioning = await orders
        .provisioning(customerId, orderId, reading(context))
        .catch((failure: unknown) => {
          // Nothing is known about a fresh order yet.
          if (wasRefused(failure, 404)) return [];
          throw failure;
        });
      return { order: placedOrder(order, provisioning) };
    },
  });
}

export function readSeats({ connectors }: ActivityDeps): ActivityImplementation {
  return implementActivity(contracts.readSeats, {
    async run({ tenantId, skuIds }, context) {
      const skus = await connectors.graph.licences.subscribedSkus(tenantId, reading(context));
      const seats = skuIds.map((skuId) => {
        const sku = skus.find((candidate) => candidate.skuId === skuId.toLowerCase());
        return {
          skuId,
          present: sku !== undefined,
          enabled: sku?.prepaidUnits.enabled ?? 0,
          consumed: sku?.consumedUnits ?? 0,
          free: Math.max(0, sku?.freeUnits ?? 0),
        };
      });
      return { seats };
    },
  });
}
