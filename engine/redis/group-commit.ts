/**
 * Group commit: the commits of a shard that are ready together ride in one script call, each checked and written on
 * its own. One batch of this client is under way per shard; what comes meanwhile waits for the next. The batch's
 * counter lets the store recognise one that ioredis sent twice because its reply was lost.
 */
import { AppError, messageOf } from '../../shared/errors.ts';
import type { CommitEntry, CommitReply } from '../store.ts';
import type { ShardKeys } from './keys.ts';
import type { RunScript, ScriptReply } from './scripts.ts';

const MAX_ENTRIES = 64;

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
  onTime(ms: number): void;
}

export function createGroupCommit(options: GroupCommitOptions): (entry: CommitEntry) => Promise<CommitReply> {
  const waiting: Waiting[] = [];
  let counter = 0;
  let busy = false;

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.splice(0, MAX_ENTRIES);
      counter += 1;
      try {
        const reply = await send(
          options,
          counter,
          batch.map(({ entry }) => entry),
        );
        for (const [index, item] of batch.entries()) answer(item, reply[index]);
      } catch (error) {
        for (const item of batch) item.reject(unavailable(error));
      }
    }
    busy = false;
  }

  return (entry) =>
    new Promise((resolve, reject) => {
      waiting.push({ entry, resolve, reject });
      if (busy) return;
      busy = true;
      queueMicrotask(() => void flush());
    });
}

async function send(
  options: GroupCommitOptions,
  counter: number,
  entries: readonly CommitEntry[],
): Promise<readonly ScriptReply[]> {
  const { keys, run } = options;
  const args: (string | number)[] = [
    keys.prefix,
    options.client,
    counter,
    options.wakeChannel,
    options.shard,
  ];
  for (const entry of entries) args.push(headerOf(entry), entry.body, entry.machine ?? '', entry.historyLine);
  const reply = await run('commit', [keys.timers, keys.outbox, keys.bodies, keys.claims, keys.replies], args);
  const [ms, ...statuses] = reply as readonly ScriptReply[];
  options.onTime(Number(ms));
  return statuses;
}

function headerOf(entry: CommitEntry): string {
  return JSON.stringify({
    id: entry.instanceId,
    rev: entry.expectedRevision,
    due: entry.notBefore ?? false,
    sig: entry.signal === null ? false : [entry.signal.id, entry.signal.outcome],
    sset: entry.secrets.set,
    sdrop: entry.secrets.drop,
    tset: entry.timers.set,
    tclr: entry.timers.clear,
    oadd: entry.outbox.add.map((item) => [item.id, item.delayMs, item.body ?? false]),
    odrop: entry.outbox.drop,
    cadd: entry.claims.add.map(({ token, worker }) => [token, worker]),
    cdrop: entry.claims.drop,
    forget: entry.forget,
    iscore: entry.indexes.score,
    iadd: entry.indexes.add,
    idrop: entry.indexes.drop,
    wake: entry.wake,
  });
}

const REPLIES: Readonly<Record<string, CommitReply>> = {
  OK: { status: 'ok' },
  CONFLICT: { status: 'conflict' },
  EXISTS: { status: 'exists' },
  EARLY: { status: 'early' },
};

function answer(item: Waiting, status: ScriptReply | undefined): void {
  const reply = REPLIES[String(status)];
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
  const refused = /BADKEY|SUPERSEDED|WRONGTYPE|OOM/.test(message);
  return new AppError(
    refused ? 'commit-refused' : 'store-unavailable',
    `The commit was not confirmed: ${message}`,
    { cause: error },
  );
}
