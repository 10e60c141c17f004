/**
 * Looks at the store again and again while a process works on it. What refused it at the start ends it later, too: an
 * operator who turns eviction on, or empties the store, is told at once and not by what gets lost.
 */
import { AppError, isAppError, messageOf } from '../../shared/errors.ts';
import type { Logger } from '../../shared/logger.ts';
import { checkInUse, type StoreInUse, type StoreReport } from './boot.ts';

export type StoreHealth = Pick<StoreReport, 'durable' | 'warnings'>;

export interface StoreWatchOptions extends StoreInUse {
  readonly log: Logger;
  /** Ms between two looks. */
  readonly everyMs?: number;
  /** Told, once, of `store-unsafe` and `store-rewound`: the process must end. */
  onUnfit(error: AppError): void;
}

export interface StoreWatch {
  /**
   * A look now, shared by all who ask meanwhile. Rejects while the store does not answer, and with `store-unavailable`
   * while it refuses writes.
   */
  health(): Promise<StoreHealth>;
  stop(): void;
}

const EVERY_MS = 2_000;
/** A connection that sends again for ever says nothing: so long without an answer is trouble. */
const SLOW_MS = 3_000;

export function watchStore(options: StoreWatchOptions): StoreWatch {
  const { log, everyMs = EVERY_MS, onUnfit } = options;
  let underWay: { readonly since: number; readonly found: Promise<StoreHealth> } | null = null;
  let trouble = false;
  let unfit = false;

  async function look(): Promise<StoreHealth> {
    try {
      const health = await checkInUse(options);
      if (trouble) log.info('store in order again');
      trouble = false;
      return health;
    } catch (error) {
      if (!isAppError(error, 'store-unsafe') && !isAppError(error, 'store-rewound')) throw refusal(error);
      if (!unfit) onUnfit(error);
      unfit = true;
      throw error;
    } finally {
      underWay = null;
    }
  }

  function health(): Promise<StoreHealth> {
    underWay ??= { since: performance.now(), found: look() };
    return underWay.found;
  }

  function tell(reason: string): void {
    if (!trouble) log.error({ reason }, 'store in trouble');
    trouble = true;
  }

  const timer = setInterval(() => {
    if (underWay !== null && performance.now() - underWay.since > SLOW_MS) tell('Redis does not answer.');
    health().catch((error: unknown) => tell(messageOf(error)));
  }, everyMs);
  timer.unref();
  return { health, stop: () => clearInterval(timer) };
}

/** What Redis says may be shown; where it is may not. */
function refusal(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== 'ReplyError') return error;
  return new AppError('store-unavailable', `Redis refuses: ${error.message}`, { cause: error });
}
