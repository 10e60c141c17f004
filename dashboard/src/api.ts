/** Talks to the API with the session cookie. Errors are problem documents, thrown as `ApiProblem`. */
import type { Page, Problem } from './types.ts';

export class ApiProblem extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

export interface Answer<T> {
  /** Undefined when the answer is the one the caller has (304). */
  readonly data: T | undefined;
  readonly etag: string | null;
  readonly status: number;
}

const TIMEOUT_MS = 15_000;
const MAX_PAGES = 25;

export async function read<T>(path: string, etag: string | null = null): Promise<Answer<T>> {
  const response = await send(path, {
    headers: etag === null ? {} : { 'If-None-Match': etag },
    cache: 'no-store',
  });
  if (response.status === 304) return { data: undefined, etag, status: 304 };
  return {
    data: (await response.json()) as T,
    etag: response.headers.get('ETag'),
    status: response.status,
  };
}

export async function post<T>(path: string, body: unknown, headers: Record<string, string> = {}): Promise<T> {
  const response = await send(path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** Sends a CSV list as it is. */
export async function postList<T>(path: string, text: string): Promise<T> {
  const response = await send(path, { method: 'POST', headers: { 'Content-Type': 'text/csv' }, body: text });
  return (await response.json()) as T;
}

/** Every page of a list as one, at most `MAX_PAGES` of them. */
export async function readAll<T>(path: string): Promise<Answer<Page<T>>> {
  const items: T[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const more: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const { data } = await read<Page<T>>(`${path}${more}`);
    items.push(...(data?.data ?? []));
    cursor = data?.nextCursor ?? null;
    if (cursor === null) break;
  }
  return { data: { data: items, nextCursor: cursor }, etag: null, status: 200 };
}

export async function remove(path: string): Promise<void> {
  await send(path, { method: 'DELETE' });
}

async function send(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      ...init,
      credentials: 'same-origin',
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new ApiProblem(offline);
  }
  if (response.ok || response.status === 304) return response;
  throw new ApiProblem(await problemOf(response));
}

const offline: Problem = {
  title: 'No connection',
  status: 0,
  detail: 'The server does not answer. It is tried again.',
  code: 'offline',
  traceId: '',
};

async function problemOf(response: Response): Promise<Problem> {
  try {
    return (await response.json()) as Problem;
  } catch {
    return { ...offline, status: response.status, title: 'The server answered with an error' };
  }
}

export function asProblem(error: unknown): Problem {
  if (error instanceof ApiProblem) return error.problem;
  return { ...offline, title: 'Something broke in this page', detail: String(error), code: 'page' };
}
