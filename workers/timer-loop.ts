/**
 * Fires due timers of every shard. What is due is the store's judgement by its own clock, here and again in the commit;
 * timers have no queue, so a backlog of work never delays one.
 */
import type { Engine } from '../engine/index.ts';
import { isAppError, messageOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { type Loop, startLoop } from './loop.ts';
import { type Scheduler, systemScheduler } from './scheduler.ts';

const BATCH = 200;
const HIDE_MS = 5_000;
const SLOWEST_MS = 100;
const FASTEST_MS = 5;
const RELEASE_MS = 20;
const STEP_BACK_MS = 200;

type DueTimer = Awaited<ReturnType<Engine['store']['dueTimers']>>['timers'][number];

interface Fired {
  readonly full: boolean;
  readonly foreign: boolean;
  readonly nextDue: number | null;
}

export function startTimerLoop(engine: Engine, log: Logger, scheduler: Scheduler = systemScheduler): Loop {
  const { store } = engine;

  /** False when this process lacks the workflow. */
  async function fire({ instanceId, token }: DueTimer): Promise<boolean> {
    try {
      await engine.handle(instanceId, { event: { kind: 'timer.fired', token } });
    } catch (error) {
      if (isAppError(error, 'workflow-version-missing')) return false;
      // Hidden for a while, then found again.
      log.warn({ instanceId, token, error: messageOf(error) }, 'timer not fired');
    }
    return true;
  }

  /** Fires what is due in a shard; gives back what only a worker with newer workflows can fire. */
  async function fireShard(shard: number): Promise<Fired> {
    const { timers, nextDue } = await store.dueTimers(shard, BATCH, HIDE_MS);
    const known = await Promise.all(timers.map(fire));
    const foreign = timers.filter((_, index) => known[index] === false);
    if (foreign.length > 0) await store.releaseTimers(shard, foreign, RELEASE_MS);
    return { full: timers.length === BATCH, foreign: foreign.length > 0, nextDue };
  }

  async function turn(): Promise<number> {
    const shards = Array.from({ length: store.shards }, (_, shard) => shard);
    const fired = await Promise.all(shards.map(fireShard));
    // Whoever gave timers back lets the others look first.
    if (fired.some(({ foreign }) => foreign)) return STEP_BACK_MS * (1 + scheduler.random());
    if (fired.some(({ full }) => full)) return 0;
    const next = Math.min(...fired.map(({ nextDue }) => nextDue ?? Number.POSITIVE_INFINITY));
    return Math.min(SLOWEST_MS, Math.max(FASTEST_MS, next - store.now()));
  }

  return startLoop('timers', log, turn, scheduler);
}
