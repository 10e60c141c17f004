/**
 * History entries at rest: the same JSON in tuples, because most of an entry as an object is the names of its fields. A
 * tuple begins with the kind; fields without a place follow by name in an object after the last place. What has no
 * layout here is kept as the object it is.
 *
 *     [1795453406802,["done","1-0",1,{"tenantId":"…"}],"reading",[["run","2-0","read","readTenant"]]]
 */
import type { StateValue } from 'xstate';
import { isExact } from './codec.ts';
import type { EngineEvent } from './event.ts';
import type { EffectNote, HistoryEntry } from './history.ts';

/** The name of a kind at rest and the order of its fields. */
type Layout = readonly [name: string, ...fields: string[]];
type Layouts<Kind extends string> = Readonly<Partial<Record<Kind, Layout>>>;
type Fields = Record<string, unknown>;

/** Never changed: stored histories are in it. A kind may be added, under a name that none has. */
const EVENTS: Layouts<EngineEvent['kind']> = {
  start: ['start', 'definition', 'input'],
  signal: ['signal', 'id', 'event'],
  'activity.done': ['done', 'token', 'attempt', 'output'],
  'activity.failed': ['failed', 'token', 'attempt', 'failure', 'jitter'],
  'activity.lost': ['lost', 'token', 'attempt', 'why', 'jitter'],
  'timer.fired': ['fired', 'token'],
  'child.message': ['child', 'token', 'seq', 'event'],
  'child.done': ['child-done', 'token', 'seq', 'output'],
  'parent.message': ['parent', 'seq', 'event'],
  'peer.message': ['peer', 'from', 'seq', 'event'],
};

const NOTES: Layouts<EffectNote['type']> = {
  'activity-scheduled': ['run', 'token', 'actorId', 'activity'],
  'activity-retried': ['retry', 'token', 'attempt', 'at'],
  'activity-canceled': ['cancel', 'token'],
  'timer-set': ['timer', 'token', 'fireAt', 'id'],
  'timer-cleared': ['clear', 'token'],
  'child-started': ['child', 'token', 'actorId', 'instanceId'],
  'child-stopped': ['stop', 'token'],
  sent: ['sent', 'to', 'event'],
  emitted: ['emitted', 'event'],
};

/** Layouts by name at rest. */
function named(layouts: Layouts<string>): ReadonlyMap<unknown, readonly [kind: string, layout: Layout]> {
  return new Map(Object.entries(layouts).map(([kind, layout]) => [layout?.[0], [kind, layout as Layout]]));
}

const EVENTS_BY_NAME = named(EVENTS);
const NOTES_BY_NAME = named(NOTES);

/** The entry without its revision; `exact` tells whether JSON keeps what others put into it. */
export function packEntry(entry: HistoryEntry): { readonly packed: unknown; readonly exact: boolean } {
  const { at, state, effects, outcome, status, by, reason } = entry;
  const event = packOne(EVENTS[entry.event.kind], 'kind', entry.event);
  const notes = effects?.map((note) => packOne(NOTES[note.type], 'type', note));
  const packed = [at, event, state ?? null, notes ?? null];
  if ((outcome ?? status ?? by ?? reason) !== undefined) packed.push({ outcome, status, by, reason });
  else dropNulls(packed);
  return { packed, exact: isExact(event) && (effects === undefined || effects.every(isExactNote)) };
}

function isExactNote(note: EffectNote): boolean {
  switch (note.type) {
    case 'emitted':
      return isExact(note.event);
    case 'logged':
      return isExact(note.value);
    case 'ran':
      return note.params === undefined || isExact(note.params);
    default:
      return true;
  }
}

export function unpackEntry(revision: number, packed: unknown): HistoryEntry {
  const [at, event, state, notes, others] = packed as readonly [
    number,
    unknown,
    StateValue?,
    unknown[]?,
    Fields?,
  ];
  return {
    revision,
    at,
    event: unpackOne(EVENTS_BY_NAME, 'kind', event) as EngineEvent,
    ...(state ? { state } : {}),
    ...(notes ? { effects: notes.map((note) => unpackOne(NOTES_BY_NAME, 'type', note) as EffectNote) } : {}),
    ...others,
  };
}

/** Undefined counts as not there. Null stands for that in a place, so a null of the value's own has to go by name. */
function packOne(layout: Layout | undefined, kind: 'kind' | 'type', value: object): unknown {
  if (layout === undefined) return value;
  const fields = value as Fields;
  const tuple: unknown[] = [layout[0]];
  for (let at = 1; at < layout.length; at += 1) {
    const part = fields[layout[at] as string];
    if (part === null) return value;
    tuple.push(part ?? null);
  }
  let others: Fields | undefined;
  for (const field in fields) {
    if (field === kind || fields[field] === undefined || layout.indexOf(field, 1) > 0) continue;
    others ??= {};
    others[field] = fields[field];
  }
  if (others !== undefined) tuple.push(others);
  else dropNulls(tuple);
  return tuple;
}

function dropNulls(tuple: unknown[]): void {
  while (tuple.at(-1) === null) tuple.pop();
}

function unpackOne(layouts: ReturnType<typeof named>, kind: 'kind' | 'type', packed: unknown): unknown {
  if (!Array.isArray(packed)) return packed;
  const [name, layout] = layouts.get(packed[0]) ?? [];
  if (layout === undefined)
    throw new Error(`A history entry holds '${String(packed[0])}', which is not known.`);
  const fields: Fields = { [kind as string]: name };
  for (let at = 1; at < layout.length; at += 1) {
    const part: unknown = packed[at] ?? null;
    if (part !== null) fields[layout[at] as string] = part;
  }
  return Object.assign(fields, packed[layout.length]);
}
