/** Queues stopped as a whole because their connector is in trouble: one attention item instead of a thousand failures. */
import type { Store } from '../engine/index.ts';
import type { Logger } from '../shared/logger.ts';
import { type Loop, startLoop } from './loop.ts';
import type { Consumer } from './queues.ts';
import { type Scheduler, systemScheduler } from './scheduler.ts';

export interface PausedQueues {
  has(queue: string): boolean;
  pause(queue: string, code: string, reason: string): Promise<void>;
  /** Keeps the consumers in step with what the store says. */
  watch(consumers: readonly Consumer[]): Loop;
}

const EVERY_MS = 500;

export function createPausedQueues(
  store: Store,
  log: Logger,
  scheduler: Scheduler = systemScheduler,
): PausedQueues {
  let paused: ReadonlySet<string> = new Set();
  return {
    has: (queue) => paused.has(queue),
    async pause(queue, code, reason) {
      if (paused.has(queue)) return;
      paused = new Set([...paused, queue]);
      await store.pauseQueue({ queue, code, reason });
      log.error({ queue, code, reason }, 'queue paused');
    },
    watch(consumers) {
      const turn = async (): Promise<number> => {
        paused = new Set((await store.pausedQueues()).map(({ queue }) => queue));
        for (const consumer of consumers) {
          if (paused.has(consumer.name) && !consumer.isPaused()) await consumer.pause(true);
          if (!paused.has(consumer.name) && consumer.isPaused()) consumer.resume();
        }
        return EVERY_MS;
      };
      return startLoop('paused queues', log, turn, scheduler);
    },
  };
}
