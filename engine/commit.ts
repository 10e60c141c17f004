/** Turns a decision into the one commit that makes it durable. */
import { encode } from './codec.ts';
import type { Commitment } from './decide.ts';
import { writeEntry } from './history.ts';
import { indexesOf } from './indexes.ts';
import type { InstanceRecord } from './record.ts';
import type { Definition } from './registry.ts';
import type { CommitEntry, OutboxItem } from './store.ts';
import { writeBody, writeMachine } from './stored.ts';
import type { Message } from './turn.ts';

/** How the committing process takes part in what comes next. */
export interface CommitOptions {
  /** A worker that keeps the next activity of one of these queues for itself. */
  readonly chain?: { readonly worker: string; readonly queues: ReadonlySet<string> } | undefined;
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
  definition: Definition,
  before: { readonly record: InstanceRecord; readonly indexes: readonly string[] } | null,
  decision: Commitment,
  options: CommitOptions,
): PlannedCommit {
  const { entry, messages, dispatch } = decision;
  const { line, hash } = writeEntry(before?.record.head ?? '', entry);
  const next: InstanceRecord = { ...decision.next, head: hash };
  const gone = Object.keys(before?.record.activities ?? {}).filter(
    (token) => next.activities[token] === undefined,
  );
  const chained = pickChained(next, dispatch, options);
  const outbox = [
    ...dispatch.filter((token) => token !== chained).map((token) => activityItem(next, token, options)),
    ...messages.map((message, index) => messageItem(next, message, index)),
    ...keyItems(before?.record ?? null, next, messages.length),
  ];
  const indexes = indexesOf(definition, next, decision.snapshot);
  const plan: CommitEntry = {
    instanceId: next.id,
    expectedRevision: next.revision - 1,
    notBefore: options.notBefore ?? null,
    body: writeBody(next),
    machine: before !== null && before.record.machine === next.machine ? null : writeMachine(next.machine),
    historyLine: line,
    signal: options.signalId === undefined ? null : { id: options.signalId, outcome: decision.reply.status },
    secrets: options.secrets ?? { set: [], drop: [] },
    timers: timerChanges(before?.record ?? null, next),
    outbox: { add: outbox, drop: outboxDrops(before?.record ?? null, next) },
    claims: {
      add:
        chained === null || options.chain === undefined
          ? []
          : [{ token: chained, worker: options.chain.worker }],
      drop: [...gone, ...endedAttempts(before?.record ?? null, next)],
    },
    forget: gone,
    indexes: indexChanges(before?.indexes ?? [], indexes, next.createdAt),
    wake: !options.dispatches && outbox.some((item) => item.body === null),
  };
  return { entry: plan, next, chained, indexes, outbox };
}

function pickChained(
  next: InstanceRecord,
  dispatch: readonly string[],
  { chain }: CommitOptions,
): string | null {
  if (chain === undefined) return null;
  return dispatch.find((token) => chain.queues.has(next.activities[token]?.queue ?? '')) ?? null;
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

function keyItems(before: InstanceRecord | null, next: InstanceRecord, from: number): OutboxItem[] {
  const old = before?.keys ?? [];
  const changes: KeyChange[] = [
    ...next.keys
      .filter((key) => !old.includes(key))
      .map((key) => ({ key, instanceId: next.id, change: 'register' as const })),
    ...old
      .filter((key) => !next.keys.includes(key))
      .map((key) => ({ key, instanceId: next.id, change: 'unregister' as const })),
  ];
  return changes.map((change, index) => ({
    id: messageId(next, from + index),
    delayMs: RELAY_HEAD_START_MS,
    body: encode(change),
  }));
}

function timerChanges(before: InstanceRecord | null, next: InstanceRecord): CommitEntry['timers'] {
  const old = before?.timers ?? {};
  return {
    set: Object.entries(next.timers)
      .filter(([token]) => old[token] === undefined)
      .map(([token, timer]) => [token, timer.fireAt] as const),
    clear: Object.keys(old).filter((token) => next.timers[token] === undefined),
  };
}

/** Outbox entries of activities that are no longer open: gone, paused, or waiting for another try. */
function outboxDrops(before: InstanceRecord | null, next: InstanceRecord): string[] {
  return Object.entries(before?.activities ?? {})
    .filter(([token, activity]) => activity.phase === 'open' && next.activities[token]?.phase !== 'open')
    .map(([token, activity]) => activityOutboxId(next.id, token, activity.queue));
}

/** Claims that ended without the activity being over: the attempt failed or was lost. */
function endedAttempts(before: InstanceRecord | null, next: InstanceRecord): string[] {
  return Object.entries(before?.activities ?? {})
    .filter(([token, activity]) => (next.activities[token]?.attempt ?? activity.attempt) !== activity.attempt)
    .map(([token]) => token);
}

function indexChanges(old: readonly string[], now: readonly string[], score: number): CommitEntry['indexes'] {
  return {
    score,
    add: now.filter((name) => !old.includes(name)),
    drop: old.filter((name) => !now.includes(name)),
  };
}
