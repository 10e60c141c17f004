/** What was closed long ago goes for good: whole trees, each instance by a commit of its own, the root last. */
import { bareEntry } from './commit.ts';
import { readEntry } from './history.ts';
import { lastingIndexes } from './indexes.ts';
import { type InstanceRecord, isClosed } from './record.ts';
import type { CommitEntry, Store } from './store.ts';
import { readRecord } from './stored.ts';

/**
 * Removes an instance and all it ever started, if every one of them was closed before this (store ms) and none wants
 * attention; otherwise nothing. Returns how many went. Called again after a crash it finishes what was begun: the root's
 * history names what is below it until the end. What somebody opens again meanwhile stays.
 */
export async function removeTree(store: Store, rootId: string, closedBefore: number): Promise<number> {
  const removals = await removalsOf(store, rootId, closedBefore);
  let removed = 0;
  for (const entry of removals ?? []) {
    if ((await store.commit(entry)).status !== 'ok') break;
    removed += 1;
  }
  return removed;
}

/** Leaves first; null when something has to stay. */
async function removalsOf(store: Store, id: string, closedBefore: number): Promise<CommitEntry[] | null> {
  const stored = await store.load(id);
  if (stored === null) return [];
  const record = readRecord(stored);
  const over = isClosed(record.status) && record.updatedAt < closedBefore && record.attention === null;
  if (!over) return null;
  const removals: CommitEntry[] = [];
  for await (const childId of childrenEver(store, record)) {
    const below = await removalsOf(store, childId, closedBefore);
    if (below === null) return null;
    removals.push(...below);
  }
  return [...removals, removalOf(record)];
}

const LINES = 500;

async function* childrenEver(store: Store, { id, revision }: InstanceRecord): AsyncGenerator<string> {
  for (let from = 0; from < revision; from += LINES) {
    for (const line of await store.history(id, from, LINES))
      for (const effect of readEntry(line).entry.effects ?? [])
        if (effect.type === 'child-started') yield effect.instanceId;
  }
}

/** A closed instance has no timers, activities or keys any more. */
function removalOf(record: InstanceRecord): CommitEntry {
  return {
    ...bareEntry(record),
    indexes: { score: record.createdAt, add: [], drop: lastingIndexes(record) },
    remove: true,
  };
}
