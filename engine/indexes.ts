/** The indexes an instance stands in, a function of its record: what `list` can filter by. */
import type { AnyMachineSnapshot } from 'xstate';
import type { StateMeta } from './definition.ts';
import { type InstanceRecord, type InstanceStatus, isClosed } from './record.ts';
import type { ListedInstance, ListPage, Store } from './store.ts';
import { type ActiveState, activeStates } from './xstate5.ts';

/** Lists show roots, which stand for their whole trees, unless children are asked for; an instance is either for life. */
type Place = 'roots' | 'children';

/**
 * Index names. Each instance stands in one of the first two kinds, so that any choice of status and workflow is read from
 * whole indexes; the others are of what is open, or wants attention.
 */
export const INDEX = {
  status: (place: Place, status: InstanceStatus) => `${place}:status:${status}`,
  workflow: (place: Place, name: string, status: InstanceStatus) => `${place}:workflow:${name}:${status}`,
  state: (place: Place, workflow: string, path: string) => `${place}:state:${workflow}:${path}`,
  waitingOn: (place: Place, who: string) => `${place}:waiting:${who}`,
  attention: (place: Place) => `${place}:attention`,
  rewound: (place: Place) => `${place}:rewound`,
  task: (place: Place) => `${place}:task`,
};

const OPEN: readonly InstanceStatus[] = ['running', 'paused'];
const EVERY_STATUS: readonly InstanceStatus[] = [...OPEN, 'completed', 'failed', 'canceled'];

/** What instances are chosen by. */
export interface Choice {
  readonly status?: InstanceStatus;
  readonly workflow?: string;
  /** Dotted path of an active state; needs `workflow`. */
  readonly state?: string;
  readonly waitingOn?: string;
  readonly attention?: boolean;
  readonly rewound?: boolean;
  readonly task?: boolean;
  /** Roots only (the default) or every instance of every tree. */
  readonly children?: boolean;
}

/** The groups of indexes that a choice is read from, as few indexes a group as can be. */
export function groupsFor(choice: Choice): readonly (readonly string[])[] {
  const places: readonly Place[] = choice.children === true ? ['roots', 'children'] : ['roots'];
  return places.flatMap((place) => groupsAt(place, choice));
}

function groupsAt(place: Place, choice: Choice): readonly (readonly string[])[] {
  const { status, workflow, state, waitingOn, attention, rewound, task } = choice;
  const marks: string[] = [];
  if (state !== undefined) marks.push(INDEX.state(place, workflow ?? '', state));
  if (waitingOn !== undefined) marks.push(INDEX.waitingOn(place, waitingOn));
  if (task === true) marks.push(INDEX.task(place));
  const open = marks.length > 0;
  if (attention === true) marks.push(INDEX.attention(place));
  if (rewound === true) marks.push(INDEX.rewound(place));
  const possible = open ? OPEN : EVERY_STATUS;
  const statuses = status === undefined ? possible : possible.filter((one) => one === status);
  // The marks alone say it, or the state names the workflow.
  if (status === undefined && marks.length > 0 && (workflow === undefined || state !== undefined))
    return [marks];
  return statuses.map((one) => [
    ...marks,
    workflow === undefined ? INDEX.status(place, one) : INDEX.workflow(place, workflow, one),
  ]);
}

const PAGE = 200;

/** All that are chosen, newest first, read a page at a time. */
export async function* listed(
  store: Pick<Store, 'list'>,
  choice: Choice,
  before: ListedInstance | null = null,
): AsyncGenerator<ListedInstance> {
  const anyOf = groupsFor(choice);
  for (;;) {
    const page: ListPage = await store.list({ anyOf, limit: PAGE, before });
    yield* page.items;
    if (page.next === null) return;
    before = page.next;
  }
}

/** What no index holds alone is counted by reading ids; nobody needs a larger number exactly. */
const MOST_COUNTED = 200;

/**
 * Exact by status and workflow, alone or both, and by any other mark alone; by more of them at least this many: reading
 * ends at 200, or earlier where they share next to nothing.
 */
export async function counted(store: Pick<Store, 'list' | 'count'>, choice: Choice): Promise<number> {
  const anyOf = groupsFor(choice);
  const whole = anyOf.flatMap((names) => (names.length === 1 ? names : []));
  if (whole.length === anyOf.length) {
    const counts = await Promise.all(whole.map((name) => store.count(name)));
    return counts.reduce((sum, count) => sum + count, 0);
  }
  return (await store.list({ anyOf, limit: MOST_COUNTED, before: null })).items.length;
}

export function indexesOf(record: InstanceRecord, snapshot: AnyMachineSnapshot): readonly string[] {
  const lasting = lastingIndexes(record);
  if (isClosed(record.status)) return lasting;
  return lasting.concat(
    openIndexes(placeOf(record), workflowNameOf(record.definition), activeStates(snapshot)),
  );
}

/** Those that an instance stands in whatever its machine does: all that a closed one has. */
export function lastingIndexes(record: InstanceRecord): readonly string[] {
  const place = placeOf(record);
  const { status } = record;
  const name = workflowNameOf(record.definition);
  const names = [INDEX.status(place, status), INDEX.workflow(place, name, status)];
  if (record.attention !== null) names.push(INDEX.attention(place));
  if (record.rewound !== undefined) names.push(INDEX.rewound(place));
  return names;
}

const placeOf = ({ parent }: InstanceRecord): Place => (parent === null ? 'roots' : 'children');

/** Of an unregistered child machine its whole reference: it has no name of its own. */
function workflowNameOf(definition: string): string {
  return definition.includes('/') ? definition : definition.slice(0, definition.lastIndexOf('@'));
}

const known = new WeakMap<readonly ActiveState[], Partial<Record<Place, readonly string[]>>>();

function openIndexes(place: Place, workflow: string, states: readonly ActiveState[]): readonly string[] {
  const ofBoth = known.get(states) ?? {};
  const names = ofBoth[place] ?? namesOf(place, workflow, states);
  if (ofBoth[place] === undefined) known.set(states, { ...ofBoth, [place]: names });
  return names;
}

function namesOf(place: Place, workflow: string, states: readonly ActiveState[]): readonly string[] {
  const names = new Set<string>();
  for (const { leaf, path, meta } of states) {
    const { waitingOn, task } = (meta ?? {}) as Partial<StateMeta>;
    if (leaf && path !== '') names.add(INDEX.state(place, workflow, path));
    if (waitingOn !== undefined) names.add(INDEX.waitingOn(place, waitingOn));
    if (task !== undefined) names.add(INDEX.task(place));
  }
  return [...names];
}
