/**
 * After a store was taken on that had lost what it had answered: every instance open in it may have done more than it
 * knows. Each is marked, in a commit of its own, before any worker is handed anything: its effects are then looked up
 * before they run, and staff find it.
 */
import { isAppError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { bareEntry, indexChanges } from './commit.ts';
import type { Engine } from './engine.ts';
import { writeEntry } from './history.ts';
import { lastingIndexes, listed } from './indexes.ts';
import { afterLoss, type InstanceRecord, type InstanceStatus, isClosed, type Rewound } from './record.ts';
import type { CommitEntry, ListedInstance, Store } from './store.ts';
import { readRecord, writeBody } from './stored.ts';
import { rootOf } from './view.ts';

export interface StoreLoss extends Rewound {
  /** Every instance is marked: no process need look again. */
  marked(): Promise<void>;
}

const HANDFUL = 200;

/**
 * Goes over the open instances until a round finds none to mark: a parent that moved on meanwhile, in the API, may have
 * begun a child as one that knows of no loss. Several processes may do it at once, also for instances of versions that
 * none of them has.
 */
export async function markRewound(engine: Engine, loss: StoreLoss, log: Logger): Promise<void> {
  const { since, at } = loss;
  let total = 0;
  let inRound: number;

  async function mark({ id, score }: ListedInstance): Promise<void> {
    // Begun after the loss; its parent may have been there before.
    if (score > at && (rootOf(id) === id || !(await beganBefore(engine.store, rootOf(id), at)))) return;
    if (await markOne(engine, id, { since, at })) inRound += 1;
  }

  do {
    inRound = 0;
    for (const status of ['running', 'paused'] as const) {
      for await (const page of handfulsOf(engine, status)) await Promise.all(page.map(mark));
    }
    total += inRound;
  } while (inRound > 0);
  log.warn({ marked: total, since, at }, 'instances of a store that was set back are marked');
  await loss.marked();
}

async function beganBefore(store: Store, id: string, at: number): Promise<boolean> {
  const stored = await store.load(id);
  return stored !== null && readRecord(stored).createdAt <= at;
}

/** Whether it was not marked before. */
async function markOne(engine: Engine, id: string, loss: Rewound): Promise<boolean> {
  try {
    const { reply } = await engine.handle(id, { event: { kind: 'rewound', ...loss } });
    return reply.status === 'applied';
  } catch (error) {
    if (!isAppError(error, 'workflow-version-missing')) throw error;
    return markUnread(engine.store, id, loss);
  }
}

/** A mark is the engine's own and leaves the machine as it is: it needs no statechart. */
async function markUnread(store: Store, id: string, loss: Rewound): Promise<boolean> {
  for (;;) {
    const stored = await store.load(id);
    if (stored === null) return false;
    const record = readRecord(stored);
    if (isClosed(record.status)) return false;
    const after = afterLoss(record, loss);
    if (after === null) return false;
    const { status } = await store.commit(markOf(record, after, loss, store.now()));
    if (status === 'ok') return true;
  }
}

function markOf(
  record: InstanceRecord,
  after: NonNullable<ReturnType<typeof afterLoss>>,
  loss: Rewound,
  now: number,
): CommitEntry {
  const at = Math.max(now, record.updatedAt);
  const revision = record.revision + 1;
  const { line, hash } = writeEntry(record.head, { revision, at, event: { kind: 'rewound', ...loss } });
  const next = { ...record, ...after, revision, updatedAt: at, head: hash };
  return {
    ...bareEntry(record),
    ...{ body: writeBody(next), historyLine: line },
    indexes: indexChanges(lastingIndexes(record), lastingIndexes(next), record.createdAt),
  };
}

/** In handfuls, so that many are under way together and all of them never. */
async function* handfulsOf(
  { store }: Engine,
  status: InstanceStatus,
): AsyncGenerator<readonly ListedInstance[]> {
  let handful: ListedInstance[] = [];
  for await (const place of listed(store, { status, children: true })) {
    handful.push(place);
    if (handful.length < HANDFUL) continue;
    yield handful;
    handful = [];
  }
  yield handful;
}
