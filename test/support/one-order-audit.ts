/** Three accounts of the same orders: Microsoft's books, the histories in our store, and what our API says. */
import type { Client, HistoryEntry } from '../../engine/index.ts';

export interface Apart {
  readonly root: string;
  readonly what: string;
}

export interface Audit {
  /** Onboardings whose one tenant and one order stand alike in all three accounts. */
  readonly agreeing: number;
  readonly ordersPlaced: number;
  readonly tenantsCreated: number;
  /** Attempts at a checkout or a creation whose outcome the engine did not know, by the histories. */
  readonly unknownOutcomes: number;
  /** Attempts that died with their worker, by the histories. */
  readonly lostAttempts: number;
  /** Tenants with more than one order, domains with more than one tenant. */
  readonly duplicates: readonly string[];
  /** Orders and tenants in the books that no history knows. */
  readonly orphans: readonly string[];
  /** Where two accounts differ. */
  readonly apart: readonly Apart[];
  readonly brokenHistories: readonly string[];
}

interface Books {
  readonly tenantsCreated: readonly string[];
  readonly customers: readonly { readonly tenantId: string; readonly domain: string }[];
  readonly orders: readonly {
    readonly id: string;
    readonly customerId: string;
    readonly lines: readonly { readonly quantity: number }[];
  }[];
}

export interface AuditOptions {
  readonly roots: readonly string[];
  /** Seats of the one line each ordered. */
  readonly seats: number;
  readonly books: Books;
  readonly client: Client;
  ask(path: string): Promise<{ readonly status: number; readonly body: unknown }>;
}

/** What one account says of one onboarding. */
interface Account {
  readonly tenants: readonly string[];
  readonly orders: readonly string[];
}

export async function auditOrders({ roots, seats, books, client, ask }: AuditOptions): Promise<Audit> {
  const apart: Apart[] = [];
  const brokenHistories: string[] = [];
  const told = { tenants: new Set<string>(), orders: new Set<string>(), unknown: 0, lost: 0 };
  let agreeing = 0;
  for (const root of roots) {
    const history = await readTree(client, root, brokenHistories);
    const ours = historyAccount(history);
    const [tenant = 'none'] = ours.tenants;
    const theirs = booksAccount(books, tenant);
    const said = apiAccount((await ask(`/v1/instances/${root}`)).body);
    for (const id of ours.tenants) told.tenants.add(id);
    for (const id of ours.orders) told.orders.add(id);
    told.unknown += doubted(history);
    told.lost += history.filter(({ entry }) => entry.event.kind === 'activity.lost').length;
    const wrong = differences(ours, theirs, said);
    apart.push(...wrong.map((what) => ({ root, what })));
    if (wrong.length === 0) agreeing += 1;
  }
  return {
    agreeing,
    ordersPlaced: books.orders.length,
    tenantsCreated: books.tenantsCreated.length,
    unknownOutcomes: told.unknown,
    lostAttempts: told.lost,
    duplicates: [
      ...repeated(books.orders.map(({ customerId }) => customerId)),
      ...repeated(books.customers.map(({ domain }) => domain)),
      ...books.orders.flatMap(({ id, lines }) =>
        lines.length === 1 && lines[0]?.quantity === seats ? [] : [id],
      ),
    ],
    orphans: [
      ...books.orders.flatMap(({ id }) => (told.orders.has(id) ? [] : [id])),
      ...books.tenantsCreated.filter((id) => !told.tenants.has(id)),
    ],
    apart,
    brokenHistories,
  };
}

interface Told {
  readonly instanceId: string;
  readonly entry: HistoryEntry;
  /** The activity the entry is about. */
  readonly activity: string | null;
}

/** The entries of an instance and of all that ever hung below it. */
async function readTree(client: Client, instanceId: string, broken: string[]): Promise<readonly Told[]> {
  if (!(await client.verifyHistory(instanceId)).intact) broken.push(instanceId);
  const entries = await client.history(instanceId, { limit: 1_000 });
  const effects = entries.flatMap((entry) => entry.effects ?? []);
  const names = new Map(
    effects.flatMap((effect) =>
      effect.type === 'activity-scheduled' ? [[effect.token, effect.activity] as const] : [],
    ),
  );
  const below: (readonly Told[])[] = [];
  for (const effect of effects) {
    if (effect.type === 'child-started') below.push(await readTree(client, effect.instanceId, broken));
  }
  const own = entries.map((entry): Told => {
    const token = 'token' in entry.event ? entry.event.token : undefined;
    return { instanceId, entry, activity: token === undefined ? null : (names.get(token) ?? null) };
  });
  return [...own, ...below.flat()];
}

function outputsOf(history: readonly Told[], activity: string): readonly Record<string, unknown>[] {
  return history.flatMap(({ entry, activity: name }) =>
    name === activity && entry.event.kind === 'activity.done'
      ? [entry.event.output as Record<string, unknown>]
      : [],
  );
}

function historyAccount(history: readonly Told[]): Account {
  const placed = [...outputsOf(history, 'checkoutCart'), ...outputsOf(history, 'findOrder')];
  const orders = placed.flatMap((output) => (output['orders'] as { orderId: string }[] | undefined) ?? []);
  const tenants = outputsOf(history, 'createCustomer').map((output) => String(output['customerId']));
  return { tenants: distinct(tenants), orders: distinct(orders.map(({ orderId }) => orderId)) };
}

function booksAccount(books: Books, tenant: string): Account {
  return {
    tenants: books.tenantsCreated.filter((id) => id === tenant),
    orders: books.orders.filter(({ customerId }) => customerId === tenant).map(({ id }) => id),
  };
}

function apiAccount(body: unknown): Account {
  const { status, output } = body as {
    readonly status: string;
    readonly output: {
      readonly customer?: { readonly tenantId: string | null };
      readonly ordered?: { readonly orders: readonly { readonly orderId: string }[] } | null;
    } | null;
  };
  const tenant = status === 'completed' ? (output?.customer?.tenantId ?? null) : null;
  return {
    tenants: tenant === null ? [] : [tenant],
    orders: (output?.ordered?.orders ?? []).map(({ orderId }) => orderId),
  };
}

function differences(ours: Account, theirs: Account, said: Account): readonly string[] {
  const accounts = { history: ours, books: theirs, API: said };
  const wrong: string[] = [];
  for (const part of ['tenants', 'orders'] as const) {
    const lists = Object.entries(accounts).map(
      ([who, account]) => [who, [...account[part]].sort().join(',')] as const,
    );
    const alike = new Set(lists.map(([, ids]) => ids)).size === 1;
    if (!alike || ours[part].length !== 1)
      wrong.push(`${part}: ${lists.map(([who, ids]) => `${who} ${ids || 'none'}`).join('; ')}`);
  }
  return wrong;
}

/** Attempts at one of the two dear calls after which nobody knew what came of it. */
function doubted(history: readonly Told[]): number {
  return history.filter(
    ({ entry: { event }, activity }) =>
      (activity === 'checkoutCart' || activity === 'createCustomer') &&
      (event.kind === 'activity.lost' ||
        (event.kind === 'activity.failed' && event.failure.kind === 'unknown')),
  ).length;
}

const distinct = (ids: readonly string[]): string[] => [...new Set(ids)];
const repeated = (ids: readonly string[]): string[] =>
  distinct(ids.filter((id, at) => ids.indexOf(id) !== at));
