/**
 * Work for a person, one model for all of it: instructions, who answers, when it is due and who looks after it then, what
 * evidence is given, how "done" is judged, and what may be said instead, with a reason (facts: microsoft-apis 8). A task is
 * the `meta` of a state; its reminders are durable timers of the same state.
 */
import type { HumanTask, TaskAction } from '../../engine/definition.ts';
import type { Settings } from '../settings.ts';

export const TRY_AGAIN = { name: 'complete', label: 'Try again', signal: 'retry.requested' } as const;
export const GIVE_UP = {
  name: 'reject',
  label: 'Give up',
  signal: 'work.abandoned',
  reasonRequired: true,
} as const;

/** Going on although nothing was verified: reason and person are kept, and the closing report names them. */
export const override = (label: string, signal = 'task.overridden'): TaskAction => ({
  name: 'override',
  label,
  signal,
  reasonRequired: true,
});

/** A task with what every one has. `due` names the setting it is due by, e.g. `settings.taskDueMs`. */
export const humanTask = (task: HumanTask): HumanTask => ({
  due: 'settings.taskDueMs',
  escalatesTo: task.responsible === 'approver' ? 'operator' : 'approver',
  verify: { how: 'api', by: 'What was waiting is tried again.' },
  ...task,
});

/** The task of a stretch whose activity failed for good. */
export const stuckTask = (id: string, title: string, given: Partial<HumanTask> = {}): HumanTask =>
  humanTask({
    id,
    title,
    instructions: 'Remove the cause, then try again; or give up.',
    responsible: 'operator',
    actions: [TRY_AGAIN, GIVE_UP],
    shows: { Where: 'failure.state', Code: 'failure.code', Message: 'failure.message' },
    ...given,
  });

/** The timers of a task: three reminders, then it is overdue. */
export function taskDelays<Context>(settingsOf: (context: Context) => Settings) {
  const reminder =
    (number: number) =>
    ({ context }: { context: Context }): number => {
      const { taskReminderMs, taskDueMs } = settingsOf(context);
      return taskReminderMs[number] ?? taskDueMs;
    };
  return {
    taskReminder: reminder(0),
    taskReminderAgain: reminder(1),
    taskReminderLast: reminder(2),
    taskDue: ({ context }: { context: Context }): number => settingsOf(context).taskDueMs,
  };
}

interface Announced {
  readonly task: string;
  /** 1, 2, 3; none when the task is overdue. */
  readonly reminder: number | null;
}

/** `after` of a human task: reminds three times, then says that nobody took care of it. */
export function overdue<const Task extends string>(task: Task) {
  const announce = (reminder: number | null) => ({
    actions: { type: 'announceOverdue' as const, params: { task: task as string, reminder } },
  });
  return {
    taskReminder: announce(1),
    taskReminderAgain: announce(2),
    taskReminderLast: announce(3),
    taskDue: announce(null),
  };
}

/** What `announceOverdue` emits. */
export interface TaskOverdue extends Announced {
  readonly type: 'task.reminder' | 'task.overdue';
}

export const announcement = (announced: Announced): TaskOverdue => ({
  type: announced.reminder === null ? 'task.overdue' : 'task.reminder',
  ...announced,
});
