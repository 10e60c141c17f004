/**
 * What must hold, looked at from outside: at every commit, at every effect, and when all has come to rest. It keeps its own
 * books and believes none of the engine's.
 */
import { isDeepStrictEqual } from 'node:util';
import { planCommit } from '../../engine/commit.ts';
import { decide } from '../../engine/decide.ts';
import type { EngineEvent } from '../../engine/event.ts';
import { type HistoryEntry, readEntry, verifyChain } from '../../engine/history.ts';
import { type Need, type Registry, type Store, ticketOf } from '../../engine/index.ts';
import type { InstanceRecord } from '../../engine/record.ts';
import type { CommitEntry } from '../../engine/store.ts';
import { readRecord, writeBody, writeContext } from '../../engine/stored.ts';
import type { Agenda } from './agenda.ts';
import { originOf } from './programs.ts';

export interface Judge {
  applied(entry: CommitEntry): void;
  effect(intent: string, effects: { rightful: number; late: number }): void;
  /** An accepted command: the caller was told that it is kept. */
  accepted(command: {
    readonly instanceId: string;
    readonly signalId?: string;
    readonly kind?: string;
  }): void;
  /** A signal accepted under a key: applied by the one that comes to hold it, or shown as unmatched if that has ended. */
  acceptedByKey(instanceId: string, signalId: string): void;
  /** Done to so many instances, once each, under one id. */
  acceptedByMany(signalId: string, count: number): void;
  instances(): readonly string[];
  /** Everything said when all is at rest. */
  conclude(): Promise<void>;
  /** The first thing that was not as promised. */
  violation(): string | null;
  accuse(what: string): void;
  readonly commits: () => number;
  /** How often each of them was committed. */
  readonly acts: Readonly<Record<Act, number>>;
}

/** What operations staff do. */
export const ACTS = [
  'pause',
  'resume',
  'cancel',
  'retry',
  'complete-activity',
  'fail-activity',
  'edit-context',
  'move',
  'retry-from',
  'fork',
  'batch',
  'migrate',
  'undo',
] as const;
export type Act = (typeof ACTS)[number];

interface Book {
  revision: number;
  readonly signals: Set<string>;
  readonly kinds: Set<EngineEvent['kind']>;
  readonly timers: Map<string, number>;
  /** `kind|token|attempt` of results taken. */
  readonly results: Set<string>;
  readonly ended: Set<string>;
  /** The history as it was committed, and the record that deciding it again leads to. */
  readonly lines: string[];
  past: { readonly record: InstanceRecord; readonly indexes: readonly string[] } | null;
  /** Before the migration that was the last thing to happen to it. */
  unmigrated: InstanceRecord | null;
}

export interface JudgeOptions {
  readonly agenda: Agenda;
  readonly store: () => Store;
  readonly registry: Registry;
  /** How far ahead of the store's a process's idea of its time may be, ms. */
  readonly clockLead: number;
}

const BY_HAND: ReadonlySet<string> = new Set(['complete-activity', 'fail-activity']);
/** What an undone migration must bring back. */
const UNDONE = [
  'definition',
  'status',
  'machine',
  'activities',
  'timers',
  'children',
  'inbox',
  'keys',
] as const;
const RESULTS: ReadonlySet<string> = new Set(['activity.done', 'activity.failed', 'activity.lost']);

export function createJudge({ agenda, store, registry, clockLead }: JudgeOptions): Judge {
  const books = new Map<string, Book>();
  const promises: ((unmatched: ReadonlySet<string>) => string | null)[] = [];
  const acts = Object.fromEntries(ACTS.map((act) => [act, 0])) as Record<Act, number>;
  let commits = 0;
  let found: string | null = null;
  const accuse = (what: string): void => {
    found ??= what;
  };

  function bookOf(id: string): Book {
    const known = books.get(id);
    if (known !== undefined) return known;
    const book: Book = {
      revision: 0,
      signals: new Set(),
      kinds: new Set(),
      timers: new Map(),
      results: new Set(),
      ended: new Set(),
      lines: [],
      past: null,
      unmigrated: null,
    };
    books.set(id, book);
    return book;
  }

  function count(act: string): void {
    if (Object.hasOwn(acts, act)) acts[act as Act] += 1;
  }

  function lookAtEvent(id: string, book: Book, event: EngineEvent): void {
    book.kinds.add(event.kind);
    count(event.kind === 'migrate' && event.undo ? 'undo' : event.kind);
    if (event.kind === 'timer.fired') {
      const due = book.timers.get(event.token);
      if (due === undefined) accuse(`${id}: timer ${event.token} fired, but is not set`);
      else if (agenda.now() < due) accuse(`${id}: timer ${event.token} fired ${due - agenda.now()} ms early`);
    }
    if (BY_HAND.has(event.kind) && 'token' in event) book.ended.add(event.token ?? '');
    if (!RESULTS.has(event.kind) || !('token' in event) || !('attempt' in event)) return;
    const result = `${event.token}|${event.attempt}`;
    if (book.results.has(result) || book.ended.has(event.token))
      accuse(`${id}: a second result of ${result} was recorded`);
    book.results.add(result);
    if (event.kind === 'activity.done') book.ended.add(event.token);
  }

  /** An undone migration leaves what was there before it, whatever that migration set off. */
  function lookAtUndo(id: string, before: InstanceRecord | null, undone: InstanceRecord): void {
    if (before === null) return void accuse(`${id}: a migration was undone that never was`);
    const [was, is] = [asStored(before), asStored(undone)];
    for (const part of UNDONE)
      if (!isDeepStrictEqual(is[part], was[part]))
        accuse(`${id}: undoing the migration did not bring back its ${part}`);
  }

  /** The instance and its forks share their keys. */
  const holdersOf = (id: string): readonly Book[] =>
    [...books].filter(([other]) => originOf(other) === id).map(([, book]) => book);

  /** A reason to progress, for an instance at rest between two commits. */
  function lookAtNeeds(record: InstanceRecord): void {
    if (record.status !== 'running') return;
    const needs: Need[] = [
      ...Object.entries(record.timers).map(([token, { fireAt }]): Need => ({ kind: 'timer', token, fireAt })),
      ...Object.entries(record.activities)
        .filter(([, { phase }]) => phase === 'open')
        .map(([token]): Need => ({ kind: 'activity', token, outboxId: ticketOf(record, token).outboxId })),
    ];
    if (needs.length === 0) return;
    void store()
      .missing(record.id, needs)
      .then(([lost]) => {
        if (lost !== undefined) accuse(`${record.id}: ${lost.kind} ${lost.token} is in the record only`);
      });
  }

  return {
    commits: () => commits,
    acts,
    accuse,
    violation: () => found,
    instances: () => [...books.keys()],
    applied(entry) {
      commits += 1;
      const { instanceId: id } = entry;
      const book = bookOf(id);
      if (entry.expectedRevision !== book.revision)
        accuse(`${id}: a decision on revision ${entry.expectedRevision} became ${book.revision + 1}`);
      book.revision += 1;
      const { entry: told } = readEntry(entry.historyLine);
      book.lines.push(entry.historyLine);
      lookAtEvent(id, book, told.event);
      if (told.at > agenda.now() + clockLead)
        accuse(`${id}: decided ${told.at - agenda.now()} ms ahead of the store's time`);
      if (entry.signal !== null) {
        if (book.signals.has(entry.signal.id)) accuse(`${id}: signal ${entry.signal.id} was applied twice`);
        book.signals.add(entry.signal.id);
        if (entry.signal.id.startsWith('batch:')) count('batch');
      }
      for (const token of entry.timers.clear) book.timers.delete(token);
      for (const [token, fireAt] of entry.timers.set) book.timers.set(token, fireAt);
      if (found !== null) return;
      const before = book.past?.record ?? null;
      const broken = decideAgain(registry, id, book, told);
      const { event } = told;
      if (event.kind === 'migrate' && event.undo && book.past !== null)
        lookAtUndo(id, book.unmigrated, book.past.record);
      book.unmigrated = event.kind === 'migrate' && !event.undo ? before : null;
      if (broken !== null) accuse(`${id}: ${broken}`);
      else if (book.past !== null) lookAtNeeds(book.past.record);
    },
    effect(intent, { rightful }) {
      if (rightful > 1) accuse(`${intent}: the outside was changed ${rightful} times`);
    },
    accepted({ instanceId, signalId, kind }) {
      promises.push(() => {
        const book = books.get(instanceId);
        if (book === undefined) return `${instanceId}: accepted, and not there`;
        if (signalId !== undefined && !book.signals.has(signalId))
          return `${instanceId}: accepted signal ${signalId} is in no history`;
        if (kind !== undefined && !book.kinds.has(kind as EngineEvent['kind']))
          return `${instanceId}: accepted ${kind} is in no history`;
        return null;
      });
    },
    acceptedByKey(instanceId, signalId) {
      promises.push((unmatched) =>
        holdersOf(instanceId).some(({ signals }) => signals.has(signalId)) || unmatched.has(signalId)
          ? null
          : `${instanceId}: signal ${signalId}, accepted under its key, is neither in its history nor unmatched`,
      );
    },
    acceptedByMany(signalId, count) {
      promises.push(() => {
        const found = [...books.values()].filter(({ signals }) => signals.has(signalId)).length;
        return found >= count ? null : `${signalId}: ${count} were told of, and ${found} have it`;
      });
    },
    async conclude() {
      const parked = await store().parked(Number.MAX_SAFE_INTEGER);
      const unmatched = new Set(parked.map(({ signalId }) => signalId));
      for (const promise of promises) {
        const broken = promise(unmatched);
        if (broken !== null) accuse(broken);
      }
      for (const [id, book] of books) {
        if (book.timers.size > 0) accuse(`${id}: timers ${[...book.timers.keys()]} are left`);
        const broken = await compareStored(store(), id, book);
        if (broken !== null) accuse(`${id}: ${broken}`);
      }
    },
  };
}

/** Decides a committed event on the judge's own record: the same line must come out. */
function decideAgain(
  registry: Registry,
  id: string,
  book: Book,
  { revision, event, by, reason, at }: HistoryEntry,
): string | null {
  const { past } = book;
  const begins = event.kind === 'start' || event.kind === 'fork';
  const ref = past?.record.definition ?? (begins ? event.definition : null);
  if (ref === null) return `began with ${event.kind}`;
  const definition = registry.get(ref);
  const who = { ...(by === undefined ? {} : { by }), ...(reason === undefined ? {} : { reason }) };
  const decision = decide({
    ...{ registry, definition, instanceId: id, envelope: { event, ...who }, now: at },
    record: past?.record ?? null,
  });
  if (decision.outcome === 'nothing') return `replaying revision ${revision} decides nothing`;
  const { entry, next, indexes } = planCommit(past, decision, { dispatches: true });
  if (entry.historyLine !== book.lines.at(-1)) return `replaying revision ${revision} tells another story`;
  book.past = { record: next, indexes };
  return null;
}

/** What the store holds at rest: the lines that were committed, chained, and the record they lead to. */
async function compareStored(
  store: Store,
  id: string,
  { revision, lines, past }: Book,
): Promise<string | null> {
  const stored = await store.load(id);
  if (stored === null) return 'gone';
  if (stored.revision !== revision) return `revision ${stored.revision} after ${revision} commits`;
  const kept = await store.history(id, 0, Number.MAX_SAFE_INTEGER);
  if (!isDeepStrictEqual(kept, lines)) return 'the history holds other lines than were committed';
  const record = readRecord(stored);
  if (!verifyChain(lines, record.head).intact) return 'the history chain is broken';
  if (past === null) return 'no history';
  return isDeepStrictEqual(asStored(past.record), record)
    ? null
    : 'replaying the history gives another record';
}

/** The record as it comes back from the store. */
function asStored(record: InstanceRecord): InstanceRecord {
  const context = writeContext(record.machine.context);
  return readRecord({ revision: record.revision, body: writeBody(record), context });
}
