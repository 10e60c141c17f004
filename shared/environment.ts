/**
 * Reading the environment: one zod schema per kind of variable, all mistakes reported together, and `<NAME>_FILE`
 * for every variable that holds a secret.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { AppError } from './errors.ts';
import { Secret } from './secrets.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface VariableProblem {
  readonly variable: string;
  readonly problem: string;
}

const HOUR = 3_600_000;
const ISO_DURATION =
  /^P(?:(\d{1,6})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,6}(?:\.\d{1,3})?)S)?)?$/;

/** Milliseconds of a plain number (`1500`) or an ISO 8601 duration up to weeks (`P2D`, `PT1H30M`); else undefined. */
export function parseDuration(text: string): number | undefined {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  const match = ISO_DURATION.exec(text);
  if (match === null || /[PT]$/.test(text)) return undefined;
  const [weeks, days, hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0));
  return Math.round(
    (weeks ?? 0) * 168 * HOUR +
      (days ?? 0) * 24 * HOUR +
      (hours ?? 0) * HOUR +
      (minutes ?? 0) * 60_000 +
      (seconds ?? 0) * 1_000,
  );
}

export const duration = z.string().transform((text, context) => {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  return invalid(context, 'is neither milliseconds nor an ISO 8601 duration such as P2D or PT30S');
});

export const durations = z.string().transform((text, context) => {
  const all = splitList(text).map(parseDuration);
  if (all.length > 0 && all.every((ms) => ms !== undefined)) return all.toSorted((a, b) => a - b);
  return invalid(context, 'is not a comma-separated list of durations such as P2D,P5D,P10D');
});

export const text = z.string().max(2_048, 'is longer than 2048 characters');
export const secretText = text.transform((value) => new Secret(value));
export const guid = z.guid('is not a GUID');
export const list = z.string().transform(splitList);

export const flag = z
  .enum(['true', 'false', '1', '0'], 'is neither true nor false')
  .transform((value) => value === 'true' || value === '1');

export function integer(min: number, max: number) {
  return z.string().transform((value, context) => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= min && number <= max) return number;
    return invalid(context, `is not a whole number from ${min} to ${max}`);
  });
}

/** An address with one of these schemes, without a trailing slash. */
export function address(...schemes: readonly string[]) {
  return text.transform((value, context) => {
    const scheme = URL.canParse(value) ? new URL(value).protocol.slice(0, -1) : undefined;
    if (scheme !== undefined && schemes.includes(scheme)) return value.replace(/\/+$/, '');
    return invalid(
      context,
      `is not an address that starts with ${schemes.map((name) => `${name}://`).join(' or ')}`,
    );
  });
}

export interface Endpoints {
  /** Whether they are spoken to over TLS. */
  readonly tls: boolean;
  readonly at: readonly { readonly host: string; readonly port: number }[];
}

/** Servers of one kind: `host:port`, or `rediss://host:port` where all are spoken to over TLS. */
export const endpoints = list.transform((entries, context): Endpoints => {
  const urls = entries.map((entry) => (entry.includes('://') ? entry : `redis://${entry}`));
  const parsed = urls.flatMap((url) => (URL.canParse(url) ? [new URL(url)] : []));
  const plain = ({ pathname, search, hash }: URL) => /^\/?$/.test(pathname) && search === '' && hash === '';
  if (parsed.some(({ username, password }) => username !== '' || password !== ''))
    return invalid(context, 'holds credentials, which have variables of their own');
  const schemes = new Set(parsed.map(({ protocol }) => protocol));
  const known = [...schemes].every((scheme) => scheme === 'redis:' || scheme === 'rediss:');
  const whole = parsed.length === entries.length && parsed.every((url) => url.port !== '' && plain(url));
  if (entries.length === 0 || !known || !whole)
    return invalid(context, 'is not a list of host:port or rediss://host:port');
  if (schemes.size > 1) return invalid(context, 'has entries with TLS and entries without');
  return {
    tls: schemes.has('rediss:'),
    at: parsed.map(({ hostname, port }) => ({ host: bareHost(hostname), port: Number(port) })),
  };
});

/** As sockets want it: an IPv6 address without its brackets. */
export const bareHost = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, '$1');

/**
 * Parses the variables of `shape`. An empty value counts as unset. Raises `config-invalid` with
 * `details.errors: VariableProblem[]` that holds every mistake at once; no value is ever quoted.
 */
export function parseEnvironment<Shape extends z.ZodRawShape>(
  environment: Environment,
  shape: Shape,
  secretNames: readonly string[] = [],
): z.output<z.ZodObject<Shape>> {
  const problems: VariableProblem[] = [];
  const values: Record<string, string> = {};
  for (const name of Object.keys(shape)) {
    const value = readVariable(environment, name, secretNames.includes(name), problems);
    if (value !== undefined) values[name] = value;
  }
  const parsed = z.object(shape).safeParse(values);
  for (const issue of parsed.error?.issues ?? []) {
    const variable = String(issue.path[0]);
    const missing = values[variable] === undefined;
    if (missing && problems.some((known) => known.variable === variable)) continue;
    problems.push({ variable, problem: missing ? 'is required' : issue.message });
  }
  if (parsed.success && problems.length === 0) return parsed.data;
  throw configInvalid(problems);
}

export function configInvalid(problems: readonly VariableProblem[]): AppError {
  const lines = problems.map(({ variable, problem }) => `  ${variable} ${problem}`);
  return new AppError('config-invalid', `The configuration has mistakes:\n${lines.join('\n')}`, {
    details: { errors: problems },
  });
}

function readVariable(
  environment: Environment,
  name: string,
  secret: boolean,
  problems: VariableProblem[],
): string | undefined {
  const value = environment[name]?.trim() || undefined;
  const file = secret ? environment[`${name}_FILE`]?.trim() || undefined : undefined;
  if (file === undefined) return value;
  if (value !== undefined) {
    problems.push({ variable: name, problem: `is given twice, here and by ${name}_FILE` });
    return value;
  }
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    problems.push({
      variable: name,
      problem: `cannot be read from the file that ${name}_FILE names (${code})`,
    });
    return undefined;
  }
}

export function splitList(value: string): string[] {
  return value
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

export function invalid(context: z.RefinementCtx, message: string): never {
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
}
