import { setTimeout as sleep } from 'node:timers/promises';

export interface EventuallyOptions {
  /** Milliseconds until it gives up. Default 10 000. */
  readonly within?: number;
  /** Milliseconds between two looks. Default 10. */
  readonly every?: number;
  /** Named in the error when the deadline passes. */
  readonly what?: string;
}

/**
 * Looks again until `look` neither throws nor resolves with `false`, and resolves with what it saw. A look that only
 * asserts passes as soon as its assertions do. Rejects at the deadline with the last failure.
 */
export async function eventually<T>(look: () => T | Promise<T>, options: EventuallyOptions = {}): Promise<T> {
  const { within = 10_000, every = 10, what = 'the expected state' } = options;
  const deadline = performance.now() + within;
  for (;;) {
    let failure: unknown;
    try {
      const seen = await look();
      if (seen !== false) return seen;
    } catch (error) {
      failure = error;
    }
    if (performance.now() >= deadline) {
      throw failure ?? new Error(`${what} did not come about within ${within} ms`);
    }
    await sleep(every);
  }
}
