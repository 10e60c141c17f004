/**
 * The store in memory: for tests, the simulator and a first look. It keeps the same contract as the Redis store, over
 * a clock that is handed in, and forgets everything when the process ends.
 */
import type {
  ClaimedInstance,
  CommitEntry,
  CommitReply,
  DueOutbox,
  DueTimer,
  HeldClaim,
  ListedInstance,
  ListQuery,
  ParkedSignal,
  PausedQueue,
  Store,
} from './store.ts';
import { disownedBy, isOlder, shardOf } from './store.ts';

interface StoredRow {
  revision: number;
  body: string;
  context: string;
  readonly history: string[];
  readonly signals: Map<string, string>;
  readonly secrets: Map<string, string>;
  readonly progress: Map<string, string>;
}

/** What one worker gave back is not handed to it again at once. */
const UNCLAIM_DELAY_MS = 1_000;

export interface MemoryStoreOptions {
  /** Store time in ms. */
  readonly now: () => number;
  readonly shards?: number;
}

export function createMemoryStore({ now, shards = 1 }: MemoryStoreOptions): Store {
  const rows = new Map<string, StoredRow>();
  const timers = new Map<string, number>();
  const outbox = new Map<string, { due: number; body: string | null }>();
  const claims = new Map<string, string>();
  const indexes = new Map<string, Map<string, number>>();
  const leases = new Map<string, number>();
  const keys = new Map<string, Set<string>>();
  const parked = new Map<string, ParkedSignal>();
  const came = new Set<string>();
  const queues = new Map<string, PausedQueue>();
  const shapes = new Map<string, string>();
  const listeners = new Set<(shard: number) => void>();
  let wakes = 0;
  let tick = 0;

  const shard = (id: string): number => shardOf(id, shards);
  const index = (name: string): Map<string, number> => {
    const found = indexes.get(name) ?? new Map<string, number>();
    indexes.set(name, found);
    return found;
  };

  function apply(entry: CommitEntry): CommitReply {
    const id = entry.instanceId;
    const row = rows.get(id);
    if (entry.expectedRevision === 0 && row !== undefined) return { status: 'exists' };
    if ((row?.revision ?? 0) !== entry.expectedRevision) return { status: 'conflict' };
    if (entry.signal !== null && row?.signals.has(entry.signal.id)) return { status: 'conflict' };
    if (entry.notBefore !== null && now() < entry.notBefore) return { status: 'early' };
    write(
      entry,
      row ?? {
        revision: 0,
        body: '',
        context: '',
        history: [],
        signals: new Map(),
        secrets: new Map(),
        progress: new Map(),
      },
    );
    return { status: 'ok' };
  }

  function write(entry: CommitEntry, row: StoredRow): void {
    const id = entry.instanceId;
    rows.set(id, row);
    row.revision = entry.expectedRevision + 1;
    row.body = entry.body;
    row.context = entry.context ?? row.context;
    row.history.push(entry.historyLine);
    if (entry.signal !== null) row.signals.set(entry.signal.id, entry.signal.outcome);
    for (const [name, sealed] of entry.secrets.set) row.secrets.set(name, sealed);
    for (const name of entry.secrets.drop) row.secrets.delete(name);
    for (const token of entry.forget) row.progress.delete(token);
    for (const token of entry.timers.clear) timers.delete(`${id}|${token}`);
    for (const [token, fireAt] of entry.timers.set) timers.set(`${id}|${token}`, fireAt);
    for (const token of entry.claims.drop) claims.delete(`${id}|${token}`);
    for (const item of entry.outbox.drop) outbox.delete(item);
    for (const item of entry.outbox.add) {
      const token = item.id.startsWith('a|') ? item.id.split('|')[2] : undefined;
      if (token !== undefined && claims.has(`${id}|${token}`)) continue;
      outbox.set(item.id, { due: now() + item.delayMs, body: item.body });
    }
    for (const request of entry.claims.add) claims.set(`${id}|${request.token}`, request.worker);
    for (const name of entry.indexes.drop) index(name).delete(id);
    for (const name of entry.indexes.add) index(name).set(id, entry.indexes.score);
    if (entry.remove === true) rows.delete(id);
    if (entry.wake) wakeOne(shard(id));
  }

  /** One listener after the other. */
  function wakeOne(at: number): void {
    wakes += 1;
    [...listeners][wakes % listeners.size]?.(at);
  }

  /** Members of one shard that are due, in order of (score, member). */
  function takeDue(
    set: Iterable<readonly [string, number]>,
    instanceOf: (member: string) => string | undefined,
    at: number,
    limit: number,
  ): string[] {
    return [...set]
      .filter(([member, due]) => shard(instanceOf(member) ?? '') === at && due <= now())
      .sort(([a, dueA], [b, dueB]) => dueA - dueB || (a < b ? -1 : 1))
      .slice(0, limit)
      .map(([member]) => member);
  }

  /** Claims a due activity for a worker that has room for it. */
  function take(id: string, worker: string, room: Map<string, number>): ClaimedInstance | undefined {
    const [kind, instanceId = '', token = '', queue = ''] = id.split('|');
    const left = room.get(queue) ?? 0;
    const row = rows.get(instanceId);
    if (kind !== 'a' || left < 1 || row === undefined || claims.has(`${instanceId}|${token}`))
      return undefined;
    room.set(queue, left - 1);
    outbox.delete(id);
    claims.set(`${instanceId}|${token}`, worker);
    const { revision, body, context } = row;
    return { revision, progress: row.progress.get(token) ?? null, stored: { revision, body, context } };
  }

  return {
    shards,
    shardOf: shard,
    now,
    async load(instanceId, signalId) {
      const row = rows.get(instanceId);
      if (row === undefined) return null;
      const seen = signalId === undefined ? null : (row.signals.get(signalId) ?? null);
      return { revision: row.revision, body: row.body, context: row.context, seen };
    },
    async commit(entry) {
      return apply(entry);
    },
    async history(instanceId, from, limit) {
      return rows.get(instanceId)?.history.slice(from, from + limit) ?? [];
    },
    async secret(instanceId, name) {
      return rows.get(instanceId)?.secrets.get(name) ?? null;
    },
    async claim(instanceId, outboxId, request) {
      const field = `${instanceId}|${request.token}`;
      const held = claims.get(field);
      if (held !== undefined && held !== request.worker) return null;
      if (held === undefined) {
        if (!outbox.delete(outboxId)) return null;
        claims.set(field, request.worker);
      }
      const row = rows.get(instanceId);
      if (row === undefined) return null;
      const { revision, body, context } = row;
      return {
        revision,
        progress: row.progress.get(request.token) ?? null,
        stored: revision === request.known ? null : { revision, body, context },
      };
    },
    async unclaim(instanceId, token, worker, outboxId) {
      if (claims.get(`${instanceId}|${token}`) !== worker) return;
      claims.delete(`${instanceId}|${token}`);
      if (outboxId !== null) outbox.set(outboxId, { due: now() + UNCLAIM_DELAY_MS, body: null });
    },
    async disown(instanceId, token, worker) {
      if (claims.get(`${instanceId}|${token}`) === worker)
        claims.set(`${instanceId}|${token}`, disownedBy(worker));
    },
    async heartbeat(instanceId, token, worker, progress) {
      if (claims.get(`${instanceId}|${token}`) !== worker) return false;
      rows.get(instanceId)?.progress.set(token, progress);
      return true;
    },
    async lostClaims(worker, held) {
      return held
        .map(({ instanceId, token }) => `${instanceId}|${token}`)
        .filter((field) => claims.get(field) !== worker);
    },
    async claims(at) {
      return [...claims]
        .map(([field, worker]): HeldClaim => {
          const cut = field.lastIndexOf('|');
          return { instanceId: field.slice(0, cut), token: field.slice(cut + 1), worker };
        })
        .filter(({ instanceId }) => shard(instanceId) === at);
    },
    async dueTimers(at, limit, hideMs) {
      const due = takeDue(timers, (member) => member.split('|')[0], at, limit);
      for (const member of due) timers.set(member, now() + hideMs);
      const left = [...timers]
        .filter(([member]) => shard(member.slice(0, member.lastIndexOf('|'))) === at)
        .map(([, score]) => score);
      const found = due.map((member): DueTimer => {
        const cut = member.lastIndexOf('|');
        return { instanceId: member.slice(0, cut), token: member.slice(cut + 1) };
      });
      return { timers: found, nextDue: left.length === 0 ? null : Math.min(...left) };
    },
    async dropTimer(instanceId, token) {
      timers.delete(`${instanceId}|${token}`);
    },
    async releaseTimers(_shard, released, delayMs) {
      for (const { instanceId, token } of released) {
        const member = `${instanceId}|${token}`;
        if (timers.has(member)) timers.set(member, now() + delayMs);
      }
    },
    async dueOutbox(at, limit, hideMs, taking) {
      const due = takeDue(
        [...outbox].map(([id, { due: ms }]) => [id, ms] as const),
        (id) => id.split('|')[1],
        at,
        limit,
      );
      const room = new Map(taking?.room ?? []);
      return due.map((id): DueOutbox => {
        const claimed = taking === undefined ? undefined : take(id, taking.worker, room);
        if (claimed !== undefined) return { id, body: null, claimed };
        const body = outbox.get(id)?.body ?? null;
        outbox.set(id, { due: now() + hideMs, body });
        return { id, body };
      });
    },
    async ackOutbox(_shard, ids) {
      for (const id of ids) outbox.delete(id);
    },
    async releaseOutbox(_shard, id, delayMs) {
      const entry = outbox.get(id);
      if (entry !== undefined) outbox.set(id, { ...entry, due: now() + delayMs });
    },
    async missing(instanceId, needs) {
      return needs.filter((need) => {
        const field = `${instanceId}|${need.token}`;
        return need.kind === 'timer' ? !timers.has(field) : !outbox.has(need.outboxId) && !claims.has(field);
      });
    },
    async putBack(instanceId, needs) {
      for (const need of needs) {
        const field = `${instanceId}|${need.token}`;
        if (need.kind === 'timer' && !timers.has(field)) timers.set(field, need.fireAt);
        if (need.kind === 'activity' && !outbox.has(need.outboxId))
          outbox.set(need.outboxId, { due: now(), body: null });
      }
    },
    async renewLease(worker, ttlMs) {
      leases.set(worker, now() + ttlMs);
      tick += 1;
      return { epoch: 'memory', tick };
    },
    async dropLease(worker) {
      leases.delete(worker);
    },
    async liveWorkers() {
      return [...leases].filter(([, until]) => until > now()).map(([worker]) => worker);
    },
    async register(key, instanceId) {
      keys.set(key, (keys.get(key) ?? new Set()).add(instanceId));
      return [...parked.values()].filter((signal) => signal.key === key);
    },
    async unregister(key, instanceId) {
      keys.get(key)?.delete(instanceId);
    },
    async route(key, signal) {
      const found = [...(keys.get(key) ?? [])];
      const field = `${key}\n${signal.id}`;
      const waits = found.length === 0 && parked.has(field);
      if (found.length === 0 && came.has(field) && !waits) return null;
      came.add(field);
      if (found.length === 0 && !waits) {
        parked.set(field, { key, signalId: signal.id, body: signal.body, at: now() });
      }
      return found;
    },
    async holders(key) {
      return [...(keys.get(key) ?? [])];
    },
    async unpark(key, signalId) {
      parked.delete(`${key}\n${signalId}`);
    },
    async parked(limit, before = Number.POSITIVE_INFINITY) {
      return [...parked.values()]
        .filter(({ at }) => at < before)
        .sort((a, b) => b.at - a.at)
        .slice(0, limit);
    },
    async list({ anyOf, limit, before, since }: ListQuery) {
      const items = anyOf
        .flatMap((names) => common(names.map(index)))
        .filter((item) => (before === null || isOlder(item, before)) && item.score >= (since ?? -Infinity))
        .sort((a, b) => (isOlder(a, b) ? 1 : -1))
        .slice(0, limit);
      return { items, next: items.length === limit ? (items.at(-1) ?? null) : null };
    },
    async count(name) {
      return index(name).size;
    },
    async recordDefinitions(recorded) {
      for (const [ref, shape] of recorded) shapes.set(ref, shape);
    },
    async definitions() {
      return [...shapes];
    },
    async pauseQueue(paused) {
      queues.set(paused.queue, { ...paused, at: now() });
    },
    async resumeQueue(queue) {
      queues.delete(queue);
    },
    async pausedQueues() {
      return [...queues.values()];
    },
    async onWake(listener) {
      listeners.add(listener);
      return async () => void listeners.delete(listener);
    },
    async close() {},
  };
}

function common([lead, ...others]: readonly ReadonlyMap<string, number>[]): ListedInstance[] {
  return [...(lead ?? [])]
    .filter(([id]) => others.every((other) => other.has(id)))
    .map(([id, score]) => ({ id, score }));
}
