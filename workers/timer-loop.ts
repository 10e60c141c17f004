/**
 * Fires due timers of every shard. What is due is the store's judgement by its own clock, here and again in the commit;
 * timers have no queue, so a backlog of work never delays one.
 */
import type { Engine } from '../engine/index.ts';
import { isAppError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { type Loop, startLoop } from './loop.ts';
import { messageOf } from './message-of.ts';

const BATCH = 200;
const HIDE_MS = 5_000;
const SLOWEST_MS = 100;
const FASTEST_MS = 5;

export function startTimerLoop(engine: Engine, log: Logger): Loop {
  const { store } = engine;

  async function fire(instanceId: string, token: string): Promise<void> {
    try {
      const { reply } = await engine.handle(instanceId, { event: { kind: 'timer.fired', token } });
      if (reply.status === 'stale') await store.dropTimer(instanceId, token);
    } catch (error) {
      if (isAppError(error, 'instance-unknown')) return await store.dropTimer(instanceId, token);
      // Hidden for a while, then found again; a worker that knows the workflow may be quicker.
      const level = isAppError(error, 'workflow-version-missing') ? 'debug' : 'warn';
      log[level]({ instanceId, token, error: messageOf(error) }, 'timer not fired');
    }
  }

  return startLoop('timers', log, async () => {
    const shards = Array.from({ length: store.shards }, (_, shard) => shard);
    const replies = await Promise.all(shards.map((shard) => store.dueTimers(shard, BATCH, HIDE_MS)));
    await Promise.all(
      replies.flatMap(({ timers }) => timers.map(({ instanceId, token }) => fire(instanceId, token))),
    );
    if (replies.some(({ timers }) => timers.length === BATCH)) return 0;
    const next = Math.min(...replies.map(({ nextDue }) => nextDue ?? Number.POSITIVE_INFINITY));
    return Math.min(SLOWEST_MS, Math.max(FASTEST_MS, next - store.now()));
  });
}
