/** What each kind of event does to an open instance. */
import type { EngineEvent } from './event.ts';
import { operate } from './operate.ts';
import { type ActivityState, afterLoss } from './record.ts';
import { limitsOf } from './registry.ts';
import { afterFailure } from './retry.ts';
import {
  applied,
  attempt,
  failActivity,
  finishActivity,
  intoInbox,
  isTaken,
  type Reply,
  requireRoom,
} from './step.ts';
import { freeId, mint, note, send, type Turn, without } from './turn.ts';

type EventOf<Kind extends EngineEvent['kind']> = Extract<EngineEvent, { kind: Kind }>;

export function consume(
  turn: Turn,
  event: Exclude<EngineEvent, { kind: 'start' | 'fork' | 'migrate' }>,
): Reply {
  switch (event.kind) {
    case 'signal':
      return signal(turn, event);
    case 'activity.done':
      return activityDone(turn, event);
    case 'activity.failed':
      return activityFailed(turn, event);
    case 'activity.lost':
      return activityFailed(turn, {
        ...event,
        failure: { kind: 'unknown', code: 'outcome-unknown', message: event.why },
      });
    case 'rewound':
      return rewound(turn, event);
    case 'timer.fired':
      return timerFired(turn, event.token);
    case 'child.message':
    case 'child.done':
    case 'child.failed':
      return fromChild(turn, event);
    case 'parent.message':
    case 'parent.stop':
      return fromParent(turn, event);
    case 'peer.message':
      return fromPeer(turn, event);
    default:
      return operate(turn, event);
  }
}

function signal(turn: Turn, { id, event }: EventOf<'signal'>): Reply {
  const contract = turn.definition.workflow?.signals?.[event.type];
  if (turn.status === 'paused') return deferred(turn, id, event);
  if (contract !== undefined && !isTaken(turn.snapshot, event)) {
    const policy = contract.whenNotAccepted ?? 'defer';
    if (policy === 'reject') return { status: 'rejected', detail: 'not-accepted' };
    return policy === 'ignore' ? applied('ignored') : deferred(turn, id, event);
  }
  const quarantined = turn.quarantine.length;
  attempt(turn, event);
  if (turn.quarantine.length === quarantined) return applied();
  requireRoom(turn, 'quarantine', quarantined);
  return { status: 'deferred', detail: 'quarantined' };
}

function deferred(turn: Turn, id: string, event: EventOf<'signal'>['event']): Reply {
  intoInbox(turn, id, event);
  return { status: 'deferred' };
}

// Activities

/** The activity this attempt belongs to, if its outcome is still waited for. */
function currentActivity(
  turn: Turn,
  event: { readonly token: string; readonly attempt: number },
): ActivityState | undefined {
  const activity = turn.activities[event.token];
  const waited =
    activity?.attempt === event.attempt && (activity.phase === 'open' || activity.phase === 'held');
  return waited ? activity : undefined;
}

function stale(token: string): Reply {
  return { status: 'stale', detail: token };
}

function activityDone(turn: Turn, event: EventOf<'activity.done'>): Reply {
  if (currentActivity(turn, event) === undefined) return stale(event.token);
  finishActivity(turn, event.token, event.output);
  return applied();
}

function activityFailed(turn: Turn, event: Omit<EventOf<'activity.failed'>, 'kind'>): Reply {
  const { token, failure } = event;
  const activity = currentActivity(turn, event);
  if (activity === undefined) return stale(token);
  const policy = limitsOf(turn.registry.actor(turn.definition, activity.src)).retry;
  const verdict = afterFailure(policy, event.attempt - activity.budgetFrom + 1, failure, event.jitter);
  if (verdict.next === 'error') {
    failActivity(turn, token, 'raw' in failure ? failure.raw : { name: 'ActivityFailure', ...failure });
    return applied();
  }
  const answered = failure.kind !== 'unknown';
  const { kind, code, message } = failure;
  const tried: ActivityState = {
    ...activity,
    attempt: activity.attempt + 1,
    phase: verdict.next === 'attention' ? 'attention' : 'waiting-retry',
    answers: activity.answers + (answered ? 1 : 0),
    unverified: !answered,
    lastFailure: { kind, code, message, at: turn.now },
  };
  turn.activities = { ...turn.activities, [token]: tried };
  if (verdict.next === 'attention') {
    const told = `${activity.src}: ${message}`;
    turn.attention = { code: 'activity-exhausted', message: told, at: turn.now, token };
    note(turn, { type: 'attention', code: 'activity-exhausted' });
    return applied();
  }
  const fireAt = turn.now + verdict.delayMs;
  turn.timers = { ...turn.timers, [mint(turn)]: { fireAt, purpose: 'retry', activity: token } };
  note(turn, { type: 'activity-retried', token, attempt: tried.attempt, at: fireAt });
  return applied();
}

function rewound(turn: Turn, { since, at }: EventOf<'rewound'>): Reply {
  const after = afterLoss(turn, { since, at });
  if (after === null) return { status: 'stale', detail: 'marked' };
  turn.rewound = after.rewound;
  turn.activities = after.activities;
  return applied();
}

// Timers and messages

function timerFired(turn: Turn, token: string): Reply {
  const timer = turn.timers[token];
  if (timer === undefined) return stale(token);
  turn.timers = freeId(without(turn.timers, token), timer.id);
  if (timer.purpose === 'retry') reopen(turn, timer.activity ?? '');
  else if (timer.to === undefined) attempt(turn, timer.event ?? { type: '' });
  else send(turn, timer.to, timer.event ?? { type: '' });
  return applied();
}

function reopen(turn: Turn, token: string): void {
  const activity = turn.activities[token];
  if (activity === undefined) return;
  const held = turn.status === 'paused';
  turn.activities = { ...turn.activities, [token]: { ...activity, phase: held ? 'held' : 'open' } };
  if (!held) turn.dispatch = [...turn.dispatch, token];
}

/** Messages of a channel are numbered from 1: a number seen is a duplicate, a number too high came too early. */
function sequence(received: number, seq: number): Reply | null {
  if (seq <= received) return { status: 'stale', detail: 'duplicate message' };
  return seq === received + 1 ? null : { status: 'early' };
}

function fromChild(turn: Turn, event: EventOf<'child.message' | 'child.done' | 'child.failed'>): Reply {
  const { token, seq } = event;
  const child = turn.children[token];
  if (child === undefined) return stale(token);
  const refused = sequence(child.received, seq);
  if (refused !== null) return refused;
  const { actorId } = child;
  if (event.kind === 'child.message') {
    turn.children = { ...turn.children, [token]: { ...child, received: seq } };
    attempt(turn, event.event, token);
    return applied();
  }
  turn.children = without(turn.children, token);
  attempt(
    turn,
    event.kind === 'child.done'
      ? { type: `xstate.done.actor.${actorId}`, output: event.output, actorId }
      : { type: `xstate.error.actor.${actorId}`, error: event.error, actorId },
  );
  return applied();
}

function fromParent(turn: Turn, event: EventOf<'parent.message' | 'parent.stop'>): Reply {
  if (turn.parent === null) return { status: 'stale', detail: 'no parent' };
  const refused = sequence(turn.parent.received, event.seq);
  if (refused !== null) return refused;
  turn.parent = { ...turn.parent, received: event.seq };
  if (event.kind === 'parent.stop') turn.status = 'canceled';
  else attempt(turn, event.event);
  return applied();
}

function fromPeer(turn: Turn, event: EventOf<'peer.message'>): Reply {
  const peer = turn.peers[event.from] ?? { sent: 0, received: 0 };
  const refused = sequence(peer.received, event.seq);
  if (refused !== null) return refused;
  turn.peers = { ...turn.peers, [event.from]: { ...peer, received: event.seq } };
  attempt(turn, event.event);
  return applied();
}
