/**
 * Collections of immutable entities behind one journal. A commit appends one JSON line with every change since the
 * last one, written synchronously before the answer leaves: a kill -9 loses nothing that was answered. A torn last
 * line (killed while writing) counts as never written.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

export interface Entity {
  readonly id: string;
}

export interface Collection<T extends Entity> {
  get(id: string): T | undefined;
  all(): T[];
  find(matches: (entity: T) => boolean): T | undefined;
  filter(matches: (entity: T) => boolean): T[];
  put(entity: T): T;
  /** Replaces the named fields; an unknown id is a programming error. */
  update(id: string, change: Partial<T>): T;
  remove(id: string): void;
}

export interface Database {
  collection<T extends Entity>(name: string): Collection<T>;
  /** Makes every change since the last commit durable, all or none. */
  commit(): void;
  isEmpty(): boolean;
  /** Forgets everything but the named collections. */
  clear(keep: readonly string[]): void;
  close(): void;
}

type Change = readonly [collection: string, id: string, value: Entity | null];

const COMPACT_AFTER_LINES = 20_000;

export function openDatabase(dataFile: string | undefined): Database {
  const tables = new Map<string, Map<string, Entity>>();
  const pending = new Map<string, Change>();
  let file: number | undefined;
  let lines = 0;

  const table = (name: string): Map<string, Entity> => {
    const known = tables.get(name);
    if (known !== undefined) return known;
    const created = new Map<string, Entity>();
    tables.set(name, created);
    return created;
  };

  const change = (collection: string, id: string, value: Entity | null): void => {
    if (value === null) table(collection).delete(id);
    else table(collection).set(id, value);
    pending.set(`${collection}/${id}`, [collection, id, value]);
  };

  const compact = (path: string): void => {
    const snapshot: Change[] = [];
    for (const [name, rows] of tables) for (const row of rows.values()) snapshot.push([name, row.id, row]);
    writeFileSync(`${path}.tmp`, snapshot.map((row) => `${JSON.stringify([row])}\n`).join(''));
    renameSync(`${path}.tmp`, path);
    if (file !== undefined) closeSync(file);
    file = openSync(path, 'a');
    lines = 0;
  };

  if (dataFile !== undefined) {
    mkdirSync(dirname(dataFile), { recursive: true });
    if (existsSync(dataFile)) {
      for (const [name, id, value] of readJournal(dataFile)) {
        if (value === null) table(name).delete(id);
        else table(name).set(id, value);
      }
    }
    compact(dataFile);
  }

  return {
    collection: <T extends Entity>(name: string): Collection<T> => {
      const rows = (): Map<string, T> => table(name) as Map<string, Entity> as Map<string, T>;
      const put = (entity: T): T => {
        change(name, entity.id, entity);
        return entity;
      };
      return {
        get: (id) => rows().get(id),
        all: () => [...rows().values()],
        find: (matches) => [...rows().values()].find(matches),
        filter: (matches) => [...rows().values()].filter(matches),
        put,
        update: (id, patch) => {
          const current = rows().get(id);
          if (current === undefined) throw new Error(`No ${name} with id ${id}.`);
          return put({ ...current, ...patch, id });
        },
        remove: (id) => change(name, id, null),
      };
    },
    commit: () => {
      if (pending.size === 0) return;
      if (file !== undefined && dataFile !== undefined) {
        writeSync(file, `${JSON.stringify([...pending.values()])}\n`);
        lines += 1;
        if (lines > COMPACT_AFTER_LINES) compact(dataFile);
      }
      pending.clear();
    },
    isEmpty: () => [...tables.values()].every((rows) => rows.size === 0),
    clear: (keep) => {
      for (const [name, rows] of tables) {
        if (keep.includes(name)) continue;
        for (const id of [...rows.keys()]) change(name, id, null);
      }
    },
    close: () => {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

function readJournal(path: string): Change[] {
  const changes: Change[] = [];
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    if (line === '') continue;
    try {
      changes.push(...(JSON.parse(line) as Change[]));
    } catch {
      return changes;
    }
  }
  return changes;
}
