/**
 * What this machine remembers of the store, so that an older or emptied one is noticed when no process is left that knew
 * it. Each process writes a file of its own, because the later word of one must not hide the higher tick of another.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { pid } from 'node:process';

export interface SeenStore {
  readonly epoch: string;
  readonly tick: number;
}

export interface SeenBy {
  /** Null remembers nothing. */
  readonly stateDir: string | null;
  readonly namespace: string;
  /** The kind of process. */
  readonly process: string;
}

/** A living process has written more lately than this. */
const ABANDONED_MS = 60_000;

/** What processes of this kind remember, those that died included. */
export function recall(by: SeenBy): readonly SeenStore[] {
  return filesOf(by).flatMap((file) => read(file) ?? []);
}

/** Resolves when it, or a later tick of the same store, would survive a power cut of this machine. */
export function remember(by: SeenBy, seen: SeenStore): Promise<void> {
  if (by.stateDir === null) return Promise.resolve();
  const { stateDir } = by;
  const file = join(stateDir, `${prefixOf(by)}@${hostname()}-${pid}.json`);
  const last = writes.get(file);
  const newest = last !== undefined && isLater(last.seen, seen) ? last.seen : seen;
  const before = last?.written.catch(() => undefined) ?? Promise.resolve();
  const written = before.then(() => write(stateDir, file, newest));
  writes.set(file, { seen: newest, written });
  return written;
}

/** The last write of this process to each file; one waits for the one before it. */
const writes = new Map<string, { readonly seen: SeenStore; readonly written: Promise<void> }>();

function isLater(one: SeenStore, other: SeenStore): boolean {
  return one.epoch === other.epoch && one.tick > other.tick;
}

/** Drops what processes long gone left behind, once this one remembers a store that is as new. */
export function forgetAbandoned(by: SeenBy): void {
  for (const file of filesOf(by)) {
    const age = Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Number.NaN);
    if (age > ABANDONED_MS) rmSync(file, { force: true });
  }
}

function prefixOf({ namespace, process }: SeenBy): string {
  return `store-seen-${namespace}-${process}`;
}

/** The file without a process in its name is of an earlier release. */
function filesOf(by: SeenBy): string[] {
  const { stateDir } = by;
  if (stateDir === null) return [];
  mkdirSync(stateDir, { recursive: true });
  const prefix = prefixOf(by);
  return readdirSync(stateDir)
    .filter((name) => name.endsWith('.json') && (name === `${prefix}.json` || name.startsWith(`${prefix}@`)))
    .map((name) => join(stateDir, name));
}

function read(file: string): SeenStore | null {
  try {
    const { epoch, tick } = JSON.parse(readFileSync(file, 'utf8')) as Partial<SeenStore>;
    return typeof epoch === 'string' && typeof tick === 'number' ? { epoch, tick } : null;
  } catch {
    return null;
  }
}

async function write(stateDir: string, file: string, seen: SeenStore): Promise<void> {
  await mkdir(stateDir, { recursive: true });
  const fresh = `${file}.new`;
  await synced(fresh, 'w', (handle) => handle.writeFile(JSON.stringify(seen)));
  await rename(fresh, file);
  await synced(stateDir, 'r', async () => undefined);
}

async function synced(
  path: string,
  flags: string,
  change: (handle: Awaited<ReturnType<typeof open>>) => Promise<void>,
): Promise<void> {
  const handle = await open(path, flags);
  try {
    await change(handle);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
