/** The processes of a run: API processes and workers, each built as production builds it, replaced when they die. */
import { createClient, createEngine, type Engine, readTicket } from '../../engine/index.ts';
import type { CommitEntry } from '../../engine/store.ts';
import { silentLogger } from '../../shared/logger.ts';
import { runWorker } from '../../workers/worker.ts';
import type { Agenda } from './agenda.ts';
import type { Broker } from './broker.ts';
import type { Chance } from './chance.ts';
import type { Judge } from './judge.ts';
import { linkStore } from './link.ts';
import type { Outside } from './outside.ts';
import type { Plant } from './plants.ts';
import { createProcess, type Process } from './process.ts';
import { implementationsFor, programmed, registry } from './programs.ts';
import type { StoreServer } from './server.ts';
import type { ApiProcess } from './user.ts';
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
}

export interface Fleet {
  start(): void;
  apis(): readonly ApiProcess[];
  /** Everything alive, with its engine once it has one. */
  crew(): readonly { readonly process: Process; readonly engine: Engine | null }[];
}

const WORKERS = 2;
/** Small, so that activities come both ways: kept by the worker that commits, and by a job. */
const ROOM = 2;
const RESTART_MS = 2_000;
const NEVER_MS = 1e13;
const log = silentLogger();

export function createFleet(options: FleetOptions): Fleet {
  const { agenda, chance, weather, server, broker, outside, judge, plant } = options;
  let born = 0;
  let crew: { process: Process; engine: Engine | null; api: ApiProcess | null }[] = [];

  /** The planted fault: handed out before the commit, and never looked for again. */
  function handOut(_process: Process, entry: CommitEntry): CommitEntry {
    if (plant !== 'enqueue-before-commit') return entry;
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

  function boot(kind: Process['kind']): void {
    born += 1;
    const process = createProcess({
      ...{ id: `${kind}${born}`, kind, agenda, chance, weather, plant },
      onDeath(dead) {
        crew = crew.filter((other) => other.process !== dead);
        agenda.in(chance.int(RESTART_MS), `restart ${kind}`, () => boot(kind));
      },
    });
    const store = linkStore({ process, server, agenda, chance, weather, plant, handOut });
    const { faults, scheduler } = process;
    if (kind === 'api') {
      const engine = createEngine({ store, registry, log, faults });
      crew.push({ process, engine, api: { process, client: createClient(engine) } });
      return;
    }
    const member: (typeof crew)[number] = { process, engine: null, api: null };
    crew.push(member);
    const activities = implementationsFor(process, outside, plant !== 'no-verify');
    const onStoreLost = () => judge.accuse(`${process.id}: took the store for lost`);
    runWorker(
      { store, workflows: [programmed], activities, log, faults, onStoreLost },
      { id: process.id, carrier: carrierOf(process), room: ROOM, scheduler, registry },
    ).then(
      ({ engine }) => {
        member.engine = engine;
      },
      // It could not take its lease, and begins anew.
      () => process.kill(),
    );
  }

  return {
    start() {
      for (let at = 0; at < WORKERS; at += 1) boot('worker');
      for (let at = chance.between(1, 2); at > 0; at -= 1) boot('api');
    },
    apis: () => crew.flatMap(({ api }) => (api === null ? [] : [api])),
    crew: () => crew,
  };
}
