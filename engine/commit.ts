/** Turns a decision into the one commit that makes it durable. */
import { encode } from './codec.ts';
import type { Commitment } from './decide.ts';
import { writeEntry } from './history.ts';
import { indexesOf } from './indexes.ts';
import type { InstanceRecord } from './record.ts';
import type { CommitEntry, OutboxItem } from './store.ts';
import { writeBody, writeContext } from './stored.ts';
import type { Message } from './turn.ts';

/** How the committing process takes part in what comes next. */
export interface CommitOptions {
  /** A worker that keeps an activity this commit begins, of one of these queues, for itself. */
  readonly chain?: { readonly worker: string; readonly queues: Pick<ReadonlySet<string>, 'has'> } | undefined;
  /** True when this process hands activities to workers itself; otherwise the workers are woken. */
  readonly dispatches: boolean;
  readonly notBefore?: number | null;
  readonly signalId?: string | undefined;
  readonly secrets?: CommitEntry['secrets'] | undefined;
}

export interface PlannedCommit {
  readonly entry: CommitEntry;
  /** The record with its new head. */
  readonly next: InstanceRecord;
  /** Token of the activity the chain keeps, if any. */
  readonly chained: string | null;
  /** The indexes it stands in now. */
  readonly indexes: readonly string[];
  readonly outbox: readonly OutboxItem[];
}

/** While the committer carries an entry out itself, the sweeper stays off it this long. */
const RELAY_HEAD_START_MS = 5_000;

export function activityOutboxId(instanceId: string, token: string, queue: string): string {
  return `a|${instanceId}|${token}|${queue}`;
}

export function planCommit(
  before: { readonly record: InstanceRecord; readonly indexes: readonly string[] } | null,
  decision: Commitment,
  options: CommitOptions,
): PlannedCommit {
  const { messages, dispatch } = decision;
  const old = before?.record ?? null;
  const { line, hash } = writeEntry(old?.head ?? '', decision.entry);
  const next: InstanceRecord = { ...decision.next, head: hash };
  const chained = pickChained(old, next, dispatch, options);
  const ended = old === null ? NOTHING_ENDED : endedWith(old, next);
  const outbox = [
    ...dispatch.filter((token) => token !== chained).map((token) => activityItem(next, token, options)),
    ...messages.map((message, index) => messageItem(next, message, index)),
    ...keyItems(old?.keys ?? NONE, next, messages.length),
  ];
  const indexes = indexesOf(next, decision.snapshot);
  const entry: CommitEntry = {
    instanceId: next.id,
    expectedRevision: next.revision - 1,
    notBefore: options.notBefore ?? null,
    body: writeBody(next),
    context:
      old !== null && old.machine.context === next.machine.context
        ? null
        : writeContext(next.machine.context),
    historyLine: line,
    signal: options.signalId === undefined ? null : { id: options.signalId, outcome: decision.reply.status },
    secrets: options.secrets ?? NO_SECRETS,
    timers: timerChanges(old?.timers ?? EMPTY, next.timers),
    outbox: { add: outbox, drop: ended.outbox },
    claims: {
      add:
        chained === null || options.chain === undefined
          ? NONE
          : [{ token: chained, worker: options.chain.worker }],
      drop: ended.claims,
    },
    forget: ended.tokens,
    indexes: indexChanges(before?.indexes ?? NONE, indexes, next.createdAt),
    wake: !options.dispatches && outbox.some((item) => item.body === null),
  };
  return { entry, next, chained, indexes, outbox };
}

/** A revision that changes nothing around the record: what it is to change is spread over this. */
export function bareEntry(record: InstanceRecord): CommitEntry {
  return {
    ...{ instanceId: record.id, expectedRevision: record.revision, notBefore: null, signal: null },
    ...{ body: '', context: null, historyLine: '', secrets: NO_SECRETS },
    ...{ timers: { set: NONE, clear: NONE }, outbox: { add: NONE, drop: NONE } },
    ...{ claims: { add: NONE, drop: NONE }, forget: NONE, wake: false },
    indexes: { score: record.createdAt, add: NONE, drop: NONE },
  };
}

const NONE: readonly never[] = [];
const EMPTY = {};
const NO_SECRETS: CommitEntry['secrets'] = { set: NONE, drop: NONE };

/** None that was there before: an earlier attempt may still run elsewhere, or have left its progress in the store. */
function pickChained(
  old: InstanceRecord | null,
  next: InstanceRecord,
  dispatch: readonly string[],
  { chain }: CommitOptions,
): string | null {
  if (chain === undefined) return null;
  const begins = (token: string): boolean => old?.activities[token] === undefined;
  const found = dispatch.find(
    (token) => begins(token) && chain.queues.has(next.activities[token]?.queue ?? ''),
  );
  return found ?? null;
}

function activityItem(next: InstanceRecord, token: string, options: CommitOptions): OutboxItem {
  const queue = next.activities[token]?.queue ?? 'default';
  return {
    id: activityOutboxId(next.id, token, queue),
    delayMs: options.dispatches ? RELAY_HEAD_START_MS : 0,
    body: null,
  };
}

function messageItem(next: InstanceRecord, message: Message, index: number): OutboxItem {
  return { id: messageId(next, index), delayMs: RELAY_HEAD_START_MS, body: encode(message) };
}

/** Zero-padded so that entries of one instance sort in the order they were written. */
function messageId(next: InstanceRecord, index: number): string {
  return `m|${next.id}|${String(next.revision).padStart(9, '0')}|${String(index).padStart(4, '0')}`;
}

/** A change of an instance's correlation keys, carried out in the keys' own shards. */
export interface KeyChange {
  readonly key: string;
  readonly instanceId: string;
  readonly change: 'register' | 'unregister';
}

function keyItems(old: readonly string[], next: InstanceRecord, from: number): OutboxItem[] {
  if (old === next.keys) return [];
  const instanceId = next.id;
  const changes: KeyChange[] = [
    ...newIn(next.keys, old).map((key) => ({ key, instanceId, change: 'register' as const })),
    ...newIn(old, next.keys).map((key) => ({ key, instanceId, change: 'unregister' as const })),
  ];
  return changes.map((change, index) => ({
    id: messageId(next, from + index),
    delayMs: RELAY_HEAD_START_MS,
    body: encode(change),
  }));
}

function timerChanges(old: InstanceRecord['timers'], now: InstanceRecord['timers']): CommitEntry['timers'] {
  if (old === now) return NO_TIMERS;
  const set: (readonly [string, number])[] = [];
  const clear: string[] = [];
  for (const token in now) {
    const timer = now[token];
    if (timer !== undefined && old[token] === undefined) set.push([token, timer.fireAt]);
  }
  for (const token in old) if (now[token] === undefined) clear.push(token);
  return { set, clear };
}

const NO_TIMERS: CommitEntry['timers'] = { set: NONE, clear: NONE };

/** What a commit leaves behind of activities: those over, and the attempts and outbox entries of those that go on. */
interface Ended {
  /** Activities that are over. */
  readonly tokens: string[];
  /** Claims that end with them, or because the attempt failed or was lost. */
  readonly claims: string[];
  /** Outbox entries of activities no longer open: over, paused, or waiting for another try. */
  readonly outbox: string[];
}

const NOTHING_ENDED: Ended = { tokens: [], claims: [], outbox: [] };

function endedWith(old: InstanceRecord, next: InstanceRecord): Ended {
  if (old.activities === next.activities) return NOTHING_ENDED;
  const ended: Ended = { tokens: [], claims: [], outbox: [] };
  for (const token in old.activities) {
    const was = old.activities[token];
    const is = next.activities[token];
    if (was === undefined || was === is) continue;
    if (is === undefined) ended.tokens.push(token);
    if (is?.attempt !== was.attempt) ended.claims.push(token);
    if (was.phase === 'open' && is?.phase !== 'open')
      ended.outbox.push(activityOutboxId(next.id, token, was.queue));
  }
  return ended;
}

export function indexChanges(
  old: readonly string[],
  now: readonly string[],
  score: number,
): CommitEntry['indexes'] {
  return { score, add: newIn(now, old), drop: newIn(old, now) };
}

function newIn(names: readonly string[], known: readonly string[]): readonly string[] {
  const there = new Set(known);
  return names.filter((name) => !there.has(name));
}
