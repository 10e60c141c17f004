/**
 * Every night: each order at Partner Center has one intent in our histories, and each of ours shows there (facts: reliability
 * 3.1, point 9). What does not agree becomes an instance with a task for a person. Ids are derived from the orders, so all
 * workers may look, and looking again finds what is there.
 */
import type { Connectors, Order } from '../connectors/index.ts';
import type { Client, InstanceView } from '../engine/index.ts';
import { isAppError } from '../shared/errors.ts';
import { uuidFrom } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import { strayOrder } from '../workflows/stray-order.ts';
import { type Loop, startLoop } from './loop.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Longer than the seven days in which an order can be given back. */
const LOOK_BACK_MS = 10 * DAY_MS;
/** A new order needs up to 15 minutes to show; an hour says nothing rash. */
const GRACE_MS = HOUR_MS;

export interface ReconciliationOptions {
  readonly partnerCenter: Pick<Connectors['partnerCenter'], 'orders'>;
  readonly client: Pick<Client, 'list' | 'start'>;
  readonly log: Logger;
  readonly now?: () => number;
  readonly graceMs?: number;
}

export interface Stray {
  readonly kind: 'orphan' | 'duplicate' | 'missing';
  readonly orderId: string;
  readonly customer: { readonly name: string; readonly tenantId: string };
  readonly placedAt: string | null;
  readonly what: string;
}

export function startOrderReconciliation(options: ReconciliationOptions & { everyMs?: number }): Loop {
  const { everyMs = DAY_MS, log } = options;
  return startLoop('order reconciliation', log, async () => {
    const strays = await reconcileOrders(options);
    log.info({ strays: strays.length }, 'orders reconciled');
    return everyMs;
  });
}

interface Intent {
  readonly customer: Stray['customer'];
  readonly orders: readonly { readonly orderId: string; readonly placedAt: string; readonly key: string }[];
  readonly running: boolean;
}

/** Finds what does not agree, and puts each before a person once. */
export async function reconcileOrders(options: ReconciliationOptions): Promise<readonly Stray[]> {
  const { partnerCenter, client, log, now = Date.now, graceMs = GRACE_MS } = options;
  const since = now() - LOOK_BACK_MS;
  const intents = await intentsSince(client, since);
  const strays: Stray[] = [];
  for (const tenantId of new Set(intents.map(({ customer }) => customer.tenantId))) {
    const ours = intents.filter(({ customer }) => customer.tenantId === tenantId);
    const theirs = await partnerCenter.orders.list(tenantId);
    strays.push(...compare(ours, theirs, { since, until: now() - graceMs }));
  }
  for (const stray of strays) {
    await put(client, stray);
    log.warn({ ...stray }, 'order without an intent, or intent without an order');
  }
  return strays;
}

/** Orders of one customer on both sides. Under way, an order may be placed and not written down yet: it is left for the next night. */
export function compare(
  ours: readonly Intent[],
  theirs: readonly Order[],
  { since, until }: { since: number; until: number },
): Stray[] {
  const [first] = ours;
  if (first === undefined) return [];
  const { customer } = first;
  const known = ours.flatMap(({ orders }) => orders);
  const inTime = (at: string | null) => at !== null && Date.parse(at) >= since && Date.parse(at) <= until;
  const underWay = ours.some(({ running }) => running);
  const strangers = theirs.filter(
    (order) =>
      inTime(order.creationDate) &&
      order.status !== 'cancelled' &&
      !known.some(({ orderId }) => orderId === order.id),
  );
  const missing = known.filter(
    ({ orderId, placedAt }) => inTime(placedAt) && !theirs.some(({ id }) => id === orderId),
  );
  return [
    ...(underWay ? [] : strangers).map((order): Stray => {
      const repeats = known.find(({ key }) => key === keyOf(order));
      return {
        kind: repeats === undefined ? 'orphan' : 'duplicate',
        orderId: order.id,
        customer,
        placedAt: order.creationDate,
        what: repeats === undefined ? keyOf(order) : `${keyOf(order)}, the same as order ${repeats.orderId}`,
      };
    }),
    ...missing.map(
      ({ orderId, placedAt, key }): Stray => ({ kind: 'missing', orderId, customer, placedAt, what: key }),
    ),
  ];
}

const keyOf = ({ lineItems }: Order): string =>
  lineItems
    .map(({ offerId, quantity }) => `${offerId} x ${quantity}`)
    .sort()
    .join(', ');

/** What our orderings bought or are buying, closed ones and those of stopped onboardings included. */
async function intentsSince(client: ReconciliationOptions['client'], since: number): Promise<Intent[]> {
  const intents: Intent[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<Client['list']>> = await client.list(
      // An onboarding may have begun to order weeks before it places the order.
      { workflow: 'ordering', children: true, createdAfter: since - 90 * DAY_MS },
      { limit: 200, ...(cursor === null ? {} : { cursor }) },
    );
    intents.push(...page.items.flatMap(intentOf));
    cursor = page.nextCursor;
  } while (cursor !== null);
  return intents;
}

interface OrderingContext {
  readonly customer: Stray['customer'];
  readonly orders: readonly {
    readonly orderId: string;
    readonly placedAt: string;
    readonly lines: readonly { readonly catalogItemId: string; readonly quantity: number }[];
  }[];
}

function intentOf({ context, status }: InstanceView): Intent[] {
  const { customer, orders } = context as OrderingContext;
  return [
    {
      customer,
      running: status === 'running' || status === 'paused',
      orders: orders.map(({ orderId, placedAt, lines }) => ({
        orderId,
        placedAt,
        key: lines
          .map(({ catalogItemId, quantity }) => `${catalogItemId} x ${quantity}`)
          .sort()
          .join(', '),
      })),
    },
  ];
}

async function put(client: ReconciliationOptions['client'], stray: Stray): Promise<void> {
  const id = `stray_${uuidFrom('stray-order', stray.kind, stray.orderId).replaceAll('-', '')}`;
  try {
    await client.start(strayOrder, stray as never, { id, ifExists: 'return' });
  } catch (error) {
    if (!isAppError(error, 'instance-exists')) throw error;
  }
}
