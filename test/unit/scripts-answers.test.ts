import { describe, expect, it } from '@jest/globals';
import type { AnyStateMachine } from 'xstate';
import type { AnyWorkflow, HumanTask } from '../../engine/index.ts';
import { ANSWERED_TASKS, answerTask, signalOf } from '../../scripts/lib/answers.mjs';
import { allWorkflows } from '../../workflows/index.ts';

type Node = AnyStateMachine['root'];

function tasksOf(node: Node): HumanTask[] {
  const own = (node.meta as { task?: HumanTask } | undefined)?.task;
  return [
    ...(own === undefined ? [] : [own]),
    ...Object.values(node.states).flatMap((child) => tasksOf(child as Node)),
  ];
}

const TASKS = new Map<string, { workflow: AnyWorkflow; task: HumanTask }>(
  allWorkflows.flatMap((workflow) =>
    tasksOf(workflow.machine.root).map((task) => [task.id, { workflow, task }] as const),
  ),
);

/** What each label would show, as far as answers look at it. */
const SHOWS = {
  Open: 'name the Global Administrator of the customer who will authorise us',
  Subject: 'Subject',
  Text: 'Text',
  Matches: [{ customerId: '6f0c1111-0000-4000-8000-000000000002' }],
  Subscriptions: [],
  'Asked for': [{ quantity: 5 }],
  Cart: 'cart',
  'Price hash': 'hash',
  'Subscription id': 'subscription',
  'Seats then': 30,
  Suggested: [{ line1: '1 Example Way', city: 'Redmond', country: 'US' }],
};

describe('the answers of a willing member of staff', () => {
  it.each([...ANSWERED_TASKS])(
    'fit the task %s: an action it offers, with the fields of its signal',
    (name) => {
      const { workflow, task } = TASKS.get(name) ?? {};
      expect(task).toBeDefined();
      const view = { id: `wf_1~${name}`, actions: task?.actions ?? [], shows: SHOWS };

      const answer = answerTask(view);
      const signal = answer === null ? undefined : signalOf(view, answer);

      expect(signal).toBeDefined();
      expect(workflow?.signals?.[signal ?? '']?.payload.safeParse(answer?.payload)).toMatchObject({
        success: true,
      });
    },
  );

  it('give more seats to a subscription that can grow', () => {
    const grows = { subscriptionId: 's', isEms: true, status: 'active', commerce: 'new' };
    const view = {
      id: 'wf_1~review-subscriptions',
      actions: [],
      shows: { ...SHOWS, Subscriptions: [grows] },
    };

    expect(answerTask(view)).toEqual({
      action: 'complete',
      payload: { plan: 'more-seats', subscriptionId: 's', additionalSeats: 5 },
    });
  });

  it('leave alone what needs nobody to act, or takes a judgement', () => {
    for (const name of ['await-consent', 'order-refused', 'correct-form', 'no-such-task'])
      expect(answerTask({ id: `wf_1~${name}`, actions: [], shows: {} })).toBeNull();
  });
});
