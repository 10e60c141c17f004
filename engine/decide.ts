/**
 * What an event does to an instance: a pure function of (definition, record, event, now). No clock, no randomness, no
 * I/O; everything random or timed comes in with the event. The shell in `engine.ts` commits what is decided here.
 */
import type { AnyMachineSnapshot } from 'xstate';
import { unknownInstance } from '../shared/errors.ts';
import { errorToData } from './codec.ts';
import { consume } from './consume.ts';
import type { EngineEvent, Envelope } from './event.ts';
import { GENESIS, type HistoryEntry } from './history.ts';
import { type InstanceRecord, type InstanceStatus, isClosed } from './record.ts';
import type { Definition, Registry } from './registry.ts';
import { attempt, isTaken, type Reply } from './step.ts';
import { absorb, type Message, note, settle, stopChild, surroundings, type Turn } from './turn.ts';
import { firstStep, fromMachineState, handledTypes, toMachineState } from './xstate5.ts';

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
  if (record === null) throw unknownInstance(input.instanceId);
  if (event.kind === 'signal' && typeof input.seen === 'string')
    return nothing({ status: 'duplicate', first: input.seen });
  if (isClosed(record.status) && event.kind !== 'secret.revealed') return nothing(closedReply(event));
  const before = openTurn(input, record);
  const step = consume(before, record, event);
  if (!('turn' in step)) return nothing(step);
  return conclude(input, record, before.snapshot, step);
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

const OPERATIONS: ReadonlySet<string> = new Set([
  'pause',
  'resume',
  'cancel',
  'retry',
  'complete-activity',
  'fail-activity',
  'edit-context',
  'dismiss-attention',
]);

function openTurn(input: DecideInput, record: InstanceRecord): Turn {
  const { definition, registry, envelope } = input;
  const around = surroundings({
    id: record.id,
    definition,
    parent: record.parent,
    children: record.children,
  });
  return {
    registry,
    definition,
    id: record.id,
    now: Math.max(input.now, record.updatedAt),
    revision: record.revision + 1,
    minted: 0,
    snapshot: input.snapshot ?? fromMachineState(definition.machine, record.machine, around),
    parent: record.parent,
    peers: record.peers,
    activities: record.activities,
    timers: record.timers,
    children: record.children,
    inbox: record.inbox,
    quarantine: record.quarantine,
    attention: record.attention,
    mailbox: [],
    messages: [],
    notes: [],
    dispatch: [],
    actions: [],
    by: envelope.by,
    poison: input.poison,
  };
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
    machine: { status: 'active', value: {}, context: {} },
    parent,
    peers: {},
    activities: {},
    timers: {},
    children: {},
    inbox: [],
    quarantine: [],
    attention: null,
    keys: [],
    labels: event.labels ?? {},
    subject: null,
    idempotencyHash: event.idempotencyHash ?? null,
    head: GENESIS,
  };
  const around = surroundings({ id: instanceId, definition, parent, children: {} });
  const step = firstStep(definition.machine, event.input, around);
  const opened = openTurn({ ...input, snapshot: step.snapshot }, blank);
  return conclude(input, blank, null, {
    turn: settle(absorb(opened, step)),
    status: 'running',
    reply: { status: 'applied' },
  });
}

function conclude(
  input: DecideInput,
  record: InstanceRecord,
  /** The snapshot before the event, to see whether it changed; null at the start. */
  restored: AnyMachineSnapshot | null,
  step: { readonly turn: Turn; readonly status: InstanceStatus; readonly reply: Reply },
): Commitment {
  const { status: asked, reply } = step;
  const drained = asked === 'running' ? drainInbox(step.turn) : step.turn;
  const status = statusAfter(drained, asked);
  const ended = isClosed(status) && !isClosed(record.status) ? close(drained, status) : drained;
  const turn = status === 'running' ? watchForDeadEnd(ended) : ended;
  const machine =
    turn.snapshot === restored && status === record.status ? record.machine : asMachineState(turn, status);
  const moved = JSON.stringify(machine.value) !== JSON.stringify(record.machine.value);
  const workflow = turn.definition.workflow;
  const next: InstanceRecord = {
    ...record,
    revision: turn.revision,
    status,
    updatedAt: turn.now,
    stateSince: moved ? turn.now : record.stateSince,
    machine,
    parent: turn.parent,
    peers: turn.peers,
    activities: turn.activities,
    timers: turn.timers,
    children: turn.children,
    inbox: turn.inbox,
    quarantine: turn.quarantine,
    attention: turn.attention,
    keys: isClosed(status) ? [] : keysOf(turn, record),
    subject:
      workflow === null ? record.subject : safely(() => workflow.subject(machine.context), record.subject),
  };
  const { event, by, reason } = input.envelope;
  const entry: HistoryEntry = {
    revision: next.revision,
    at: turn.now,
    event,
    ...(event.kind === 'signal' ? { outcome: reply.status } : {}),
    ...(moved ? { state: machine.value } : {}),
    ...(status === record.status && record.revision > 0 ? {} : { status }),
    ...(turn.notes.length === 0 ? {} : { effects: turn.notes }),
    ...(by === undefined ? {} : { by }),
    ...(reason === undefined ? {} : { reason }),
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

/** Gives the machine, in order, what waited for a state that can take it. */
function drainInbox(turn: Turn): Turn {
  let after = turn;
  for (;;) {
    if (after.snapshot.status !== 'active') return after;
    const { snapshot } = after;
    const index = after.inbox.findIndex((item) => item.signalId === null || isTaken(snapshot, item.event));
    const item = after.inbox[index];
    if (item === undefined) return after;
    const inbox = after.inbox.filter((_, at) => at !== index);
    after = attempt(
      note({ ...after, inbox }, { type: 'took-deferred', event: item.event.type }),
      'running',
      item.event,
    );
  }
}

function statusAfter(turn: Turn, asked: InstanceStatus): InstanceStatus {
  switch (turn.snapshot.status) {
    case 'done':
      return 'completed';
    case 'error':
      return 'failed';
    default:
      return asked;
  }
}

function close(turn: Turn, status: InstanceStatus): Turn {
  let after: Turn = { ...turn, activities: {}, timers: {}, dispatch: [] };
  for (const token of Object.keys(after.children)) after = stopChild(after, token);
  if (after.parent === null) {
    if (status !== 'failed') return { ...after, attention: null };
    const error = errorToData(after.snapshot.error) as { message?: unknown } | null;
    return {
      ...after,
      attention: { code: 'instance-failed', message: String(error?.message ?? error), at: turn.now },
    };
  }
  if (status === 'canceled') return after;
  const seq = after.parent.sent + 1;
  const { token, instanceId } = after.parent;
  const body =
    status === 'completed'
      ? ({ kind: 'child.done', token, seq, output: after.snapshot.output } as const)
      : ({ kind: 'child.failed', token, seq, error: errorToData(after.snapshot.error) } as const);
  return {
    ...after,
    parent: { ...after.parent, sent: seq },
    messages: [...after.messages, { to: instanceId, body }],
  };
}

/** A running instance that nothing can ever move again is put before a person at once. */
function watchForDeadEnd(turn: Turn): Turn {
  const alive =
    turn.attention !== null ||
    Object.keys(turn.activities).length > 0 ||
    Object.keys(turn.timers).length > 0 ||
    Object.keys(turn.children).length > 0 ||
    handledTypes(turn.snapshot).length > 0;
  if (alive) return turn;
  const message = 'No activity, timer, child or signal can move this instance.';
  return note(
    { ...turn, attention: { code: 'no-way-forward', message, at: turn.now } },
    { type: 'attention', code: 'no-way-forward' },
  );
}

function asMachineState(turn: Turn, status: InstanceStatus): InstanceRecord['machine'] {
  const state = toMachineState(turn.snapshot);
  const stopped =
    status === 'canceled' && state.status === 'active' ? ({ ...state, status: 'stopped' } as const) : state;
  return stopped.error === undefined ? stopped : { ...stopped, error: errorToData(stopped.error) };
}

function keysOf(turn: Turn, record: InstanceRecord): readonly string[] {
  const workflow = turn.definition.workflow;
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
