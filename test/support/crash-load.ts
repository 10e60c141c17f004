/**
 * Orders at a steady pace while few enough are open: each is started and told to go, again and again until the API says
 * that it accepted it. Half are told early, and the signal waits; half once they wait for it. All the while those that are
 * open are taken to the second version, and those to which nothing has happened since are taken back.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { counted, groupsFor, type Store } from '../../engine/index.ts';
import type { Order } from './crash-verdict.ts';

export const API_KEY = 'wfk_admin_0123456789abcdef';

/** Open at once, children included: enough to be at work everywhere, on a slow machine too. */
const CROWD = 30;
const PLACE_EVERY_MS = 60;
const TELL_EVERY_MS = 50;
const ASK_AGAIN_MS = 20;
const MIGRATE_EVERY_MS = 80;
/** Instances moved by one call. */
const MOVED_AT_ONCE = 6;

export interface Migrated {
  /** Moves that were answered. */
  readonly told: number;
  /** The most that calls without an answer can have moved. */
  readonly doubtful: number;
  /** What the API said to a call that it should have taken. */
  readonly refusal?: string;
}

export interface Load {
  readonly migrated: () => Migrated;
  /** Places no more orders and resolves once every command is accepted; after `withinMs` with those that were not, too. */
  finish(withinMs: number): Promise<readonly Order[]>;
  /** Stops at once. */
  abandon(): Promise<void>;
}

export function startLoad(url: () => string, store: Store, prefix: string): Load {
  const orders: Order[] = [];
  const commands = new Set<Promise<void>>();
  const waiting = new Map<string, Order>();
  const over = new AbortController();
  const migrated: { told: number; doubtful: number; refusal?: string } = { told: 0, doubtful: 0 };
  let open = true;

  /** A command that is never accepted is told by the verdict on its order. */
  function keep(command: Promise<void>): void {
    const settled = command.catch(() => undefined).finally(() => commands.delete(settled));
    commands.add(settled);
  }
  async function go(order: Order): Promise<void> {
    await insist(url, `/v1/instances/${order.id}/signals`, 'go', { type: 'go' }, over.signal);
    order.accepted.add('go');
  }
  async function place(order: Order, early: boolean): Promise<void> {
    const body = { workflow: 'crash-trial', input: { order: order.name } };
    order.id = String((await insist(url, '/v1/instances', order.name, body, over.signal))['id']);
    order.accepted.add('start');
    if (early) await go(order);
    else waiting.set(order.id, order);
  }
  async function placeOrders(): Promise<void> {
    while (open) {
      await sleep(PLACE_EVERY_MS);
      const crowded = (await counted(store, { status: 'running', children: true })) >= CROWD;
      // Asked again: none may come in behind the last.
      if (crowded || !open) continue;
      const order: Order = { name: `${prefix}-${orders.length}`, id: null, accepted: new Set() };
      orders.push(order);
      keep(place(order, orders.length % 2 === 0));
    }
  }
  async function tellThoseWaiting(): Promise<void> {
    const awaiting = {
      anyOf: groupsFor({ workflow: 'crash-trial', state: 'awaiting', children: true }),
      ...{ limit: CROWD, before: null },
    };
    while (!over.signal.aborted && (open || commands.size > 0 || waiting.size > 0)) {
      for (const { id } of (await store.list(awaiting)).items) {
        const order = waiting.get(id);
        if (order !== undefined && waiting.delete(id)) keep(go(order));
      }
      await sleep(TELL_EVERY_MS);
    }
  }
  /** Until the last order is accepted. No call is repeated, for the next call takes what an unanswered one has left. */
  async function migrate(): Promise<void> {
    for (let turn = 1; !over.signal.aborted && (open || commands.size > 0); turn += 1) {
      const body = {
        ...{ version: 2, dryRun: false, undo: turn % 4 === 0 },
        ...{ limit: MOVED_AT_ONCE, reason: 'the crash matrix' },
      };
      const report = await post(`${url()}/v1/workflows/crash-trial/migrations`, {}, body, over.signal);
      if (report === 'lost') migrated.doubtful += MOVED_AT_ONCE;
      else if (report !== 'unsent') migrated.told += Number(report['moved']);
      await sleep(MIGRATE_EVERY_MS);
    }
  }
  const placing = placeOrders();
  const telling = tellThoseWaiting();
  const migrating = migrate().catch((error: unknown) => {
    migrated.refusal ??= String(error);
  });

  async function end(): Promise<void> {
    open = false;
    over.abort();
    await Promise.all([placing, telling, migrating, ...commands]);
  }
  return {
    migrated: () => migrated,
    async finish(withinMs) {
      open = false;
      const late = new AbortController();
      const deadline = sleep(withinMs, undefined, { signal: late.signal }).catch(() => undefined);
      await Promise.race([Promise.all([placing, telling]), deadline]);
      late.abort();
      await end();
      return orders;
    },
    abandon: end,
  };
}

/** As a careful client does: the same request under the same key until there is an answer. */
async function insist(
  url: () => string,
  path: string,
  key: string,
  body: object,
  over: AbortSignal,
): Promise<Record<string, unknown>> {
  for (;;) {
    over.throwIfAborted();
    const answer = await post(`${url()}${path}`, { 'Idempotency-Key': key }, body, over);
    if (typeof answer === 'object') return answer;
    await sleep(ASK_AGAIN_MS);
  }
}

/** `lost`: what it did is not known. `unsent`: nobody was there to ask. A refusal of the API is an error of this load. */
async function post(
  url: string,
  more: Readonly<Record<string, string>>,
  body: object,
  over: AbortSignal,
): Promise<Record<string, unknown> | 'lost' | 'unsent'> {
  const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${API_KEY}`, ...more };
  const signal = AbortSignal.any([over, AbortSignal.timeout(5_000)]);
  const request = { method: 'POST', headers, body: JSON.stringify(body), signal };
  const response = await fetch(url, request).catch((error: unknown) => {
    const { cause } = error as { readonly cause?: { readonly code?: string } };
    return cause?.code === 'ECONNREFUSED' ? ('unsent' as const) : ('lost' as const);
  });
  if (typeof response === 'string') return response;
  // A process that dies may have sent half of its answer.
  const answer = await response.json().catch(() => null);
  if (answer === null) return 'lost';
  if (response.ok) return answer as Record<string, unknown>;
  if ([400, 401, 403, 404, 422].includes(response.status)) throw new Error(JSON.stringify(answer));
  return 'lost';
}
