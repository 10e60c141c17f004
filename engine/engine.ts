/**
 * The one door: whoever has an event (a signal, a result, a timer) loads, decides and commits with the revision it
 * read; a conflict reloads and decides again, in the one loop below. Nothing is locked, so a slow activity never holds
 * an instance and a signal never misses a state that is just being entered.
 */
import type { AnyMachineSnapshot } from 'xstate';
import { AppError, isAppError, messageOf, unknownInstance } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { activityOutboxId, type PlannedCommit, planCommit } from './commit.ts';
import { type Commitment, type DecideInput, type Decision, decide } from './decide.ts';
import type { EngineEvent, Envelope } from './event.ts';
import type { FaultPoints } from './fault-points.ts';
import { indexesOf } from './indexes.ts';
import { createRecent } from './recent.ts';
import { type InstanceRecord, isClosed } from './record.ts';
import type { Definition, Registry } from './registry.ts';
import { createRelay, type Relay } from './relay.ts';
import type { Reply } from './step.ts';
import type { CommitEntry, CommitReply, Store, StoredInstance } from './store.ts';
import { readRecord, writeContext } from './stored.ts';
import { surroundings } from './turn.ts';
import { fromMachineState } from './xstate5.ts';

/** An activity that a worker should be handed. */
export interface ActivityTicket {
  readonly instanceId: string;
  readonly token: string;
  readonly queue: string;
  readonly outboxId: string;
}

/** A worker in this process that takes activities as they are committed, so that they need no way over a queue. */
export interface Taker {
  readonly worker: string;
  /** The queues it has room for now. */
  readonly queues: Pick<ReadonlySet<string>, 'has'>;
  /** Keeps a place for the activity that the commit about to be sent gives it. */
  take(instanceId: string, token: string, queue: string): Place;
}

export interface Place {
  /** The commit was accepted: the activity is the worker's. */
  begin(open: OpenInstance): void;
  giveUp(): void;
}

export interface EngineOptions {
  readonly store: Store;
  readonly registry: Registry;
  readonly log: Logger;
  /** Hands activities to workers. A process without one leaves them in the outbox and wakes those that have. */
  readonly dispatch?: (tickets: readonly ActivityTicket[]) => Promise<void>;
  /** Takes what commits begin, unless whoever asks for the commit keeps it. */
  readonly taker?: Taker;
  /** Told of every commit of this process, after it is durable. Must not throw. */
  readonly onCommitted?: (record: InstanceRecord) => void;
  /** Test hook; absent in production. */
  readonly faults?: FaultPoints;
}

/** An instance as loaded: the record with its live snapshot. */
export interface OpenInstance {
  readonly record: InstanceRecord;
  readonly definition: Definition;
  readonly snapshot: AnyMachineSnapshot;
  /** The indexes it stands in, where a commit of this process has just worked them out. */
  readonly indexes?: readonly string[];
}

export interface HandleOptions {
  /** The caller's own copy; tried first where this process has no newer one, reloaded on a conflict. */
  readonly open?: OpenInstance | undefined;
  /** The worker keeps the next activity of these queues for itself. */
  readonly chain?: { readonly worker: string; readonly queues: ReadonlySet<string> } | undefined;
  readonly secrets?: CommitEntry['secrets'] | undefined;
  /** Commits on this revision or not at all; another one raises `revision-mismatch`. */
  readonly expectedRevision?: number | undefined;
  /** Done once under this id: again, the reply is `duplicate`. For what has no id of its own, as a signal has. */
  readonly operationId?: string | undefined;
}

/** An event that depends on the instance it is for: made once that is loaded, and again after every conflict. */
export interface EventFor {
  /** For a signal: its id. */
  readonly signalId?: string;
  envelope(open: OpenInstance): Envelope;
}

export interface Handled {
  readonly reply: Reply;
  /** The instance afterwards; null only when there is none. */
  readonly open: OpenInstance | null;
  /** Token of the activity the chain kept. */
  readonly chained: string | null;
}

export interface Previewed {
  readonly before: OpenInstance | null;
  readonly decision: Decision;
}

export interface Engine {
  readonly store: Store;
  readonly registry: Registry;
  readonly relay: Relay;
  handle(instanceId: string, envelope: Envelope | EventFor, options?: HandleOptions): Promise<Handled>;
  /** What `handle` would do now; commits nothing. */
  preview(instanceId: string, event: Envelope | EventFor): Promise<Previewed>;
  /** Null when there is no such instance. */
  open(instanceId: string): Promise<OpenInstance | null>;
  /** An instance from what the store returned. */
  restore(stored: StoredInstance): OpenInstance;
  /** Its copy as this process last committed it; somebody else may have moved it on since. */
  recent(instanceId: string): OpenInstance | undefined;
  /** Resolves when everything this process began to relay has arrived. */
  settled(): Promise<void>;
}

/**
 * A conflict is somebody else's progress, so this many in a row means something is badly wrong. Hundreds are not: of two
 * processes that are both sent thousands of signals for one instance, the one that has to load first mostly loses.
 */
const MAX_CONFLICTS = 2_000;

export function createEngine(options: EngineOptions): Engine {
  const { store, registry, log } = options;
  const { faults } = options;
  const recent = createRecent();
  /** The newest event of each instance under way. The next one takes its turn behind it, because it could only conflict. */
  const newest = new Map<string, Promise<unknown>>();
  const relay = createRelay({
    store,
    log,
    dispatch: options.dispatch,
    deliver: (instanceId, envelope) => engine.handle(instanceId, envelope),
  });

  function handle(
    instanceId: string,
    given: Envelope | EventFor,
    options: HandleOptions = {},
  ): Promise<Handled> {
    const before = newest.get(instanceId);
    const work = () => handleNext(instanceId, given, options);
    const handled = before === undefined ? work() : before.then(work, work);
    newest.set(instanceId, handled);
    const over = () => {
      if (newest.get(instanceId) === handled) newest.delete(instanceId);
    };
    handled.then(over, over);
    return handled;
  }

  async function handleNext(
    instanceId: string,
    given: Envelope | EventFor,
    options: HandleOptions,
  ): Promise<Handled> {
    // What depends on the instance as it is, is not asked of a copy that may be old.
    const fresh = 'envelope' in given && given.signalId === undefined;
    let mustLoad = false;
    let conflicts = 0;
    for (;;) {
      const known = mustLoad || fresh ? undefined : knownCopy(instanceId, given, options);
      const loaded = known ?? (await load(instanceId, signalIdOf(given) ?? options.operationId));
      if (faults !== undefined) await faults.at('loaded');
      requireRevision(loaded.open, options.expectedRevision);
      const handled = await decideAndCommit(inputFor(instanceId, given, loaded), loaded, options);
      if (handled === 'conflict') conflicts += 1;
      else if (handled !== 'uncertain') return handled;
      mustLoad = true;
      recent.drop(instanceId);
      if (conflicts === MAX_CONFLICTS) break;
    }
    throw new AppError(
      'commit-refused',
      `'${instanceId}' changed under ${MAX_CONFLICTS} decisions in a row.`,
      { details: { instanceId } },
    );
  }

  /** What can be decided on without a load: the newest copy of this process, or for a start that there is none yet. */
  function knownCopy(
    instanceId: string,
    given: Envelope | EventFor,
    { open: own, operationId, expectedRevision }: HandleOptions,
  ): Loaded | undefined {
    // Whether an operation was done before, or the caller's look is stale, only the store knows.
    if (operationId !== undefined || expectedRevision !== undefined) return undefined;
    const kept = recent.get(instanceId);
    const open = own === undefined || (kept?.record.revision ?? 0) > own.record.revision ? kept : own;
    if (open !== undefined) return { open, seen: null, certain: false };
    // Nothing is dated before the store has told its time.
    const starts = 'event' in given && given.event.kind === 'start' && store.now() > 0;
    return starts ? { open: null, seen: null, certain: false } : undefined;
  }

  async function load(instanceId: string, signalId: string | undefined): Promise<Loaded> {
    const stored = await store.load(instanceId, signalId);
    return stored === null
      ? { open: null, seen: null, certain: true }
      : { open: restore(stored), seen: stored.seen, certain: true };
  }

  function restore(stored: StoredInstance): OpenInstance {
    const record = readRecord(stored);
    const definition = registry.get(record.definition);
    const around = surroundings({
      id: record.id,
      definition,
      parent: record.parent,
      children: record.children,
    });
    return { record, definition, snapshot: fromMachineState(definition.machine, record.machine, around) };
  }

  /** What there is to decide, for a commit and for a look ahead alike. */
  function inputFor(instanceId: string, given: Envelope | EventFor, { open, seen }: Loaded): DecideInput {
    const asked = 'envelope' in given ? given.envelope(existing(instanceId, open)) : given;
    const now = store.now();
    const envelope = inTurn(asked, open, now);
    return {
      registry,
      definition: open?.definition ?? definitionToStart(instanceId, envelope.event),
      instanceId,
      record: open?.record ?? null,
      snapshot: open?.snapshot,
      envelope,
      now,
      seen,
    };
  }

  async function decideAndCommit(
    input: DecideInput,
    { open, certain }: Loaded,
    given: HandleOptions,
  ): Promise<Handled | 'conflict' | 'uncertain'> {
    const { definition } = input;
    const { event } = input.envelope;
    const decision = decide(input);
    if (faults !== undefined) await faults.at('decided');
    if (decision.outcome === 'nothing') {
      // No commit checks the copy it was decided on.
      return certain ? { reply: decision.reply, open, chained: null } : 'uncertain';
    }
    const [final, planned] = planStorable(input, decision, open, given);
    if (faults !== undefined) await faults.at('before-commit', { event, entry: planned.entry });
    const place = given.chain === undefined ? placeFor(planned) : undefined;
    let status: CommitReply['status'] | undefined;
    try {
      ({ status } = await store.commit(planned.entry));
    } finally {
      if (status !== 'ok') place?.giveUp();
    }
    const next: OpenInstance = {
      record: planned.next,
      definition: definitionOf(planned.next, definition),
      snapshot: final.snapshot,
      indexes: planned.indexes,
    };
    if (status === 'ok') remember(next, planned.entry);
    if (faults !== undefined) await faults.at('after-commit', { event, entry: planned.entry });
    if (status === 'early') return { reply: { status: 'early' }, open, chained: null };
    if (status !== 'ok') return 'conflict';
    for (const action of final.actions) runAction(action, planned.next);
    relay.push(planned.outbox);
    place?.begin(next);
    options.onCommitted?.(planned.next);
    return { reply: final.reply, open: next, chained: place === undefined ? planned.chained : null };
  }

  function placeFor({ chained, next }: PlannedCommit): Place | undefined {
    if (chained === null) return undefined;
    return options.taker?.take(next.id, chained, next.activities[chained]?.queue ?? '');
  }

  function remember(open: OpenInstance, { body, wake }: CommitEntry): void {
    // What another process goes on with at once is old here before anybody asks for it.
    if (wake || isClosed(open.record.status)) recent.drop(open.record.id);
    else recent.keep(open, body.length + writeContext(open.record.machine.context).length);
  }

  function definitionToStart(instanceId: string, event: EngineEvent): Definition {
    if (event.kind === 'start' || event.kind === 'fork') return registry.get(event.definition);
    throw unknownInstance(instanceId);
  }

  /** A migrated instance has left the version it was loaded with. */
  function definitionOf(record: InstanceRecord, loaded: Definition): Definition {
    return record.definition === loaded.ref ? loaded : registry.get(record.definition);
  }

  async function preview(instanceId: string, given: Envelope | EventFor): Promise<Previewed> {
    const loaded = await load(instanceId, undefined);
    const { open } = loaded;
    const input = inputFor(instanceId, given, loaded);
    const decision = decide(input);
    if (decision.outcome === 'nothing') return { before: open, decision };
    const [final] = planStorable(input, decision, open, {});
    return { before: open, decision: final };
  }

  /** A decision that holds what no store can keep is made again, with the event in quarantine. */
  function planStorable(
    input: DecideInput,
    decision: Commitment,
    open: OpenInstance | null,
    given: HandleOptions,
  ): readonly [Commitment, PlannedCommit] {
    try {
      return [decision, plan(open, input.envelope, decision, given)];
    } catch (error) {
      if (open === null || !isAppError(error, 'value-not-durable')) throw error;
      const poisoned = decide({ ...input, poison: error });
      if (poisoned.outcome === 'nothing') throw error;
      return [poisoned, plan(open, input.envelope, poisoned, given)];
    }
  }

  function plan(open: OpenInstance | null, { event }: Envelope, decision: Commitment, given: HandleOptions) {
    const before =
      open === null
        ? null
        : { record: open.record, indexes: open.indexes ?? indexesOf(open.record, open.snapshot) };
    return planCommit(before, decision, {
      chain: given.chain ?? options.taker,
      dispatches: options.dispatch !== undefined,
      notBefore: event.kind === 'timer.fired' ? (open?.record.timers[event.token]?.fireAt ?? null) : null,
      signalId: event.kind === 'signal' ? event.id : given.operationId,
      secrets: given.secrets,
    });
  }

  /** A machine's own side-effect function: run after the commit, once at most; its failure is its own. */
  function runAction(action: () => void, record: InstanceRecord): void {
    try {
      action();
    } catch (error) {
      log.warn({ instanceId: record.id, error: messageOf(error) }, 'custom action failed');
    }
  }

  const engine: Engine = {
    store,
    registry,
    relay,
    handle,
    preview,
    restore,
    recent: recent.get,
    async open(instanceId) {
      const stored = await store.load(instanceId);
      return stored === null ? null : restore(stored);
    },
    settled: () => relay.settled(),
  };
  return engine;
}

interface Loaded {
  readonly open: OpenInstance | null;
  readonly seen: string | null;
  /** Read from the store by this very call. */
  readonly certain: boolean;
}

function signalIdOf(given: Envelope | EventFor): string | undefined {
  if ('envelope' in given) return given.signalId;
  return given.event.kind === 'signal' ? given.event.id : undefined;
}

/**
 * Timers due in one instant are taken from the store by name and may be brought side by side; they fire in the order
 * they are due and were set, as XState's clock does, so each call fires the one whose turn it is.
 */
function inTurn(envelope: Envelope, open: OpenInstance | null, now: number): Envelope {
  if (envelope.event.kind !== 'timer.fired' || open === null) return envelope;
  const { timers } = open.record;
  let first: string | undefined;
  for (const token in timers) {
    if (dueAt(timers, token) <= now && (first === undefined || isBefore(timers, token, first))) first = token;
  }
  return first === undefined ? envelope : { ...envelope, event: { kind: 'timer.fired', token: first } };
}

function dueAt(timers: InstanceRecord['timers'], token: string): number {
  return timers[token]?.fireAt ?? 0;
}

function isBefore(timers: InstanceRecord['timers'], token: string, other: string): boolean {
  const [due, dueOther] = [dueAt(timers, token), dueAt(timers, other)];
  return due === dueOther ? age(token) < age(other) : due < dueOther;
}

/** Tokens count revision and place in it; their text does not sort that way. */
function age(token: string): number {
  const [revision = 0, place = 0] = token.split('-').map(Number);
  return revision * 2 ** 20 + place;
}

/** Whoever commits on another revision than this one loses the race and comes here again. */
function requireRevision(open: OpenInstance | null, expected: number | undefined): void {
  const revision = open?.record.revision ?? 0;
  if (expected === undefined || revision === expected) return;
  throw new AppError('revision-mismatch', `The instance is at revision ${revision} now.`, {
    details: { revision, expected },
  });
}

function existing(instanceId: string, open: OpenInstance | null): OpenInstance {
  if (open === null) throw unknownInstance(instanceId);
  return open;
}

export function ticketOf(record: InstanceRecord, token: string): ActivityTicket {
  const queue = record.activities[token]?.queue ?? 'default';
  return { instanceId: record.id, token, queue, outboxId: activityOutboxId(record.id, token, queue) };
}
