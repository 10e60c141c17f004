/**
 * The record's stored form: the machine's context in one text, everything else in the other, because the context is
 * large and most events leave it alone.
 */
import { decode, encode, encodeOwn, isExact } from './codec.ts';
import type { InstanceRecord, MachineState, TimerState } from './record.ts';
import type { StoredInstance } from './store.ts';

/**
 * At rest, what every record has stands in its place, without its name; what is empty or as usual is left out: a machine
 * at work, a state entered with the newest entry.
 */
type Body = readonly [
  id: string,
  definition: string,
  createdAt: number,
  updatedAt: number,
  head: string,
  value: MachineState['value'],
  others: Others,
];

type Always = 'id' | 'definition' | 'createdAt' | 'updatedAt' | 'head';
type Others = Partial<Omit<InstanceRecord, Always | 'machine' | 'revision' | 'timers'>> &
  Pick<MachineState, 'historyValue' | 'output' | 'error'> & {
    readonly machine?: MachineState['status'] | undefined;
    readonly actors?: MachineState['children'];
    readonly timers?: Readonly<Record<string, StoredTimer>> | undefined;
  };

/** Without a purpose: the machine's own, whose event is its id. */
type StoredTimer = TimerState | Omit<TimerState, 'purpose' | 'event'>;

export function writeBody(record: InstanceRecord): string {
  const { machine } = record;
  const { id, definition, createdAt, updatedAt, head } = record;
  const others: Others = {
    status: record.status === 'running' ? undefined : record.status,
    stateSince: record.stateSince === updatedAt ? undefined : record.stateSince,
    machine: machine.status === 'active' ? undefined : machine.status,
    historyValue: machine.historyValue,
    output: machine.output,
    error: machine.error,
    actors: machine.children,
    entered: unlessEmpty(record.entered),
    parent: record.parent ?? undefined,
    peers: unlessEmpty(record.peers),
    activities: unlessEmpty(record.activities),
    timers: writeTimers(record.timers),
    children: unlessEmpty(record.children),
    inbox: unlessEmpty(record.inbox),
    quarantine: unlessEmpty(record.quarantine),
    attention: record.attention ?? undefined,
    rewound: record.rewound,
    keys: unlessEmpty(record.keys),
    labels: unlessEmpty(record.labels),
    subject: record.subject ?? undefined,
    idempotencyHash: record.idempotencyHash ?? undefined,
  };
  const body: Body = [id, definition, createdAt, updatedAt, head, machine.value, others];
  return encodeOwn(body, holdsExactValues(record));
}

function writeTimers(timers: InstanceRecord['timers']): Others['timers'] {
  let written: Record<string, StoredTimer> | undefined;
  for (const token in timers) {
    const timer = timers[token] as TimerState;
    written ??= {};
    written[token] = isPlain(timer) ? { ...timer, purpose: undefined, event: undefined } : timer;
  }
  return written;
}

function isPlain({ id, purpose, event }: TimerState): boolean {
  if (purpose !== 'machine' || id === undefined || event?.type !== id) return false;
  for (const field in event) if (field !== 'type') return false;
  return true;
}

function readTimers(stored: NonNullable<Others['timers']>): InstanceRecord['timers'] {
  const timers: Record<string, TimerState> = {};
  for (const token in stored) {
    const timer = stored[token] as TimerState;
    timers[token] =
      timer.purpose === undefined
        ? { ...timer, purpose: 'machine', event: { type: timer.id as string } }
        : timer;
  }
  return timers;
}

function unlessEmpty<Part extends object>(part: Part): Part | undefined {
  for (const _key in part) return part;
  return undefined;
}

/** Whether the values that machines and senders put into the record are exact JSON. */
function holdsExactValues({ machine, activities, timers, inbox, quarantine }: InstanceRecord): boolean {
  const { output, error } = machine;
  if (!isExactOrNone(output) || !isExactOrNone(error)) return false;
  for (const token in activities) if (!isExactOrNone(activities[token]?.input)) return false;
  for (const token in timers) if (!isExactOrNone(timers[token]?.event)) return false;
  return inbox.every(({ event }) => isExact(event)) && quarantine.every(({ event }) => isExact(event));
}

function isExactOrNone(value: unknown): boolean {
  return value === undefined || isExact(value);
}

const written = new WeakMap<object, string>();

/** Encoded once per context: a machine replaces its context and never changes it. */
export function writeContext(context: unknown): string {
  if (typeof context !== 'object' || context === null) return encode(context);
  const known = written.get(context);
  if (known !== undefined) return known;
  const text = encode(context);
  written.set(context, text);
  return text;
}

function readContext(text: string): unknown {
  const context = decode<unknown>(text);
  if (typeof context === 'object' && context !== null) written.set(context, text);
  return context;
}

const NONE: readonly never[] = [];
const EMPTY = {};

export function readRecord(stored: StoredInstance): InstanceRecord {
  const [id, definition, createdAt, updatedAt, head, value, body] = decode<Body>(stored.body);
  const { machine: status = 'active', historyValue, output, error, actors: children } = body;
  return {
    id,
    definition,
    revision: stored.revision,
    status: body.status ?? 'running',
    createdAt,
    updatedAt,
    stateSince: body.stateSince ?? updatedAt,
    entered: body.entered ?? EMPTY,
    machine: { status, value, context: readContext(stored.context), historyValue, output, error, children },
    parent: body.parent ?? null,
    peers: body.peers ?? EMPTY,
    activities: body.activities ?? EMPTY,
    timers: body.timers === undefined ? EMPTY : readTimers(body.timers),
    children: body.children ?? EMPTY,
    inbox: body.inbox ?? NONE,
    quarantine: body.quarantine ?? NONE,
    attention: body.attention ?? null,
    ...(body.rewound === undefined ? {} : { rewound: body.rewound }),
    keys: body.keys ?? NONE,
    labels: body.labels ?? EMPTY,
    subject: body.subject ?? null,
    idempotencyHash: body.idempotencyHash ?? null,
    head,
  };
}
