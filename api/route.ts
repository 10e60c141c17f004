/** One route as data: what it is called, what it takes and answers, and what it does. Routes and their description are the same list. */
import type { Request } from 'express';
import { z } from 'zod';
import type { Actor } from '../engine/index.ts';
import { AppError, type ErrorCode } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import type { Caller } from './auth.ts';

export interface Reply {
  readonly status: number;
  /** Sent as JSON; left out, the answer has no body. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One request, parsed by the route's own schemas. */
export interface Call<Params = unknown, Query = unknown, Body = unknown> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Null only on public routes. */
  readonly caller: Caller | null;
  readonly request: Request;
  readonly log: Logger;
}

export interface ResponseForm {
  readonly description: string;
  /** Left out: no body. */
  readonly schema?: z.ZodType;
  readonly type?: string;
}

/** `raw`: the exact bytes, unparsed. `csv`: a text of type `text/csv`. */
export type BodySize = 'small' | 'bulk' | 'raw' | 'csv';

export interface RouteOptions<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  readonly id: string;
  readonly method: 'get' | 'post' | 'delete';
  /** With `{name}` for each parameter. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  readonly size?: BodySize;
  /** Request headers worth describing. */
  readonly headers?: z.ZodObject;
  readonly responses: Readonly<Record<number, ResponseForm>>;
  /** Beside those every route may answer with. */
  readonly errors: readonly ErrorCode[];
  handle(call: Call<z.output<P>, z.output<Q>, z.output<B>>): Promise<Reply> | Reply;
}

export interface Route extends Omit<RouteOptions<z.ZodType, z.ZodType, z.ZodType>, 'handle'> {
  handle(call: Call): Promise<Reply> | Reply;
}

const Nothing = z.strictObject({});

export function route<
  P extends z.ZodType = typeof Nothing,
  Q extends z.ZodType = typeof Nothing,
  B extends z.ZodType = typeof Nothing,
>(options: RouteOptions<P, Q, B>): Route {
  return { ...options, handle: (call) => options.handle(call as never) };
}

/** Raises `input-invalid` with one pointer per mistake. */
export function parseAt<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const errors = result.error.issues.flatMap((issue) => {
    const base = `${where}${issue.path.map((part) => `/${escapePointer(String(part))}`).join('')}`;
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => ({
        pointer: `${base}/${escapePointer(key)}`,
        detail: 'is not a known field',
      }));
    return [{ pointer: base, detail: issue.message }];
  });
  const [first] = errors;
  throw new AppError(
    'input-invalid',
    first === undefined ? 'The request is not valid.' : `${first.pointer || '/'}: ${first.detail}`,
    { details: { errors } },
  );
}

function escapePointer(part: string): string {
  return part.replaceAll('~', '~0').replaceAll('/', '~1').slice(0, 100);
}

export const nothing: z.ZodType = Nothing;

/** Routes that are not public have a caller; this says so to the compiler. */
export function callerOf(call: Pick<Call, 'caller'>): Caller {
  if (call.caller === null) throw new AppError('unauthorized', 'Sign in first.');
  return call.caller;
}

export function actorOf(call: Pick<Call, 'caller'>): Actor {
  return { kind: 'api-key', id: callerOf(call).name };
}
