/**
 * The history of an instance: one entry per revision, each hashed together with the digest before it, so that an entry
 * changed, removed or moved is noticed: the record keeps the digest of the newest.
 */
import { hash as digest } from 'node:crypto';
import type { StateValue } from 'xstate';
import { decode, encode, encodeOwn } from './codec.ts';
import type { Actor, EngineEvent, MachineEvent } from './event.ts';
import { packEntry, unpackEntry } from './packed-entry.ts';
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

/** The digest before the first entry. */
export const GENESIS = '';

/** Characters of an entry's digest that stand in its line: they say where a chain breaks; that it does, the head says. */
const MARK_LENGTH = 6;

/** The digest of an entry and all before it: the whole SHA-256, base64url. */
function digestOf(previous: string, text: string): string {
  return digest('sha256', `${previous}\n${text}`, 'base64url');
}

/**
 * The stored line: revision, first characters of the digest, body. `hash` is the digest whole, which the record keeps as
 * its head and the next entry goes on from.
 */
export function writeEntry(
  previous: string,
  entry: HistoryEntry,
): { readonly line: string; readonly hash: string } {
  const { packed, exact } = packEntry(entry);
  const body = encodePacked(entry, packed, exact);
  const hash = digestOf(previous, `${entry.revision} ${body}`);
  return { line: `${entry.revision} ${hash.slice(0, MARK_LENGTH)} ${body}`, hash };
}

function encodePacked(entry: HistoryEntry, packed: unknown, exact: boolean): string {
  try {
    return encodeOwn(packed, exact);
  } catch (error) {
    // Refused with a path that means something to whoever wrote the value.
    encode(entry);
    throw error;
  }
}

export function readEntry(line: string): { readonly entry: HistoryEntry } {
  const { revision, body } = partsOf(line);
  return { entry: unpackEntry(Number(revision), decode<unknown>(body)) };
}

function partsOf(line: string): { readonly revision: string; readonly mark: string; readonly body: string } {
  const first = line.indexOf(' ');
  const second = line.indexOf(' ', first + 1);
  return {
    revision: line.slice(0, first),
    mark: line.slice(first + 1, second),
    body: line.slice(second + 1),
  };
}

export type ChainVerdict =
  | { readonly intact: true; readonly head: string }
  | { readonly intact: false; readonly brokenAt: number };

/**
 * Walks a whole history from its first line. `brokenAt` is the index of the first line that does not fit; what the marks
 * in the lines let pass, `head`, the record's digest, does not.
 */
export function verifyChain(lines: readonly string[], head?: string): ChainVerdict {
  return judgeEnd(walkChain(START, lines), head);
}

/** The same of a history that is read a stretch at a time, however long it is. */
export async function verifyStretches(
  read: (from: number, limit: number) => Promise<readonly string[]>,
  length: number,
  head: string,
): Promise<ChainVerdict> {
  let walked: Walked = START;
  while (walked.intact && walked.lines < length) {
    const lines = await read(walked.lines, Math.min(STRETCH, length - walked.lines));
    if (lines.length === 0) break;
    walked = walkChain(walked, lines);
  }
  return judgeEnd(walked, head);
}

const STRETCH = 1_000;

/** How far a chain was walked, and the digest there; or where it broke. */
type Walked =
  | { readonly intact: true; readonly lines: number; readonly hash: string }
  | (ChainVerdict & { readonly intact: false });

const START = { intact: true, lines: 0, hash: GENESIS } as const;

function walkChain(from: Walked & { readonly intact: true }, lines: readonly string[]): Walked {
  let { hash } = from;
  for (const [index, line] of lines.entries()) {
    const { revision, mark, body } = partsOf(line);
    hash = digestOf(hash, `${revision} ${body}`);
    if (mark !== hash.slice(0, MARK_LENGTH)) return { intact: false, brokenAt: from.lines + index };
  }
  return { intact: true, lines: from.lines + lines.length, hash };
}

function judgeEnd(walked: Walked, head: string | undefined): ChainVerdict {
  if (!walked.intact) return walked;
  if (head !== undefined && head !== walked.hash) return { intact: false, brokenAt: walked.lines };
  return { intact: true, head: walked.hash };
}
