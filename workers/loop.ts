import { messageOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { type Scheduler, systemScheduler } from './scheduler.ts';

/** Something a worker does again and again. */
export interface Loop {
  /** Runs the next turn at once. */
  nudge(): void;
  /** Ends after the turn under way. */
  stop(): Promise<void>;
}

const AFTER_ERROR_MS = 500;

/** `turn` answers with the ms to wait before the next one; an error is logged and waited out. */
export function startLoop(
  name: string,
  log: Logger,
  turn: () => Promise<number>,
  scheduler: Scheduler = systemScheduler,
): Loop {
  let stopped = false;
  let nudged = false;
  let wake: () => void = () => {};

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const callOff = scheduler.after(ms, resolve);
      wake = () => {
        callOff();
        resolve();
      };
    });
  }

  async function run(): Promise<void> {
    while (!stopped) {
      nudged = false;
      const ms = await turn().catch((error: unknown) => {
        log.warn({ loop: name, error: messageOf(error) }, 'loop turn failed');
        return AFTER_ERROR_MS;
      });
      if (!stopped && !nudged && ms > 0) await pause(ms);
    }
  }

  const running = run();
  return {
    nudge() {
      nudged = true;
      wake();
    },
    async stop() {
      stopped = true;
      wake();
      await running;
    },
  };
}
