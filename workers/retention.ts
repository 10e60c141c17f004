/** Removes onboardings that were closed longer ago than they are to be kept, a few at a time. */
import { type Engine, groupsFor, removeTree } from '../engine/index.ts';
import type { Logger } from '../shared/logger.ts';
import { type Loop, startLoop } from './loop.ts';
import { type Scheduler, systemScheduler } from './scheduler.ts';

/** Roots looked at per turn, a turn every second while there are old ones: a small share of a worker. */
const PAGE = 20;
const EVERY_MS = 1_000;
const BETWEEN_ROUNDS_MS = 3_600_000;

export function startRetention(
  { store }: Pick<Engine, 'store'>,
  retentionMs: number,
  log: Logger,
  scheduler: Scheduler = systemScheduler,
): Loop {
  const anyOf = (['completed', 'failed', 'canceled'] as const).flatMap((status) => groupsFor({ status }));
  let before: Awaited<ReturnType<typeof store.list>>['next'] = null;

  async function turn(): Promise<number> {
    const closedBefore = store.now() - retentionMs;
    const { items, next } = await store.list({
      ...{ anyOf, limit: PAGE },
      // What is younger than that cannot have been closed long enough.
      before: before ?? { score: closedBefore, id: '' },
    });
    for (const { id, score } of items) {
      const removed = await removeTree(store, id, closedBefore);
      const createdAt = new Date(score).toISOString();
      if (removed > 0) log.info({ instanceId: id, createdAt, removed }, 'closed long ago: removed');
    }
    before = next;
    return next === null ? BETWEEN_ROUNDS_MS : EVERY_MS;
  }

  return startLoop('retention', log, turn, scheduler);
}
