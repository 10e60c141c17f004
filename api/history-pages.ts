/** Histories in pages, either way round: of one instance, and of an instance with all it ever started. */
import type { Client, HistoryEntry } from '../engine/index.ts';
import { unknownInstance } from '../shared/errors.ts';
import { childrenOf, type HistoryLine, linesOf, type Names } from './history-words.ts';

export interface PageRequest {
  readonly order: 'asc' | 'desc';
  readonly limit: number;
  /** What the page before ended with; null for the first. */
  readonly cursor: string | null;
}

export interface HistoryPage {
  readonly lines: readonly HistoryLine[];
  readonly nextCursor: string | null;
}

/** `<index>` of one instance's entry; `<ms>.<revision>.<instance>` in a tree. */
export const HISTORY_CURSOR = /^\d{1,9}$|^\d{1,15}\.\d{1,9}\.[\w.-]{1,900}$/;

const STRETCH = 500;
/** What a page tells of was asked for at most so many entries before it, or goes without its name. */
const LOOK_BACK = 200;

/** Raises `instance-unknown`. */
export async function instancePage(client: Client, id: string, request: PageRequest): Promise<HistoryPage> {
  const { order, limit, cursor } = request;
  const view = await client.describe(id);
  if (view === null) throw unknownInstance(id);
  // One entry a revision.
  const end = view.revision;
  const start = order === 'asc' ? Number(cursor ?? 0) : Math.max(0, Number(cursor ?? end) - limit);
  const stop = order === 'asc' ? start + limit : Number(cursor ?? end);
  const from = Math.max(0, start - LOOK_BACK);
  const lines = linesOf(view, await entriesOf(client, id, from, Math.min(stop, end)));
  const shown = lines.slice(start - from);
  return order === 'asc'
    ? { lines: shown, nextCursor: stop < end ? String(stop) : null }
    : { lines: shown.toReversed(), nextCursor: start > 0 ? String(start) : null };
}

async function entriesOf(client: Client, id: string, from: number, to: number): Promise<HistoryEntry[]> {
  const entries: HistoryEntry[] = [];
  for (let at = from; at < to; at += STRETCH)
    entries.push(...(await client.history(id, { from: at, limit: Math.min(STRETCH, to - at) })));
  return entries;
}

/**
 * By time, a parent before its children. Which instances there are only their histories tell, so each page reads them all,
 * in stretches, and keeps no more of them than it shows. Raises `instance-unknown`.
 */
export async function treePage(client: Client, id: string, request: PageRequest): Promise<HistoryPage> {
  const { order, limit, cursor } = request;
  const way = order === 'asc' ? 1 : -1;
  const last = cursor === null ? null : placeAt(cursor);
  const nearer = (one: HistoryLine, other: HistoryLine) => way * compare(placeOf(one), placeOf(other));
  let kept: HistoryLine[] = [];
  for await (const lines of treeHistory(client, id)) {
    const beyond = lines.filter((line) => last === null || way * compare(placeOf(line), last) > 0);
    kept = [...kept, ...beyond].sort(nearer).slice(0, limit + 1);
  }
  const lines = kept.slice(0, limit);
  const end = lines.at(-1);
  return { lines, nextCursor: kept.length > limit && end !== undefined ? cursorOf(placeOf(end)) : null };
}

/** Every line of a tree, by time. Raises `instance-unknown`. */
export async function wholeTree(client: Client, id: string): Promise<readonly HistoryLine[]> {
  const all: HistoryLine[] = [];
  for await (const lines of treeHistory(client, id)) all.push(...lines);
  return all.sort((one, other) => compare(placeOf(one), placeOf(other)));
}

/** Every line of one instance. Raises `instance-unknown`. */
export async function wholeHistory(client: Client, id: string): Promise<readonly HistoryLine[]> {
  const view = await client.describe(id);
  if (view === null) throw unknownInstance(id);
  return linesOf(view, await entriesOf(client, id, 0, view.revision));
}

/** In stretches, an instance before those it started. */
async function* treeHistory(client: Client, root: string): AsyncGenerator<readonly HistoryLine[]> {
  const waiting = [root];
  for (let id = waiting.shift(); id !== undefined; id = waiting.shift()) {
    const view = await client.describe(id);
    if (view === null) {
      if (id === root) throw unknownInstance(id);
      continue;
    }
    const names: Names = new Map();
    for (let from = 0; from < view.revision; from += STRETCH) {
      const entries = await entriesOf(client, id, from, Math.min(from + STRETCH, view.revision));
      const lines = linesOf(view, entries, names);
      waiting.push(...childrenOf(lines).map(({ instanceId }) => instanceId));
      yield lines;
    }
  }
}

interface Place {
  readonly at: number;
  readonly instanceId: string;
  readonly revision: number;
}

function placeOf({ instanceId, entry: { at, revision } }: HistoryLine): Place {
  return { at, instanceId, revision };
}

function compare(one: Place, other: Place): number {
  if (one.at !== other.at) return one.at - other.at;
  if (one.instanceId !== other.instanceId) return one.instanceId < other.instanceId ? -1 : 1;
  return one.revision - other.revision;
}

const cursorOf = ({ at, revision, instanceId }: Place): string => `${at}.${revision}.${instanceId}`;

function placeAt(cursor: string): Place {
  const [at = '', revision = '', ...id] = cursor.split('.');
  return { at: Number(at), revision: Number(revision), instanceId: id.join('.') };
}
