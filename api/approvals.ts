/** Decisions that need an approver, whichever door they come through: the task's button or the bare signal. */
import { type Client, type InstanceView, rootOf } from '../engine/index.ts';
import { AppError } from '../shared/errors.ts';
import type { Caller } from './auth.ts';
import type { Catalogue } from './catalogue.ts';
import { APPROVERS } from './permissions.ts';

export interface Approvals {
  /** Raises `forbidden` unless the caller may send this signal to the instance as it stands. */
  check(view: InstanceView, signal: string, caller: Caller): Promise<void>;
  /** Raises `forbidden` for whoever started the instance: a hand in its data or state can stand for any approval. */
  checkHand(instanceId: string, caller: Caller): Promise<void>;
}

export function createApprovals(options: {
  readonly client: Client;
  readonly catalogue: Catalogue;
  /** Whoever started an instance may not approve in it. */
  readonly fourEyes: boolean;
}): Approvals {
  const { client, catalogue, fourEyes } = options;

  async function starterOf(instanceId: string): Promise<string | null> {
    const [first] = await client.history(rootOf(instanceId), { from: 0, limit: 1 });
    return first?.by?.kind === 'api-key' ? first.by.id : null;
  }

  return {
    async check(view, signal, caller) {
      const offering = view.tasks.flatMap((task) =>
        task.actions
          .filter((action) => action.signal === signal)
          .map((action) => ({ action, forApprover: task.responsible === 'approver' })),
      );
      const needsApprover =
        offering.length > 0
          ? offering.every(({ forApprover }) => forApprover)
          : catalogue.approverSignals(view).has(signal);
      if (!needsApprover) return;
      if (!APPROVERS.includes(caller.role))
        throw new AppError('forbidden', `'${signal}' needs the role ${APPROVERS.join(' or ')}.`, {
          details: { role: caller.role, needs: APPROVERS },
        });
      const isRefusal = offering.length > 0 && offering.every(({ action }) => action.name === 'reject');
      if (!fourEyes || isRefusal) return;
      await refuseStarter(view.id, caller);
    },
    async checkHand(instanceId, caller) {
      if (fourEyes) await refuseStarter(instanceId, caller);
    },
  };

  async function refuseStarter(instanceId: string, caller: Caller): Promise<void> {
    if ((await starterOf(instanceId)) === caller.name)
      throw new AppError('forbidden', 'Whoever started an onboarding may not approve in it.', {
        details: { why: 'four-eyes' },
      });
  }
}
