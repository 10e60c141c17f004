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

/**
 * The revision `If-Match` names, for the commit to hold against the instance's own; undefined for any. Raises
 * `revision-mismatch` for a tag that names none.
 */
export function revisionAsked(request: Request): number | undefined {
  const header = request.headers['if-match'];
  if (header === undefined || header.trim() === '*') return undefined;
  const named = /^"(\d{1,15})(?:-[\w-]+)?"$/.exec(header.trim())?.[1];
  if (named !== undefined) return Number(named);
  throw new AppError('revision-mismatch', 'The tag of If-Match is none that an instance ever had.');
}
