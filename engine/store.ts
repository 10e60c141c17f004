/**
 * The store port: one method per thing the engine does to durable state. `memory-store.ts` and `redis/` both keep it,
 * and one contract suite holds both to it.
 */

/** An instance at rest, as `stored.ts` writes it: `context` is the machine's context, `body` everything else. */
export interface StoredInstance {
  readonly revision: number;
  readonly body: string;
  readonly context: string;
}

export interface OutboxItem {
  /** `a|instance|token|queue` for an activity, `m|instance|revision|index` for a message. */
  readonly id: string;
  /** Not handed out by `dueOutbox` before this many ms after the commit: the committer itself is at it. */
  readonly delayMs: number;
  readonly body: string | null;
}

/** Lasts as long as its worker's lease; the worker itself watches timeouts and silence. */
export interface Claim {
  readonly token: string;
  readonly worker: string;
}

export interface ClaimRequest extends Claim {
  /** Revision of the caller's own copy of the instance, if it has one. */
  readonly known?: number | undefined;
}

/** One commit: everything one decision changes, all or nothing. */
export interface CommitEntry {
  readonly instanceId: string;
  /** 0 creates. */
  readonly expectedRevision: number;
  /** Refused as `early` while store time is before this (ms): timers never fire by a worker's clock. */
  readonly notBefore: number | null;
  readonly body: string;
  /** Null leaves the stored one. */
  readonly context: string | null;
  readonly historyLine: string;
  /** Refused as a conflict when the instance has an outcome of this signal already. */
  readonly signal: { readonly id: string; readonly outcome: string } | null;
  readonly secrets: {
    readonly set: readonly (readonly [name: string, sealed: string])[];
    readonly drop: readonly string[];
  };
  readonly timers: {
    readonly set: readonly (readonly [token: string, fireAt: number])[];
    readonly clear: readonly string[];
  };
  readonly outbox: { readonly add: readonly OutboxItem[]; readonly drop: readonly string[] };
  /** Drops come before adds. A dropped claim's progress goes when `forget` names its token. */
  readonly claims: { readonly add: readonly Claim[]; readonly drop: readonly string[] };
  /** Tokens whose stored progress goes. */
  readonly forget: readonly string[];
  readonly indexes: {
    /** When the instance was created, ms; the same in all its commits: an index is looked into by it. */
    readonly score: number;
    readonly add: readonly string[];
    readonly drop: readonly string[];
  };
  /** Tell the workers of other processes that the outbox has something. */
  readonly wake: boolean;
  /** Nothing is left of the instance itself afterwards: record, history, outcomes of signals, secrets. */
  readonly remove?: boolean;
}

export type CommitReply =
  | { readonly status: 'ok' }
  | { readonly status: 'conflict' }
  | { readonly status: 'exists' }
  | { readonly status: 'early' };

export interface LoadedInstance extends StoredInstance {
  /** Outcome stored under the signal id asked for. */
  readonly seen: string | null;
}

export interface ClaimedInstance {
  readonly revision: number;
  /** Null when it is at the revision the caller said it knows. */
  readonly stored: StoredInstance | null;
  readonly progress: string | null;
}

export interface DueTimer {
  readonly instanceId: string;
  readonly token: string;
}

export interface DueOutbox {
  readonly id: string;
  readonly body: string | null;
  /** An activity that is the asking worker's now. */
  readonly claimed?: ClaimedInstance;
}

/** A worker that takes activities as it looks for them: how many of which queues. */
export interface Taking {
  readonly worker: string;
  readonly room: readonly (readonly [queue: string, count: number])[];
}

export interface HeldClaim {
  readonly instanceId: string;
  readonly token: string;
  readonly worker: string;
}

export interface LeaseReply {
  readonly epoch: string | null;
  /** Rises with every renewal anywhere; a lower one than last seen means an older store. */
  readonly tick: number;
}

/** An instance in a list, and its place there: newest first, by `score` (creation ms) and then by id. */
export interface ListedInstance {
  readonly id: string;
  readonly score: number;
}

export interface ListQuery {
  /** Groups of names of indexes; all indexes of a group must hold the instance. No instance stands in two groups. */
  readonly anyOf: readonly (readonly string[])[];
  readonly limit: number;
  /** Instances older than this place. */
  readonly before: ListedInstance | null;
  /** Instances of this score or more. */
  readonly since?: number;
}

export interface ListPage {
  readonly items: readonly ListedInstance[];
  /**
   * Where to go on; null when there is nothing older. A page that looked long for what several large indexes have in
   * common may end before it is full: what a page costs does not depend on how many instances there are.
   */
  readonly next: ListedInstance | null;
}

export interface ParkedSignal {
  readonly key: string;
  readonly signalId: string;
  readonly body: string;
  readonly at: number;
}

export interface PausedQueue {
  readonly queue: string;
  readonly code: string;
  readonly reason: string;
  readonly at: number;
}

/** Something outside its record that a running instance needs to go on. */
export type Need =
  | { readonly kind: 'timer'; readonly token: string; readonly fireAt: number }
  | { readonly kind: 'activity'; readonly token: string; readonly outboxId: string };

export interface Store {
  readonly shards: number;
  shardOf(id: string): number;
  /**
   * Store time in ms: never before an answer already seen, never from this process's wall clock; 0 before the first
   * answer.
   */
  now(): number;

  load(instanceId: string, signalId?: string): Promise<LoadedInstance | null>;
  commit(entry: CommitEntry): Promise<CommitReply>;
  history(instanceId: string, from: number, limit: number): Promise<readonly string[]>;
  secret(instanceId: string, name: string): Promise<string | null>;

  /** Takes an activity out of the outbox for a worker; null when another has it or nobody wants it any more. */
  claim(instanceId: string, outboxId: string, request: ClaimRequest): Promise<ClaimedInstance | null>;
  /** Gives a claim back: into the outbox under `outboxId` for another worker, or nowhere. */
  unclaim(instanceId: string, token: string, worker: string, outboxId: string | null): Promise<void>;
  /** Leaves a claim to nobody: whoever finds it takes it for that of a worker that is gone. */
  disown(instanceId: string, token: string, worker: string): Promise<void>;
  /** Stores progress; false when the claim is no longer this worker's. */
  heartbeat(instanceId: string, token: string, worker: string, progress: string): Promise<boolean>;
  /** Which of these claims are no longer this worker's. */
  lostClaims(
    worker: string,
    claims: readonly { readonly instanceId: string; readonly token: string }[],
  ): Promise<readonly string[]>;
  claims(shard: number): Promise<readonly HeldClaim[]>;

  /** Due timers, hidden from other callers for `hideMs`; `nextDue` is the score of the first one left, if any. */
  dueTimers(
    shard: number,
    limit: number,
    hideMs: number,
  ): Promise<{ readonly timers: readonly DueTimer[]; readonly nextDue: number | null }>;
  /** Forgets a timer that no record knows. */
  dropTimer(instanceId: string, token: string): Promise<void>;
  /** Shows hidden timers again after `delayMs`: this process cannot fire them. */
  releaseTimers(shard: number, timers: readonly DueTimer[], delayMs: number): Promise<void>;
  /**
   * Due entries. Those a worker has room for are claimed by it and come with their instances; the others are hidden from
   * other callers for `hideMs`. A claim whose answer was lost is among the worker's own, and not given to it again.
   */
  dueOutbox(shard: number, limit: number, hideMs: number, taking?: Taking): Promise<readonly DueOutbox[]>;
  ackOutbox(shard: number, ids: readonly string[]): Promise<void>;
  /** Shows a hidden entry again after `delayMs`: this process cannot carry it. */
  releaseOutbox(shard: number, id: string, delayMs: number): Promise<void>;

  /** Which of these are not there: a timer not set, an activity neither in the outbox nor claimed. */
  missing(instanceId: string, needs: readonly Need[]): Promise<readonly Need[]>;
  /** Puts them there where they are still missing. */
  putBack(instanceId: string, needs: readonly Need[]): Promise<void>;

  renewLease(worker: string, ttlMs: number): Promise<LeaseReply>;
  dropLease(worker: string): Promise<void>;
  liveWorkers(): Promise<readonly string[]>;

  /** Registers an instance under a key; returns the signals that waited for the key. */
  register(key: string, instanceId: string): Promise<readonly ParkedSignal[]>;
  unregister(key: string, instanceId: string): Promise<void>;
  /**
   * The instances under a key; with none, parks the signal there (once per signal id). Null for one that came within the
   * last week and has left since: whoever had the key took it, or a person put it away.
   */
  route(
    key: string,
    signal: { readonly id: string; readonly body: string },
  ): Promise<readonly string[] | null>;
  /** The instances registered under a key. */
  holders(key: string): Promise<readonly string[]>;
  unpark(key: string, signalId: string): Promise<void>;
  /** Newest first; with `before` (ms) those that came before it. */
  parked(limit: number, before?: number): Promise<readonly ParkedSignal[]>;

  list(query: ListQuery): Promise<ListPage>;
  count(index: string): Promise<number>;

  /** Shapes of definitions as their workers run them, by reference; the last word stands. */
  recordDefinitions(shapes: readonly (readonly [ref: string, shape: string])[]): Promise<void>;
  definitions(): Promise<readonly (readonly [ref: string, shape: string])[]>;

  pauseQueue(paused: Omit<PausedQueue, 'at'>): Promise<void>;
  resumeQueue(queue: string): Promise<void>;
  pausedQueues(): Promise<readonly PausedQueue[]>;

  /**
   * Calls back when another process's commit left work in a shard's outbox. One listener of all processes is called for a
   * few activities, everyone for many at once; a call may be lost with who was to hear it.
   */
  onWake(listener: (shard: number) => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

/** Whether `a` comes after `b` in a list. */
export function isOlder(a: ListedInstance, b: ListedInstance): boolean {
  return a.score < b.score || (a.score === b.score && a.id < b.id);
}

/** FNV-1a: spreads ids over shards, the same in every process and release. */
export function shardOf(id: string, shards: number): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < id.length; index += 1) {
    hash ^= id.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  return (hash >>> 0) % shards;
}

/** In the place of a worker that has left a claim to nobody. It has no lease. */
export function disownedBy(worker: string): string {
  return `${worker} (disowned)`;
}
