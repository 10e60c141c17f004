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

export function createCancellation(): Cancellation {
  let aborted = false;
  let reason: unknown;
  let controller: AbortController | undefined;
  let listener: ((reason: unknown) => void) | undefined;
  return {
    get aborted() {
      return aborted;
    },
    get reason() {
      return reason;
    },
    get signal() {
      if (controller === undefined) {
        controller = new AbortController();
        if (aborted) controller.abort(reason);
      }
      return controller.signal;
    },
    abort(given) {
      if (aborted) return;
      aborted = true;
      reason = given;
      controller?.abort(given);
      listener?.(given);
    },
    onAbort(given) {
      listener = given;
      if (aborted) given(reason);
    },
  };
}
