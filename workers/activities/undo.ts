/** Giving a purchase back within Microsoft's seven days (facts: microsoft-apis 4.7). */
import type { z } from 'zod';
import { type ActivityImplementation, implementActivity } from '../../engine/index.ts';
import * as contracts from '../../workflows/activities/ordering.ts';
import { type ActivityDeps, businessRefusal, reading, writing } from './calls.ts';
import { undoUntil } from './customer-reads.ts';

export function readUndoWindow({ connectors }: ActivityDeps): ActivityImplementation {
  return implementActivity(contracts.readUndoWindow, {
    async run({ customerId, subscriptionId }, context) {
      const { subscriptions } = connectors.partnerCenter;
      const found = await subscriptions.get(customerId, subscriptionId, reading(context));
      const until = undoUntil(found);
      return {
        name: found.friendlyName ?? found.offerName ?? found.offerId,
        quantity: found.quantity,
        status: found.status,
        until,
        msLeft: until === null ? 0 : Math.max(0, Date.parse(until) - Date.now()),
      };
    },
  });
}

export function cancelSubscription({ connectors }: ActivityDeps): ActivityImplementation {
  const { subscriptions } = connectors.partnerCenter;
  type Output = z.input<typeof contracts.cancelSubscription.output>;
  return implementActivity(contracts.cancelSubscription, {
    async run({ customerId, subscriptionId }, context): Promise<Output> {
      try {
        await subscriptions.change(customerId, subscriptionId, { status: 'deleted' }, writing(context));
        return { outcome: 'accepted' };
      } catch (failure) {
        const refusal = businessRefusal(failure);
        if (refusal === null) throw failure;
        return { outcome: 'refused', ...refusal };
      }
    },
    async verify({ customerId, subscriptionId }, context) {
      const { status } = await subscriptions.get(customerId, subscriptionId, reading(context));
      return status === 'deleted'
        ? { outcome: 'done', output: { outcome: 'accepted' } }
        : { outcome: 'not-done' };
    },
  });
}
