/**
 * An order that Partner Center and our histories do not agree on, found by the nightly reconciliation: somebody has to say
 * what it is (facts: reliability 3.1, point 9). Nothing is cancelled by itself; the seven days run on meanwhile.
 */
import { assign, emit, setup } from 'xstate';
import { z } from 'zod';
import { defineWorkflow, type StateMeta } from '../engine/definition.ts';
import { Guid } from './activities/shapes.ts';
import { announcement, humanTask, overdue, override, type TaskOverdue, taskDelays } from './parts/tasks.ts';
import { pick, type SignalEvent } from './signals.ts';
import { SettingsField } from './start-form.ts';

export const StrayOrderInput = z.object({
  customer: z.object({ name: z.string(), tenantId: Guid }),
  orderId: z.string().min(1).max(100),
  placedAt: z.string().nullable(),
  /** `orphan`: nobody here asked for it; `duplicate`: it repeats one of ours; `missing`: ours does not show any more. */
  kind: z.enum(['orphan', 'duplicate', 'missing']),
  what: z.string().max(2_000),
  settings: SettingsField,
});
type Form = z.output<typeof StrayOrderInput>;

interface Context extends Form {
  readonly explanation: string | null;
}

export const strayOrderMachine = setup({
  types: {
    input: {} as Form,
    context: {} as Context,
    events: {} as SignalEvent<'order.explained' | 'task.overridden'>,
    output: {} as { orderId: string; explanation: string | null },
    emitted: {} as TaskOverdue,
    meta: {} as StateMeta,
  },
  delays: taskDelays<Context>((context) => context.settings),
  actions: {
    announceOverdue: emit((_, params: Parameters<typeof announcement>[0]) => announcement(params)),
    noteExplanation: assign({
      explanation: ({ context, event }) =>
        event.type === 'order.explained'
          ? event.evidence
          : event.type === 'task.overridden'
            ? event.reason
            : context.explanation,
    }),
  },
}).createMachine({
  id: 'stray-order',
  context: ({ input }) => ({ ...input, explanation: null }),
  initial: 'awaitingExplanation',
  states: {
    awaitingExplanation: {
      meta: {
        description: 'The order {orderId} of {customer.name} and our histories do not agree: {kind}',
        waitingOn: 'operator',
        task: humanTask({
          id: 'explain-order',
          title: 'An order nobody here accounts for',
          instructions:
            'Look at the order history of the customer in Partner Center. If the order is wrong, cancel it there within seven days of its date. Write down what it was.',
          responsible: 'approver',
          actions: [
            { name: 'complete', label: 'This is what it was', signal: 'order.explained' },
            override('Leave it unexplained'),
          ],
          shows: {
            Order: 'orderId',
            Kind: 'kind',
            Placed: 'placedAt',
            What: 'what',
            Tenant: 'customer.tenantId',
          },
          verify: { how: 'attested', by: 'What a person found out.' },
          evidence: ['evidence'],
        }),
      },
      after: overdue('explain-order'),
      on: {
        'order.explained': { target: 'explained', actions: 'noteExplanation' },
        'task.overridden': { target: 'explained', actions: 'noteExplanation' },
      },
    },
    explained: {
      meta: { description: 'The order {orderId} of {customer.name} is explained' },
      type: 'final',
    },
  },
  output: ({ context: { orderId, explanation } }) => ({ orderId, explanation }),
});

export const strayOrder = defineWorkflow({
  name: 'stray-order',
  title: 'An order nobody accounts for',
  machine: strayOrderMachine,
  input: StrayOrderInput,
  signals: pick('order.explained', 'task.overridden'),
  subject: (context) => context.customer.name,
});
