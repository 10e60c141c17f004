/**
 * A history played again: every entry holds its event whole, so the record after any revision is a fold of `decide`
 * over the entries before it. Each decision made again must be the entry that was written, byte for byte; where it is
 * not, the code that runs under that name and version has changed since.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AnyMachineSnapshot } from 'xstate';
import { AppError, isAppError } from '../shared/errors.ts';
import { type Commitment, type DecideInput, decide } from './decide.ts';
import type { EngineEvent } from './event.ts';
import { GENESIS, type HistoryEntry, readEntry, writeEntry } from './history.ts';
import type { InstanceRecord } from './record.ts';
import type { Registry } from './registry.ts';
import { writeBody, writeContext } from './stored.ts';
import type { Message } from './turn.ts';

/** An instance as it was after one revision. */
export interface PastInstance {
  readonly record: InstanceRecord;
  readonly snapshot: AnyMachineSnapshot;
  /** Messages this revision sent to other instances. */
  readonly messages: readonly Message[];
}

/** What the next decision starts from; a migration says itself what it found. */
type Past = Pick<PastInstance, 'record'> & { readonly snapshot?: AnyMachineSnapshot };

/**
 * Yields the instance after each revision, oldest first. The part of the past that ran under a version not registered any
 * more is passed over, up to the migration out of it. Raises `replay-diverged` at the first entry that today's code would
 * write differently, `workflow-version-missing` when no part can be replayed.
 */
export function* replay(
  registry: Registry,
  instanceId: string,
  lines: Iterable<string>,
): Generator<PastInstance, void> {
  let past: Past | null = null;
  let passed = 0;
  for (const line of lines) {
    const { entry } = readEntry(line);
    past ??= foundBy(registry, entry.event);
    if (past === null && registry.find(definitionOf(entry.event, null)) === null) {
      passed += 1;
      continue;
    }
    const decision = decideAgain(registry, instanceId, past, entry);
    if (decision === null) throw diverged(instanceId, past, entry, decision);
    const head: string = past?.record.head ?? GENESIS;
    const made = writeEntry(head, decision.entry);
    if (made.line !== line) throw diverged(instanceId, past, entry, decision);
    const { snapshot, messages } = decision;
    const after: PastInstance = { record: { ...decision.next, head: made.hash }, snapshot, messages };
    yield after;
    past = after;
  }
  if (past === null && passed > 0) {
    const message = `No version that '${instanceId}' ever ran is registered.`;
    throw new AppError('workflow-version-missing', message, { details: { instanceId } });
  }
}

/** What a migration found, where the version it came from is gone. */
function foundBy(registry: Registry, event: EngineEvent): Past | null {
  if (event.kind !== 'migrate' || registry.find(event.to) === null) return null;
  return { record: event.before };
}

/** The version that decides on the event. */
function definitionOf(event: EngineEvent, past: Past | null): string {
  if (event.kind === 'start' || event.kind === 'fork') return event.definition;
  return event.kind === 'migrate' ? event.to : (past?.record.definition ?? '');
}

/** The instance after its last line, or after `revision`. Null for an empty history or a revision not reached. */
export function replayTo(
  registry: Registry,
  instanceId: string,
  lines: Iterable<string>,
  revision?: number,
): PastInstance | null {
  let last: PastInstance | null = null;
  for (const past of replay(registry, instanceId, lines)) {
    last = past;
    if (past.record.revision === revision) return past;
  }
  return revision === undefined ? last : null;
}

function decideAgain(
  registry: Registry,
  instanceId: string,
  past: Past | null,
  { event, at, by, reason }: HistoryEntry,
): Commitment | null {
  const input: DecideInput = {
    registry,
    definition: registry.get(definitionOf(event, past)),
    instanceId,
    record: past?.record ?? null,
    snapshot: past?.snapshot,
    envelope: {
      event,
      ...(by === undefined ? {} : { by }),
      ...(reason === undefined ? {} : { reason }),
    },
    now: at,
  };
  const decision = decide(input);
  if (decision.outcome === 'nothing') return null;
  const poison = notStorable(decision);
  if (poison === null) return decision;
  // As it was the first time: the event went into quarantine instead.
  const again = decide({ ...input, poison });
  return again.outcome === 'nothing' ? null : again;
}

function notStorable({ next }: Commitment): unknown {
  try {
    writeBody(next);
    writeContext(next.machine.context);
    return null;
  } catch (error) {
    if (isAppError(error, 'value-not-durable')) return error;
    throw error;
  }
}

function diverged(
  instanceId: string,
  past: Past | null,
  recorded: HistoryEntry,
  decision: Commitment | null,
): AppError {
  const definition = past?.record.definition ?? (recorded.event as { definition?: string }).definition ?? '?';
  const difference =
    decision === null ? 'today it changes nothing' : firstDifference(recorded, decision.entry);
  return new AppError(
    'replay-diverged',
    `'${definition}' no longer does what it did: revision ${recorded.revision} of '${instanceId}' (${recorded.event.kind}): ${difference}. ` +
      'Instances under way follow the recorded behaviour: give the workflow a new version and keep this one beside it.',
    { details: { instanceId, definition, revision: recorded.revision, event: recorded.event.kind } },
  );
}

const PARTS = ['state', 'status', 'outcome', 'effects', 'at', 'revision', 'event', 'by', 'reason'] as const;

function firstDifference(recorded: HistoryEntry, made: HistoryEntry): string {
  const text = (value: unknown): string => JSON.stringify(value)?.slice(0, 300) ?? 'none';
  const part = PARTS.find((name) => !isDeepStrictEqual(recorded[name], made[name]));
  return part === undefined
    ? 'the entries differ'
    : `${part} was ${text(recorded[part])}, is ${text(made[part])}`;
}
