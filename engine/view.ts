/** An instance as others see it: what it is, where it stands, what it waits for. Plain JSON, no secrets. */
import type { StateValue } from 'xstate';
import type { HumanTask, StateMeta } from './definition.ts';
import type { OpenInstance } from './engine.ts';
import type { Attention, InstanceRecord, InstanceStatus, Rewound } from './record.ts';
import { type ActiveState, accepts, activeStates, handledTypes } from './xstate5.ts';

export interface ActivityView {
  readonly token: string;
  readonly name: string;
  readonly description: string;
  readonly queue: string;
  readonly phase: 'open' | 'waiting-retry' | 'attention' | 'held';
  readonly attempt: number;
  readonly maxAttempts: number | null;
  readonly lastFailure: {
    readonly kind: string;
    readonly code: string;
    readonly message: string;
    readonly at: number;
  } | null;
}

export interface StateView {
  readonly id: string;
  readonly path: string;
  readonly sentence: string;
  readonly waitingOn: string | null;
}

export interface TaskView {
  /** `<instance id>~<task id>`. */
  readonly id: string;
  readonly instanceId: string;
  readonly rootId: string;
  readonly title: string;
  readonly instructions: string;
  readonly responsible: string;
  readonly actions: HumanTask['actions'];
  readonly shows: Readonly<Record<string, unknown>>;
  readonly since: number;
  /** When it is due, ms; null for one without a due date. */
  readonly dueAt: number | null;
  readonly escalatesTo: string | null;
  readonly verify: NonNullable<HumanTask['verify']> | null;
  readonly evidence: readonly string[];
  readonly optional: boolean;
  readonly subject: string | null;
}

export interface InstanceView {
  readonly id: string;
  readonly rootId: string;
  readonly parentId: string | null;
  readonly workflow: string;
  readonly version: number | null;
  readonly title: string;
  readonly subject: string | null;
  readonly revision: number;
  readonly status: InstanceStatus;
  readonly state: StateValue;
  readonly states: readonly StateView[];
  /** What staff read: the innermost state's sentence. */
  readonly sentence: string;
  readonly waitingOn: string | null;
  readonly tags: readonly string[];
  readonly context: unknown;
  readonly output: unknown;
  readonly error: unknown;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly stateSince: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly keys: readonly string[];
  /** Signals the current state takes now (types it names, for a workflow without declared signals). */
  readonly accepts: readonly string[];
  readonly activities: readonly ActivityView[];
  readonly timers: readonly { readonly token: string; readonly event: string; readonly fireAt: number }[];
  readonly children: readonly {
    readonly token: string;
    readonly actorId: string;
    readonly instanceId: string;
  }[];
  readonly deferred: readonly { readonly event: string; readonly at: number }[];
  readonly quarantine: readonly { readonly event: string; readonly error: string; readonly at: number }[];
  readonly attention: Attention | null;
  /** The store lost what it had answered while this instance was open. */
  readonly rewound: Rewound | null;
  readonly tasks: readonly TaskView[];
}

const DAY_MS = 86_400_000;

export function viewOf(open: OpenInstance, now: number, actorOf: ActorOf): InstanceView {
  const { record, definition, snapshot } = open;
  const { workflow } = definition;
  const live = record.status === 'running' || record.status === 'paused';
  const active = activeStates(snapshot);
  const states = active.flatMap((state) =>
    stateView(state, record.machine.context, now - sinceOf(record, state.id)),
  );
  const told = tellingState(active, states);
  return {
    id: record.id,
    rootId: rootOf(record.id),
    parentId: record.parent?.instanceId ?? null,
    workflow: workflow?.name ?? record.definition,
    version: workflow?.version ?? null,
    title: workflow?.title ?? record.definition,
    subject: record.subject,
    revision: record.revision,
    status: record.status,
    state: record.machine.value,
    states,
    sentence: told?.sentence ?? valueWords(record.machine.value),
    waitingOn: live ? (states.findLast((state) => state.waitingOn !== null)?.waitingOn ?? null) : null,
    tags: [...snapshot.tags],
    context: record.machine.context,
    output: record.machine.output ?? null,
    error: record.machine.error ?? null,
    createdAt: record.createdAt,
    updatedAt: record.updatedAt,
    stateSince: record.stateSince,
    labels: record.labels,
    keys: record.keys,
    accepts: live ? acceptedSignals(open) : [],
    ...liveParts(record, actorOf),
    attention: record.attention,
    rewound: record.rewound ?? null,
    tasks: live ? tasksOf(open) : [],
  };
}

type ActorOf = (src: string) => { name: string; description: string; maxAttempts: number | null };

/** What the record alone tells, for an instance whose version this process lacks. */
export function sketchOf(record: InstanceRecord): InstanceView {
  const [workflow = record.definition, version] = record.definition.split('@');
  const { machine, id, subject, revision, status, createdAt, updatedAt, stateSince, labels, keys } = record;
  return {
    ...{ id, subject, revision, status, createdAt, updatedAt, stateSince, labels, keys },
    rootId: rootOf(id),
    parentId: record.parent?.instanceId ?? null,
    workflow,
    version: /^\d+$/.test(version ?? '') ? Number(version) : null,
    title: record.definition,
    state: machine.value,
    states: [],
    sentence: valueWords(machine.value),
    waitingOn: null,
    tags: [],
    context: machine.context,
    output: machine.output ?? null,
    error: machine.error ?? null,
    accepts: [],
    ...liveParts(record, (src) => ({ name: src, description: src, maxAttempts: null })),
    attention: record.attention,
    rewound: record.rewound ?? null,
    tasks: [],
  };
}

function valueWords(value: StateValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function liveParts(
  record: InstanceRecord,
  actorOf: ActorOf,
): Pick<InstanceView, 'activities' | 'timers' | 'children' | 'deferred' | 'quarantine'> {
  return {
    activities: Object.entries(record.activities).map(([token, activity]) => {
      const { name, description, maxAttempts } = actorOf(activity.src);
      const { phase, attempt, queue } = activity;
      return {
        token,
        name,
        description,
        queue,
        phase,
        attempt,
        maxAttempts,
        lastFailure: activity.lastFailure ?? null,
      };
    }),
    timers: Object.entries(record.timers).map(([token, timer]) => ({
      token,
      event: timer.purpose === 'retry' ? 'retry' : (timer.event?.type ?? ''),
      fireAt: timer.fireAt,
    })),
    children: Object.entries(record.children).map(([token, { actorId, instanceId }]) => ({
      token,
      actorId,
      instanceId,
    })),
    deferred: record.inbox.map(({ event, at }) => ({ event: event.type, at })),
    quarantine: record.quarantine.map(({ event, error, at }) => ({
      event: event.type,
      error: error.message,
      at,
    })),
  };
}

/** The innermost state that holds all of the rest: the state itself, or the parallel one above several. */
function tellingState(active: readonly ActiveState[], states: readonly StateView[]): StateView | undefined {
  const leaves = active.filter(({ leaf }) => leaf).map(({ path }) => path);
  const above = (path: string, leaf: string): boolean =>
    path === '' || path === leaf || leaf.startsWith(`${path}.`);
  return states.findLast(({ path }) => leaves.every((leaf) => above(path, leaf))) ?? states.at(-1);
}

/** A child's id is its parent's with a token behind a dot. */
export function rootOf(instanceId: string): string {
  const cut = instanceId.indexOf('.');
  return cut < 0 ? instanceId : instanceId.slice(0, cut);
}

function acceptedSignals({ definition, snapshot }: OpenInstance): readonly string[] {
  const declared = definition.workflow?.signals;
  if (declared === undefined) return handledTypes(snapshot).filter((type) => !type.startsWith('xstate.'));
  const named = handledTypes(snapshot);
  return Object.keys(declared).filter((type) => named.includes(type) || mayTake(snapshot, type));
}

/** Without a payload a guard may refuse or throw; the state naming the event is then what counts. */
function mayTake(snapshot: OpenInstance['snapshot'], type: string): boolean {
  try {
    return accepts(snapshot, { type });
  } catch {
    return true;
  }
}

function stateView(state: ActiveState, context: unknown, inStateMs: number): StateView[] {
  const meta = (state.meta ?? {}) as Partial<StateMeta>;
  if (meta.description === undefined) return [];
  const day = Math.floor(inStateMs / DAY_MS) + 1;
  return [
    {
      id: state.id,
      path: state.path,
      sentence: fill(meta.description, context, day),
      waitingOn: meta.waitingOn ?? null,
    },
  ];
}

const sinceOf = (record: OpenInstance['record'], stateId: string): number =>
  record.entered[stateId] ?? record.stateSince;

function fill(template: string, context: unknown, day: number): string {
  return template.replace(/\{([A-Za-z0-9_.]+)\}/g, (_, path: string) =>
    path === 'day' ? String(day) : String(lookUp(context, path) ?? '…'),
  );
}

function lookUp(value: unknown, path: string): unknown {
  let found: unknown = value;
  for (const part of path.split('.')) {
    if (typeof found !== 'object' || found === null || !Object.hasOwn(found, part)) return undefined;
    found = (found as Record<string, unknown>)[part];
  }
  return found;
}

export function tasksOf({ record, snapshot }: OpenInstance): readonly TaskView[] {
  return activeStates(snapshot).flatMap((state): TaskView[] => {
    const { task } = (state.meta ?? {}) as Partial<StateMeta>;
    if (task === undefined) return [];
    const { context } = record.machine;
    const since = sinceOf(record, state.id);
    const dueAfter = task.due === undefined ? undefined : lookUp(context, task.due);
    return [
      {
        id: `${record.id}~${task.id}`,
        instanceId: record.id,
        rootId: rootOf(record.id),
        title: fill(task.title, context, 1),
        instructions: fill(task.instructions, context, 1),
        responsible: task.responsible,
        actions: task.actions,
        shows: Object.fromEntries(
          Object.entries(task.shows ?? {}).map(([label, path]) => [label, lookUp(context, path) ?? null]),
        ),
        since,
        dueAt: typeof dueAfter === 'number' && task.optional !== true ? since + dueAfter : null,
        escalatesTo: task.escalatesTo ?? null,
        verify: task.verify ?? null,
        evidence: task.evidence ?? [],
        optional: task.optional ?? false,
        subject: record.subject,
      },
    ];
  });
}
