/** The history as the API shows it, each entry with a sentence for staff. */
import type { StateValue } from 'xstate';
import type { EffectNote, HistoryEntry, InstanceView } from '../engine/index.ts';
import { iso } from './schemas.ts';

export interface HistoryLine {
  readonly instanceId: string;
  readonly workflow: string;
  readonly entry: HistoryEntry;
  readonly words: string;
}

/** Names of activities by token, as far as the entries read so far scheduled them. */
export type Names = Map<string, string>;

export function linesOf(
  view: Pick<InstanceView, 'id' | 'title'>,
  entries: readonly HistoryEntry[],
  names: Names = new Map(),
): HistoryLine[] {
  return entries.map((entry) => {
    for (const effect of entry.effects ?? []) {
      if (effect.type === 'activity-scheduled') names.set(effect.token, effect.activity);
      if (effect.type === 'child-started') names.set(effect.token, effect.actorId);
    }
    return { instanceId: view.id, workflow: view.title, entry, words: wordsFor(entry, names) };
  });
}

/** Every child that these entries began, in order. */
export function childrenOf(lines: readonly HistoryLine[]) {
  return lines.flatMap(({ entry: { at, effects } }) =>
    (effects ?? []).flatMap((effect) =>
      effect.type === 'child-started'
        ? [{ actorId: effect.actorId, instanceId: effect.instanceId, startedAt: iso(at) }]
        : [],
    ),
  );
}

export function presentLine({ instanceId, workflow, entry, words }: HistoryLine) {
  return {
    instanceId,
    workflow,
    revision: entry.revision,
    at: iso(entry.at),
    kind: entry.event.kind,
    words,
    event: entry.event,
    outcome: entry.outcome ?? null,
    state: entry.state ?? null,
    status: entry.status ?? null,
    effects: entry.effects ?? [],
    by: entry.by ?? null,
    reason: entry.reason ?? null,
  };
}

export function wordsFor(entry: HistoryEntry, names: ReadonlyMap<string, string>): string {
  const what = happened(entry, names);
  const where = entry.state === undefined ? '' : ` Now: ${stateWords(entry.state)}.`;
  const notes = (entry.effects ?? []).flatMap(noteWords).join('');
  return `${what}${where}${notes}`;
}

function happened({ event, outcome }: HistoryEntry, names: ReadonlyMap<string, string>): string {
  const named = (token: string) => humanise(names.get(token) ?? 'an activity');
  switch (event.kind) {
    case 'start':
      return 'Started.';
    case 'fork':
      return `Forked from '${event.from.instanceId}' as it was after revision ${event.from.revision}.`;
    case 'signal':
      return `${signalWords(event.event.type)}${outcome === undefined || outcome === 'applied' ? '' : ` (${outcome})`}.`;
    case 'activity.done':
      return `${named(event.token)}: done.`;
    case 'activity.failed':
      return `${named(event.token)}, attempt ${event.attempt}: failed with ${event.failure.code} (${event.failure.message}).`;
    case 'activity.lost':
      return `${named(event.token)}, attempt ${event.attempt}: no answer (${event.why}).`;
    case 'rewound':
      return `The store was set back and taken on: what happened since ${iso(event.since).slice(0, 16).replace('T', ' ')} UTC may be forgotten here.`;
    case 'timer.fired':
      return 'A deadline passed.';
    case 'child.message':
    case 'parent.message':
    case 'peer.message':
      return `Heard: ${signalWords(event.event.type)}.`;
    case 'child.done':
      return `${named(event.token)}: finished.`;
    case 'child.failed':
      return `${named(event.token)}: failed.`;
    case 'parent.stop':
      return 'Stopped by the instance above it.';
    case 'pause':
      return 'Paused.';
    case 'resume':
      return 'Resumed.';
    case 'cancel':
      return event.force ? 'Stopped at once.' : 'Cancellation asked for.';
    case 'retry':
      return 'Asked to try again.';
    case 'complete-activity':
      return `${named(event.token)}: completed by hand.`;
    case 'fail-activity':
      return `${named(event.token)}: failed by hand (${event.failure.message}).`;
    case 'edit-context':
      return `Data edited: ${Object.keys(event.changes).join(', ')}.`;
    case 'move':
      return `Moved to '${event.to}' by hand.`;
    case 'retry-from':
      return `Tried again from '${event.state}'.`;
    case 'migrate':
      return `${event.undo ? 'Moved back to' : 'Migrated to'} ${event.to}.`;
    case 'dismiss-attention':
      return 'Taken off the attention list.';
    case 'secret.revealed':
      return `Secret '${event.name}' revealed and destroyed.`;
    default:
      return event satisfies never;
  }
}

function noteWords(effect: EffectNote): string[] {
  switch (effect.type) {
    case 'activity-retried':
      return [` Next try: attempt ${effect.attempt}.`];
    case 'attention':
      return [` Needs a person: ${effect.code}.`];
    case 'quarantined':
      return [` '${effect.event}' was set aside: ${effect.error}.`];
    case 'took-deferred':
      return [` What waited was taken up: ${signalWords(effect.event)}.`];
    default:
      return [];
  }
}

function stateWords(value: StateValue): string {
  if (typeof value === 'string') return humanise(value).toLowerCase();
  return Object.entries(value)
    .map(([name, inner]) => {
      const below = inner === undefined ? '' : stateWords(inner);
      return below === '' ? humanise(name).toLowerCase() : `${humanise(name).toLowerCase()} (${below})`;
    })
    .join(', ');
}

function signalWords(type: string): string {
  return humanise(type.replace(/[.-]+/g, ' '));
}

/** `awaitingConsent` and `first-part` as words. */
export function humanise(name: string): string {
  const words = name
    .replace(
      /([a-z0-9])([A-Z])/g,
      (_, before: string, capital: string) => `${before} ${capital.toLowerCase()}`,
    )
    .replace(/[-_.]+/g, ' ')
    .trim();
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}
