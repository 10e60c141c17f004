/**
 * Every durable key, named once. All keys of a shard share the hash tag `{<namespace>:s<shard>}`, so that one script
 * may touch them on Redis Cluster; the few that belong to no instance are under `{<namespace>:meta}`.
 *
 * Per instance: `i:<id>` list: body, context, then a history line a revision, so that it is one key and one stretch of
 * memory. `x:<id>` hash, where it has any: `sig:<signal id>` outcome, `sec:<name>` sealed secret, `p:<token>` progress.
 * Per shard: `timers` zset (`<id>|<token>` by due ms), `outbox` zset (entry id by due ms), `bodies` hash (entry id to
 * body), `claims` hash (`<id>|<token>` to worker), `reply:<client>` strings (a client's last batch and its answer, kept
 * for a day), `ix:<index>` zsets (id by creation ms; a large one is in pieces, `piece:<bound>:<index>` under
 * `bounds:<index>`: `scripts/index.lua`), `k:<key>` sets of ids, `pk:<key>` hashes of parked signals, `parked` zset
 * (`<key>\n<signal id>` by ms), `came:<key>\n<signal id>` marks that last a week.
 */
export interface ShardKeys {
  readonly prefix: string;
  readonly timers: string;
  readonly outbox: string;
  readonly bodies: string;
  readonly claims: string;
  readonly parked: string;
  reply(client: string): string;
  instance(id: string): string;
  /** What it has beside its record and history. */
  extras(id: string): string;
  index(name: string): string;
  key(key: string): string;
  parkedUnder(key: string): string;
  came(key: string, signalId: string): string;
}

export function shardKeys(namespace: string, shard: number): ShardKeys {
  const prefix = `{${namespace}:s${shard}}:`;
  return {
    prefix,
    timers: `${prefix}timers`,
    outbox: `${prefix}outbox`,
    bodies: `${prefix}bodies`,
    claims: `${prefix}claims`,
    parked: `${prefix}parked`,
    reply: (client) => `${prefix}reply:${client}`,
    instance: (id) => `${prefix}i:${id}`,
    extras: (id) => `${prefix}x:${id}`,
    index: (name) => `${prefix}ix:${name}`,
    key: (key) => `${prefix}k:${key}`,
    parkedUnder: (key) => `${prefix}pk:${key}`,
    came: (key, signalId) => `${prefix}came:${key}\n${signalId}`,
  };
}

export interface MetaKeys {
  /** Zset: worker to lease expiry ms. */
  readonly leases: string;
  /**
   * Hash: `id` of this store's birth or last acceptance, `tick` rising with every lease renewal and `at`, the ms of the
   * last one, `shards` it was made with, `rewound` once it has lost what it had answered, `accepted:<id>` for each store
   * that an operator let this one stand for, `loss:<id>` (`since|at`, ms) while instances wait to be marked after that.
   */
  readonly epoch: string;
  /** Written to see whether the store takes writes. */
  readonly written: string;
  /** Hash: queue to why it is paused. */
  readonly queues: string;
  /** Hash: `name@version` to the shape in which it last ran. */
  readonly definitions: string;
  /**
   * Pub/sub channel: shard numbers with work in their outbox. Each worker listens on one of its own as well,
   * `<wake>:<any id>`, so that one can be woken and the rest left alone.
   */
  readonly wake: string;
}

export function metaKeys(namespace: string): MetaKeys {
  const prefix = `{${namespace}:meta}:`;
  return {
    leases: `${prefix}leases`,
    epoch: `${prefix}epoch`,
    written: `${prefix}written`,
    queues: `${prefix}queues`,
    definitions: `${prefix}definitions`,
    wake: `${namespace}:wake`,
  };
}
