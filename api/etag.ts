import { createHash } from 'node:crypto';
import type { Request } from 'express';
import { AppError } from '../shared/errors.ts';

/** A strong entity tag for exactly these bytes. */
export function etagOf(body: string): string {
  return `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`;
}

/** Whether the caller has this very answer already. */
export function matches(request: Request, etag: string): boolean {
  const header = request.headers['if-none-match'];
  return header?.split(',').some((tag) => tag.trim() === etag) ?? false;
}

/** Raises `revision-mismatch` when `If-Match` names another revision than this. */
export function requireRevision(request: Request, revision: number): void {
  const header = request.headers['if-match'];
  if (header === undefined || header.trim() === '*') return;
  const named = /^"(\d{1,15})(?:-[\w-]+)?"$/.exec(header.trim())?.[1];
  if (named !== undefined && Number(named) === revision) return;
  throw new AppError('revision-mismatch', `The instance is at revision ${revision} now.`, {
    details: { revision },
  });
}
