/** The closing report of an instance: what came of it, and who decided what and when. Pure: from output and history. */
import type { InstanceView } from '../engine/index.ts';
import { activityContracts } from '../workflows/index.ts';
import type { OnboardManyOutput } from '../workflows/onboard-many.ts';
import type { ClosingReport } from '../workflows/report.ts';
import { childrenOf, type HistoryLine, humanise } from './history-words.ts';
import { iso } from './schemas.ts';

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Report {
  readonly instanceId: string;
  readonly title: string;
  readonly subject: string | null;
  readonly outcome: string;
  readonly startedAt: string;
  readonly startedBy: string | null;
  readonly closedAt: string;
  /** What people decided or said. */
  readonly decisions: readonly {
    readonly at: string;
    readonly by: string;
    readonly what: string;
    readonly said: string;
    readonly reason: string | null;
  }[];
  /** What was changed at Microsoft's, and mails sent. */
  readonly changes: readonly { readonly at: string; readonly what: string }[];
  readonly tables: readonly Table[];
  /** The workflow's own output, for programs. */
  readonly output: unknown;
}

/**
 * `lines`: the history of the instance and of all it started, oldest first. Of a list only its own: the report names the
 * instance of each row, which has a report of its own.
 */
export function reportOf(view: InstanceView, lines: readonly HistoryLine[]): Report {
  const own = lines.filter(({ instanceId }) => instanceId === view.id);
  const start = lines.find(({ instanceId, entry }) => instanceId === view.id && entry.event.kind === 'start');
  return {
    instanceId: view.id,
    title: view.title,
    subject: view.subject,
    outcome: outcomeOf(view),
    startedAt: iso(view.createdAt),
    startedBy: start?.entry.by?.id ?? null,
    closedAt: iso(view.updatedAt),
    decisions: lines.flatMap(decisionOf),
    changes: changesOf(lines),
    tables: tablesOf(view.output, own),
    output: view.output ?? null,
  };
}

function outcomeOf({ output, status }: InstanceView): string {
  const said = (output as { readonly outcome?: unknown } | null | undefined)?.outcome;
  return typeof said === 'string' ? said : status;
}

function decisionOf({ entry, words, workflow }: HistoryLine): Report['decisions'] {
  const { by, event, at, reason } = entry;
  const person = by !== undefined && ['api-key', 'person'].includes(by.kind);
  if (!person || event.kind === 'start') return [];
  const { type: _, by: __, ...said } = event.kind === 'signal' ? event.event : { type: '' };
  return [
    { at: iso(at), by: by.id, what: `${workflow}: ${words}`, said: spoken(said), reason: reason ?? null },
  ];
}

const EFFECTFUL = new Map(
  activityContracts.filter(({ effectful }) => effectful).map(({ name, description }) => [name, description]),
);

function changesOf(lines: readonly HistoryLine[]): Report['changes'] {
  const names = new Map<string, string>();
  return lines.flatMap(({ instanceId, workflow, entry: { event, effects, at } }) => {
    for (const effect of effects ?? [])
      if (effect.type === 'activity-scheduled') names.set(`${instanceId} ${effect.token}`, effect.activity);
    if (event.kind !== 'activity.done') return [];
    const done = EFFECTFUL.get(names.get(`${instanceId} ${event.token}`) ?? '');
    return done === undefined ? [] : [{ at: iso(at), what: `${workflow}: ${done}` }];
  });
}

export function isList(output: unknown): output is OnboardManyOutput {
  return typeof output === 'object' && output !== null && 'rows' in output && 'counts' in output;
}

function tablesOf(output: unknown, own: readonly HistoryLine[]): readonly Table[] {
  if (typeof output !== 'object' || output === null) return [];
  if (isList(output))
    return listTables(
      output,
      new Map(childrenOf(own).map(({ actorId, instanceId }) => [actorId, instanceId])),
    );
  return 'ordered' in output && 'granted' in output ? closingTables(output as ClosingReport) : [];
}

function closingTables(report: ClosingReport): readonly Table[] {
  const { granted, ordered, assigned, verified } = report;
  const tables: readonly Table[] = [
    {
      title: 'Conditions',
      columns: ['Condition', 'How', 'Evidence'],
      rows: report.prerequisites.map(({ condition, how, evidence }) => [humanise(condition), how, evidence]),
    },
    {
      title: 'Granted',
      columns: ['What', 'Answer'],
      rows: [
        ['Reseller relationship accepted in this onboarding', yes(granted.commerce)],
        ['Admin relationship', granted.admin ? (granted.relationshipId ?? 'yes') : 'no'],
        ['Security groups with access', granted.groupIds.join(', ')],
      ],
    },
    {
      title: 'Ordered',
      columns: ['Order', 'Placed', 'Total'],
      rows: ordered.orders.map(({ orderId, placedAt, totalPrice, currency }) => [
        orderId,
        placedAt,
        totalPrice === null ? '' : `${totalPrice} ${currency ?? ''}`.trim(),
      ]),
    },
    {
      title: 'Lines ordered',
      columns: ['Product', 'Licences'],
      rows: [
        ...ordered.lines.map(({ name, quantity }) => [name, String(quantity)]),
        ...(ordered.seats === null
          ? []
          : [[`Seats of ${ordered.seats.subscriptionId}`, `${ordered.seats.from} to ${ordered.seats.to}`]]),
      ],
    },
    {
      title: `Licences assigned: ${assigned.assigned} now, ${assigned.already} held before, ${assigned.failed} failed, ${assigned.pending} pending`,
      columns: ['User', 'Outcome', 'Why'],
      rows: assigned.outcomes.map(({ userPrincipalName, outcome, message }) => [
        userPrincipalName,
        outcome,
        message ?? '',
      ]),
    },
    {
      title: 'Verified by Microsoft’s API',
      columns: ['What', 'Found'],
      rows: [
        ...verified.subscriptions.map(({ name, quantity }) => [name, `${quantity} licences active`]),
        ...(verified.tenant === null ? [] : [['Tenant', spoken(verified.tenant)]]),
        ...(verified.sync === null ? [] : [['Synchronisation', spoken(verified.sync)]]),
      ],
    },
    {
      title: 'Attested by people; no API can verify it',
      columns: ['What', 'Evidence'],
      rows: report.attested.map(({ what, evidence }) => [humanise(what), evidence]),
    },
    {
      title: 'Can be given back until',
      columns: ['Subscription', 'Until'],
      rows: report.undo.map(({ name, until }) => [name, until]),
    },
    { title: 'Left behind', columns: ['What stays'], rows: report.leftBehind.map((what) => [what]) },
  ];
  return tables.filter(({ rows }) => rows.length > 0);
}

function listTables(
  { rows, counts }: OnboardManyOutput,
  children: ReadonlyMap<string, string>,
): readonly Table[] {
  return [
    {
      title: 'Onboardings',
      columns: ['Ended as', 'How many'],
      rows: Object.entries(counts).map(([state, count]) => [humanise(state), String(count)]),
    },
    {
      title: 'Rows',
      columns: ['Line', 'Customer', 'Path', 'Ended as', 'Tenant', 'Orders', 'Why', 'Instance'],
      rows: rows.map(({ line, name, path, state, tenantId, orderIds, why }) => [
        String(line),
        name,
        path ?? '',
        humanise(state),
        tenantId ?? '',
        orderIds.join(', '),
        why ?? '',
        children.get(`row-${line}`) ?? '',
      ]),
    },
  ];
}

const yes = (value: boolean) => (value ? 'yes' : 'no');

/** A plain value in words: `cartId: c-1; lines: 2 entries`. */
function spoken(value: object): string {
  return Object.entries(value)
    .flatMap(([name, inner]) => {
      if (inner === null || inner === undefined || inner === '') return [];
      if (Array.isArray(inner))
        return [
          `${humanise(name)}: ${inner.every((one) => typeof one !== 'object') ? inner.join(', ') : `${inner.length} entries`}`,
        ];
      return [`${humanise(name)}: ${typeof inner === 'object' ? JSON.stringify(inner) : String(inner)}`];
    })
    .join('; ');
}
