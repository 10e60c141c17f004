/** What is judged from a customer's subscriptions: remarks for the review, seats held, what can grow or be assigned. Pure. */
import type { ForeignSubscription, OrderLine, Subscription } from './activities/shapes.ts';

const isActive = ({ status }: Subscription): boolean => status === 'active';

/** Subscriptions that take more seats: active ones of new commerce. */
export const growable = (subscriptions: readonly Subscription[]): Subscription[] =>
  subscriptions.filter((subscription) => isActive(subscription) && subscription.commerce === 'new');

/** Seats by Graph SKU, over the active subscriptions that we sold. */
export function heldSeats(subscriptions: readonly Subscription[]): { skuId: string; enabled: number }[] {
  const seats = new Map<string, number>();
  for (const { graphSkuId, quantity } of subscriptions.filter(isActive))
    if (graphSkuId !== null) seats.set(graphSkuId, (seats.get(graphSkuId) ?? 0) + quantity);
  return [...seats].map(([skuId, enabled]) => ({ skuId, enabled }));
}

/** SKUs whose seats can be assigned: what was bought, or what the customer holds already. */
export function assignableSkus(bought: readonly string[], subscriptions: readonly Subscription[]): string[] {
  const held = subscriptions.flatMap((subscription) =>
    subscription.isEms && isActive(subscription) && subscription.graphSkuId !== null
      ? [subscription.graphSkuId]
      : [],
  );
  return [...new Set(bought.length > 0 ? bought : held)];
}

export interface Findings {
  readonly subscriptions: readonly Subscription[];
  readonly elsewhere: readonly ForeignSubscription[];
  /** False while we may not look into the tenant. */
  readonly elsewhereKnown: boolean;
}

/** Remarks for the person who reviews the subscriptions, against what was asked for. */
export function remarksOn(
  { subscriptions, elsewhere, elsewhereKnown }: Findings,
  wanted: readonly OrderLine[],
): string[] {
  const ours = subscriptions.flatMap((subscription) => remarkOn(subscription, wanted));
  const foreign = elsewhere.map(({ name, quantity, owner, containsEms }) => {
    const from = owner === 'customer' ? 'from Microsoft directly' : 'through another partner';
    const waste = containsEms ? '; it already contains Enterprise Mobility + Security' : '';
    return `${name} with ${quantity} seats was bought ${from}${waste}.`;
  });
  const unseen = elsewhereKnown
    ? []
    : ['What was bought elsewhere cannot be seen before the customer approves our roles.'];
  return [...ours, ...foreign, ...unseen];
}

function remarkOn(subscription: Subscription, wanted: readonly OrderLine[]): string[] {
  const { name, quantity, status, commerce, termDuration, offerId } = subscription;
  const product = offerId.toLowerCase().split(':').slice(0, 2).join(':');
  const line = wanted.find(({ productId, skuId }) => `${productId}:${skuId}`.toLowerCase() === product);
  const concerns = line !== undefined || subscription.isEms;
  if (status === 'suspended' && concerns)
    return [`${name} is suspended: it takes no seats before it is active again.`];
  if (!isActive(subscription)) return [];
  if (concerns && commerce === 'legacy')
    return [`${name} is a legacy subscription: only a new one can be ordered.`];
  if (line !== undefined && termDuration !== null && termDuration !== line.termDuration)
    return [
      `${name} is active with ${quantity} seats for the term ${termDuration}, not ${line.termDuration}: a new subscription would overlap it.`,
    ];
  if (concerns)
    return [`${name} is active with ${quantity} seats on the same term: more seats can be added to it.`];
  return subscription.containsEms ? [`${name} already contains Enterprise Mobility + Security.`] : [];
}
