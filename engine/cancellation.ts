/** What ends an attempt from outside. Its AbortSignal is made when somebody first looks at it: most activities never do. */
export interface Cancellation {
  readonly aborted: boolean;
  readonly reason: unknown;
  readonly signal: AbortSignal;
  /** The first reason counts. */
  abort(reason: unknown): void;
  /** Calls back at the abort, or at once when it was before. One listener. */
  onAbort(listener: (reason: unknown) => void): void;
}

/**
 * `overdue` tells, whenever somebody looks, why it should have been aborted by now: a process that slept wakes in the
 * middle of its work, before the timer that ends it.
 */
export function createCancellation(overdue: () => unknown = () => undefined): Cancellation {
  let aborted = false;
  let reason: unknown;
  let controller: AbortController | undefined;
  let listener: ((reason: unknown) => void) | undefined;

  function abort(given: unknown): void {
    if (aborted) return;
    aborted = true;
    reason = given;
    controller?.abort(given);
    listener?.(given);
  }
  function look(): void {
    const why = aborted ? undefined : overdue();
    if (why !== undefined) abort(why);
  }

  return {
    get aborted() {
      look();
      return aborted;
    },
    get reason() {
      return reason;
    },
    get signal() {
      look();
      if (controller === undefined) {
        controller = new AbortController();
        if (aborted) controller.abort(reason);
      }
      return controller.signal;
    },
    abort,
    onAbort(given) {
      listener = given;
      if (aborted) given(reason);
    },
  };
}
