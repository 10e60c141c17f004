/** The smallest steps of a decision, shared by what outsiders, workers and operators may do. */
import type { AnyMachineSnapshot } from 'xstate';
import { AppError, messageOf } from '../shared/errors.ts';
import type { MachineEvent } from './event.ts';
import { note, type Turn, take, without } from './turn.ts';
import { accepts } from './xstate5.ts';

/** What the one who brought the event is told. Only `applied` and `deferred` have changed the turn. */
export type Reply =
  | { readonly status: 'applied'; readonly detail?: string }
  | { readonly status: 'deferred'; readonly detail?: string }
  | { readonly status: 'rejected'; readonly detail: 'not-accepted' | 'closed' }
  | { readonly status: 'duplicate'; readonly first: string }
  /** A completion nobody waits for any more: changes nothing. */
  | { readonly status: 'stale'; readonly detail: string }
  /** A message came before the one ahead of it: bring it again. */
  | { readonly status: 'early' }
  | { readonly status: 'exists' }
  | { readonly status: 'impossible'; readonly detail: string };

export function applied(detail?: string): Reply {
  return detail === undefined ? { status: 'applied' } : { status: 'applied', detail };
}

export function impossible(detail: string): Reply {
  return { status: 'impossible', detail };
}

/** Events of an instance that may wait for a state, or lie in quarantine: each of its commits writes them all. */
export const INBOX_LIMIT = 1_000;

/**
 * Gives an event to the machine. While the instance is paused it waits in the inbox; where the machine throws, or comes
 * to hold what no store can keep, the instance stays as it was and the event goes into quarantine. `from` is the token of
 * the child that said it.
 */
export function attempt(turn: Turn, event: MachineEvent, from?: string): void {
  if (turn.status === 'paused') intoInbox(turn, null, event, from);
  else if (turn.poison !== undefined) quarantine(turn, event, turn.poison);
  else takeOrQuarantine(turn, event);
}

function takeOrQuarantine(turn: Turn, event: MachineEvent): void {
  const before = { ...turn };
  try {
    take(turn, event);
  } catch (error) {
    Object.assign(turn, before);
    quarantine(turn, event, error);
  }
}

function quarantine(turn: Turn, event: MachineEvent, error: unknown): void {
  const name = error instanceof Error ? error.name : 'Error';
  const message = messageOf(error);
  turn.quarantine = [...turn.quarantine, { event, error: { name, message }, at: turn.now }];
  turn.attention = { code: 'poison-event', message: `'${event.type}': ${message}`, at: turn.now };
  note(turn, { type: 'quarantined', event: event.type, error: message });
}

export function intoInbox(turn: Turn, signalId: string | null, event: MachineEvent, from?: string): void {
  requireRoom(turn, 'inbox', turn.inbox.length);
  const item = { signalId, event, at: turn.now, by: turn.by };
  turn.inbox = [...turn.inbox, from === undefined ? item : { ...item, from }];
}

/** Raises `signal-overflow`. */
export function requireRoom({ id }: Turn, place: 'inbox' | 'quarantine', held: number): void {
  if (held < INBOX_LIMIT) return;
  throw new AppError('signal-overflow', `The ${place} of '${id}' is full.`, {
    details: { instanceId: id, limit: INBOX_LIMIT },
  });
}

/** A guard that throws counts as taken: the event then goes into quarantine with the error, rather than waiting unseen. */
export function isTaken(snapshot: AnyMachineSnapshot, event: MachineEvent): boolean {
  try {
    return accepts(snapshot, event);
  } catch {
    return true;
  }
}

/** Consumes the token and gives the result to the machine. */
export function finishActivity(turn: Turn, token: string, output: unknown): void {
  const actorId = consumeActivity(turn, token);
  attempt(turn, { type: `xstate.done.actor.${actorId}`, output, actorId });
}

/** Consumes the token and gives the failure to the machine's error branch. */
export function failActivity(turn: Turn, token: string, error: unknown): void {
  const actorId = consumeActivity(turn, token);
  attempt(turn, { type: `xstate.error.actor.${actorId}`, error, actorId });
}

function consumeActivity(turn: Turn, token: string): string {
  const actorId = turn.activities[token]?.actorId ?? '';
  turn.activities = without(turn.activities, token);
  clearAttention(turn, token);
  return actorId;
}

export function clearAttention(turn: Turn, token: string): void {
  if (turn.attention?.token === token) turn.attention = null;
}
