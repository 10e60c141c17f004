/**
 * What an event does to an instance: a pure function of (definition, record, event, now). No clock, no randomness, no
 * I/O; everything random or timed comes in with the event. The shell in `engine.ts` commits what is decided here.
 */
import type { AnyMachineSnapshot, StateValue } from 'xstate';
import { unknownInstance } from '../shared/errors.ts';
import { errorToData } from './codec.ts';
import { consume } from './consume.ts';
import { enteredAt, UNCOUNTED } from './entered.ts';
import type { EngineEvent, Envelope } from './event.ts';
import { forkOf } from './fork.ts';
import { GENESIS, type HistoryEntry } from './history.ts';
import { type InstanceRecord, type InstanceStatus, isClosed, type MachineState } from './record.ts';
import type { Definition, Registry } from './registry.ts';
import { attempt, isTaken, type Reply } from './step.ts';
import { absorb, type Message, note, settle, stopChild, surroundings, type Turn } from './turn.ts';
import { firstStep, fromMachineState, handlesAnything, toMachineState } from './xstate5.ts';

export interface Commitment {
  readonly outcome: 'commit';
  readonly next: InstanceRecord;
  readonly snapshot: AnyMachineSnapshot;
  readonly entry: HistoryEntry;
  readonly messages: readonly Message[];
  /** Tokens of activities that need a worker now. */
  readonly dispatch: readonly string[];
  readonly actions: readonly (() => void)[];
  readonly reply: Reply;
}

export type Decision = Commitment | { readonly outcome: 'nothing'; readonly reply: Reply };

export interface DecideInput {
  readonly registry: Registry;
  readonly definition: Definition;
  readonly instanceId: string;
  readonly record: InstanceRecord | null;
  /** The live snapshot of `record`, where the caller still has it; otherwise it is restored. */
  readonly snapshot?: AnyMachineSnapshot | undefined;
  readonly envelope: Envelope;
  /** Store time, ms. */
  readonly now: number;
  /** For a signal: the outcome stored under its id, when it came before. */
  readonly seen?: string | null;
  /** Why the same decision could not be stored a moment ago. */
  readonly poison?: unknown;
}

export function decide(input: DecideInput): Decision {
  const { record, envelope } = input;
  const { event } = envelope;
  if (event.kind === 'start') return record === null ? start(input, event) : nothing({ status: 'exists' });
  if (event.kind === 'fork') return record === null ? fork(input, event) : nothing({ status: 'exists' });
  if (record === null) throw unknownInstance(input.instanceId);
  if (typeof input.seen === 'string') return nothing({ status: 'duplicate', first: input.seen });
  if (isClosed(record.status) && !mayTouchClosed(record, event)) return nothing(closedReply(event));
  if (event.kind === 'migrate') return migrated(input, record, event);
  const turn = openTurn(input, record);
  const { snapshot } = turn;
  const reply = consume(turn, event);
  if (reply.status !== 'applied' && reply.status !== 'deferred') return nothing(reply);
  return conclude(input, record, snapshot, turn, reply);
}

function nothing(reply: Reply): Decision {
  return { outcome: 'nothing', reply };
}

function closedReply(event: EngineEvent): Reply {
  if (event.kind === 'signal') return { status: 'rejected', detail: 'closed' };
  return OPERATIONS.has(event.kind)
    ? { status: 'impossible', detail: 'closed' }
    : { status: 'stale', detail: 'closed' };
}

function mayTouchClosed(record: InstanceRecord, event: EngineEvent): boolean {
  return event.kind === 'secret.revealed' || (event.kind === 'retry-from' && record.status === 'failed');
}

const OPERATIONS: ReadonlySet<string> = new Set([
  'pause',
  'resume',
  'cancel',
  'retry',
  'complete-activity',
  'fail-activity',
  'edit-context',
  'move',
  'retry-from',
  'migrate',
  'dismiss-attention',
]);

function openTurn(input: DecideInput, record: InstanceRecord): Turn {
  const { definition, registry, envelope } = input;
  return {
    registry,
    definition,
    id: record.id,
    now: Math.max(input.now, record.updatedAt),
    revision: record.revision + 1,
    by: envelope.by,
    poison: input.poison,
    status: record.status,
    minted: 0,
    snapshot: input.snapshot ?? restored(definition, record),
    parent: record.parent,
    peers: record.peers,
    activities: record.activities,
    timers: record.timers,
    children: record.children,
    inbox: record.inbox,
    quarantine: record.quarantine,
    attention: record.attention,
    rewound: record.rewound,
    mailbox: NONE,
    messages: NONE,
    notes: NONE,
    dispatch: NONE,
    actions: NONE,
  };
}

const NONE: readonly never[] = [];

function restored(definition: Definition, record: InstanceRecord): AnyMachineSnapshot {
  const { id, parent, children } = record;
  return fromMachineState(
    definition.machine,
    record.machine,
    surroundings({ id, definition, parent, children }),
  );
}

function start(input: DecideInput, event: Extract<EngineEvent, { kind: 'start' }>): Decision {
  const { definition, instanceId, now } = input;
  const parent = event.parent === undefined ? null : { ...event.parent, sent: 0, received: 0 };
  const blank: InstanceRecord = {
    id: instanceId,
    definition: definition.ref,
    revision: 0,
    status: 'running',
    createdAt: now,
    updatedAt: now,
    stateSince: now,
    entered: UNCOUNTED,
    machine: NOT_BEGUN,
    parent,
    peers: {},
    activities: {},
    timers: {},
    children: {},
    inbox: NONE,
    quarantine: NONE,
    attention: null,
    rewound: event.rewound,
    keys: NONE,
    labels: event.labels ?? {},
    subject: null,
    idempotencyHash: event.idempotencyHash ?? null,
    head: GENESIS,
  };
  const around = surroundings({ id: instanceId, definition, parent, children: {} });
  const step = firstStep(definition.machine, event.input, around);
  const turn = openTurn({ ...input, snapshot: step.snapshot }, blank);
  absorb(turn, step);
  settle(turn);
  return conclude(input, blank, null, turn, { status: 'applied' });
}

const NOT_BEGUN: MachineState = { status: 'active', value: {}, context: {} };

/** Begins where another instance once stood. What it waited for then, it waits for again, for as long. */
function fork(input: DecideInput, event: Extract<EngineEvent, { kind: 'fork' }>): Decision {
  const { record, dispatch, messages } = forkOf(input.instanceId, event, input.now);
  const turn = openTurn(input, record);
  turn.dispatch = dispatch;
  turn.messages = messages;
  return conclude(input, record, null, turn, { status: 'applied' });
}

function migrated(
  input: DecideInput,
  record: InstanceRecord,
  event: Extract<EngineEvent, { kind: 'migrate' }>,
): Decision {
  const definition = input.registry.get(event.to);
  const snapshot = restored(definition, { ...record, machine: event.machine });
  const turn = openTurn({ ...input, definition, snapshot }, record);
  turn.activities = event.activities;
  turn.timers = event.timers;
  turn.inbox = event.inbox ?? record.inbox;
  turn.quarantine = event.quarantine ?? record.quarantine;
  return conclude(input, { ...record, entered: event.entered }, null, turn, { status: 'applied' });
}

function conclude(
  input: DecideInput,
  record: InstanceRecord,
  /** The snapshot before the event, to see whether it changed; null at the start. */
  before: AnyMachineSnapshot | null,
  turn: Turn,
  reply: Reply,
): Commitment {
  if (turn.status === 'running') drainInbox(turn);
  turn.status = statusAfter(turn);
  const closes = isClosed(turn.status) && !isClosed(record.status);
  if (closes) close(turn, input.envelope.event.kind === 'parent.stop');
  if (turn.status === 'running') watchForDeadEnd(turn);
  const unchanged = turn.snapshot === before && turn.status === record.status;
  const machine = unchanged ? record.machine : asMachineState(turn);
  const moved = !unchanged && !sameValue(machine.value, record.machine.value);
  const next = nextRecord(record, turn, machine, moved);
  const { event, by, reason } = input.envelope;
  const entry: HistoryEntry = {
    revision: next.revision,
    at: turn.now,
    event,
    outcome: event.kind === 'signal' ? reply.status : undefined,
    state: moved ? machine.value : undefined,
    status: turn.status === record.status && record.revision > 0 ? undefined : turn.status,
    effects: turn.notes.length === 0 ? undefined : turn.notes,
    by,
    reason,
  };
  return {
    outcome: 'commit',
    next,
    snapshot: turn.snapshot,
    entry,
    messages: turn.messages,
    dispatch: turn.dispatch.filter((token) => turn.activities[token]?.phase === 'open'),
    actions: turn.actions,
    reply,
  };
}

/** Written out in full: a spread of so many fields costs more than everything else here. */
function nextRecord(
  record: InstanceRecord,
  turn: Turn,
  machine: MachineState,
  moved: boolean,
): InstanceRecord {
  const { workflow } = turn.definition;
  return {
    id: record.id,
    definition: turn.definition.ref,
    revision: turn.revision,
    status: turn.status,
    createdAt: record.createdAt,
    updatedAt: turn.now,
    stateSince: moved ? turn.now : record.stateSince,
    entered: moved ? enteredAt(turn.snapshot, record.entered, turn.now) : record.entered,
    machine,
    parent: turn.parent,
    peers: turn.peers,
    activities: turn.activities,
    timers: turn.timers,
    children: turn.children,
    inbox: turn.inbox,
    quarantine: turn.quarantine,
    attention: turn.attention,
    rewound: turn.rewound,
    keys: isClosed(turn.status) ? NONE : keysOf(turn, record),
    labels: record.labels,
    subject:
      workflow === null ? record.subject : safely(() => workflow.subject(machine.context), record.subject),
    idempotencyHash: record.idempotencyHash,
    head: record.head,
  };
}

function sameValue(a: StateValue, b: StateValue): boolean {
  if (a === b) return true;
  if (typeof a === 'string' || typeof b === 'string') return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => sameValue(a[key] ?? '', b[key] ?? ''));
}

/** Gives the machine, in order, what waited for a state that can take it. */
function drainInbox(turn: Turn): void {
  while (turn.inbox.length > 0 && turn.snapshot.status === 'active') {
    const { snapshot, inbox } = turn;
    const item = inbox.find(({ signalId, event }) => signalId === null || isTaken(snapshot, event));
    if (item === undefined) return;
    turn.inbox = inbox.filter((other) => other !== item);
    note(turn, { type: 'took-deferred', event: item.event.type });
    attempt(turn, item.event);
  }
}

function statusAfter({ snapshot, status }: Turn): InstanceStatus {
  switch (snapshot.status) {
    case 'done':
      return 'completed';
    case 'error':
      return 'failed';
    default:
      return status;
  }
}

/** `stopped` by its parent, a child has nothing to tell it; canceled by anybody else, it has: the parent waits for it. */
function close(turn: Turn, stopped: boolean): void {
  const { snapshot, status, parent, now } = turn;
  turn.activities = {};
  turn.timers = {};
  for (const token of Object.keys(turn.children)) stopChild(turn, token);
  if (parent === null) {
    turn.attention =
      status === 'failed' ? { code: 'instance-failed', message: failureOf(snapshot), at: now } : null;
    return;
  }
  if (stopped) return;
  const { token, instanceId } = parent;
  const seq = parent.sent + 1;
  const body =
    status === 'completed'
      ? ({ kind: 'child.done', token, seq, output: snapshot.output } as const)
      : ({
          kind: 'child.failed',
          token,
          seq,
          error: status === 'canceled' ? CANCELED : errorToData(snapshot.error),
        } as const);
  turn.parent = { ...parent, sent: seq };
  turn.messages = [...turn.messages, { to: instanceId, body }];
}

const CANCELED = { name: 'ChildCanceled', message: 'It was canceled.', code: 'child-canceled' };

function failureOf(snapshot: AnyMachineSnapshot): string {
  const error = errorToData(snapshot.error) as { message?: unknown } | null;
  return String(error?.message ?? error);
}

/** A running instance that nothing can ever move again is put before a person at once. */
function watchForDeadEnd(turn: Turn): void {
  const alive =
    turn.attention !== null ||
    holdsAny(turn.activities) ||
    holdsAny(turn.timers) ||
    holdsAny(turn.children) ||
    handlesAnything(turn.snapshot);
  if (alive) return;
  const message = 'No activity, timer, child or signal can move this instance.';
  turn.attention = { code: 'no-way-forward', message, at: turn.now };
  note(turn, { type: 'attention', code: 'no-way-forward' });
}

function holdsAny(record: object): boolean {
  for (const _key in record) return true;
  return false;
}

function asMachineState({ snapshot, status }: Turn): MachineState {
  const state = toMachineState(snapshot);
  const stopped =
    status === 'canceled' && state.status === 'active' ? ({ ...state, status: 'stopped' } as const) : state;
  return stopped.error === undefined ? stopped : { ...stopped, error: errorToData(stopped.error) };
}

function keysOf(turn: Turn, record: InstanceRecord): readonly string[] {
  const { workflow } = turn.definition;
  if (workflow === null) return record.keys;
  return safely(() => [...new Set(workflow.correlationKeys(turn.snapshot.context))], record.keys);
}

/** A workflow's display functions must not stop its instances. */
function safely<Value>(compute: () => Value, otherwise: Value): Value {
  try {
    return compute();
  } catch {
    return otherwise;
  }
}
