/** What operations staff may do, decided as purely as anything else. */
import type { OperatorEvent } from './event.ts';
import type { ActivityState, InstanceRecord } from './record.ts';
import { applied, attempt, clearAttention, failActivity, finishActivity, type Step } from './step.ts';
import { surroundings, type Turn } from './turn.ts';
import { accepts, fromMachineState, toMachineState } from './xstate5.ts';

export function operate(turn: Turn, record: InstanceRecord, event: OperatorEvent): Step {
  switch (event.kind) {
    case 'pause':
      return record.status === 'paused' ? impossible('already paused') : applied(hold(turn), 'paused');
    case 'resume':
      return record.status === 'paused' ? applied(unhold(turn), 'running') : impossible('not paused');
    case 'cancel':
      return cancel(turn, record, event.force);
    case 'retry':
      return retry(turn, record, event.token);
    case 'complete-activity':
      return turn.activities[event.token] === undefined
        ? impossible('no such activity')
        : applied(
            finishActivity(dropRetryTimer(turn, event.token), record.status, event.token, event.output),
            record.status,
          );
    case 'fail-activity':
      return turn.activities[event.token] === undefined
        ? impossible('no such activity')
        : applied(
            failActivity(dropRetryTimer(turn, event.token), record.status, event.token, {
              name: 'ActivityFailure',
              ...event.failure,
            }),
            record.status,
          );
    case 'edit-context':
      return applied(editContext(turn, event.changes), record.status);
    case 'dismiss-attention':
      return turn.attention === null
        ? impossible('nothing to dismiss')
        : applied({ ...turn, attention: null, quarantine: [] }, record.status);
    case 'secret.revealed':
      return applied(turn, record.status);
    default:
      return event satisfies never;
  }
}

function impossible(detail: string): Step {
  return { status: 'impossible', detail };
}

/** Activities not yet begun wait; those that run may finish, and their results wait in the inbox. */
function hold(turn: Turn): Turn {
  return mapActivities(turn, (activity) =>
    activity.phase === 'open' ? { ...activity, phase: 'held' } : activity,
  );
}

function unhold(turn: Turn): Turn {
  const held = Object.entries(turn.activities).filter(([, activity]) => activity.phase === 'held');
  const open = mapActivities(turn, (activity) =>
    activity.phase === 'held' ? { ...activity, phase: 'open' } : activity,
  );
  return { ...open, dispatch: [...open.dispatch, ...held.map(([token]) => token)] };
}

function mapActivities(turn: Turn, change: (activity: ActivityState) => ActivityState): Turn {
  const activities = Object.fromEntries(
    Object.entries(turn.activities).map(([token, activity]) => [token, change(activity)]),
  );
  return { ...turn, activities };
}

/**
 * With a `cancelEvent` the statechart cancels itself, compensating; where its state cannot take the event yet (an order
 * is in flight) the event waits. Without one, or forced, everything stops where it is.
 */
function cancel(turn: Turn, record: InstanceRecord, force: boolean): Step {
  const type = turn.definition.workflow?.cancelEvent ?? null;
  if (force || type === null) return applied(turn, 'canceled');
  if (record.status === 'running' && accepts(turn.snapshot, { type })) {
    return applied(attempt(turn, record.status, { type }), record.status, 'compensating');
  }
  if (turn.inbox.some((item) => item.event.type === type)) return impossible('already asked');
  const item = {
    signalId: type,
    event: { type },
    at: turn.now,
    ...(turn.by === undefined ? {} : { by: turn.by }),
  };
  return {
    turn: { ...turn, inbox: [...turn.inbox, item] },
    status: record.status,
    reply: { status: 'deferred' },
  };
}

/** Opens activities that wait or gave up, with a fresh budget, and gives quarantined events to the machine again. */
function retry(turn: Turn, record: InstanceRecord, only: string | undefined): Step {
  const tokens = Object.entries(turn.activities)
    .filter(
      ([token, { phase }]) =>
        (only === undefined || token === only) && (phase === 'attention' || phase === 'waiting-retry'),
    )
    .map(([token]) => token);
  const quarantined = only === undefined ? turn.quarantine : [];
  if (tokens.length === 0 && quarantined.length === 0) return impossible('nothing to retry');
  const phase = record.status === 'paused' ? 'held' : 'open';
  let after: Turn = quarantined.length === 0 ? turn : { ...turn, quarantine: [], attention: null };
  for (const token of tokens) {
    const activity = after.activities[token];
    if (activity === undefined) continue;
    after = clearAttention(dropRetryTimer(after, token), token);
    after = {
      ...after,
      activities: { ...after.activities, [token]: { ...activity, phase, budgetFrom: activity.attempt } },
      dispatch: [...after.dispatch, token],
    };
  }
  for (const { event } of quarantined) after = attempt(after, record.status, event);
  return applied(after, record.status);
}

function dropRetryTimer(turn: Turn, token: string): Turn {
  const timers = Object.entries(turn.timers).filter(([, timer]) => timer.activity !== token);
  return { ...turn, timers: Object.fromEntries(timers) };
}

function editContext(turn: Turn, changes: Readonly<Record<string, unknown>>): Turn {
  const state = toMachineState(turn.snapshot);
  const context = { ...(state.context as object), ...changes };
  return {
    ...turn,
    snapshot: fromMachineState(turn.definition.machine, { ...state, context }, surroundings(turn)),
  };
}
