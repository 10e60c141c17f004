/** Engine views as the API shows them: ISO times, tasks with their forms, children looked into. */
import type { Client, InstanceView, TaskView } from '../engine/index.ts';
import type { Catalogue, JsonSchema } from './catalogue.ts';
import { iso } from './schemas.ts';

/** An instance with those of its children that are still there. */
export interface Tree {
  readonly view: InstanceView;
  readonly children: readonly {
    readonly actorId: string;
    readonly instanceId: string;
    readonly tree: Tree | null;
  }[];
}

/** Children deeper than this are not looked into. */
const MAX_DEPTH = 6;

export async function readTree(client: Client, view: InstanceView, depth = 0): Promise<Tree> {
  const children = await Promise.all(
    view.children.map(async ({ actorId, instanceId }) => {
      const child = depth < MAX_DEPTH ? await client.describe(instanceId) : null;
      return { actorId, instanceId, tree: child === null ? null : await readTree(client, child, depth + 1) };
    }),
  );
  return { view, children };
}

export function viewsOf({ view, children }: Tree): readonly InstanceView[] {
  return [view, ...children.flatMap(({ tree }) => (tree === null ? [] : viewsOf(tree)))];
}

/** Whoever needs a person comes first, then whoever waits for somebody, then the one that moved last. */
function innermostOf({ children }: Tree): InstanceView | null {
  const candidates = children.flatMap(({ tree }) =>
    tree === null ? [] : [{ tree, leaf: innermostOf(tree) ?? tree.view }],
  );
  const weight = (view: InstanceView) =>
    view.attention !== null ? 3 : view.tasks.length > 0 ? 2 : view.waitingOn !== null ? 1 : 0;
  const [first] = candidates.toSorted(
    (a, b) => weight(b.leaf) - weight(a.leaf) || b.leaf.updatedAt - a.leaf.updatedAt,
  );
  return first?.leaf ?? null;
}

export function summary(tree: Tree) {
  const { view } = tree;
  const all = viewsOf(tree);
  const inner = innermostOf(tree);
  return {
    id: view.id,
    rootId: view.rootId,
    parentId: view.parentId,
    workflow: view.workflow,
    version: view.version,
    title: view.title,
    subject: view.subject,
    revision: view.revision,
    status: view.status,
    sentence: view.sentence,
    waitingOn: view.waitingOn,
    innermost:
      inner === null ? null : { instanceId: inner.id, sentence: inner.sentence, waitingOn: inner.waitingOn },
    attention: attentionOf(view),
    rewound: view.rewound === null ? null : { since: iso(view.rewound.since), at: iso(view.rewound.at) },
    needs: {
      attention: all.filter(({ attention }) => attention !== null).length,
      tasks: all.reduce((sum, { tasks }) => sum + tasks.length, 0),
    },
    labels: view.labels,
    createdAt: iso(view.createdAt),
    updatedAt: iso(view.updatedAt),
    stateSince: iso(view.stateSince),
  };
}

function attentionOf({ attention }: InstanceView) {
  return attention === null ? null : { ...attention, at: iso(attention.at) };
}

export type PresentedInstance = ReturnType<typeof summary> & { readonly [field: string]: unknown };

/** `deep` puts the children's own views in. */
export function instance(tree: Tree, catalogue: Catalogue, deep: boolean): PresentedInstance {
  const { view } = tree;
  return {
    ...summary(tree),
    state: view.state,
    states: view.states,
    tags: view.tags,
    context: view.context ?? null,
    output: view.output ?? null,
    error: view.error ?? null,
    keys: view.keys,
    accepts: view.accepts,
    activities: view.activities.map((activity) => ({
      ...activity,
      lastFailure:
        activity.lastFailure === null
          ? null
          : {
              kind: activity.lastFailure.kind,
              code: activity.lastFailure.code,
              message: activity.lastFailure.message,
              at: iso(activity.lastFailure.at),
            },
    })),
    timers: view.timers.map((timer) => ({ ...timer, fireAt: iso(timer.fireAt) })),
    deferred: view.deferred.map((item) => ({ ...item, at: iso(item.at) })),
    quarantine: view.quarantine.map((item) => ({ ...item, at: iso(item.at) })),
    tasks: view.tasks.map((open) => task(open, view, catalogue, view.subject)),
    children: tree.children.map((child) => ({
      actorId: child.actorId,
      instanceId: child.instanceId,
      instance: deep && child.tree !== null ? instance(child.tree, catalogue, true) : null,
    })),
  };
}

/** A task with the form of each action, filled with what the task shows: what is approved is what was seen. */
export function task(open: TaskView, view: InstanceView, catalogue: Catalogue, subject: string | null) {
  const declared = catalogue.task(view, open.id.slice(open.instanceId.length + 1));
  const shown = new Map(
    Object.entries(declared?.shows ?? {}).map(([label, path]) => [
      path.slice(path.lastIndexOf('.') + 1),
      open.shows[label],
    ]),
  );
  return {
    id: open.id,
    instanceId: open.instanceId,
    rootId: open.rootId,
    subject: open.subject ?? subject,
    title: open.title,
    instructions: open.instructions,
    responsible: open.responsible,
    shows: open.shows,
    since: iso(open.since),
    dueAt: open.dueAt === null ? null : iso(open.dueAt),
    escalatesTo: open.escalatesTo,
    verify: open.verify,
    evidence: [...open.evidence],
    optional: open.optional,
    reveals: declared?.reveals ?? null,
    actions: open.actions.map((action) => {
      const fields = catalogue.fields(view, action.signal);
      return {
        name: action.name,
        label: action.label,
        signal: action.signal,
        reasonRequired: action.reasonRequired ?? false,
        fields,
        prefill: prefill(fields, shown),
      };
    }),
  };
}

function prefill(fields: JsonSchema | null, shown: ReadonlyMap<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.keys(fields?.properties ?? {}).flatMap((name) => {
      const value = shown.get(name);
      return value === undefined || value === null ? [] : [[name, value]];
    }),
  );
}
