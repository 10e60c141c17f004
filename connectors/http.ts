/**
 * The one place where this product calls Microsoft: request ids, time limits, token renewal, answer parsing. Every
 * way a call can go wrong ends as an ActivityFailure (`refusals.ts` decides its kind).
 */
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { ActivityFailure } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { redacted } from './redact.ts';
import {
  type Refusal,
  type RefusalRules,
  refusalFailure,
  retryAfterMs,
  type ServiceError,
} from './refusals.ts';

/** For calls that change nothing. */
export interface ReadOptions {
  readonly signal?: AbortSignal;
  readonly correlationId?: string;
}

/** For calls that change something. `requestId` stays the same until an answer was received, then changes. */
export interface WriteOptions {
  readonly requestId: string;
  readonly correlationId: string;
  readonly signal?: AbortSignal;
}

export interface CallIds {
  readonly requestId: string;
  readonly correlationId: string;
}

/** Holds calls back so that all workers together stay below what the service allows. */
export interface Pace {
  /** Resolves when a call may go out. Raises a retryable ActivityFailure when that would take too long. */
  admit(signal?: AbortSignal): Promise<void>;
  /** The service asked for a pause: nobody calls before it is over. */
  throttled(waitMs: number): Promise<void>;
}

/** One outside API. `name` prefixes failure codes, `queue` is what a broken sign-in pauses. */
export interface Service {
  readonly name: string;
  readonly queue: string;
  readonly baseUrl: string;
  /** Longest one call may take, milliseconds. */
  readonly timeoutMs: number;
  readonly log: Logger;
  headers(ids: CallIds): Record<string, string>;
  /** Reads an error out of a body, or undefined when it holds none. Also asked about 2xx answers. */
  readError(body: unknown): ServiceError | undefined;
  readonly rules: RefusalRules;
  readonly pace?: Pace;
}

/** Hands out a bearer token; `refused` is the one that was just refused and must not come again. */
export type TokenSource = (options: { readonly refused: string | undefined }) => Promise<string>;

export interface Call<Schema extends z.ZodType> {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the base address on, query included; build it with `route` and `query`. */
  readonly path: string;
  readonly schema: Schema;
  readonly token?: TokenSource;
  readonly body?: unknown;
  /** Sent instead of JSON. */
  readonly form?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether the call changes something. Default: every method but GET and HEAD. */
  readonly mutating?: boolean;
  /** Money or a tenant is at stake: only a clean business refusal counts as not done. */
  readonly strict?: boolean;
  /** Statuses beside 2xx that are answers here, not refusals. */
  readonly accept?: readonly number[];
  /** Insist on the echoed MS-RequestId: proof that the service answered and not something in between. */
  readonly requireEcho?: boolean;
}

export interface Answer<Body> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Body;
}

interface RawAnswer extends Answer<unknown> {
  readonly text: string;
  readonly token: string | undefined;
}

const MAX_ANSWER_BYTES = 8 * 1024 * 1024;

/** Makes one call. Raises ActivityFailure only. */
export async function call<Schema extends z.ZodType>(
  service: Service,
  request: Call<Schema>,
  options: ReadOptions | WriteOptions,
): Promise<Answer<z.output<Schema>>> {
  const ids: CallIds = {
    requestId: 'requestId' in options ? options.requestId : randomUUID(),
    correlationId: options.correlationId ?? randomUUID(),
  };
  let answer = await attempt(service, request, ids, options.signal);
  // A refused token means the operation was never looked at, so the request id stays.
  if (answer.status === 401 && request.token !== undefined && !saysMfa(answer)) {
    answer = await attempt(service, request, ids, options.signal, answer.token);
  }
  return judge(service, request, ids, answer);
}

/** Fills a path template; every value is encoded and can neither add nor climb a path segment. */
export function route(template: TemplateStringsArray, ...values: readonly string[]): string {
  return String.raw({ raw: template }, ...values.map(segment));
}

/** `?a=1&b=2` of the values that are given, or an empty text. */
export function query(values: Readonly<Record<string, string | number | undefined>>): string {
  const parts = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [`${encodeURIComponent(name)}=${encodeURIComponent(value)}`],
  );
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

export function isMutating(request: Pick<Call<z.ZodType>, 'method' | 'mutating'>): boolean {
  return request.mutating ?? !['GET', 'HEAD'].includes(request.method);
}

/** A failure for an answer that was readable as HTTP but not as what the documentation promises. */
export function shapeFailure(
  service: Pick<Service, 'name'>,
  request: Pick<Call<z.ZodType>, 'method' | 'path' | 'mutating'>,
  details: Record<string, unknown>,
  issues: readonly ShapeIssue[] = [],
): ActivityFailure {
  // The call succeeded, only its answer is unreadable: repeating a change blindly could do it twice.
  const kind = isMutating(request) ? 'unknown' : 'unexpected';
  const [first] = issues;
  const what =
    first === undefined ? 'in an unknown shape' : `not as documented: ${first.path || 'it'} ${first.problem}`;
  const message = `${service.name} answered ${request.method} ${pathOnly(request.path)} ${what}.`;
  return new ActivityFailure(kind, `${service.name}-shape`, message, {
    details: { ...details, ...(issues.length === 0 ? {} : { issues: issues.slice(0, 20) }) },
  });
}

interface ShapeIssue {
  /** `items.0.status`; empty for the answer as a whole. */
  readonly path: string;
  readonly problem: string;
}

function issuesOf(answer: RawAnswer, error: z.ZodError): ShapeIssue[] {
  if (answer.body === undefined) {
    const type = (answer.headers.get('content-type') ?? 'no content type').slice(0, 60);
    return [{ path: '', problem: answer.text.trim() === '' ? 'is empty' : `is no JSON (${type})` }];
  }
  return error.issues.map(({ path, message }) => ({ path: path.join('.'), problem: inWords(message) }));
}

/** zod speaks to programmers; whoever reads this is staff. */
function inWords(message: string): string {
  const [, wanted, given] = /expected (\w+), received (\w+)/.exec(message) ?? [];
  if (given === 'undefined') return 'is missing';
  if (wanted !== undefined && given !== undefined) return `is ${given}, not ${wanted}`;
  return message.replace(/^Invalid input: /, 'is not right: ').replace(/^Invalid GUID$/, 'is no GUID');
}

function judge<Schema extends z.ZodType>(
  service: Service,
  request: Call<Schema>,
  ids: CallIds,
  answer: RawAnswer,
): Answer<z.output<Schema>> {
  const details = {
    ...describe(request, ids),
    status: answer.status,
    answer: redacted(answer.body ?? answer.text),
  };
  const succeeded = answer.status >= 200 && answer.status < 300;
  const error = service.readError(answer.body);
  if (!request.accept?.includes(answer.status) && (!succeeded || error !== undefined)) {
    throw refusalFailure(service, refusalOf(request, answer, error, details));
  }
  const echo = answer.headers.get('ms-requestid');
  if (request.requireEcho === true && echo?.toLowerCase() !== ids.requestId.toLowerCase()) {
    const message = `${service.name} did not echo the request id, so this may be another server's answer.`;
    throw new ActivityFailure('unexpected', `${service.name}-echo-missing`, message, { details });
  }
  const parsed = request.schema.safeParse(answer.body);
  if (parsed.success) return { status: answer.status, headers: answer.headers, body: parsed.data };
  throw shapeFailure(service, request, details, issuesOf(answer, parsed.error));
}

function refusalOf(
  request: Call<z.ZodType>,
  answer: RawAnswer,
  error: ServiceError | undefined,
  details: Record<string, unknown>,
): Refusal {
  return {
    status: answer.status,
    code: error?.code,
    text: error?.text ?? '',
    retryAdvised: error?.retryAdvised ?? false,
    mutating: isMutating(request),
    strict: request.strict ?? false,
    mfaMissing: answer.status === 401 && request.token !== undefined && saysMfa(answer),
    retryAfterMs: retryAfterMs(answer.headers.get('retry-after'), Date.now()),
    details,
  };
}

async function attempt(
  service: Service,
  request: Call<z.ZodType>,
  ids: CallIds,
  signal: AbortSignal | undefined,
  refused?: string,
): Promise<RawAnswer> {
  const token = await request.token?.({ refused });
  await service.pace?.admit(signal);
  const limit = timeLimit(service.timeoutMs, signal);
  const started = performance.now();
  try {
    const response = await fetch(joinUrl(service.baseUrl, request.path), {
      method: request.method,
      redirect: 'manual',
      signal: limit.signal,
      headers: {
        accept: 'application/json',
        ...service.headers(ids),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...contentType(request),
        ...request.headers,
      },
      body: bodyOf(request),
    });
    const text = await readText(response);
    const ms = Math.round(performance.now() - started);
    service.log.debug(
      {
        connector: service.name,
        method: request.method,
        path: pathOnly(request.path),
        status: response.status,
        ms,
        ...ids,
      },
      'call-answered',
    );
    if (response.status === 429) await service.pace?.throttled(pauseOf(response));
    return { status: response.status, headers: response.headers, body: parseJson(text), text, token };
  } catch (cause) {
    throw noAnswer(service, request, ids, limit.reason(), cause);
  } finally {
    limit.clear();
  }
}

/** No answer: what was asked for may have happened, so a change becomes `unknown` and a read can simply be repeated. */
function noAnswer(
  service: Service,
  request: Call<z.ZodType>,
  ids: CallIds,
  reason: 'timeout' | 'aborted' | undefined,
  cause: unknown,
): ActivityFailure {
  // A giant comes again and again; silence may pass.
  const isGiant = cause === TOO_LARGE;
  const kind = isMutating(request) ? 'unknown' : isGiant ? 'unexpected' : 'retryable';
  const code = `${service.name}-${isGiant ? 'answer-too-large' : (reason ?? 'no-answer')}`;
  const details = { ...describe(request, ids), reason: reason ?? networkCode(cause) };
  service.log.warn({ connector: service.name, code, ...details }, 'call-unanswered');
  return new ActivityFailure(
    kind,
    code,
    `${service.name} gave ${isGiant ? 'an answer too large to read' : 'no answer'} to ${request.method} ${pathOnly(request.path)}.`,
    {
      details,
      cause,
    },
  );
}

/** What an answer that names no time is worth. */
const DEFAULT_PAUSE_MS = 10_000;

function pauseOf({ headers }: Response): number {
  return retryAfterMs(headers.get('retry-after'), Date.now()) ?? DEFAULT_PAUSE_MS;
}

function timeLimit(timeoutMs: number, caller: AbortSignal | undefined) {
  const controller = new AbortController();
  let reason: 'timeout' | 'aborted' | undefined;
  const stop = (why: 'timeout' | 'aborted') => {
    reason ??= why;
    controller.abort();
  };
  const onAbort = () => stop('aborted');
  const timer = setTimeout(() => stop('timeout'), timeoutMs);
  if (caller?.aborted === true) onAbort();
  caller?.addEventListener('abort', onAbort, { once: true });
  return {
    signal: controller.signal,
    reason: () => reason,
    clear: () => {
      clearTimeout(timer);
      caller?.removeEventListener('abort', onAbort);
    },
  };
}

const TOO_LARGE = new Error(`The answer is larger than ${MAX_ANSWER_BYTES} bytes.`);

async function readText(response: Response): Promise<string> {
  if (response.body === null) return '';
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > MAX_ANSWER_BYTES) throw TOO_LARGE;
    text += decoder.decode(chunk, { stream: true });
  }
  return (text + decoder.decode()).replace(/^\uFEFF/, '');
}

/** Undefined for no body and for a body that is not JSON: the schema or the status decides what that means. */
function parseJson(text: string): unknown {
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function bodyOf(request: Call<z.ZodType>): string | URLSearchParams | null {
  if (request.form !== undefined) return new URLSearchParams(request.form);
  return request.body === undefined ? null : JSON.stringify(request.body);
}

function contentType(request: Call<z.ZodType>): Record<string, string> {
  return request.body === undefined ? {} : { 'content-type': 'application/json' };
}

function saysMfa(answer: RawAnswer): boolean {
  return /\bmfa\b/i.test(`${answer.text} ${answer.headers.get('www-authenticate') ?? ''}`);
}

function joinUrl(base: string, path: string): string {
  return `${base.replace(/\/+$/, '')}${path}`;
}

function segment(value: string): string {
  const encoded = encodeURIComponent(value);
  if (encoded === '' || encoded === '.' || encoded === '..') {
    throw new ActivityFailure(
      'terminal',
      'path-segment-invalid',
      'An id for a call is empty or a relative path.',
    );
  }
  return encoded;
}

function describe(request: Call<z.ZodType>, ids: CallIds): Record<string, unknown> {
  return { method: request.method, path: pathOnly(request.path), ...ids };
}

function pathOnly(path: string): string {
  return path.split('?')[0] ?? path;
}

function networkCode(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  if (inner instanceof Error) return 'code' in inner ? String(inner.code) : inner.name;
  return 'unknown';
}
