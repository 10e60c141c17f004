/** What each kind of event does to an open instance. */
import type { EngineEvent } from './event.ts';
import { operate } from './operate.ts';
import type { InstanceRecord } from './record.ts';
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
  type Step,
} from './step.ts';
import { freeId, mint, note, send, type Turn, without } from './turn.ts';

export function consume(
  turn: Turn,
  record: InstanceRecord,
  event: Exclude<EngineEvent, { kind: 'start' }>,
): Step {
  switch (event.kind) {
    case 'signal':
      return signal(turn, record, event);
    case 'activity.done':
      return activityDone(turn, record, event);
    case 'activity.failed':
      return activityFailed(turn, record, event);
    case 'activity.lost':
      return activityFailed(turn, record, {
        ...event,
        failure: { kind: 'unknown', code: 'outcome-unknown', message: event.why },
      });
    case 'timer.fired':
      return timerFired(turn, record, event.token);
    case 'child.message':
    case 'child.done':
    case 'child.failed':
      return fromChild(turn, record, event);
    case 'parent.message':
    case 'parent.stop':
      return fromParent(turn, record, event);
    case 'peer.message':
      return fromPeer(turn, record, event);
    default:
      return operate(turn, record, event);
  }
}

function signal(turn: Turn, record: InstanceRecord, event: Extract<EngineEvent, { kind: 'signal' }>): Step {
  const contract = turn.definition.workflow?.signals?.[event.event.type];
  const deferred = (): Step => ({
    turn: intoInbox(turn, { signalId: event.id, event: event.event }),
    status: record.status,
    reply: { status: 'deferred' },
  });
  if (record.status === 'paused') return deferred();
  if (contract !== undefined && !isTaken(turn.snapshot, event.event)) {
    const policy = contract.whenNotAccepted ?? 'defer';
    if (policy === 'reject') return { status: 'rejected', detail: 'not-accepted' };
    return policy === 'ignore' ? applied(turn, record.status, 'ignored') : deferred();
  }
  const after = attempt(turn, record.status, event.event);
  return after.quarantine.length > turn.quarantine.length
    ? { turn: after, status: record.status, reply: { status: 'deferred', detail: 'quarantined' } }
    : applied(after, record.status);
}

// Activities

function isCurrent(turn: Turn, event: { readonly token: string; readonly attempt: number }): boolean {
  const activity = turn.activities[event.token];
  return (
    activity !== undefined &&
    activity.attempt === event.attempt &&
    (activity.phase === 'open' || activity.phase === 'held')
  );
}

function stale(token: string): Step {
  return { status: 'stale', detail: token };
}

function activityDone(
  turn: Turn,
  record: InstanceRecord,
  event: Extract<EngineEvent, { kind: 'activity.done' }>,
): Step {
  if (!isCurrent(turn, event)) return stale(event.token);
  return applied(finishActivity(turn, record.status, event.token, event.output), record.status);
}

function activityFailed(
  turn: Turn,
  record: InstanceRecord,
  event: Omit<Extract<EngineEvent, { kind: 'activity.failed' }>, 'kind'>,
): Step {
  const activity = turn.activities[event.token];
  if (activity === undefined || !isCurrent(turn, event)) return stale(event.token);
  const { failure } = event;
  const policy = limitsOf(turn.registry.actor(turn.definition, activity.src)).retry;
  const verdict = afterFailure(policy, event.attempt - activity.budgetFrom + 1, failure, event.jitter);
  if (verdict.next === 'error') {
    const error = 'raw' in failure ? failure.raw : { name: 'ActivityFailure', ...failure };
    return applied(failActivity(turn, record.status, event.token, error), record.status);
  }
  const answered = failure.kind !== 'unknown';
  const tried = {
    ...activity,
    attempt: activity.attempt + 1,
    answers: activity.answers + (answered ? 1 : 0),
    unverified: !answered,
    lastFailure: { kind: failure.kind, code: failure.code, message: failure.message, at: turn.now },
  };
  if (verdict.next === 'attention') {
    const message = `${activity.src}: ${failure.message}`;
    const exhausted: Turn = {
      ...turn,
      activities: { ...turn.activities, [event.token]: { ...tried, phase: 'attention' } },
      attention: { code: 'activity-exhausted', message, at: turn.now, token: event.token },
    };
    return applied(note(exhausted, { type: 'attention', code: 'activity-exhausted' }), record.status);
  }
  const [minted, timer] = mint(turn);
  const fireAt = turn.now + verdict.delayMs;
  const waiting: Turn = {
    ...minted,
    activities: { ...minted.activities, [event.token]: { ...tried, phase: 'waiting-retry' } },
    timers: { ...minted.timers, [timer]: { fireAt, purpose: 'retry', activity: event.token } },
  };
  return applied(
    note(waiting, { type: 'activity-retried', token: event.token, attempt: tried.attempt, at: fireAt }),
    record.status,
  );
}

// Timers and messages

function timerFired(turn: Turn, record: InstanceRecord, token: string): Step {
  const timer = turn.timers[token];
  if (timer === undefined) return stale(token);
  const consumed: Turn = { ...turn, timers: freeId(without(turn.timers, token), timer.id) };
  if (timer.purpose === 'retry') {
    const activity = turn.activities[timer.activity ?? ''];
    if (timer.activity === undefined || activity === undefined) return applied(consumed, record.status);
    const held = record.status === 'paused';
    const again: Turn = {
      ...consumed,
      activities: {
        ...consumed.activities,
        [timer.activity]: { ...activity, phase: held ? 'held' : 'open' },
      },
      dispatch: held ? consumed.dispatch : [...consumed.dispatch, timer.activity],
    };
    return applied(again, record.status);
  }
  const event = timer.event ?? { type: '' };
  return timer.to === undefined
    ? applied(attempt(consumed, record.status, event), record.status)
    : applied(send(consumed, timer.to, event), record.status);
}

/** Messages of a channel are numbered from 1: a number seen is a duplicate, a number too high came too early. */
function sequence(received: number, seq: number): Reply | null {
  if (seq <= received) return { status: 'stale', detail: 'duplicate message' };
  return seq === received + 1 ? null : { status: 'early' };
}

function fromChild(
  turn: Turn,
  record: InstanceRecord,
  event: Extract<EngineEvent, { kind: 'child.message' | 'child.done' | 'child.failed' }>,
): Step {
  const child = turn.children[event.token];
  if (child === undefined) return stale(event.token);
  const refused = sequence(child.received, event.seq);
  if (refused !== null) return refused;
  const { actorId } = child;
  if (event.kind === 'child.message') {
    const children = { ...turn.children, [event.token]: { ...child, received: event.seq } };
    return applied(attempt({ ...turn, children }, record.status, event.event), record.status);
  }
  const ended: Turn = { ...turn, children: without(turn.children, event.token) };
  const machineEvent =
    event.kind === 'child.done'
      ? { type: `xstate.done.actor.${actorId}`, output: event.output, actorId }
      : { type: `xstate.error.actor.${actorId}`, error: event.error, actorId };
  return applied(attempt(ended, record.status, machineEvent), record.status);
}

function fromParent(
  turn: Turn,
  record: InstanceRecord,
  event: Extract<EngineEvent, { kind: 'parent.message' | 'parent.stop' }>,
): Step {
  if (turn.parent === null) return { status: 'stale', detail: 'no parent' };
  const refused = sequence(turn.parent.received, event.seq);
  if (refused !== null) return refused;
  const received: Turn = { ...turn, parent: { ...turn.parent, received: event.seq } };
  if (event.kind === 'parent.stop') return applied(received, 'canceled');
  return applied(attempt(received, record.status, event.event), record.status);
}

function fromPeer(
  turn: Turn,
  record: InstanceRecord,
  event: Extract<EngineEvent, { kind: 'peer.message' }>,
): Step {
  const peer = turn.peers[event.from] ?? { sent: 0, received: 0 };
  const refused = sequence(peer.received, event.seq);
  if (refused !== null) return refused;
  const peers = { ...turn.peers, [event.from]: { ...peer, received: event.seq } };
  return applied(attempt({ ...turn, peers }, record.status, event.event), record.status);
}
