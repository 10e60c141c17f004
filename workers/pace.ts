/**
 * The calls of all workers to one service, counted together in Redis (microsoft-apis facts, "Throttling": 500 a minute per
 * partner tenant; refused calls count too). A pause that Microsoft asks one worker for holds for every worker.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { Pace } from '../connectors/index.ts';
import { ActivityFailure, messageOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import type { RedisConnection } from '../shared/redis.ts';

export interface PaceOptions {
  readonly redis: RedisConnection;
  readonly namespace: string;
  /** Prefix of failure codes. */
  readonly service: string;
  /** Whose calls are counted: the partner's tenant. */
  readonly subject: string;
  readonly perMinute: number;
  readonly log: Logger;
  /** Longest a call waits in this process before its attempt is put back. */
  readonly patienceMs?: number;
}

const WINDOW_SECONDS = 5;
/** Any minute touches one window more than it holds. */
const WINDOWS_IN_A_MINUTE = 60 / WINDOW_SECONDS + 1;
const PATIENCE_MS = 20_000;
const SHORTEST_WAIT_MS = 20;

export function createPace(options: PaceOptions): Pace {
  const { redis, namespace, service, subject, perMinute, log, patienceMs = PATIENCE_MS } = options;
  const limiter = new RateLimiterRedis({
    storeClient: redis,
    keyPrefix: `{${namespace}:meta}:pace:${service}`,
    points: Math.max(1, Math.floor(perMinute / WINDOWS_IN_A_MINUTE)),
    duration: WINDOW_SECONDS,
  });

  /** Milliseconds to wait, 0 for a call that may go out. A store that is away holds nobody up: Microsoft still counts. */
  async function waitFor(): Promise<number> {
    try {
      await limiter.consume(subject);
      return 0;
    } catch (refused) {
      if (refused instanceof RateLimiterRes) return Math.max(refused.msBeforeNext, SHORTEST_WAIT_MS);
      log.warn({ service, error: messageOf(refused) }, 'calls are not paced');
      return 0;
    }
  }

  return {
    async admit(signal) {
      const deadline = performance.now() + patienceMs;
      for (let waitMs = await waitFor(); waitMs > 0; waitMs = await waitFor()) {
        if (performance.now() + waitMs > deadline) {
          const message = `${service} takes no more calls of ours for ${Math.ceil(waitMs / 1_000)} s.`;
          throw new ActivityFailure('retryable', `${service}-paced`, message, { retryAfterMs: waitMs });
        }
        // Spread, so that the waiting of all workers do not rush in together.
        await sleep(waitMs + Math.random() * 250, undefined, signal === undefined ? {} : { signal }).catch(
          (cause: unknown) => {
            throw new ActivityFailure('retryable', `${service}-aborted`, 'The call was not made: aborted.', {
              cause,
            });
          },
        );
      }
    },
    async throttled(waitMs) {
      const seconds = Math.max(1, Math.ceil(waitMs / 1_000));
      log.warn({ service, seconds }, 'throttled by the service');
      await limiter
        .block(subject, seconds)
        .catch((error: unknown) => log.warn({ service, error: messageOf(error) }, 'pause not shared'));
    },
  };
}
