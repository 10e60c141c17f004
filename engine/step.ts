/** The smallest steps of a decision, shared by what outsiders, workers and operators may do. */
import type { AnyMachineSnapshot } from 'xstate';
import { AppError, messageOf } from '../shared/errors.ts';
import type { MachineEvent } from './event.ts';
import type { Attention, InstanceStatus } from './record.ts';
import { note, type Turn, take, without } from './turn.ts';
import { accepts } from './xstate5.ts';

/** What the one who brought the event is told. */
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

/** What consuming an event led to: a turn with the status it leaves, or a reply that changes nothing. */
export type Step = { readonly turn: Turn; readonly status: InstanceStatus; readonly reply: Reply } | Reply;

export function applied(turn: Turn, status: InstanceStatus, detail?: string): Step {
  return {
    turn,
    status,
    reply: detail === undefined ? { status: 'applied' } : { status: 'applied', detail },
  };
}

export const INBOX_LIMIT = 1_000;

/**
 * Gives an event to the machine. While the instance is paused it waits in the inbox; where the machine throws, the
 * or comes to hold what no store can keep, the instance stays as it was and the event goes into quarantine.
 */
export function attempt(turn: Turn, status: InstanceStatus, event: MachineEvent): Turn {
  if (status === 'paused') return intoInbox(turn, { signalId: null, event });
  if (turn.poison !== undefined) return quarantine(turn, event, turn.poison);
  try {
    return take(turn, event);
  } catch (error) {
    return quarantine(turn, event, error);
  }
}

function quarantine(turn: Turn, event: MachineEvent, error: unknown): Turn {
  const name = error instanceof Error ? error.name : 'Error';
  const message = messageOf(error);
  const attention: Attention = { code: 'poison-event', message: `'${event.type}': ${message}`, at: turn.now };
  return note(
    {
      ...turn,
      quarantine: [...turn.quarantine, { event, error: { name, message }, at: turn.now }],
      attention,
    },
    { type: 'quarantined', event: event.type, error: message },
  );
}

export function intoInbox(turn: Turn, item: { signalId: string | null; event: MachineEvent }): Turn {
  if (turn.inbox.length >= INBOX_LIMIT) {
    throw new AppError('signal-overflow', `The inbox of '${turn.id}' is full.`, {
      details: { instanceId: turn.id, limit: INBOX_LIMIT },
    });
  }
  return {
    ...turn,
    inbox: [...turn.inbox, { ...item, at: turn.now, ...(turn.by === undefined ? {} : { by: turn.by }) }],
  };
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
export function finishActivity(turn: Turn, status: InstanceStatus, token: string, output: unknown): Turn {
  const actorId = turn.activities[token]?.actorId ?? '';
  const consumed = clearAttention({ ...turn, activities: without(turn.activities, token) }, token);
  return attempt(consumed, status, { type: `xstate.done.actor.${actorId}`, output, actorId });
}

/** Consumes the token and gives the failure to the machine's error branch. */
export function failActivity(turn: Turn, status: InstanceStatus, token: string, error: unknown): Turn {
  const actorId = turn.activities[token]?.actorId ?? '';
  const consumed = clearAttention({ ...turn, activities: without(turn.activities, token) }, token);
  return attempt(consumed, status, { type: `xstate.error.actor.${actorId}`, error, actorId });
}

export function clearAttention(turn: Turn, token: string): Turn {
  return turn.attention?.token === token ? { ...turn, attention: null } : turn;
}
