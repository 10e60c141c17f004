/**
 * Values at rest. Plain JSON where JSON is exact; otherwise the tagged form of `devalue`, which keeps `undefined`,
 * Date, Map, Set, BigInt, NaN, -0 and repeated references. What neither can keep (functions, class instances,
 * symbols) is refused with the path to it, so that a context never comes back as something else.
 */
import { inspect } from 'node:util';
import { parse, stringify } from 'devalue';
import { AppError, messageOf } from '../shared/errors.ts';

const TAGGED = '~';

/** Encodes a value; throws `value-not-durable` naming the path that cannot be kept. */
export function encode(value: unknown): string {
  return encodeOwn(value, isExact(value));
}

/** Whether JSON keeps the value as it is. What throws when it is looked at, nothing keeps. */
export function isExact(value: unknown): boolean {
  try {
    return isExactJson(value, 0);
  } catch {
    return false;
  }
}

/** The value where it can be kept, otherwise what kind of thing it is: for what must not fail for being odd. */
export function storable(value: unknown): unknown {
  if (value === undefined || isExact(value)) return value;
  try {
    encode(value);
    return value;
  } catch {
    // Nothing of what it holds: that may be secret.
    return inspect(value, { depth: -1, customInspect: false });
  }
}

/**
 * Encodes what the engine made itself around values of others; `exact` tells whether those are. Fields of the engine's
 * own that are undefined are left out.
 */
export function encodeOwn(value: unknown, exact: boolean): string {
  if (exact) return JSON.stringify(value);
  try {
    requireShallow(value, 0);
    return TAGGED + stringify(value);
  } catch (cause) {
    const path = cause instanceof Error && 'path' in cause ? String(cause.path) : '';
    throw new AppError('value-not-durable', `The value at '${path}' cannot be stored: ${messageOf(cause)}.`, {
      details: { path },
      cause,
    });
  }
}

/** The reverse of `encode`. */
export function decode<Value>(text: string): Value {
  return text.startsWith(TAGGED) ? (parse(text.slice(1)) as Value) : (JSON.parse(text) as Value);
}

/** Deeper values, and ones that hold themselves, are refused before a stack overflows: what was stored must be readable. */
export const DEEPEST = 1_000;

function requireShallow(value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth > DEEPEST) throw new Error(`It is nested deeper than ${DEEPEST} levels, or holds itself`);
  const parts = value instanceof Map || value instanceof Set ? [...value] : Object.values(value);
  for (const part of parts) requireShallow(part, depth + 1);
}

const MAX_DEPTH = 64;

function isExactJson(value: unknown, depth: number): boolean {
  if (value === null) return true;
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0);
    case 'object':
      return depth < MAX_DEPTH && isExactObject(value, depth + 1);
    default:
      return false;
  }
}

function isExactObject(value: object, depth: number): boolean {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      if (!(index in value) || !isExactJson(value[index], depth)) return false;
    }
    return true;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  if ('toJSON' in value || Object.hasOwn(value, '__proto__')) return false;
  for (const key in value) {
    if (!isExactJson((value as Record<string, unknown>)[key], depth)) return false;
  }
  return true;
}

/**
 * An error as data that can be stored: what a machine's `onError` sees and what history keeps. Anything but an Error
 * passes unchanged where it can be kept, otherwise as text.
 */
export function errorToData(error: unknown): unknown {
  if (!(error instanceof Error)) return storable(error);
  const extra = error as Error & { code?: unknown; kind?: unknown; details?: unknown };
  return {
    name: error.name,
    message: error.message,
    ...(extra.code === undefined ? {} : { code: storable(extra.code) }),
    ...(extra.kind === undefined ? {} : { kind: storable(extra.kind) }),
    ...(extra.details === undefined ? {} : { details: storable(extra.details) }),
  };
}
