/** Where the store is: one server, the one that Sentinel names, or a cluster. */
import type { z } from 'zod';
import type { storeShape } from './config-variables.ts';
import type { Endpoints, VariableProblem } from './environment.ts';
import type { Secret } from './secrets.ts';

export interface RedisLogin {
  readonly username: string | null;
  readonly password: Secret<string> | null;
}

export type RedisPlace =
  | { readonly kind: 'node'; readonly url: string; readonly login: RedisLogin }
  /** `nodes` are asked for the others. */
  | { readonly kind: 'cluster'; readonly nodes: Endpoints; readonly login: RedisLogin }
  /** `login` is for the servers, `sentinelLogin` for those who know which of them is primary. */
  | {
      readonly kind: 'sentinel';
      readonly sentinels: Endpoints;
      readonly master: string;
      readonly login: RedisLogin;
      readonly sentinelLogin: RedisLogin;
    };

type Values = z.output<z.ZodObject<typeof storeShape>>;

const DEFAULT_URL = 'redis://127.0.0.1:6379';

/** Of values without `redisProblems`. */
export function redisPlaceOf(values: Values): RedisPlace {
  const login = loginOf(values.REDIS_USERNAME, values.REDIS_PASSWORD);
  if (values.REDIS_CLUSTER !== undefined) return { kind: 'cluster', nodes: values.REDIS_CLUSTER, login };
  if (values.REDIS_SENTINELS !== undefined) {
    return {
      kind: 'sentinel',
      sentinels: values.REDIS_SENTINELS,
      master: values.REDIS_SENTINEL_MASTER ?? '',
      login,
      sentinelLogin: loginOf(values.REDIS_SENTINEL_USERNAME, values.REDIS_SENTINEL_PASSWORD),
    };
  }
  return { kind: 'node', url: values.REDIS_URL ?? DEFAULT_URL, login };
}

function loginOf(username: string | undefined, password: Secret<string> | undefined): RedisLogin {
  return { username: username ?? null, password: password ?? null };
}

/** What contradicts itself: two places, or credentials that nothing is opened with. */
export function redisProblems(values: Values): VariableProblem[] {
  const problems: VariableProblem[] = [];
  const places = (['REDIS_URL', 'REDIS_CLUSTER', 'REDIS_SENTINELS'] as const).filter(
    (name) => values[name] !== undefined,
  );
  for (const variable of places.slice(1))
    problems.push({ variable, problem: `is set beside ${places[0]}: the store is in one place` });
  if (values.REDIS_SENTINELS !== undefined && values.REDIS_SENTINEL_MASTER === undefined)
    problems.push({ variable: 'REDIS_SENTINEL_MASTER', problem: 'is required with REDIS_SENTINELS' });
  for (const variable of [
    'REDIS_SENTINEL_MASTER',
    'REDIS_SENTINEL_USERNAME',
    'REDIS_SENTINEL_PASSWORD',
  ] as const)
    if (values.REDIS_SENTINELS === undefined && values[variable] !== undefined)
      problems.push({ variable, problem: 'is set without REDIS_SENTINELS' });
  if (values.REDIS_URL !== undefined && hasLogin(values.REDIS_URL))
    for (const variable of ['REDIS_USERNAME', 'REDIS_PASSWORD'] as const)
      if (values[variable] !== undefined)
        problems.push({ variable, problem: 'is given twice, here and in REDIS_URL' });
  return problems;
}

function hasLogin(url: string): boolean {
  const { username, password } = new URL(url);
  return username !== '' || password !== '';
}
