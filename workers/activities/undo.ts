/** Giving a purchase back within Microsoft's seven days (facts: microsoft-apis 4.7). */
import type { z } from 'zod';
import { type ActivityContext, type ActivityImplementation, implementActivity } from '../../engine/index.ts';
import { uuidFrom } from '../../shared/ids.ts';
import * as contracts from '../../workflows/activities/ordering.ts';
import { undoPurchase } from '../../workflows/undo-purchase.ts';
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

/** One undo instance a subscription and a purchase: seats added later to the same subscription get days of their own. */
const undoIdOf = (subscriptionId: string, context: ActivityContext): string =>
  `undo_${uuidFrom('undo', context.instanceId, subscriptionId).replaceAll('-', '')}`;

export function openUndoWindows({ client }: ActivityDeps): ActivityImplementation {
  type Input = z.output<typeof contracts.openUndoWindows.input>;
  async function open({ customer, purchases, settings }: Input, context: ActivityContext) {
    const instanceIds = [];
    for (const { subscriptionId, restoreTo } of purchases) {
      const { instance } = await client().start(
        undoPurchase,
        { customer, subscriptionId, restoreTo, settings },
        {
          id: undoIdOf(subscriptionId, context),
          ifExists: 'return',
          labels: { onboarding: context.instanceId.split('.')[0] ?? context.instanceId },
        },
      );
      instanceIds.push(instance.id);
    }
    return { instanceIds };
  }
  return implementActivity(contracts.openUndoWindows, {
    run: open,
    // The ids are derived, so starting again finds what is there.
    verify: async () => ({ outcome: 'not-done' }),
  });
}
