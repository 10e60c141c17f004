/**
 * The history of an instance: one entry per revision, each hashed together with the hash before it, so that an entry
 * changed, removed or moved is noticed.
 */
import { hash as digest } from 'node:crypto';
import type { StateValue } from 'xstate';
import { decode, encodeOwn, isExact } from './codec.ts';
import type { Actor, EngineEvent, MachineEvent } from './event.ts';
import type { InstanceStatus } from './record.ts';

/** What a decision asked for, as the history tells it. */
export type EffectNote =
  | {
      readonly type: 'activity-scheduled';
      readonly token: string;
      readonly actorId: string;
      readonly activity: string;
    }
  | {
      readonly type: 'activity-retried';
      readonly token: string;
      readonly attempt: number;
      readonly at: number;
    }
  | { readonly type: 'activity-canceled'; readonly token: string }
  | { readonly type: 'timer-set'; readonly token: string; readonly id?: string; readonly fireAt: number }
  | { readonly type: 'timer-cleared'; readonly token: string }
  | {
      readonly type: 'child-started';
      readonly token: string;
      readonly actorId: string;
      readonly instanceId: string;
    }
  | { readonly type: 'child-stopped'; readonly token: string }
  | { readonly type: 'sent'; readonly to: string; readonly event: string }
  | { readonly type: 'dropped'; readonly to: string; readonly event: string }
  | { readonly type: 'emitted'; readonly event: MachineEvent }
  | { readonly type: 'ran'; readonly action: string; readonly params?: unknown }
  | { readonly type: 'logged'; readonly value: unknown; readonly label?: string }
  | { readonly type: 'took-deferred'; readonly event: string }
  | { readonly type: 'quarantined'; readonly event: string; readonly error: string }
  | { readonly type: 'attention'; readonly code: string };

export interface HistoryEntry {
  readonly revision: number;
  /** Store time, ms since 1970. */
  readonly at: number;
  readonly event: EngineEvent;
  /** What became of a signal. */
  readonly outcome?: string;
  /** State value after, where it changed. */
  readonly state?: StateValue;
  readonly status?: InstanceStatus;
  readonly effects?: readonly EffectNote[];
  readonly by?: Actor;
  readonly reason?: string;
}

/** The hash before the first entry. */
export const GENESIS = '';

/** Characters of the base64url SHA-256 kept: 128 bits resist a second preimage and halve the chain's size. */
const HASH_LENGTH = 22;

export function hashEntry(previous: string, body: string): string {
  return digest('sha256', `${previous}\n${body}`, 'base64url').slice(0, HASH_LENGTH);
}

/** The stored line: hash, one space, body. */
export function writeEntry(
  previous: string,
  entry: HistoryEntry,
): { readonly line: string; readonly hash: string } {
  const exact = isExact(entry.event) && (entry.effects === undefined || entry.effects.every(isExactNote));
  const body = encodeOwn(entry, exact);
  const hash = hashEntry(previous, body);
  return { line: `${hash} ${body}`, hash };
}

function isExactNote(note: EffectNote): boolean {
  switch (note.type) {
    case 'emitted':
      return isExact(note.event);
    case 'logged':
      return isExact(note.value);
    case 'ran':
      return note.params === undefined || isExact(note.params);
    default:
      return true;
  }
}

export function readEntry(line: string): {
  readonly hash: string;
  readonly body: string;
  readonly entry: HistoryEntry;
} {
  const cut = line.indexOf(' ');
  const body = line.slice(cut + 1);
  return { hash: line.slice(0, cut), body, entry: decode<HistoryEntry>(body) };
}

export type ChainVerdict =
  | { readonly intact: true; readonly head: string }
  | { readonly intact: false; readonly brokenAt: number };

/** Walks a whole history from its first line. `brokenAt` is the index of the first line that does not fit. */
export function verifyChain(lines: readonly string[], head?: string): ChainVerdict {
  let previous = GENESIS;
  for (const [index, line] of lines.entries()) {
    const cut = line.indexOf(' ');
    const hash = line.slice(0, cut);
    if (cut < 0 || hash !== hashEntry(previous, line.slice(cut + 1)))
      return { intact: false, brokenAt: index };
    previous = hash;
  }
  if (head !== undefined && head !== previous) return { intact: false, brokenAt: lines.length };
  return { intact: true, head: previous };
}
