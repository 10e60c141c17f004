/** The fifteen human tasks of the facts (microsoft-apis 8), and one model for every task there is. */
import { describe, expect, it } from '@jest/globals';
import type { AnyStateMachine, StateNode } from 'xstate';
import type { AnyWorkflow, HumanTask, StateMeta } from '../../engine/definition.ts';
import { allWorkflows } from '../../workflows/index.ts';
import { DEFAULT_SETTINGS } from '../../workflows/settings.ts';
import { drive, nodesOf } from './harness.ts';
import { PAYLOADS, STARTS } from './samples.ts';

interface Found {
  readonly workflow: AnyWorkflow;
  readonly node: StateNode;
  readonly task: HumanTask;
}

const all: readonly Found[] = allWorkflows.flatMap((workflow) =>
  [...nodesOf((workflow.machine as AnyStateMachine).root)].flatMap((node) => {
    const task = (node.meta as StateMeta | undefined)?.task;
    return task === undefined ? [] : [{ workflow, node, task }];
  }),
);
const timersAt = (node: StateNode): string =>
  (node.after as readonly { eventType: string }[]).map(({ eventType }) => eventType).join();
const aroundOf = (node: StateNode): StateNode[] =>
  node.parent === undefined ? [] : [node.parent as StateNode, ...aroundOf(node.parent as StateNode)];
const settingOf = (path: string): unknown =>
  (DEFAULT_SETTINGS as Record<string, unknown>)[path.slice(path.lastIndexOf('.') + 1)];

/**
 * Task by fact; `how` its "done" is judged. An approval of money has no way round it: a cart at another price is another
 * order, so its only other answer is no.
 */
const FIFTEEN: readonly (readonly [string, string, string, 'api' | 'attested', string])[] = [
  ['H1', 'renew the partner sign-in', 'renew-sign-in', 'api', 'override'],
  ['H2', 'accept the reseller link', 'accept-reseller-link', 'api', 'override'],
  ['H3', 'approve the admin roles', 'approve-admin-roles', 'api', 'override'],
  ['H4', 'the customer agreement', 'agreement', 'api', 'override'],
  ['H5', 'the data of a new customer', 'correct-form', 'api', 'override'],
  ['H6', 'approve the order', 'approve-order', 'api', 'reject'],
  ['H7', 'verification by Microsoft', 'await-vetting', 'api', 'override'],
  ['H8', 'hand over the sign-in data', 'hand-over-sign-in', 'attested', 'override'],
  ['H9', 'the DNS record', 'dns-record', 'api', 'override'],
  ['H10', 'synchronised or cloud-only', 'decide-identities', 'api', 'override'],
  ['H11', 'install synchronisation', 'install-synchronisation', 'api', 'override'],
  ['H12', 'prove password write-back', 'attest-write-back', 'attested', 'override'],
  ['H13', 'our own membership and groups', 'prerequisites', 'api', 'override'],
  ['H14', 'let us in by Conditional Access', 'access-blocked', 'api', 'override'],
  ['H15', 'have a wrong tenant cleaned up', 'clean-up-tenant', 'attested', 'override'],
];

describe.each(FIFTEEN)('%s, %s', (_, __, id, how, wayRound) => {
  const found = all.filter(({ task }) => task.id === id);
  const [one] = found;

  it('exists once', () => {
    expect(found).toHaveLength(1);
  });

  it('is judged, asks for its evidence by fields that are parsed, and has a way round with a reason', () => {
    const { task, workflow } = one as Found;
    expect(task.verify?.how).toBe(how);
    const fields = task.actions.flatMap(({ signal }) =>
      Object.keys(workflow.signals?.[signal]?.payload.shape ?? {}),
    );
    expect(task.evidence).toBeDefined();
    for (const field of task.evidence ?? []) expect(fields).toContain(field);
    const other = task.actions.find(({ name }) => name === wayRound);
    expect(other?.reasonRequired).toBe(true);
    // Whoever says so is filled in from the sign-in, the reason is not optional.
    const shape = workflow.signals?.[other?.signal ?? '']?.payload;
    expect(Object.keys(shape?.shape ?? {})).toEqual(expect.arrayContaining(['reason', 'by']));
    expect(shape?.safeParse({ by: 'ops' }).success).toBe(false);
  });
});

describe.each(all.map((found) => [`${found.workflow.name}: ${found.task.id}`, found] as const))(
  'the task of %s',
  (_, { workflow, node, task }) => {
    it('says what to do, who does it, and who looks after it when it is overdue', () => {
      expect(task.title.length).toBeGreaterThan(5);
      expect(task.instructions.length).toBeGreaterThan(20);
      expect(['operator', 'approver', 'engineer']).toContain(task.responsible);
      expect(task.escalatesTo).not.toBe(undefined);
      expect(task.verify?.by.length).toBeGreaterThan(10);
    });

    it('is due by a setting, reminds three times and escalates, unless nothing waits for it', () => {
      expect(settingOf(task.due ?? '')).toEqual(expect.any(Number));
      // A consent is reminded of by mail to the customer, in a region beside it.
      const own = [node, ...aroundOf(node)].map(timersAt).join();
      const mailed = [...nodesOf((workflow.machine as AnyStateMachine).root)].map(timersAt).join();
      if (task.optional === true) return;
      const reminds = /taskReminder\..*taskReminderAgain\..*taskReminderLast\..*taskDue\./.test(own);
      expect(reminds || /nextReminder/.test(mailed)).toBe(true);
    });

    it('gives every answer a payload that is parsed', () => {
      for (const { signal } of task.actions) {
        const contract = workflow.signals?.[signal];
        expect(contract?.payload.safeParse(PAYLOADS[signal]?.[0]).success).toBe(true);
      }
    });
  },
);

describe('reminders of a task', () => {
  it('are timers at their own times, and say who is to look after it in the end', () => {
    const workflow = allWorkflows.find(({ name }) => name === 'route-onboarding');
    expect(workflow).toBeDefined();
    const ordering = allWorkflows.find(({ name }) => name === 'purchase') as AnyWorkflow;
    const driver = drive(ordering.machine, ordering.input?.parse(STARTS['purchase'])).fail('findCustomer');
    const before = driver.snapshot().value;

    for (const timer of ['taskReminder', 'taskReminderAgain', 'taskReminderLast', 'taskDue']) {
      driver.timer(timer);
      expect(driver.snapshot().value).toEqual(before);
    }
    expect(DEFAULT_SETTINGS.taskReminderMs).toEqual([86_400_000, 172_800_000, 345_600_000]);
    expect(DEFAULT_SETTINGS.taskDueMs).toBeGreaterThan(345_600_000);
  });
});
