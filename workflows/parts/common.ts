/** Small vocabulary that every stretch shares: how it ends, how a failed activity is kept, how it is tried again. */

/** How a stretch ends. A stretch may add outcomes of its own. */
export type Ending = 'done' | 'canceled' | 'abandoned';

/** A failed activity as JSON: which state asked for it and what came back. */
export interface Failure {
  readonly state: string;
  readonly code: string;
  readonly message: string;
}

export function failureOf(state: string, error: unknown): Failure {
  if (typeof error !== 'object' || error === null)
    return { state, code: 'unexpected', message: String(error) };
  const { code, message } = error as { code?: unknown; message?: unknown };
  return {
    state,
    code: typeof code === 'string' ? code : 'unexpected',
    message: typeof message === 'string' ? message : 'The activity failed without a message.',
  };
}

/** `onError` of an invoke: keeps the failure under the state's name and asks an operator. */
export function failing<const State extends string>(state: State, target = 'needsOperator') {
  return {
    target,
    actions: {
      type: 'noteFailure' as const,
      params: ({ event }: { event: { error: unknown } }) => ({ state: state as string, error: event.error }),
    },
  };
}

/** Transitions that lead back to the state whose activity failed. */
export function retrying<const State extends string>(states: readonly State[]) {
  return states.map((state) => ({
    guard: { type: 'failedIn' as const, params: { state: state as string } },
    target: state as string,
  }));
}
