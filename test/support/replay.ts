/** History against snapshot: what an instance's history says happened is decided again, and must give what is stored. */
import { isDeepStrictEqual } from 'node:util';
import { planCommit } from '../../engine/commit.ts';
import { decide } from '../../engine/decide.ts';
import { readEntry, verifyChain } from '../../engine/history.ts';
import type { Registry, Store } from '../../engine/index.ts';
import type { InstanceRecord } from '../../engine/record.ts';
import { readRecord } from '../../engine/stored.ts';

/** Null when history and snapshot agree; otherwise the first thing that does not. */
export async function findDivergence(store: Store, registry: Registry, id: string): Promise<string | null> {
  const stored = await store.load(id);
  if (stored === null) return 'there is no snapshot';
  const lines = await store.history(id, 0, stored.revision + 1);
  if (lines.length !== stored.revision) return `${lines.length} entries at revision ${stored.revision}`;
  const chain = verifyChain(lines, readRecord(stored).head);
  if (!chain.intact) return `the chain is broken at ${chain.brokenAt}`;

  let record: InstanceRecord | null = null;
  let written = { body: '', context: '' };
  for (const line of lines) {
    const { at, event, by, reason } = readEntry(line).entry;
    const definition = registry.get(
      event.kind === 'start' ? event.definition : ((record as InstanceRecord | null)?.definition ?? ''),
    );
    const who = { ...(by === undefined ? {} : { by }), ...(reason === undefined ? {} : { reason }) };
    const envelope = { event, ...who };
    const decision = decide({ registry, definition, instanceId: id, record, envelope, now: at, seen: null });
    if (decision.outcome === 'nothing') return `'${event.kind}' does nothing: ${decision.reply.status}`;
    const before: { record: InstanceRecord; indexes: string[] } | null =
      record === null ? null : { record, indexes: [] };
    const planned = planCommit(before, decision, { dispatches: false });
    if (planned.entry.historyLine !== line) return `'${event.kind}' at ${at} has another outcome now`;
    record = planned.next;
    written = { body: planned.entry.body, context: planned.entry.context ?? written.context };
  }
  if (record === null) return 'there is no history';
  // At rest both are plain data, without references and prototypes of this process.
  const told = readRecord({ revision: record.revision, ...written });
  const kept = readRecord(stored);
  const differing = Object.keys(kept).filter(
    (key) => !isDeepStrictEqual(told[key as keyof InstanceRecord], kept[key as keyof InstanceRecord]),
  );
  return differing.length === 0 ? null : `${differing.join(', ')} of the snapshot`;
}
