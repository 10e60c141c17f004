/**
 * A process's wire to the store. Commands arrive in the order they were sent, as on one connection; a reply may be lost
 * and its command sent again (with the same commit id), be refused, come late, or never be heard of.
 */
import { createGroupCommit } from '../../engine/redis/group-commit.ts';
import { shardKeys } from '../../engine/redis/keys.ts';
import { createStoreClock } from '../../engine/redis/store-clock.ts';
import type { CommitEntry, Store } from '../../engine/store.ts';
import { AppError } from '../../shared/errors.ts';
import type { Agenda } from './agenda.ts';
import type { Chance } from './chance.ts';
import type { Plant } from './plants.ts';
import type { Process } from './process.ts';
import type { StoreServer } from './server.ts';
import type { Weather } from './weather.ts';

export interface LinkOptions {
  readonly process: Process;
  readonly server: StoreServer;
  readonly agenda: Agenda;
  readonly chance: Chance;
  readonly weather: Weather;
  readonly plant: Plant | null;
  /** Commits ride together, as over Redis; else each goes alone. */
  readonly groups: boolean;
  readonly onRewound: () => void;
  /** Only for planted faults. */
  readonly tamper: (entry: CommitEntry) => CommitEntry;
}

type Remote = Exclude<keyof Store, 'shards' | 'shardOf' | 'now' | 'commit' | 'onWake' | 'close'>;

/** Every call of the port that crosses the wire as it is; one added there and not here does not compile. */
const REMOTE: Readonly<Record<Remote, true>> = {
  load: true,
  history: true,
  secret: true,
  claim: true,
  unclaim: true,
  disown: true,
  heartbeat: true,
  lostClaims: true,
  claims: true,
  dueTimers: true,
  dropTimer: true,
  releaseTimers: true,
  dueOutbox: true,
  ackOutbox: true,
  releaseOutbox: true,
  missing: true,
  putBack: true,
  renewLease: true,
  dropLease: true,
  liveWorkers: true,
  register: true,
  unregister: true,
  route: true,
  holders: true,
  unpark: true,
  parked: true,
  list: true,
  count: true,
  pauseQueue: true,
  resumeQueue: true,
  pausedQueues: true,
  recordDefinitions: true,
  definitions: true,
};

/** The longest a reply lies about. */
const LATE_MS = 3_000;
/** A connection is back, and what had no answer is sent again, within this. */
const RECONNECT_MS = 300;

export function linkStore(options: LinkOptions): Store {
  const { process, server, agenda, chance, weather, plant } = options;
  const clock = createStoreClock(process.scheduler.now);
  let lastArrival = 0;
  let commits = 0;

  function ask<Value>(what: string, apply: () => Promise<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      if (!process.alive()) return;
      const askedAt = process.scheduler.now();
      const there = Math.max(lastArrival - agenda.now(), chance.int(4));
      lastArrival = agenda.now() + there;
      const back = chance.int(4) + (weather.strikes('store-late') ? chance.int(LATE_MS) : 0);
      const fail = () =>
        process.in(there + back, `${process.id} ${what} failed`, () =>
          reject(new AppError('store-unavailable', 'The connection was lost.')),
        );
      if (weather.strikes('store-refused')) return void fail();
      const unsure = weather.strikes('store-unsure');
      const again = !unsure && weather.strikes('store-resent');
      const answer = (value: Promise<Value>) => {
        const time = agenda.now();
        process.in(back, `${process.id} ${what}`, () => {
          clock.learn(time, askedAt);
          value.then(resolve, reject);
        });
      };
      const arrive = (then: (value: Promise<Value>) => void) => () => {
        if (!process.reaches()) return;
        const value = apply();
        // Whoever hears of a failure hears of it later, if at all.
        value.catch(() => undefined);
        then(value);
      };
      agenda.in(there, `store ${what}`, arrive(unsure || again ? () => undefined : answer));
      if (unsure) fail();
      if (again) agenda.in(there + 1 + chance.int(RECONNECT_MS), `store ${what} again`, arrive(answer));
    });
  }

  const byOwnClock = <Value>(call: () => Value): Value =>
    server.at(plant === 'worker-clock' ? process.wallClock() : null, call);
  const remote = Object.fromEntries(
    (Object.keys(REMOTE) as Remote[]).map((name) => {
      const call = server.store[name] as (...args: unknown[]) => Promise<unknown>;
      return [name, (...args: unknown[]) => ask(name, () => byOwnClock(() => call(...args)))];
    }),
  ) as unknown as Pick<Store, Remote>;
  /** What the Redis store answers to an empty question without asking. */
  const unlessEmpty =
    <Args extends readonly unknown[], Item>(
      list: number,
      call: (...args: Args) => Promise<readonly Item[]>,
    ): ((...args: Args) => Promise<readonly Item[]>) =>
    (...args) =>
      (args[list] as readonly unknown[]).length === 0 ? Promise.resolve([]) : call(...args);

  /** As production does it: lanes, each with one batch under way, whose answers may overtake one another. */
  const grouped = !options.groups
    ? []
    : Array.from({ length: server.store.shards }, (_, shard) => {
        const keys = shardKeys('sim', shard);
        return createGroupCommit({
          ...{ shard, client: process.id, wakeChannel: 'wake', monotonic: process.scheduler.now },
          keys: plant === 'lanes-share-answers' ? { ...keys, reply: () => keys.reply(process.id) } : keys,
          run: (_name, names, args) => {
            const [client = ''] = names.slice(-1);
            return ask(`commits ${client}`, () => byOwnClock(() => server.runCommit(client, args)));
          },
          // Every answer of the store tells its time already.
          onTime() {},
          onRewound: options.onRewound,
        });
      });

  return {
    ...remote,
    ...(plant === 'claim-kept-by-old-code' && { disown: async () => {} }),
    lostClaims: unlessEmpty(1, remote.lostClaims),
    missing: unlessEmpty(1, remote.missing),
    shards: server.store.shards,
    shardOf: server.store.shardOf,
    now: plant === 'worker-clock' ? process.wallClock : clock.now,
    commit(given) {
      const entry = options.tamper(given);
      const together = grouped[server.store.shardOf(entry.instanceId)];
      if (together !== undefined) return together(entry);
      commits += 1;
      const id = `${process.id}:${commits}`;
      return ask(`commit ${entry.instanceId} ${entry.expectedRevision}`, () =>
        byOwnClock(() => server.commit(id, entry)),
      );
    },
    onWake: (listener) =>
      server.store.onWake((shard) => {
        if (process.alive() && !weather.strikes('wake-lost'))
          process.in(chance.int(5), `${process.id} wake`, () => listener(shard));
      }),
    async close() {},
  };
}
