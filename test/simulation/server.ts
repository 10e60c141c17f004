/**
 * The store's end of the wire: the memory store with what Redis adds to it, the memory of commits by their id. Whoever
 * watches is told of each commit that was applied.
 */
import { createMemoryStore } from '../../engine/index.ts';
import type { CommitEntry, CommitReply, Store } from '../../engine/store.ts';
import type { Agenda } from './agenda.ts';
import type { Plant } from './plants.ts';
import { commitScript, type RunCommitScript } from './script.ts';

export interface StoreServer {
  readonly store: Store;
  commit(commitId: string, entry: CommitEntry): Promise<CommitReply>;
  /** The same for a batch of a client's, in the words of the script. */
  readonly runCommit: RunCommitScript;
  /** Runs a call as if the store's clock showed this: only ever for a planted fault. */
  at<Value>(ms: number | null, call: () => Value): Value;
}

export function createStoreServer(
  agenda: Agenda,
  shards: number,
  plant: Plant | null,
  onApplied: (entry: CommitEntry) => void,
): StoreServer {
  let shown: number | null = null;
  const store = createMemoryStore({ now: () => shown ?? agenda.now(), shards });
  const answered = new Map<string, Promise<CommitReply>>();
  const revisions = new Map<string, number>();

  function admit(entry: CommitEntry): CommitEntry {
    if (plant !== 'no-revision-check') return entry;
    return { ...entry, expectedRevision: revisions.get(entry.instanceId) ?? 0 };
  }

  async function apply(entry: CommitEntry): Promise<CommitReply> {
    const admitted = admit(entry);
    const given = await store.commit(admitted);
    if (given.status !== 'ok') return given;
    revisions.set(entry.instanceId, admitted.expectedRevision + 1);
    onApplied(entry);
    return given;
  }

  return {
    store,
    commit(commitId, entry) {
      const known = answered.get(commitId);
      if (known !== undefined && plant !== 'no-commit-ids') return known;
      const reply = apply(entry);
      answered.set(commitId, reply);
      return reply;
    },
    runCommit: commitScript(agenda.now, apply, plant !== 'no-commit-ids'),
    at(ms, call) {
      shown = ms;
      try {
        return call();
      } finally {
        shown = null;
      }
    },
  };
}
