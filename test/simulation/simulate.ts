/**
 * One seed: the production engine, its workers' loops and its clients, on virtual time, over a store and a queue that
 * lose, double, delay and reorder, in processes that die, hang and have wrong clocks. Then all faults end, and everything
 * must come to rest as it was promised. The same seed plays the same run, step by step.
 */
import { hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { createAgenda } from './agenda.ts';
import { createBroker } from './broker.ts';
import { createCalls } from './calls.ts';
import { createChance } from './chance.ts';
import { createFleet } from './fleet.ts';
import { type Act, createJudge } from './judge.ts';
import { planMisfortunes } from './misfortunes.ts';
import { createOutside } from './outside.ts';
import type { Plant } from './plants.ts';
import { registries } from './programs.ts';
import { rollOut } from './rollout.ts';
import { createStoreServer } from './server.ts';
import { takeAHand } from './staff.ts';
import { twistsOf } from './twists.ts';
import { createUsers } from './user.ts';
import { createWeather, type Fault } from './weather.ts';

export interface Report {
  readonly seed: number;
  /** The first broken promise, or null. */
  readonly violation: string | null;
  /** Equal for equal runs; below `TRACES`. */
  readonly trace: number;
  /** The last lines of the trace. */
  readonly tail: readonly string[];
  readonly events: number;
  readonly commits: number;
  readonly virtualMs: number;
  /** Instances that came to their end. */
  readonly finished: number;
  readonly effects: number;
  readonly faults: Readonly<Record<Fault, number>>;
  readonly acts: Readonly<Record<Act, number>>;
}

export interface SimulateOptions {
  readonly plant?: Plant;
}

/** How many traces there are to tell apart. */
export const TRACES = 2 ** 32;
const TAIL = 60;
const START = 1_800_000_000_000;
/** Faults end at the latest after this. */
const STORM_MS = 3_000;
/** At rest this long after the last fault, the longest hang included. */
const REST_MS = 60_000;
const LONGEST_FREEZE_MS = 8_000;
const FAR_MS = 1e12;
const CLOCK_LEAD_MS = 60;
/** Where clocks jump: as much as `store-clock.ts` lets pass between two answers. */
const JUMPED_LEAD_MS = 5_000;

export async function simulate(seed: number, options: SimulateOptions = {}): Promise<Report> {
  // Once a run, so that whoever else waits for the event loop has a turn.
  await setImmediate();
  const { plant = null } = options;
  const chance = createChance(seed);
  const twists = twistsOf(seed);
  const agenda = createAgenda(START);
  const weather = createWeather(chance);
  const trace: string[] = [];
  const jumpy = chance.happens(0.2);
  const judge = createJudge({
    ...{ agenda, registry: registries.new, store: () => server.store },
    clockLead: jumpy ? JUMPED_LEAD_MS : CLOCK_LEAD_MS,
  });
  const server = createStoreServer(agenda, chance.pick([1, 1, 2]), plant, (entry) => {
    trace.push(`${agenda.now()} commit ${entry.instanceId} ${entry.expectedRevision + 1}`);
    judge.applied(entry);
  });
  const broker = createBroker(agenda, chance, weather);
  const { store } = server;
  const outside = createOutside({ agenda, chance, weather, store, onEffect: judge.effect });
  const fleet = createFleet({
    agenda,
    chance,
    weather,
    server,
    broker,
    outside,
    judge,
    plant,
    groups: twists.groups,
  });
  const calls = createCalls({ agenda, chance, weather, apis: fleet.apis });
  const users = createUsers({ agenda, chance, judge, twists, calls });
  const sleep = (ms: number): Promise<void> => new Promise((resolve) => void agenda.in(ms, 'story', resolve));

  async function drained(): Promise<void> {
    for (const shard of Array.from({ length: store.shards }, (_, at) => at)) {
      for (;;) {
        const claims = await store.claims(shard);
        // All of it is due in the far future; looking there makes it due now.
        const left = await server.at(agenda.now() + FAR_MS, () => store.dueOutbox(shard, 1_000, -FAR_MS));
        if (claims.length === 0 && left.length === 0) break;
        await sleep(500);
      }
    }
  }

  async function story(): Promise<void> {
    const names = Array.from({ length: chance.between(1, 2) }, (_, at) => `case${at}`);
    await Promise.all([
      ...names.map(users.play),
      ...(twists.migrates ? [rollOut({ chance, judge, calls, deploy: fleet.deploy })] : []),
      ...(twists.operates ? [takeAHand({ chance, judge, calls })] : []),
    ]);
    weather.clear();
    await users.tidy();
    await drained();
    await users.compare();
  }

  fleet.start();
  planMisfortunes({
    agenda,
    chance,
    weather,
    server,
    judge,
    fleet,
    jumpy,
    withinMs: STORM_MS,
    longestFreezeMs: LONGEST_FREEZE_MS,
  });
  agenda.in(STORM_MS, 'storm ends', weather.clear);
  let over = false;
  let events = 0;
  story().then(
    () => {
      over = true;
    },
    (error: unknown) => judge.accuse(`the story broke off: ${String(error)}`),
  );
  await quiet();
  while (!over && judge.violation() === null) {
    const event = agenda.next();
    if (event === null) {
      judge.accuse('nothing is left to happen, and it has not come to rest');
      break;
    }
    events += 1;
    trace.push(`${agenda.now()} ${event.what}`);
    event.act();
    // What only touches the store, the queue or the outside wakes no process.
    if (!/^(store |queue|outside)/.test(event.what)) await quiet();
    if (agenda.now() - START > STORM_MS + LONGEST_FREEZE_MS + REST_MS)
      judge.accuse('it does not come to rest');
  }
  if (judge.violation() === null) await judge.conclude();
  return {
    seed,
    violation: judge.violation(),
    trace: hash('sha256', trace.join('\n'), 'buffer').readUIntBE(0, 4),
    tail: trace.slice(-TAIL),
    events,
    commits: judge.commits(),
    virtualMs: agenda.now() - START,
    finished: over ? judge.instances().length : 0,
    effects: outside.effects.size,
    faults: weather.counts,
    acts: judge.acts,
  };
}

/**
 * Resolves when every promise that could has gone on: then all of them wait for the agenda. Node empties the queue of
 * promises before it looks at ticks booked meanwhile; a turn of the event loop would do the same at many times the cost.
 */
const quiet = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));
