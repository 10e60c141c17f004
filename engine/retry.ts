/** What becomes of an activity after a failed attempt: a pure function of policy, attempt and failure. */
import type { RetryPolicy } from './activity.ts';
import type { Failure } from './event.ts';

export type RetryDecision =
  | { readonly next: 'retry'; readonly delayMs: number }
  | { readonly next: 'error' }
  | { readonly next: 'attention' };

const LONGEST_RETRY_AFTER_MS = 15 * 60_000;

/**
 * `attempt` counts from 1 within the present budget; `jitter` is a number from 0 to 1 that came in with the event, so
 * that the decision stays a function of its inputs.
 */
export function afterFailure(
  policy: RetryPolicy,
  attempt: number,
  failure: Failure,
  jitter: number,
): RetryDecision {
  if (failure.kind === 'terminal' || policy.nonRetryable.includes(failure.code)) return { next: 'error' };
  if (attempt >= policy.maxAttempts) return { next: policy.whenExhausted };
  return { next: 'retry', delayMs: Math.max(backoff(policy, attempt, jitter), retryAfter(failure)) };
}

/** Milliseconds before the attempt that follows `attempt`. */
export function backoff(policy: RetryPolicy, attempt: number, jitter: number): number {
  const full = Math.min(policy.maxDelayMs, policy.initialDelayMs * policy.factor ** (attempt - 1));
  return Math.round(full * (1 - policy.jitter * jitter));
}

function retryAfter(failure: Failure): number {
  const { retryAfterMs = 0 } = failure;
  // A header misread is not a number, and no time to wait.
  return retryAfterMs > 0 ? Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS) : 0;
}
