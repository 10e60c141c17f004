/** JSON bodies within limits. The shape of the text is checked before it is parsed, so that depth costs nothing. */
import express, { type Request, type RequestHandler } from 'express';
import { AppError } from '../shared/errors.ts';

export interface BodyLimits {
  readonly bytes: number;
  readonly depth: number;
  readonly keys: number;
}

export const SMALL: BodyLimits = { bytes: 64 * 1024, depth: 32, keys: 1_000 };
/** Lists of up to 2000 users travel in signals. */
export const BULK: BodyLimits = { bytes: 512 * 1024, depth: 32, keys: 12_000 };

/** Parses `application/json`; any other body is refused. A request without one has `body` undefined. */
export function jsonBody(limits: BodyLimits): RequestHandler[] {
  const parse = express.json({
    limit: limits.bytes,
    strict: true,
    inflate: false,
    type: 'application/json',
    verify: (_request, _response, raw) => checkShape(raw, limits),
  });
  return [refuseOtherTypes, parse, refusePrototypes];
}

/** A text of type `text/csv` in UTF-8; any other body is refused. */
export function csvBody(limits: Pick<BodyLimits, 'bytes'>): RequestHandler[] {
  const refuseOthers: RequestHandler = (request, _response, next) => {
    if (request.is('text/csv') === false && hasBody(request))
      throw new AppError('media-type-unsupported', 'Send text/csv.');
    next();
  };
  return [refuseOthers, express.text({ limit: limits.bytes, inflate: false, type: 'text/csv' })];
}

const refuseOtherTypes: RequestHandler = (request, _response, next) => {
  if (hasBody(request) && request.is('application/json') === false)
    throw new AppError('media-type-unsupported', 'Send application/json.');
  next();
};

const refusePrototypes: RequestHandler = (request, _response, next) => {
  const pointer = findPrototypeKey(request.body, '');
  if (pointer !== null)
    throw new AppError('input-invalid', 'A field has a name that is not allowed.', {
      details: { errors: [{ pointer, detail: 'is not an allowed name' }] },
    });
  next();
};

function hasBody(request: Request): boolean {
  return (
    request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) > 0
  );
}

const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a];
const OPENING = new Set([0x7b, 0x5b]);
const CLOSING = new Set([0x7d, 0x5d]);

/** Raises `input-invalid` when the text nests deeper or holds more fields than allowed. */
export function checkShape(raw: Uint8Array, { depth, keys }: BodyLimits): void {
  let level = 0;
  let fields = 0;
  let inText = false;
  for (let at = 0; at < raw.length; at += 1) {
    const byte = raw[at] ?? 0;
    if (inText) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) inText = false;
    } else if (byte === QUOTE) inText = true;
    else if (OPENING.has(byte)) level += 1;
    else if (CLOSING.has(byte)) level -= 1;
    else if (byte === COLON) fields += 1;
    if (level > depth) throw tooMuch(`The body nests deeper than ${depth} levels.`);
    if (fields > keys) throw tooMuch(`The body holds more than ${keys} fields.`);
  }
}

function tooMuch(message: string): AppError {
  return new AppError('input-invalid', message, { details: { errors: [{ pointer: '', detail: message }] } });
}

function findPrototypeKey(value: unknown, pointer: string): string | null {
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, inner] of Object.entries(value)) {
    if (key === '__proto__') return `${pointer}/__proto__`;
    const found = findPrototypeKey(inner, `${pointer}/${key}`);
    if (found !== null) return found;
  }
  return null;
}
