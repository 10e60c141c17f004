/** Recorded histories: one file an instance, the first line what it is and became, then its history as stored. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encode } from '../../engine/codec.ts';
import { listed, type Store } from '../../engine/index.ts';
import type { InstanceRecord } from '../../engine/record.ts';
import { readRecord } from '../../engine/stored.ts';

export interface RecordedHistory {
  readonly instanceId: string;
  /** `name@version`. */
  readonly definition: string;
  /** The record in the end, encoded. */
  readonly record: string;
  readonly lines: readonly string[];
}

export const HISTORIES = fileURLToPath(new URL('../fixtures/histories/', import.meta.url));

/** Every instance of a store with its whole history. */
export async function recordAll(store: Store): Promise<readonly RecordedHistory[]> {
  const found: RecordedHistory[] = [];
  for await (const { id } of listed(store, { children: true })) found.push(await recordOne(store, id));
  return found;
}

export async function recordOne(store: Store, instanceId: string): Promise<RecordedHistory> {
  const stored = await store.load(instanceId);
  if (stored === null) throw new Error(`no instance ${instanceId}`);
  const lines = await store.history(instanceId, 0, stored.revision);
  const record = readRecord(stored);
  return { instanceId, definition: record.definition, record: encode(plain(record)), lines };
}

/** A record as data: a field left out and one that is undefined are the same. */
export function plain(record: InstanceRecord): InstanceRecord {
  const machine = Object.entries(record.machine).filter(([, value]) => value !== undefined);
  return { ...record, machine: Object.fromEntries(machine) as never };
}

/** `<folder>/<definition>/<label>.jsonl`. */
export function writeHistory(folder: string, label: string, { lines, ...head }: RecordedHistory): void {
  const file = join(folder, head.definition, `${label}.jsonl`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${[JSON.stringify(head), ...lines].join('\n')}\n`);
}

export function dropHistories(folder: string, definition: string): void {
  rmSync(join(folder, definition), { recursive: true, force: true });
}

export function readHistories(folder: string): readonly (RecordedHistory & { readonly file: string })[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.jsonl'))
    .toSorted()
    .map((file) => {
      const [head = '', ...lines] = readFileSync(join(folder, file), 'utf8').trimEnd().split('\n');
      return { ...(JSON.parse(head) as Omit<RecordedHistory, 'lines'>), lines, file };
    });
}
