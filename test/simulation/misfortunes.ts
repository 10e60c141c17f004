/** The faults that have a time of their own: deaths, hangs, clocks that jump, old events that come again. */
import { readEntry } from '../../engine/history.ts';
import type { Agenda } from './agenda.ts';
import type { Chance } from './chance.ts';
import type { Fleet } from './fleet.ts';
import type { Judge } from './judge.ts';
import type { StoreServer } from './server.ts';
import type { Fault, Weather } from './weather.ts';

export interface MisfortuneOptions {
  readonly agenda: Agenda;
  readonly chance: Chance;
  readonly weather: Weather;
  readonly server: StoreServer;
  readonly judge: Judge;
  readonly fleet: Fleet;
  /** Whether clocks jump in this run. */
  readonly jumpy: boolean;
  /** All of them happen within this. */
  readonly withinMs: number;
  readonly longestFreezeMs: number;
}

/** What a store, a queue or a dead process may bring a second time, and late. */
const MAY_COME_AGAIN: ReadonlySet<string> = new Set([
  'start',
  'timer.fired',
  'activity.done',
  'activity.failed',
  'activity.lost',
  'child.message',
  'child.done',
  'child.failed',
  'parent.message',
  'parent.stop',
]);
const LONGEST_JUMP_MS = 3_600_000;

export function planMisfortunes(options: MisfortuneOptions): void {
  const { agenda, chance, weather, server, judge, fleet } = options;

  function plan(fault: Fault, times: number, strike: () => void): void {
    for (let time = 0; time < times; time += 1) {
      agenda.in(chance.int(options.withinMs), fault, () => {
        if (weather.isOver() || fleet.crew().length === 0) return;
        weather.struck(fault);
        strike();
      });
    }
  }

  async function bringAgain(): Promise<void> {
    const ids = judge.instances();
    if (ids.length === 0) return;
    const instanceId = chance.pick(ids);
    const { process, engine } = chance.pick(fleet.crew());
    const lines = await server.store.history(instanceId, 0, 1_000);
    const { event } = readEntry(chance.pick(lines)).entry;
    if (engine === null || !MAY_COME_AGAIN.has(event.kind)) return;
    process.in(0, `${process.id} again ${event.kind}`, () => {
      engine.handle(instanceId, { event }).catch(() => undefined);
    });
  }

  const victim = () => chance.pick(fleet.crew()).process;
  plan('crash', chance.pick([0, 0, 1, 2, 4]), () => victim().kill());
  plan('freeze', chance.pick([0, 0, 1, 2]), () => victim().freeze(chance.int(options.longestFreezeMs)));
  plan('clock-jump', options.jumpy ? 2 : 0, () => victim().jump(chance.int(LONGEST_JUMP_MS)));
  plan('event-again', chance.int(6), () => void bringAgain());
}
