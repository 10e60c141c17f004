/** What operations staff may do, decided as purely as anything else. */
import type { OperatorEvent } from './event.ts';
import { misfit } from './fit.ts';
import { moveTo } from './move.ts';
import type { ActivityState } from './record.ts';
import {
  applied,
  attempt,
  clearAttention,
  failActivity,
  finishActivity,
  impossible,
  type Reply,
} from './step.ts';
import { dropRetryTimer, surroundings, type Turn } from './turn.ts';
import { accepts, fromMachineState, toMachineState } from './xstate5.ts';

export function operate(turn: Turn, event: Exclude<OperatorEvent, { kind: 'migrate' }>): Reply {
  switch (event.kind) {
    case 'pause':
      return pause(turn);
    case 'resume':
      return resume(turn);
    case 'cancel':
      return cancel(turn, event.force);
    case 'retry':
      return retry(turn, event.token);
    case 'complete-activity':
      return complete(turn, event.token, event.output);
    case 'fail-activity':
      if (turn.activities[event.token] === undefined) return impossible('no such activity');
      dropRetryTimer(turn, event.token);
      failActivity(turn, event.token, { name: 'ActivityFailure', ...event.failure });
      return applied();
    case 'edit-context':
      return editContext(turn, event.changes);
    case 'move':
      return moveTo(turn, event.to);
    case 'retry-from':
      return moveTo(turn, event.state);
    case 'dismiss-attention':
      if (turn.attention === null) return impossible('nothing to dismiss');
      turn.attention = null;
      turn.quarantine = [];
      return applied();
    case 'secret.revealed':
      return applied();
    default:
      return event satisfies never;
  }
}

/** Activities not yet begun wait; those that run may finish, and their results wait in the inbox. */
function pause(turn: Turn): Reply {
  if (turn.status === 'paused') return impossible('already paused');
  turn.status = 'paused';
  movePhase(turn, 'open', 'held');
  return applied();
}

function resume(turn: Turn): Reply {
  if (turn.status !== 'paused') return impossible('not paused');
  turn.status = 'running';
  turn.dispatch = [...turn.dispatch, ...movePhase(turn, 'held', 'open')];
  return applied();
}

/** Returns the tokens of the activities it moved. */
function movePhase(turn: Turn, from: ActivityState['phase'], to: ActivityState['phase']): readonly string[] {
  const moved = Object.keys(turn.activities).filter((token) => turn.activities[token]?.phase === from);
  turn.activities = Object.fromEntries(
    Object.entries(turn.activities).map(([token, activity]) => [
      token,
      activity.phase === from ? { ...activity, phase: to } : activity,
    ]),
  );
  return moved;
}

/**
 * With a `cancelEvent` the statechart cancels itself, compensating; where its state cannot take the event yet (an order
 * is in flight) the event waits. Without one, or forced, everything stops where it is.
 */
function cancel(turn: Turn, force: boolean): Reply {
  const type = turn.definition.workflow?.cancelEvent ?? null;
  if (force || type === null) {
    turn.status = 'canceled';
    return applied();
  }
  if (turn.status === 'running' && accepts(turn.snapshot, { type })) {
    attempt(turn, { type });
    return applied('compensating');
  }
  if (turn.inbox.some((item) => item.event.type === type)) return impossible('already asked');
  turn.inbox = [...turn.inbox, { signalId: type, event: { type }, at: turn.now, by: turn.by }];
  return { status: 'deferred' };
}

/** Opens activities that wait or gave up, with a fresh budget, and gives quarantined events to the machine again. */
function retry(turn: Turn, only: string | undefined): Reply {
  const tokens = Object.keys(turn.activities).filter((token) => {
    const phase = turn.activities[token]?.phase;
    return (only === undefined || token === only) && (phase === 'attention' || phase === 'waiting-retry');
  });
  const quarantined = only === undefined ? turn.quarantine : [];
  if (tokens.length === 0 && quarantined.length === 0) return impossible('nothing to retry');
  if (quarantined.length > 0) {
    turn.quarantine = [];
    turn.attention = null;
  }
  for (const token of tokens) reopen(turn, token);
  for (const { event } of quarantined) attempt(turn, event);
  return applied();
}

function reopen(turn: Turn, token: string): void {
  const activity = turn.activities[token];
  if (activity === undefined) return;
  dropRetryTimer(turn, token);
  clearAttention(turn, token);
  const phase = turn.status === 'paused' ? 'held' : 'open';
  turn.activities = { ...turn.activities, [token]: { ...activity, phase, budgetFrom: activity.attempt } };
  turn.dispatch = [...turn.dispatch, token];
}

function complete(turn: Turn, token: string, output: unknown): Reply {
  const activity = turn.activities[token];
  if (activity === undefined) return impossible('no such activity');
  const actor = turn.registry.actor(turn.definition, activity.src);
  const schema = actor.kind === 'activity' ? actor.contract?.output : undefined;
  const why = misfit(schema, output);
  if (why !== null) return impossible(`the output does not fit '${activity.src}': ${why}`);
  dropRetryTimer(turn, token);
  finishActivity(turn, token, schema === undefined ? output : schema.parse(output));
  return applied();
}

function editContext(turn: Turn, changes: Readonly<Record<string, unknown>>): Reply {
  const state = toMachineState(turn.snapshot);
  const context = { ...(state.context as object), ...changes };
  const why = misfit(turn.definition.workflow?.context, context);
  if (why !== null) return impossible(`the context would not fit: ${why}`);
  turn.snapshot = fromMachineState(turn.definition.machine, { ...state, context }, surroundings(turn));
  return applied();
}
