/**
 * Every error this product raises on purpose, by stable code. HTTP status lives in `api/problem.ts`, never here.
 * `docs/errors.md` has one line per code; a test keeps the two equal.
 */
export const ERROR_CODES = [
  // definitions
  'machine-not-durable',
  'workflow-unknown',
  'workflow-version-missing',
  'replay-diverged',
  'migration-refused',
  'activity-unimplemented',
  // input
  'input-invalid',
  'body-too-large',
  'body-malformed',
  'media-type-unsupported',
  'method-not-allowed',
  'route-unknown',
  'unauthorized',
  'forbidden',
  'rate-limited',
  // instances
  'instance-unknown',
  'instance-exists',
  'instance-closed',
  'idempotency-mismatch',
  'idempotency-key-missing',
  'revision-mismatch',
  'signal-unknown',
  'signal-not-accepted',
  'signal-overflow',
  'operation-impossible',
  'batch-changed',
  'event-reserved',
  'value-not-durable',
  'task-unknown',
  'task-action-unknown',
  'secret-unknown',
  // webhooks
  'webhook-signature-invalid',
  'webhook-malformed',
  // store and process
  'store-unavailable',
  'store-unsafe',
  'store-rewound',
  'commit-refused',
  'config-invalid',
  'secret-unreadable',
  // activities
  'activity-timeout',
  'activity-aborted',
  'activity-input-invalid',
  'activity-output-invalid',
  'activity-unexpected',
  'outcome-unknown',
  'internal',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

export type JsonObject = { readonly [key: string]: unknown };

/** An error with a stable code. `details` is JSON and may be shown to the caller; `cause` may not. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: JsonObject;

  constructor(code: ErrorCode, message: string, options: { details?: JsonObject; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.details = options.details ?? {};
  }
}

export function isAppError(error: unknown, code?: ErrorCode): error is AppError {
  return error instanceof AppError && (code === undefined || error.code === code);
}

export function unknownInstance(instanceId: string): AppError {
  return new AppError('instance-unknown', `There is no instance '${instanceId}'.`, {
    details: { instanceId },
  });
}

/** What an error says, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/**
 * What an activity attempt may end with besides a result.
 * - `terminal`: never tried again, the statechart's error branch decides.
 * - `retryable`: the other side answered and asks for another try, by policy or after `retryAfterMs`.
 * - `unknown`: no answer, so the effect may or may not have happened; `verify` runs before another try.
 * - `unexpected`: a bug or an answer nobody foresaw; retried by policy, then put before a person.
 */
export type FailureKind = 'terminal' | 'retryable' | 'unknown' | 'unexpected';

/** Thrown by connectors and activities. `code` is the other side's or the activity's own, e.g. `partner-center-800064`. */
export class ActivityFailure extends Error {
  readonly kind: FailureKind;
  readonly code: string;
  readonly details: JsonObject;
  /** Milliseconds the other side asked us to wait. */
  readonly retryAfterMs: number | undefined;
  /** Set when the trouble is the connector's as a whole (sign-in broken): the named queue pauses once for all instances. */
  readonly pausesQueue: string | undefined;

  constructor(
    kind: FailureKind,
    code: string,
    message: string,
    options: { details?: JsonObject; cause?: unknown; retryAfterMs?: number; pausesQueue?: string } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ActivityFailure';
    this.kind = kind;
    this.code = code;
    this.details = options.details ?? {};
    this.retryAfterMs = options.retryAfterMs;
    this.pausesQueue = options.pausesQueue;
  }
}
