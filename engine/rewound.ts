/**
 * After a store was taken on that had lost what it had answered: every instance open in it may have done more than it
 * knows. Each is marked, in a commit of its own, before any worker is handed anything: its effects are then looked up
 * before they run, and staff find it.
 */
import { isAppError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import type { Engine } from './engine.ts';
import { listed } from './indexes.ts';
import type { InstanceStatus, Rewound } from './record.ts';
import type { ListedInstance } from './store.ts';
import { rootOf } from './view.ts';

export interface StoreLoss extends Rewound {
  /** Every instance is marked: no process need look again. */
  marked(): Promise<void>;
}

const HANDFUL = 200;

/**
 * Goes over the open instances until a round finds none to mark: a parent that moved on meanwhile, in the API, may have
 * begun a child as one that knows of no loss. Several processes may do it at once. Instances of a version that this
 * process lacks are left to one that has it, for only such a one can run them.
 */
export async function markRewound(engine: Engine, loss: StoreLoss, log: Logger): Promise<void> {
  const { since, at } = loss;
  let total = 0;
  let left = 0;
  let inRound: number;

  async function mark({ id, score }: ListedInstance): Promise<void> {
    try {
      // Begun after the loss; its parent may have been there before.
      if (score > at && (rootOf(id) === id || !(await beganBefore(engine, rootOf(id), at)))) return;
      const { reply } = await engine.handle(id, { event: { kind: 'rewound', since, at } });
      if (reply.status === 'applied') inRound += 1;
    } catch (error) {
      if (!isAppError(error, 'workflow-version-missing')) throw error;
      left += 1;
    }
  }

  do {
    inRound = 0;
    left = 0;
    for (const status of ['running', 'paused'] as const) {
      for await (const page of handfulsOf(engine, status)) await Promise.all(page.map(mark));
    }
    total += inRound;
  } while (inRound > 0);
  log.warn({ marked: total, left, since, at }, 'instances of a store that was set back are marked');
  if (left === 0) await loss.marked();
}

async function beganBefore(engine: Engine, id: string, at: number): Promise<boolean> {
  const open = await engine.open(id);
  return open !== null && open.record.createdAt <= at;
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
