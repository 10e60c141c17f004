/**
 * The one call that spends money (facts: reliability 3.1). Only orders or a clean business refusal count as an answer;
 * everything else is unknown, and `verify` looks at the cart, which is the anchor, and at the customer's orders.
 */
import type { z } from 'zod';
import { type CheckoutResult, wasRefused } from '../../connectors/index.ts';
import { type ActivityImplementation, implementActivity, type Verification } from '../../engine/index.ts';
import { ActivityFailure } from '../../shared/errors.ts';
import { checkoutCart as contract } from '../../workflows/activities/ordering.ts';
import { type ActivityDeps, type BusinessRefusal, businessRefusal, reading, writing } from './calls.ts';
import { candidateOrders, cartOf, coverExactly, placedOrder, sinceLoss } from './orders.ts';

type Output = z.input<typeof contract.output>;
type Reason =
  | 'agreement-missing'
  | 'account-under-review'
  | 'account-refused'
  | 'catalogue-changed'
  | 'credit'
  | 'partner'
  | 'other';

const REASONS: Readonly<Record<string, Reason>> = {
  '13605': 'agreement-missing',
  '800073': 'account-under-review',
  '800074': 'account-under-review',
  '800075': 'account-refused',
  '400013': 'catalogue-changed',
  '400018': 'catalogue-changed',
  '400019': 'catalogue-changed',
  '900121': 'credit',
  '800023': 'credit',
  '800025': 'credit',
  '900124': 'partner',
  '900149': 'partner',
  '900416': 'partner',
};
/** A cart that was read a moment ago and is gone now is no refusal of the order. */
const CART_GONE = '800008';

export function checkoutCart({ connectors }: ActivityDeps): ActivityImplementation {
  const { carts, orders } = connectors.partnerCenter;

  return implementActivity(contract, {
    async run({ customerId, cartId }, context): Promise<Output> {
      try {
        return outcomeOf(await carts.checkout(customerId, cartId, writing(context)));
      } catch (failure) {
        const refusal = businessRefusal(failure);
        if (refusal !== null && refusal.code !== CART_GONE) return refused(refusal);
        throw doubted(failure);
      }
    },

    async verify({ customerId, cartId, lines, notBefore }, context): Promise<Verification<Output>> {
      const cart = await carts.get(customerId, cartId, reading(context)).catch((failure: unknown) => {
        if (wasRefused(failure, `partner-center-${CART_GONE}`)) return null;
        throw doubted(failure);
      });
      const listed = await orders.list(customerId, reading(context));
      const since = candidateOrders(listed, lines, sinceLoss(notBefore, context));
      const open = cart !== null && cartOf(cart).status === 'active';
      // The cart itself says that nothing came of it; like orders beside it came from somewhere else.
      if (open && since.length === 0) return { outcome: 'not-done' };
      if (!open && coverExactly(since, lines)) {
        const placed = since.map((order) => placedOrder(order, [], notBefore));
        return { outcome: 'done', output: { outcome: 'ordered', orders: placed, refusedGroups: [] } };
      }
      const state = cart === null ? 'gone' : open ? 'open' : 'ordered';
      const reason = `The cart ${cartId} is ${state}; ${since.length} orders since then hold its lines.`;
      return { outcome: 'unknown', reason };
    },
  });
}

function outcomeOf({ orders, errors }: CheckoutResult): Output {
  const [first] = errors;
  if (orders.length === 0 && first === undefined) {
    throw new ActivityFailure(
      'unknown',
      'partner-center-checkout-empty',
      'The checkout answered without orders and without errors.',
    );
  }
  if (orders.length === 0 && first !== undefined) return refused({ code: first.code, message: first.text });
  return {
    outcome: 'ordered',
    orders: orders.map((order) => placedOrder(order)),
    refusedGroups: errors.map(({ orderGroup, code, text }) => ({
      orderGroup: orderGroup ?? '',
      code,
      message: text,
    })),
  };
}

function refused({ code, message }: BusinessRefusal): Output {
  return { outcome: 'refused', reason: REASONS[code] ?? 'other', code, message };
}

/**
 * What is neither orders nor a business refusal. Retryable failures stay what they are: the connector vouches that
 * nothing was done. So do failures of the sign-in, which come before the call.
 */
function doubted(failure: unknown): unknown {
  if (!(failure instanceof ActivityFailure)) return failure;
  const { kind, code, message, details, pausesQueue } = failure;
  const settled = kind === 'retryable' || kind === 'unknown' || pausesQueue !== undefined;
  if (settled || !code.startsWith('partner-center-')) return failure;
  return new ActivityFailure('unknown', code, message, { details, cause: failure });
}
