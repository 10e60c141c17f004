/** What must be true of the orders of a crash run once all of them are over. */

import { readEntry } from '../../engine/history.ts';
import type { HistoryEntry, Registry, Store } from '../../engine/index.ts';
import { readRecord } from '../../engine/stored.ts';
import { EFFECTS, ledgerOf } from './crash-machine.ts';
import { findDivergence } from './replay.ts';

/** What was asked of the API about one order, and which of it was accepted. */
export interface Order {
  readonly name: string;
  /** Known from the first answer on. */
  id: string | null;
  readonly accepted: Set<'start' | 'go'>;
}

export interface Judged {
  readonly effects: number;
  /** Times that an order was taken to another version. */
  readonly migrations: number;
  readonly problems: readonly string[];
}

/** Problems in words; none when every promise was kept. */
export async function judgeOrders(
  store: Store,
  registry: Registry,
  ledger: string,
  orders: readonly Order[],
): Promise<Judged> {
  const problems: string[] = [];
  let effects = 0;
  let migrations = 0;
  for (const order of orders) {
    const lines = ledgerOf(ledger, order.name);
    effects += lines.length;
    const history = order.id === null ? [] : await historyOf(store, order.id);
    migrations += versionsIn(history).length;
    const found = [...judgeLedger(lines), ...(await judgeInstance(store, registry, order, history))];
    problems.push(...found.map((problem) => `${order.name} (${order.id}): ${problem}`));
  }
  return { effects, migrations, problems };
}

function judgeLedger(lines: readonly string[]): string[] {
  const doubled = lines.filter((line, at) => lines.indexOf(line) !== at);
  const missing = EFFECTS.filter((effect) => !lines.includes(effect));
  return [
    ...doubled.map((effect) => `effect ${effect} happened twice`),
    ...missing.map((effect) => `effect ${effect} never happened`),
  ];
}

async function judgeInstance(
  store: Store,
  registry: Registry,
  order: Order,
  history: readonly HistoryEntry[],
): Promise<string[]> {
  if (order.id === null) return ['was never accepted'];
  if (history.length === 0) return ['was accepted and does not exist'];
  const problems: string[] = [];
  const gone = history.filter(({ event }) => event.kind === 'signal' && event.id === 'go');
  if (order.accepted.has('go') && gone.length === 0) problems.push('an accepted signal is in no history');
  if (gone.length > 1) problems.push(`a signal was applied ${gone.length} times`);
  problems.push(...judgeMigrations(history));
  const children = history.flatMap(({ effects = [] }) =>
    effects.flatMap((effect) => (effect.type === 'child-started' ? [effect.instanceId] : [])),
  );
  for (const id of [order.id, ...children]) {
    const stored = await store.load(id);
    const { status, attention, machine } = stored === null ? EMPTY : readRecord(stored);
    if (status !== 'completed' || machine.value !== 'done')
      problems.push(`${id} ended as ${status} in ${JSON.stringify(machine.value)}`);
    if (attention !== null) problems.push(`${id} asks for attention: ${attention.code}`);
    const divergence = await findDivergence(store, registry, id);
    if (divergence !== null) problems.push(`${id}: history and snapshot differ, ${divergence}`);
  }
  return problems;
}

const versionsIn = (history: readonly HistoryEntry[]): string[] =>
  history.flatMap(({ event }) => (event.kind === 'migrate' ? [event.to] : []));

/** There and back again, and never twice the same way: a migration repeated after a lost answer finds it moved. */
function judgeMigrations(history: readonly HistoryEntry[]): string[] {
  const path = ['crash-trial@1', ...versionsIn(history)];
  return path.flatMap((to, at) => (at > 0 && path[at - 1] === to ? [`was taken to ${to} from ${to}`] : []));
}

const EMPTY = { status: 'missing', attention: null, machine: { value: null } } as const;

async function historyOf(store: Store, id: string): Promise<readonly HistoryEntry[]> {
  return (await store.history(id, 0, 1_000)).map((line) => readEntry(line).entry);
}
