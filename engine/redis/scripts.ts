/** The scripts, read once and defined on a connection; ioredis sends their digest and falls back to the text. */
import { readFileSync } from 'node:fs';
import type { Cluster, Redis } from 'ioredis';

/** A single node, Sentinel or Cluster connection. */
export type RedisConnection = Redis | Cluster;

const SCRIPTS = {
  commit: 5,
  load: 1,
  claim: 3,
  unclaim: 2,
  heartbeat: 2,
  due: null,
  register: 3,
  route: 3,
  renew: 2,
  live: 1,
} as const;

export type ScriptName = keyof typeof SCRIPTS;

export type ScriptReply = string | number | null | readonly ScriptReply[];

/** Runs a script by name; keys first. */
export type RunScript = (
  name: ScriptName,
  keys: readonly string[],
  args: readonly (string | number)[],
) => Promise<ScriptReply>;

function textOf(name: ScriptName): string {
  return readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), 'utf8');
}

type Defined = Record<string, (...args: (string | number)[]) => Promise<ScriptReply>>;

export function defineScripts(redis: RedisConnection): RunScript {
  for (const [name, numberOfKeys] of Object.entries(SCRIPTS)) {
    const lua = textOf(name as ScriptName);
    redis.defineCommand(
      commandOf(name as ScriptName),
      numberOfKeys === null ? { lua } : { lua, numberOfKeys },
    );
  }
  const defined = redis as unknown as Defined;
  return (name, keys, args) => {
    const count = SCRIPTS[name] === null ? [keys.length] : [];
    const run = defined[commandOf(name)];
    return run === undefined
      ? Promise.reject(new Error(`script ${name} is not defined`))
      : run.call(redis, ...count, ...keys, ...args);
  };
}

function commandOf(name: ScriptName): string {
  return `engine_${name}`;
}
