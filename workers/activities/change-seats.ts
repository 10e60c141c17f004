import type { z } from 'zod';
import { type ActivityImplementation, implementActivity, type Verification } from '../../engine/index.ts';
import { changeSeats as contract } from '../../workflows/activities/ordering.ts';
import { type ActivityDeps, businessRefusal, reading, writing } from './calls.ts';

type Output = z.input<typeof contract.output>;

/** The number is absolute, so an attempt whose outcome is unknown may be repeated when the read shows the old number. */
export function changeSeats({ connectors }: ActivityDeps): ActivityImplementation {
  const { subscriptions } = connectors.partnerCenter;

  return implementActivity(contract, {
    async run({ customerId, subscriptionId, targetQuantity }, context): Promise<Output> {
      try {
        const change = { quantity: targetQuantity };
        const result = await subscriptions.change(customerId, subscriptionId, change, writing(context));
        if (result.outcome === 'changed')
          return { outcome: 'accepted', quantity: result.subscription.quantity };
      } catch (failure) {
        const refusal = businessRefusal(failure);
        if (refusal === null) throw failure;
        return { outcome: 'refused', ...refusal };
      }
      const { quantity } = await subscriptions.get(customerId, subscriptionId, reading(context));
      return { outcome: 'accepted', quantity };
    },

    async verify({ customerId, subscriptionId, targetQuantity }, context): Promise<Verification<Output>> {
      const { quantity } = await subscriptions.get(customerId, subscriptionId, reading(context));
      return quantity === targetQuantity
        ? { outcome: 'done', output: { outcome: 'accepted', quantity } }
        : { outcome: 'not-done' };
    },
  });
}
