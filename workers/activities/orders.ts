/** Orders and carts of Partner Center in the contracts' shapes, and how an order is recognised as the one asked for. */
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import type { LineProvisioning, Order, Cart as PartnerCart } from '../../connectors/index.ts';
import type { ActivityContext } from '../../engine/index.ts';
import type { Cart, PlacedOrder } from '../../workflows/activities/shapes.ts';
import { instant, nowIso } from './calls.ts';

export type WantedLine = { readonly catalogItemId: string; readonly quantity: number };

const CART_LIFE_MS = 7 * 24 * 3_600_000;
/** Microsoft's clock and ours agree this far; an order is never older than its approval by more. */
const CLOCK_TOLERANCE_MS = 2_000;

/** `placedAt` of an order without a date is `fallback`. */
export function placedOrder(
  order: Order,
  provisioning: readonly LineProvisioning[] = [],
  fallback: string = nowIso(),
): z.input<typeof PlacedOrder> {
  const fulfilled = new Set(
    provisioning.filter(({ status }) => status === 'fulfilled').map(({ lineItemNumber }) => lineItemNumber),
  );
  return {
    orderId: order.id,
    status: order.status,
    placedAt: instant(order.creationDate) ?? fallback,
    totalPrice: order.totalPrice,
    currency: order.currencyCode,
    lines: order.lineItems.map((line) => ({
      line: line.lineItemNumber,
      catalogItemId: line.offerId,
      quantity: line.quantity,
      subscriptionId: line.subscriptionId?.toLowerCase() ?? null,
      fulfilled: fulfilled.has(line.lineItemNumber),
    })),
  };
}

export function cartOf(cart: PartnerCart): z.input<typeof Cart> {
  const now = Date.now();
  const created = Date.parse(instant(cart.creationTimestamp) ?? new Date(now).toISOString());
  const expiresAt = instant(cart.expirationTimestamp) ?? new Date(created + CART_LIFE_MS).toISOString();
  const lines = cart.lineItems.toSorted((a, b) => a.id - b.id);
  const cents = lines.reduce((sum, line) => sum + Math.round((line.totalPrice ?? 0) * 100), 0);
  return {
    cartId: cart.id,
    status: cart.status === 'Ordered' ? 'ordered' : 'active',
    expiresAt,
    expired: Date.parse(expiresAt) <= now,
    lines: lines.map((line) => ({
      line: line.id,
      catalogItemId: line.catalogItemId,
      quantity: line.quantity,
      currency: line.currencyCode,
      unitPrice: line.unitPrice,
      extendedPrice: line.totalPrice,
      orderGroup: line.orderGroup,
      error: line.error === null ? null : { code: line.error.code, message: line.error.text },
    })),
    currency: lines[0]?.currencyCode ?? null,
    totalPrice: cents / 100,
    priceHash: priceHash(lines),
  };
}

function priceHash(lines: PartnerCart['lineItems']): string {
  const priced = lines.map((line) => [
    line.catalogItemId,
    line.quantity,
    line.termDuration,
    line.billingCycle,
    line.currencyCode,
    line.unitPrice,
    line.totalPrice,
  ]);
  return createHash('sha256').update(JSON.stringify(priced)).digest('hex');
}

/** An approval may have been given, and its order placed, in what the store has lost: then nobody remembers either. */
export function sinceLoss(notBefore: string, { lossSince }: Pick<ActivityContext, 'lossSince'>): string {
  return lossSince === null || lossSince >= Date.parse(notBefore)
    ? notBefore
    : new Date(lossSince).toISOString();
}

/** Orders placed since `notBefore` that hold wanted lines and nothing else. An order without a date proves nothing. */
export function candidateOrders(
  orders: readonly Order[],
  wanted: readonly WantedLine[],
  notBefore: string,
): Order[] {
  const earliest = Date.parse(notBefore) - CLOCK_TOLERANCE_MS;
  return orders.filter((order) => {
    const placedAt = instant(order.creationDate);
    const fresh = placedAt !== null && Date.parse(placedAt) >= earliest;
    return fresh && order.status !== 'cancelled' && order.lineItems.length > 0 && holdsOnly(order, wanted);
  });
}

/** The orders hold the wanted lines, each once: nothing missing, nothing twice. */
export function coverExactly(orders: readonly Order[], wanted: readonly WantedLine[]): boolean {
  const ordered = keysOf(orders.flatMap(linesOf));
  const expected = keysOf(wanted);
  return ordered.length === expected.length && ordered.every((key, index) => key === expected[index]);
}

function holdsOnly(order: Order, wanted: readonly WantedLine[]): boolean {
  const left = keysOf(wanted);
  return keysOf(linesOf(order)).every((key) => {
    const at = left.indexOf(key);
    if (at < 0) return false;
    left.splice(at, 1);
    return true;
  });
}

function linesOf(order: Order): WantedLine[] {
  return order.lineItems.map(({ offerId, quantity }) => ({ catalogItemId: offerId, quantity }));
}

function keysOf(lines: readonly WantedLine[]): string[] {
  return lines.map(({ catalogItemId, quantity }) => `${catalogItemId} x ${quantity}`).sort();
}
