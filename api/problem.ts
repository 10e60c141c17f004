/** Errors as RFC 9457 problem documents. The only place that knows which code is which HTTP status. */
import type { ErrorRequestHandler, Response } from 'express';
import { AppError, type ErrorCode, isAppError, type JsonObject } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';

interface Form {
  readonly status: number | ((details: JsonObject) => number);
  readonly title: string;
  /** Seconds after which another try makes sense. */
  readonly retryAfter?: number;
}

const FORMS: Readonly<Record<ErrorCode, Form>> = {
  'machine-not-durable': { status: 500, title: 'The statechart cannot be made durable' },
  'workflow-unknown': { status: 404, title: 'No such workflow' },
  'workflow-version-missing': { status: 503, title: 'This process lacks the version', retryAfter: 30 },
  'replay-diverged': { status: 409, title: 'The code has changed since then' },
  'migration-refused': { status: 409, title: 'The instance does not fit the other version' },
  'activity-unimplemented': { status: 500, title: 'An activity is not implemented' },
  'input-invalid': { status: 400, title: 'The request is not valid' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'body-malformed': { status: 400, title: 'The body is not readable' },
  'media-type-unsupported': { status: 415, title: 'The content type is not supported' },
  'method-not-allowed': { status: 405, title: 'The method is not allowed here' },
  'route-unknown': { status: 404, title: 'Nothing lives at this address' },
  unauthorized: { status: 401, title: 'Not signed in' },
  forbidden: { status: 403, title: 'Not allowed' },
  'rate-limited': { status: 429, title: 'Too many requests' },
  'instance-unknown': { status: 404, title: 'No such instance' },
  'instance-exists': { status: 409, title: 'The instance exists' },
  'instance-closed': { status: 409, title: 'The instance is closed' },
  'idempotency-mismatch': { status: 422, title: 'The key was used for another request' },
  'idempotency-key-missing': { status: 400, title: 'The Idempotency-Key header is missing' },
  'revision-mismatch': { status: 412, title: 'The instance moved on' },
  'signal-unknown': { status: 400, title: 'No such signal' },
  'signal-not-accepted': { status: 409, title: 'The signal does not fit the state' },
  'signal-overflow': { status: 503, title: 'Too many signals wait', retryAfter: 30 },
  'operation-impossible': { status: 409, title: 'The operation does not fit the state' },
  'batch-changed': { status: 409, title: 'The filter finds more than was expected' },
  'event-reserved': { status: 400, title: 'The event type is reserved' },
  'value-not-durable': { status: 400, title: 'A value cannot be stored' },
  'task-unknown': { status: 404, title: 'No such open task' },
  'task-action-unknown': { status: 404, title: 'The task has no such action' },
  'secret-unknown': { status: 404, title: 'No such secret' },
  'webhook-signature-invalid': {
    // The fault may be on our side of the wire: Microsoft should deliver again.
    status: ({ reason }) => (reason === 'certificate-unavailable' ? 503 : 401),
    title: 'The signature could not be verified',
  },
  'webhook-malformed': { status: 400, title: 'The event is not readable' },
  'store-unavailable': { status: 503, title: 'The store does not answer', retryAfter: 2 },
  'store-unsafe': { status: 503, title: 'The store is not safe', retryAfter: 60 },
  'store-rewound': { status: 503, title: 'The store was rewound', retryAfter: 60 },
  'commit-refused': { status: 500, title: 'The store refused the change' },
  'config-invalid': { status: 500, title: 'The configuration has mistakes' },
  'secret-unreadable': { status: 500, title: 'The sealed value cannot be opened' },
  'activity-timeout': { status: 500, title: 'An attempt took too long' },
  'activity-aborted': { status: 500, title: 'An attempt was stopped' },
  'activity-input-invalid': { status: 500, title: 'An activity was asked for something invalid' },
  'activity-output-invalid': { status: 500, title: 'An activity ended with something invalid' },
  'activity-unexpected': { status: 500, title: 'An activity failed unexpectedly' },
  'outcome-unknown': { status: 500, title: 'The outcome is unknown' },
  internal: { status: 500, title: 'Something broke' },
};

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly code: ErrorCode;
  readonly traceId: string;
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

export function statusOf(error: AppError): number {
  const { status } = FORMS[error.code];
  return typeof status === 'number' ? status : status(error.details);
}

/** The status a code usually has, for the API description. */
export function usualStatus(code: ErrorCode): number {
  const { status } = FORMS[code];
  return typeof status === 'number' ? status : status({});
}

export function titleOf(code: ErrorCode): string {
  return FORMS[code].title;
}

export function toProblem(
  error: AppError,
  where: { readonly base: string; readonly path: string; readonly traceId: string },
): Problem {
  const { title } = FORMS[error.code];
  const status = statusOf(error);
  const errors = fieldErrors(error.details);
  return {
    type: `${where.base}/docs/errors.md#${error.code}`,
    title,
    status,
    // What broke inside is for the log, under the same trace id.
    detail: status === 500 ? 'The log has the cause under the trace id.' : error.message,
    instance: where.path,
    code: error.code,
    traceId: where.traceId,
    ...(errors.length === 0 ? {} : { errors }),
  };
}

/** The last handler of the app. */
export function problemHandler(base: string, log: Logger): ErrorRequestHandler {
  return (thrown: unknown, request, response, _next) => {
    const error = asAppError(thrown);
    const traceId = String(response.locals['traceId'] ?? '');
    const status = statusOf(error);
    response.locals['code'] = error.code;
    if (status >= 500) log.error({ traceId, code: error.code, err: describe(thrown) }, 'request-failed');
    if (response.headersSent) {
      response.destroy();
      return;
    }
    const { retryAfter } = FORMS[error.code];
    if (retryAfter !== undefined && !response.hasHeader('Retry-After'))
      response.set('Retry-After', String(retryAfter));
    if (error.code === 'unauthorized') response.set('WWW-Authenticate', 'Bearer');
    if (status === 413) response.set('Connection', 'close');
    send(response, toProblem(error, { base, path: request.path.slice(0, 256), traceId }));
  };
}

function send(response: Response, problem: Problem): void {
  response
    .status(problem.status)
    .set('Cache-Control', 'no-store')
    .set('Content-Type', 'application/problem+json; charset=utf-8')
    .send(JSON.stringify(problem));
}

function fieldErrors({ errors }: JsonObject): Problem['errors'] & object {
  if (!Array.isArray(errors)) return [];
  return errors.flatMap((entry: unknown) => {
    const { pointer, detail } = (entry ?? {}) as { pointer?: unknown; detail?: unknown };
    return typeof pointer === 'string' && typeof detail === 'string' ? [{ pointer, detail }] : [];
  });
}

/** Anything thrown as an error with a code: our own, the body parser's, Express's and the store's. */
export function asAppError(thrown: unknown): AppError {
  if (isAppError(thrown)) return thrown;
  const { type, status, message } = (thrown ?? {}) as { type?: unknown; status?: unknown; message?: unknown };
  if (type === 'entity.too.large' || type === 'parameters.too.many')
    return new AppError('body-too-large', 'The body is larger than this route takes.', { cause: thrown });
  if (type === 'encoding.unsupported' || type === 'charset.unsupported')
    return new AppError('media-type-unsupported', 'Send UTF-8, uncompressed.', { cause: thrown });
  if (type === 'entity.parse.failed' || type === 'request.size.invalid' || type === 'request.aborted')
    return new AppError('body-malformed', 'The body is not readable JSON.', { cause: thrown });
  if (isStoreTrouble(thrown))
    return new AppError('store-unavailable', 'The store does not answer; try again in a moment.', {
      cause: thrown,
    });
  if (status === 400)
    return new AppError('input-invalid', 'The address is not well-formed.', { cause: thrown });
  return new AppError('internal', String(message ?? 'unknown'), { cause: thrown });
}

/** ioredis has no error codes of its own for a connection that is away, only these names and texts. */
const STORE_TROUBLE =
  /^(?:Connection is closed|Command timed out|Stream isn't writeable|Reached the max retries|Cluster isn't ready|Too many Cluster redirections|None of startup nodes|BUSY |LOADING |NOSCRIPT |READONLY |MASTERDOWN |CLUSTERDOWN |MOVED |ASK |TRYAGAIN |OOM |MISCONF |NOREPLICAS )/;

function isStoreTrouble(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const { code, syscall } = thrown as NodeJS.ErrnoException;
  return (
    thrown.name === 'MaxRetriesPerRequestError' ||
    STORE_TROUBLE.test(thrown.message) ||
    (syscall !== undefined && /^(?:ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOENT)$/.test(code ?? ''))
  );
}

function describe(thrown: unknown): { message: string; stack: string | undefined } {
  return thrown instanceof Error
    ? { message: thrown.message, stack: thrown.stack }
    : { message: String(thrown), stack: undefined };
}
