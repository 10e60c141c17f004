/** Requests and replies as values, operations by method and path pattern. Handlers never see a socket. */
import type { IncomingHttpHeaders } from 'node:http';

export interface Request {
  readonly method: string;
  /** Path without the service's prefix, percent-decoded. */
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON or form fields; undefined when there is no body. */
  readonly body: unknown;
  readonly operation: Operation;
}

export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly text?: string;
  readonly bytes?: Uint8Array;
  readonly contentType?: string;
}

export type Handler = (request: Request) => Reply | Promise<Reply>;

export interface Operation {
  readonly method: string;
  /** Pattern below the service's prefix: `/v1/customers/:customerId`. */
  readonly path: string;
  /** `POST /pc/v1/customers/:customerId/carts`: the name by which faults and counters know it. */
  readonly key: string;
  readonly handler: Handler;
  readonly pattern: RegExp;
}

export interface Service {
  readonly name: string;
  /** `/pc`, `/graph`; empty for none. */
  readonly prefix: string;
  readonly operations: Operation[];
  /** Answer to a path or method that nobody serves. */
  unknown(request: Omit<Request, 'operation' | 'params'>): Reply;
  /** Last word on every answer: echoed ids, byte-order marks. */
  decorate(request: Omit<Request, 'operation' | 'params'>, reply: Reply): Reply;
  /** Whether a repeated POST with the same `MS-RequestId` gets the first answer. */
  readonly replaysByRequestId: boolean;
}

/** Thrown by handlers to answer with an error of the service's own shape. */
export class Refusal extends Error {
  readonly reply: Reply;

  constructor(reply: Reply) {
    super(`answered ${reply.status}`);
    this.reply = reply;
  }
}

export interface Routes {
  on(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD', path: string, handler: Handler): void;
  readonly operations: Operation[];
}

export function createRoutes(prefix: string): Routes {
  const operations: Operation[] = [];
  return {
    operations,
    on: (method, path, handler) => {
      operations.push({ method, path, handler, key: `${method} ${prefix}${path}`, pattern: patternOf(path) });
    },
  };
}

/** `:name` takes a path segment or, inside an OData function call, what stands between its quotes. */
function patternOf(path: string): RegExp {
  const source = path
    .split(/(:[A-Za-z]+)/)
    .map((part) =>
      part.startsWith(':') ? `(?<${part.slice(1)}>[^/]+?)` : part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'),
    )
    .join('');
  return new RegExp(`^${source}/?$`, 'i');
}

export interface Match {
  readonly operation: Operation;
  readonly params: Readonly<Record<string, string>>;
}

/** The operation for a request; literal patterns win over patterns with parameters because they are registered first. */
export function matchOperation(
  operations: readonly Operation[],
  method: string,
  path: string,
): Match | undefined {
  for (const operation of operations) {
    if (operation.method !== method) continue;
    const found = operation.pattern.exec(path);
    if (found !== null) return { operation, params: { ...found.groups } };
  }
  return undefined;
}

export const ok = (json: unknown, headers?: Record<string, string>): Reply => ({
  status: 200,
  json,
  ...(headers && { headers }),
});
export const created = (json: unknown, headers?: Record<string, string>): Reply => ({
  status: 201,
  json,
  ...(headers && { headers }),
});
export const noContent = (): Reply => ({ status: 204 });
