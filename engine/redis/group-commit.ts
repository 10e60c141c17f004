/**
 * Group commit: the commits of a shard that are ready together ride in one script call, each checked and written on
 * its own. A lane has one batch under way, and its counter lets the store recognise one that ioredis sent twice because
 * its reply was lost. There are two lanes, and a batch that is full leaves at once: the store works on it, and syncs it,
 * while this process is at the next. What comes while both are under way waits. Commits of one instance take turns, so
 * that the lanes have no order to keep.
 */
import { AppError, messageOf } from '../../shared/errors.ts';
import type { CommitEntry, CommitReply } from '../store.ts';
import type { ShardKeys } from './keys.ts';
import type { RunScript } from './scripts.ts';

const MAX_ENTRIES = 64;
/** So many are worth a call of their own while others of the same turn are still being decided. */
const FULL = 12;
const LANES = 2;

/** How long the answer to a batch is kept for one that is sent again; a revision check catches what comes later still. */
const REPLY_KEPT_MS = 24 * 3_600_000;
/**
 * Within this time an answer that is gone was lost, not forgotten. By the store's clock, which is what it is forgotten by:
 * a machine that slept for a day wakes with a clock a day on.
 */
const REPLY_EXPECTED_MS = REPLY_KEPT_MS / 2;

interface Waiting {
  readonly entry: CommitEntry;
  resolve(reply: CommitReply): void;
  reject(error: unknown): void;
}

export interface GroupCommitOptions {
  readonly run: RunScript;
  readonly keys: ShardKeys;
  readonly shard: number;
  readonly client: string;
  readonly wakeChannel: string;
  monotonic(): number;
  onTime(ms: number, askedAt: number): void;
  /** The store has lost what it had answered this client. */
  onRewound(): void;
}

export function createGroupCommit(options: GroupCommitOptions): (entry: CommitEntry) => Promise<CommitReply> {
  const { keys, run } = options;
  const lanes = Array.from({ length: LANES }, (_, lane) => openLane(keys, `${options.client}.${lane}`));
  let waiting: Waiting[] = [];
  let planned = false;

  function flush(): void {
    for (const lane of lanes) {
      if (waiting.length === 0) return;
      if (!lane.busy) send(lane, takeBatch());
    }
  }

  function takeBatch(): readonly Waiting[] {
    const batch = waiting;
    waiting = batch.length > MAX_ENTRIES ? batch.splice(MAX_ENTRIES) : [];
    return batch;
  }

  function send(lane: Lane, batch: readonly Waiting[]): void {
    lane.busy = true;
    lane.counter += 1;
    const { counter, answered } = lane;
    const askedAt = options.monotonic();
    const args: (string | number)[] = [
      keys.prefix,
      counter,
      REPLY_KEPT_MS,
      options.wakeChannel,
      options.shard,
      answered.counter,
      answered.ms + REPLY_EXPECTED_MS,
    ];
    for (const { entry } of batch) writeEntry(args, entry);
    run('commit', lane.scriptKeys, args).then(
      (reply) => {
        const [, ms, ...statuses] = String(reply).split('|');
        options.onTime(Number(ms), askedAt);
        lane.answered = { counter, ms: Number(ms) };
        for (const [index, item] of batch.entries()) answer(item, statuses[index]);
        lane.busy = false;
        plan();
      },
      (error: unknown) => {
        const failure = unavailable(error);
        if (failure.code === 'store-rewound') options.onRewound();
        for (const item of batch) item.reject(failure);
        lane.busy = false;
        plan();
      },
    );
  }

  /** After what the answers set off: its commits belong to the next batch. */
  function plan(): void {
    if (planned) return;
    planned = true;
    process.nextTick(() => {
      planned = false;
      flush();
    });
  }

  return (entry) =>
    new Promise((resolve, reject) => {
      waiting.push({ entry, resolve, reject });
      if (waiting.length >= FULL) flush();
      else plan();
    });
}

/** Its own client to the script. */
interface Lane {
  readonly scriptKeys: readonly string[];
  counter: number;
  /** The newest batch that was answered, and the store's time then. */
  answered: { readonly counter: number; readonly ms: number };
  busy: boolean;
}

function openLane(keys: ShardKeys, client: string): Lane {
  const scriptKeys = [keys.timers, keys.outbox, keys.bodies, keys.claims, keys.reply(client)];
  return { scriptKeys, counter: 0, answered: { counter: 0, ms: 0 }, busy: false };
}

/** The words of one entry, in the order `commit.lua` reads and applies them. */
function writeEntry(args: (string | number)[], entry: CommitEntry): void {
  const { instanceId, secrets, timers, outbox, claims, indexes } = entry;
  const outcome = entry.signal === null ? '' : `sig:${entry.signal.id}`;
  args.push(instanceId, entry.expectedRevision, entry.notBefore ?? '', outcome);
  args.push(entry.historyLine, entry.body, entry.context ?? '');
  const count = args.push(0) - 1;
  if (entry.signal !== null) args.push(outcome, entry.signal.outcome);
  for (const [name, sealed] of secrets.set) args.push(`sec:${name}`, sealed);
  args[count] = args.length - count - 1;
  for (const name of secrets.drop) args.push('x', `sec:${name}`);
  for (const token of entry.forget) args.push('x', `p:${token}`);
  for (const token of timers.clear) args.push('T', token);
  for (const [token, fireAt] of timers.set) args.push('t', token, fireAt);
  for (const token of claims.drop) args.push('C', token);
  for (const id of outbox.drop) args.push('O', id);
  for (const { id, delayMs, body } of outbox.add) {
    if (body === null) args.push('a', id, delayMs, id.split('|')[2] ?? '');
    else args.push('m', id, delayMs, body);
  }
  for (const { token, worker } of claims.add) args.push('c', token, worker);
  for (const name of indexes.drop) args.push('I', name, indexes.score);
  for (const name of indexes.add) args.push('i', name, indexes.score);
  if (entry.wake) args.push('w');
  if (entry.remove === true) args.push('D');
  args.push('.');
}

const REPLIES: Readonly<Record<string, CommitReply>> = {
  OK: { status: 'ok' },
  CONFLICT: { status: 'conflict' },
  EXISTS: { status: 'exists' },
  EARLY: { status: 'early' },
};

function answer(item: Waiting, status: string | undefined): void {
  const reply = status === undefined ? undefined : REPLIES[status];
  if (reply !== undefined) item.resolve(reply);
  else {
    const details = { instanceId: item.entry.instanceId };
    item.reject(
      new AppError('commit-refused', `The store answered '${String(status)}' to a commit.`, { details }),
    );
  }
}

/** Whether it was applied is unknown; bringing the event again is safe, its token or signal id is consumed once. */
function unavailable(error: unknown): AppError {
  const message = messageOf(error);
  if (message.includes('REWOUND'))
    return new AppError('store-rewound', 'The store has lost commits that it had answered.', {
      cause: error,
    });
  const refused = /SUPERSEDED|WRONGTYPE/.test(message);
  return new AppError(
    refused ? 'commit-refused' : 'store-unavailable',
    `The commit was not confirmed: ${message}`,
    { cause: error },
  );
}
