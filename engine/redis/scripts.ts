/** The scripts, read once: sent by their digest, and by their text where the server does not know them. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RedisConnection } from '../../shared/redis.ts';

const NAMES = [
  'commit',
  'load',
  'claim',
  'unclaim',
  'heartbeat',
  'due',
  'outbox',
  'register',
  'route',
  'renew',
  'live',
  'list',
  'count',
  'accept',
] as const;

export type ScriptName = (typeof NAMES)[number];

export type ScriptReply = string | number | null | readonly ScriptReply[];

/** Runs a script by name; keys first. */
export type RunScript = (
  name: ScriptName,
  keys: readonly string[],
  args: readonly (string | number)[],
) => Promise<ScriptReply>;

interface Script {
  readonly text: string;
  readonly digest: string;
}

/** What a script begins with: functions that several have in common. */
const HEADS: Readonly<Partial<Record<ScriptName, readonly string[]>>> = {
  commit: ['index', 'index-change'],
  list: ['index'],
};

function readScript(name: ScriptName): Script {
  const text = [...(HEADS[name] ?? []), name]
    .map((file) => readFileSync(new URL(`./scripts/${file}.lua`, import.meta.url), 'utf8'))
    .join('');
  return { text, digest: createHash('sha1').update(text).digest('hex') };
}

/** ioredis flattens lists among the arguments, which spares a copy of hundreds of words; its types do not say so. */
type Evaluate = (
  script: string,
  keyCount: number,
  keys: readonly string[],
  args: readonly (string | number)[],
) => Promise<ScriptReply>;

export function prepareScripts(redis: RedisConnection): RunScript {
  const scripts = Object.fromEntries(NAMES.map((name) => [name, readScript(name)])) as Record<
    ScriptName,
    Script
  >;
  const byDigest = redis.evalsha.bind(redis) as unknown as Evaluate;
  const byText = redis.eval.bind(redis) as unknown as Evaluate;
  return async (name, keys, args) => {
    const { digest, text } = scripts[name];
    try {
      return await byDigest(digest, keys.length, keys, args);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error;
      return byText(text, keys.length, keys, args);
    }
  };
}
