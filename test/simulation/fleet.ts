/** The processes of a run: API processes and workers, each built as production builds it, replaced when they die. */

import { readEntry } from '../../engine/history.ts';
import {
  createClient,
  createEngine,
  createMigrations,
  createOperations,
  type Engine,
  readTicket,
} from '../../engine/index.ts';
import type { CommitEntry } from '../../engine/store.ts';
import { silentLogger } from '../../shared/logger.ts';
import { runWorker } from '../../workers/worker.ts';
import type { Agenda } from './agenda.ts';
import type { Broker } from './broker.ts';
import type { ApiProcess } from './calls.ts';
import type { Chance } from './chance.ts';
import type { Judge } from './judge.ts';
import { linkStore } from './link.ts';
import type { Outside } from './outside.ts';
import type { Plant } from './plants.ts';
import { createProcess, type Process } from './process.ts';
import { implementationsFor, type programmed, type Release, registries } from './programs.ts';
import type { StoreServer } from './server.ts';
import type { Weather } from './weather.ts';

export interface FleetOptions {
  readonly agenda: Agenda;
  readonly chance: Chance;
  readonly weather: Weather;
  readonly server: StoreServer;
  readonly broker: Broker;
  readonly outside: Outside;
  readonly judge: Judge;
  readonly plant: Plant | null;
  /** Whether commits ride together. */
  readonly groups: boolean;
}

export interface Fleet {
  start(): void;
  /** Rolls new code out: from now on it runs beside the old, and may or may not take its place. */
  deploy(): void;
  apis(): readonly ApiProcess[];
  /** Everything alive, with its engine once it has one. */
  crew(): readonly { readonly process: Process; readonly engine: Engine | null }[];
}

interface Member {
  readonly process: Process;
  engine: Engine | null;
  api: ApiProcess | null;
  /** What comes in its place when it is gone. */
  successor: Release;
  stop(graceMs: number): Promise<void>;
}

const WORKERS = 2;
/** Small, so that activities come both ways: kept by the worker that commits, and by a job. */
const ROOM = 2;
const RESTART_MS = 2_000;
const NEVER_MS = 1e13;
/** What a worker that is told to stop is given to end its attempts, and to end itself. */
const GRACE_MS = 300;
const SHUTDOWN_MS = 2_000;
const log = silentLogger();

export function createFleet(options: FleetOptions): Fleet {
  const { agenda, chance, weather, server, broker, outside, judge, plant } = options;
  let born = 0;
  let crew: Member[] = [];
  let rollsOut = false;

  /** Who died comes back as what it was; once new code is rolled out, old code perhaps as new. */
  const nextOf = (release: Release): Release =>
    release === 'old' && rollsOut && chance.happens(0.5) ? 'new' : release;

  /** The planted faults of commits. */
  function tamper(entry: CommitEntry): CommitEntry {
    if (plant === 'migration-drops-timers')
      return { ...entry, timers: { ...entry.timers, clear: [...entry.timers.clear, ...timersOf(entry)] } };
    if (plant === 'batch-forgotten' && entry.signal?.id.startsWith('batch:'))
      return { ...entry, signal: null };
    return plant === 'enqueue-before-commit' ? handOut(entry) : entry;
  }

  /** Handed out before the commit, and never looked for again. */
  function handOut(entry: CommitEntry): CommitEntry {
    const { add } = entry.outbox;
    broker.put(add.filter(({ body }) => body === null).map(({ id }) => readTicket(id)));
    const unseen = add.map((item) => (item.body === null ? { ...item, delayMs: NEVER_MS } : item));
    return { ...entry, outbox: { ...entry.outbox, add: unseen } };
  }

  function carrierOf(process: Process) {
    const carrier = broker.carrier(process);
    if (plant !== 'enqueue-before-commit') return carrier;
    const idle = async (): Promise<void> => {};
    return { ...carrier, dispatcher: { ...carrier.dispatcher, dispatch: idle, redispatch: idle } };
  }

  function boot(kind: Process['kind'], release: Release): void {
    born += 1;
    const process = createProcess({
      ...{ id: `${kind}${born}`, kind, agenda, chance, weather, plant },
      onDeath(dead) {
        crew = crew.filter((other) => other.process !== dead);
        agenda.in(chance.int(RESTART_MS), `restart ${kind}`, () => boot(kind, nextOf(member.successor)));
      },
    });
    const onStoreLost = () => judge.accuse(`${process.id}: took the store for lost`);
    const store = linkStore({
      ...{ process, server, agenda, chance, weather, plant, tamper, onRewound: onStoreLost },
      groups: options.groups,
    });
    const registry = registries[release];
    const { faults, scheduler } = process;
    const member: Member = { process, engine: null, api: null, successor: release, stop: async () => {} };
    crew.push(member);
    if (kind === 'api') {
      const engine = createEngine({ store, registry, log, faults });
      const client = createClient(engine);
      member.api = {
        ...{ process, client, newest: registry.newest('programmed') as typeof programmed },
        operations: createOperations(engine, client),
        migrations: createMigrations(engine, { faults }),
      };
      return;
    }
    const activities = implementationsFor(process, outside, plant !== 'no-verify');
    runWorker(
      { store, workflows: registry.workflows, activities, log, faults, onStoreLost },
      { id: process.id, carrier: carrierOf(process), room: ROOM, scheduler, registry },
    ).then(
      ({ engine, stop }) => {
        member.engine = engine;
        member.stop = stop;
      },
      // It could not take its lease, and begins anew.
      () => process.kill(),
    );
  }

  /** Told to stop, or shot; new code comes in its place. */
  function replace(member: Member): void {
    const { process } = member;
    member.successor = 'new';
    if (chance.happens(0.3)) process.kill();
    process.in(SHUTDOWN_MS, `${process.id} shut down`, () => process.kill());
    void member.stop(GRACE_MS).finally(() => process.kill());
  }

  return {
    start() {
      for (let at = 0; at < WORKERS; at += 1) boot('worker', 'old');
      for (let at = chance.between(1, 2); at > 0; at -= 1) boot('api', 'old');
    },
    deploy() {
      rollsOut = true;
      boot('api', 'new');
      const worker = crew.find(({ process }) => process.kind === 'worker');
      if (worker === undefined) boot('worker', 'new');
      else replace(worker);
    },
    apis: () => crew.flatMap(({ api }) => (api === null ? [] : [api])),
    crew: () => crew,
  };
}

/** What a migration keeps. */
function timersOf({ historyLine }: CommitEntry): readonly string[] {
  const { event } = readEntry(historyLine).entry;
  return event.kind === 'migrate' ? Object.keys(event.timers) : [];
}
