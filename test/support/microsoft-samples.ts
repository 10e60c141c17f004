/**
 * What Microsoft's documentation prints as requests and answers, field by field, with values of our own
 * (`test/fixtures/microsoft`). One list for both sides: what connectors must read and what the emulator must answer.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const Sample = z.strictObject({
  name: z.string(),
  /** Section of the facts file. */
  source: z.string(),
  /** Whose directory a call to Graph goes to. */
  tenant: z.enum(['partner', 'customer']).optional(),
  /** Absent where only the answer is played, at the connectors. `{name}` in path and body is filled in by the test. */
  request: z
    .strictObject({
      method: z.string(),
      path: z.string(),
      headers: z.record(z.string(), z.string()).optional(),
      body: z.unknown().optional(),
    })
    .optional(),
  status: z.number().int(),
  headers: z.record(z.string(), z.string()).optional(),
  answer: z.unknown(),
  /** Documented fields that the emulator may leave out, and fields it has beyond the printed ones. */
  leftOut: z.array(z.string()).default([]),
  also: z.array(z.string()).default([]),
  /** The printed answer is cut short: any further field will do. */
  alsoAny: z.boolean().default(false),
  why: z.string().optional(),
});
export type Sample = z.output<typeof Sample>;

export function samplesOf(file: 'partner-center' | 'graph'): Sample[] {
  const path = new URL(`../fixtures/microsoft/${file}.json`, import.meta.url);
  return z.array(Sample).parse(JSON.parse(readFileSync(path, 'utf8')));
}

/** Every field of a value with its JSON type; the items of a list are taken together, and `null` fits any type. */
export function fieldsOf(
  value: unknown,
  path = '',
  found: Map<string, string> = new Map(),
): Map<string, string> {
  const type = Array.isArray(value) ? 'list' : value === null ? 'null' : typeof value;
  const known = found.get(path);
  if (path !== '' && (known === undefined || known === 'null')) found.set(path, type);
  if (Array.isArray(value)) for (const item of value) fieldsOf(item, path, found);
  else if (typeof value === 'object' && value !== null)
    for (const [name, inner] of Object.entries(value))
      fieldsOf(inner, path === '' ? name : `${path}.${name}`, found);
  return found;
}

/** In words, what differs between a documented answer and a given one; empty when nothing does. */
export function differences(sample: Sample, given: unknown): string[] {
  const wanted = fieldsOf(sample.answer);
  const found = fieldsOf(given);
  const empty = (path: string) => [...emptyParents(given)].some((parent) => inside(path, parent));
  const opaque = (path: string) => [...emptyParents(sample.answer)].some((parent) => inside(path, parent));
  const missing = [...wanted.keys()].filter(
    (path) => !found.has(path) && !sample.leftOut.some((left) => inside(path, left)) && !empty(path),
  );
  const extra = [...found.keys()].filter(
    (path) =>
      !wanted.has(path) &&
      !sample.alsoAny &&
      !sample.also.some((also) => inside(path, also)) &&
      !opaque(path),
  );
  const other = [...wanted].filter(([path, type]) => {
    const there = found.get(path);
    return (
      there !== undefined && there !== type && there !== 'null' && type !== 'null' && !isListItem(type, there)
    );
  });
  return [
    ...missing.map((path) => `${path} is missing`),
    ...extra.map((path) => `${path} is not documented`),
    ...other.map(([path, type]) => `${path} is ${found.get(path)}, not ${type}`),
  ];
}

const inside = (path: string, parent: string) => path === parent || path.startsWith(`${parent}.`);

/** The walk visits a list and its items under one path. */
const isListItem = (one: string, other: string) =>
  [one, other].includes('list') && [one, other].includes('object');

/** Paths of empty lists and objects and of nulls: what would be inside cannot be compared. */
function emptyParents(value: unknown, path = '', found = new Set<string>()): Set<string> {
  if (value === null) found.add(path);
  else if (Array.isArray(value)) {
    if (value.length === 0) found.add(path);
    for (const item of value) emptyParents(item, path, found);
  } else if (typeof value === 'object') {
    if (Object.keys(value).length === 0) found.add(path);
    for (const [name, inner] of Object.entries(value))
      emptyParents(inner, path === '' ? name : `${path}.${name}`, found);
  }
  return found;
}
