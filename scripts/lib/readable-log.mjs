/** Turns pino's JSON lines into lines for people: `12:03:11.123 INFO  worker  activity-completed instanceId=…`. */
import { createWriteStream, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const LEVELS = { 10: 'TRACE', 20: 'DEBUG', 30: 'INFO', 40: 'WARN', 50: 'ERROR', 60: 'FATAL' };
const HIDDEN = new Set(['level', 'time', 'msg', 'pid', 'hostname', 'name', 'v']);
const LARGEST_FILE = 20 * 1024 * 1024;

export function parseLine(line) {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function field([key, value]) {
  if (key === 'err' && value?.stack) return `\n    ${String(value.stack).replaceAll('\n', '\n    ')}`;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return `${key}=${/[\s"]/.test(text) && typeof value === 'string' ? JSON.stringify(text) : text}`;
}

/** A line that is not JSON passes with time and name in front. */
export function readableLine(name, line, now = new Date()) {
  const entry = parseLine(line);
  const time = entry?.time === undefined ? now : new Date(entry.time);
  const clock = Number.isNaN(time.getTime()) ? String(entry.time) : time.toISOString().slice(11, 23);
  const level = (LEVELS[entry?.level] ?? (entry ? 'INFO' : '')).padEnd(5);
  const said = entry === undefined ? line : [entry.msg, ...fieldsOf(entry)].filter(Boolean).join(' ');
  return `${clock} ${level} ${name.padEnd(8)} ${said}`;
}

function fieldsOf(entry) {
  return Object.entries(entry)
    .filter(([key]) => !HIDDEN.has(key))
    .map(field);
}

/** An appending file, its predecessor kept as `<path>.1` once it has grown large. */
export function openLog(path) {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (existsSync(path) && statSync(path).size > LARGEST_FILE) renameSync(path, `${path}.1`);
  return createWriteStream(path, { flags: 'a', mode: 0o600 });
}
