/**
 * An activation: a worker takes an activity, runs it, commits the outcome, and goes on with the next activity that
 * commit handed it, until the instance waits for something else. One job, one commit an activity.
 */

import type { ActivityTicket, Place } from '../engine/index.ts';
import {
  type Cancellation,
  createCancellation,
  type Engine,
  type FaultPoints,
  type Handled,
  type HandleOptions,
  type Implementations,
  type OpenInstance,
  type Outcome,
  readTicket,
  runAttempt,
  type StoredInstance,
  ticketOf,
} from '../engine/index.ts';
import { AppError, isAppError, messageOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { type SecretBox, secretAad } from '../shared/secrets.ts';
import type { Scheduler } from './scheduler.ts';

export interface ActivationOptions {
  readonly engine: Engine;
  readonly worker: string;
  readonly implementations: Implementations;
  /** Queues this worker serves; a chain stays inside one queue, so that rate limits hold. */
  readonly queues: readonly string[];
  /** How many activations may begin without a job, per queue, at once. */
  readonly room: number;
  readonly secretBox: SecretBox | null;
  readonly log: Logger;
  readonly scheduler: Scheduler;
  readonly faults?: FaultPoints;
  /** Stops the queue for everybody: its connector as a whole is in trouble. */
  pauseQueue(queue: string, code: string, reason: string): Promise<void>;
  isPaused(queue: string): boolean;
  /** Whether others may have taken back what runs here. */
  readonly leaseIsOver?: () => boolean;
  /** Awaited before an attempt that may change the outside world. */
  readonly beforeEffect?: () => Promise<void>;
}

export interface Activations {
  run(ticket: ActivityTicket): Promise<void>;
  /** Whether an activity of the queue may begin here without a job. */
  hasRoom(queue: string): boolean;
  /** A place for an activity that a commit of this process is about to give this worker. */
  take(instanceId: string, token: string, queue: string): Place;
  /** Begins what is due in a shard's outbox and has room here, in one round trip; tells what else it found. */
  takeDue(shard: number, limit: number, hideMs: number): Promise<Look>;
  /** Whether a claim (`instance|token`) of this worker is somebody's business here, from before the claim to its end. */
  owns(field: string): boolean;
  /** Whether this very attempt was begun here and its outcome is not recorded. */
  hasBegun(field: string, attempt: number): boolean;
  /** Looks into the outbox under way: what they claim is ours before we know what it is. */
  looks(): ReadonlySet<object>;
  /** What runs now. */
  running(): readonly { readonly instanceId: string; readonly token: string }[];
  abort(field: string, reason: string): void;
  abortAll(reason: string): void;
  /** Resolves when nothing runs. */
  idle(): Promise<void>;
}

/** What an activation goes on with. */
interface Activation {
  readonly open: OpenInstance;
  readonly token: string;
  readonly progress: unknown;
}

type Claimed = NonNullable<Awaited<ReturnType<Engine['store']['claim']>>>;
type DueOutbox = Awaited<ReturnType<Engine['store']['dueOutbox']>>[number];

/** A look into the outbox of a shard. */
export interface Look {
  /** Hidden from others for a while: somebody has to carry it. */
  readonly left: readonly DueOutbox[];
  /** There may be more than it asked for. */
  readonly more: boolean;
}

/** Activities of one queue begun by one look. */
const MOST_TAKEN = 16;

/**
 * An answer that was under way for longer may tell of a claim that was taken back meanwhile, because nobody seemed to
 * work on it. Less than the reaper needs for its two looks, or a lease to end.
 */
const LATE_MS = 500;

type Chain = NonNullable<HandleOptions['chain']>;

/** The worker lost its lease: somebody else settles what it was doing. */
export const LEASE_LOST = 'lease-lost';

export function createActivations(options: ActivationOptions): Activations {
  const { engine, worker, log, scheduler } = options;
  const { faults } = options;
  const attempts = new Map<
    string,
    { readonly instanceId: string; readonly token: string; readonly cancellation: Cancellation }
  >();
  const activations = new Set<Promise<void>>();
  /** Activations begun without a job, by queue. */
  const taken = new Map<string, number>(options.queues.map((queue) => [queue, 0]));
  const owned = new Set<string>();
  const looks = new Set<object>();
  /**
   * The attempt begun here, by field, while its outcome is not recorded. The claim outlives one whose commit was
   * refused, and a job that came twice would be given it again: only `verify` may say whether it took effect.
   */
  const begun = new Map<string, number>();

  async function activate(ticket: ActivityTicket): Promise<void> {
    const field = `${ticket.instanceId}|${ticket.token}`;
    // A second job for what runs here already: the store would give it to us again, as to one whose reply was lost.
    if (owned.has(field)) return;
    owned.add(field);
    try {
      await activateOwned(ticket);
    } finally {
      owned.delete(field);
    }
  }

  async function activateOwned(ticket: ActivityTicket): Promise<void> {
    const { instanceId, token, outboxId } = ticket;
    for (;;) {
      const askedAt = scheduler.now();
      const copy = engine.recent(instanceId);
      const known = copy?.record.revision;
      const claimed = await engine.store.claim(instanceId, outboxId, { token, worker, known });
      if (claimed === null) return;
      if (!isLate(askedAt)) return beginClaimed(ticket, claimed, copy);
    }
  }

  const isLate = (askedAt: number): boolean => scheduler.now() - askedAt > LATE_MS;

  async function beginClaimed(ticket: ActivityTicket, claimed: Claimed, copy?: OpenInstance): Promise<void> {
    const { instanceId, token, queue } = ticket;
    const open = await restoreOrGiveBack(ticket, claimed.stored ?? copy);
    if (open === null || begun.get(`${instanceId}|${token}`) === open.record.activities[token]?.attempt)
      return;
    const progress: unknown = claimed.progress === null ? null : JSON.parse(claimed.progress);
    await goOn({ open, token, progress }, queue);
  }

  /** Runs an activity whose claim is held here, and what its commits go on with. */
  async function goOn(first: Activation, queue: string): Promise<void> {
    const instanceId = first.open.record.id;
    let next: Activation | null = first;
    const chain = { worker, queues: new Set([queue]) };
    while (next !== null) {
      const field = `${instanceId}|${next.token}`;
      owned.add(field);
      try {
        next = await attemptOne(next, field, chain);
      } finally {
        owned.delete(field);
      }
    }
  }

  async function restoreOrGiveBack(
    { instanceId, token, outboxId }: ActivityTicket,
    claimed: StoredInstance | OpenInstance | undefined,
  ): Promise<OpenInstance | null> {
    try {
      if (claimed === undefined) throw new AppError('internal', 'a claim came without its instance');
      const open = 'record' in claimed ? claimed : engine.restore(claimed);
      if (open.record.activities[token] !== undefined) return open;
      await engine.store.unclaim(instanceId, token, worker, null);
      return null;
    } catch (error) {
      if (!isAppError(error, 'workflow-version-missing')) throw error;
      log.warn({ instanceId, error: error.message }, 'left to a worker that knows this workflow');
      // Begun here before the instance was taken to that version: given back, it would begin again without a look.
      if (begun.has(`${instanceId}|${token}`)) await engine.store.disown(instanceId, token, worker);
      else await engine.store.unclaim(instanceId, token, worker, outboxId);
      return null;
    }
  }

  async function attemptOne(
    { open, token, progress }: Activation,
    field: string,
    chain: Chain,
  ): Promise<Activation | null> {
    const instanceId = open.record.id;
    const cancellation = createCancellation(() => (options.leaseIsOver?.() ? LEASE_LOST : undefined));
    attempts.set(field, { instanceId, token, cancellation });
    begun.set(field, open.record.activities[token]?.attempt ?? 0);
    let outcome: Outcome;
    try {
      if (faults !== undefined) await faults.at('before-activity');
      outcome = await runAttempt({
        registry: engine.registry,
        implementations: options.implementations,
        open,
        token,
        progress,
        cancellation,
        log,
        heartbeat: (value) => storeProgress(instanceId, token, value, cancellation),
        after: scheduler.after,
        ...(options.beforeEffect === undefined ? {} : { beforeEffect: options.beforeEffect }),
      });
      if (faults !== undefined) await faults.at('after-activity');
    } finally {
      attempts.delete(field);
    }
    if (cancellation.aborted && cancellation.reason === LEASE_LOST) return null;
    const next = await settle(open, token, outcome, chain);
    begun.delete(field);
    return next;
  }

  async function storeProgress(
    instanceId: string,
    token: string,
    value: unknown,
    cancellation: Cancellation,
  ): Promise<void> {
    const held = await engine.store.heartbeat(instanceId, token, worker, JSON.stringify(value));
    if (!held) cancellation.abort('claim-lost');
  }

  async function settle(
    open: OpenInstance,
    token: string,
    outcome: Outcome,
    chain: Chain,
  ): Promise<Activation | null> {
    const instanceId = open.record.id;
    const attempt = open.record.activities[token]?.attempt ?? 0;
    const queue = open.record.activities[token]?.queue ?? '';
    if (outcome.kind === 'failed' && outcome.pausesQueue !== undefined) {
      await options.pauseQueue(outcome.pausesQueue, outcome.failure.code, outcome.failure.message);
    }
    const event =
      outcome.kind === 'done'
        ? ({
            kind: 'activity.done',
            token,
            attempt,
            output: outcome.output,
            ...namesOf(outcome.secrets),
          } as const)
        : ({
            kind: 'activity.failed',
            token,
            attempt,
            failure: outcome.failure,
            jitter: scheduler.random(),
          } as const);
    const secrets = outcome.kind === 'done' ? seal(instanceId, outcome.secrets) : undefined;
    const chained = options.isPaused(queue) ? undefined : chain;
    const askedAt = scheduler.now();
    let handled: Handled;
    try {
      handled = await engine.handle(instanceId, { event }, { open, chain: chained, secrets });
    } catch (error) {
      if (outcome.kind !== 'done' || !isAppError(error, 'value-not-durable')) throw error;
      // What the activity returned cannot be stored, and is not asked for again.
      const failure = { kind: 'terminal', code: error.code, message: error.message } as const;
      const refused = { kind: 'activity.failed', token, attempt, failure, jitter: 0 } as const;
      handled = await engine.handle(instanceId, { event: refused }, { open, chain: chained });
    }
    if (faults !== undefined) await faults.at('before-ack');
    if (handled.chained === null || handled.open === null) return null;
    if (isLate(askedAt)) {
      await activate(ticketOf(handled.open.record, handled.chained));
      return null;
    }
    return { open: handled.open, token: handled.chained, progress: null };
  }

  function seal(instanceId: string, secrets: ReadonlyMap<string, string>) {
    if (secrets.size === 0) return undefined;
    const box = options.secretBox;
    if (box === null)
      throw new Error('an activity handed over a secret, but this worker has no key to seal it');
    return {
      set: [...secrets].map(([name, text]) => [name, box.seal(secretAad(instanceId, name), text)] as const),
      drop: [],
    };
  }

  function track(work: Promise<void>, instanceId: string): void {
    const settled = work.catch((error: unknown) =>
      log.error({ error: messageOf(error), instanceId }, 'activation failed'),
    );
    activations.add(settled);
    void settled.finally(() => activations.delete(settled));
  }

  /** Ours from before the commit on, so that nobody takes the claim for one that its worker let go of. */
  function take(instanceId: string, token: string, queue: string): Place {
    enter(queue, 1);
    const askedAt = scheduler.now();
    let decided: (open: OpenInstance | null) => void = () => {};
    const committed = new Promise<OpenInstance | null>((resolve) => {
      decided = resolve;
    });
    const work = async (): Promise<void> => {
      const open = await committed;
      if (open === null) return;
      if (isLate(askedAt)) await activateOwned(ticketOf(open.record, token));
      else await goOn({ open, token, progress: null }, queue);
    };
    occupy(instanceId, token, queue, work);
    return { begin: decided, giveUp: () => decided(null) };
  }

  /** Runs `work` in a place entered before. */
  function occupy(instanceId: string, token: string, queue: string, work: () => Promise<void>): void {
    const field = `${instanceId}|${token}`;
    owned.add(field);
    const whole = async (): Promise<void> => {
      try {
        await work();
      } finally {
        owned.delete(field);
        enter(queue, -1);
      }
    };
    track(whole(), instanceId);
  }

  function enter(queue: string, count: number): void {
    taken.set(queue, (taken.get(queue) ?? 0) + count);
  }

  /** What there is room for, and no more at once than leaves something to the other workers that were woken. */
  function roomNow(): (readonly [queue: string, count: number])[] {
    return options.queues
      .filter(hasRoom)
      .map((queue) => [queue, Math.min(MOST_TAKEN, options.room - (taken.get(queue) ?? 0))]);
  }

  async function takeDue(shard: number, limit: number, hideMs: number): Promise<Look> {
    const room = roomNow();
    const asked = room.length === 0 ? limit : Math.min(limit, MOST_TAKEN);
    for (const [queue, count] of room) enter(queue, count);
    const look = {};
    looks.add(look);
    const askedAt = scheduler.now();
    try {
      const due = await engine.store.dueOutbox(shard, asked, hideMs, { worker, room });
      const left: DueOutbox[] = [];
      for (const entry of due) {
        const { claimed } = entry;
        if (claimed === undefined) left.push(entry);
        else {
          const ticket = readTicket(entry.id);
          enter(ticket.queue, 1);
          occupy(ticket.instanceId, ticket.token, ticket.queue, () =>
            isLate(askedAt) ? activateOwned(ticket) : beginClaimed(ticket, claimed),
          );
        }
      }
      return { left, more: due.length === asked };
    } finally {
      for (const [queue, count] of room) enter(queue, -count);
      looks.delete(look);
    }
  }

  const hasRoom = (queue: string): boolean =>
    (taken.get(queue) ?? options.room) < options.room && !options.isPaused(queue);

  return {
    run(ticket) {
      const work = activate(ticket);
      track(work, ticket.instanceId);
      return work;
    },
    hasRoom,
    take,
    takeDue,
    owns: (field) => owned.has(field),
    hasBegun: (field, attempt) => begun.get(field) === attempt,
    looks: () => new Set(looks),
    running: () => [...attempts.values()],
    abort: (field, reason) => attempts.get(field)?.cancellation.abort(reason),
    abortAll(reason) {
      for (const { cancellation } of attempts.values()) cancellation.abort(reason);
    },
    async idle() {
      while (activations.size > 0) await Promise.all(activations);
    },
  };
}

function namesOf(secrets: ReadonlyMap<string, string>): { readonly secrets?: readonly string[] } {
  return secrets.size === 0 ? {} : { secrets: [...secrets.keys()] };
}
