/** Graph's error shape, its checks on the caller, OData queries and the entities as Graph shows them. */
import { z } from 'zod';
import { ok, Refusal, type Reply, type Request } from '../core/http.ts';
import { readToken } from '../core/tokens.ts';
import { delegatedRoles } from '../directory/helpers.ts';
import { PARTNER } from '../options.ts';
import type { World } from '../world.ts';

export const GRAPH_AUDIENCE = 'https://graph.microsoft.com';

export function graphError(world: World, status: number, code: string, message: string): Refusal {
  return new Refusal({ status, json: graphErrorBody(world, code, message) });
}

export function graphErrorBody(world: World, code: string, message: string): unknown {
  const requestId = world.random.guid();
  return {
    error: {
      code,
      message,
      innerError: {
        date: world.clock.iso().slice(0, 19),
        'request-id': requestId,
        'client-request-id': requestId,
      },
    },
  };
}

export interface GraphCaller {
  readonly tenantId: string;
  readonly userId: string;
  readonly isUser: boolean;
  readonly scopes: ReadonlySet<string>;
}

const claimsSchema = z.object({
  aud: z.string(),
  tid: z.string(),
  oid: z.string(),
  exp: z.number(),
  scp: z.string().optional(),
});

function callerOf(world: World, request: Request): GraphCaller {
  const header = request.headers.authorization ?? '';
  const token = /^bearer (.+)$/i.exec(header)?.[1] ?? '';
  const claims = claimsSchema.safeParse(readToken(token.trim(), world.keys().tokenSecret)).data;
  if (claims === undefined || claims.aud !== GRAPH_AUDIENCE || claims.exp * 1_000 < world.clock.now()) {
    throw graphError(
      world,
      401,
      'InvalidAuthenticationToken',
      'Access token is missing, expired or for another audience.',
    );
  }
  const scopes = new Set((claims.scp ?? '').split(' ').filter((scope) => scope !== ''));
  return { tenantId: claims.tid, userId: claims.oid, isUser: claims.scp !== undefined, scopes };
}

/** A signed-in partner user in the partner's own tenant. */
export function inPartnerTenant(world: World, request: Request, scope: string): GraphCaller {
  const caller = callerOf(world, request);
  if (caller.tenantId !== PARTNER.tenantId) throw denied(world);
  if (caller.isUser && !caller.scopes.has(scope)) throw denied(world);
  return caller;
}

/** A partner user in a customer's tenant, or at home: effective rights are consented scopes and GDAP roles together. */
export function inTenant(
  world: World,
  request: Request,
  needs: { readonly scopes: readonly string[]; readonly roles: readonly string[] | 'any' },
): GraphCaller {
  const caller = callerOf(world, request);
  if (!needs.scopes.some((scope) => caller.scopes.has(scope))) throw denied(world);
  if (caller.tenantId === PARTNER.tenantId) return caller;
  const held = delegatedRoles(world, caller.tenantId, caller.userId);
  const enough = needs.roles === 'any' ? held.size > 0 : needs.roles.some((role) => held.has(role));
  if (!enough) throw denied(world);
  return caller;
}

function denied(world: World): Refusal {
  return graphError(
    world,
    403,
    'Authorization_RequestDenied',
    'Insufficient privileges to complete the operation.',
  );
}

export function notFound(world: World, what: string): Refusal {
  return graphError(
    world,
    404,
    'Request_ResourceNotFound',
    `Resource '${what}' does not exist or one of its queried reference-property objects are not present.`,
  );
}

export function badRequest(world: World, message: string): Refusal {
  return graphError(world, 400, 'Request_BadRequest', message);
}

export function bodyOf<Schema extends z.ZodType>(
  world: World,
  request: Request,
  schema: Schema,
): z.output<Schema> {
  const parsed = schema.safeParse(request.body);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw badRequest(world, `Invalid value for '${issue?.path.join('.') ?? 'body'}': ${issue?.message ?? ''}`);
}

export type Row = Record<string, unknown>;

/** `$filter`, `$select`, `$top`, `$skiptoken` and `$count` over rows as Graph shows them. */
export function list(
  world: World,
  request: Request,
  entity: string,
  rows: readonly Row[],
  maximum = 999,
): Reply {
  const { query } = request;
  const filter = query.get('$filter');
  const found = filter === null ? rows : rows.filter(matcherOf(world, filter));
  const size = Math.min(Math.max(1, Number(query.get('$top') ?? 100) || 100), maximum);
  const from = Number(query.get('$skiptoken') ?? 0) || 0;
  const next = new URLSearchParams(query);
  next.set('$skiptoken', String(from + size));
  const base = world.urls().graph;
  return ok({
    '@odata.context': `https://graph.microsoft.com/v1.0/$metadata#${entity}`,
    ...(query.get('$count') === 'true' && { '@odata.count': found.length }),
    ...(from + size < found.length && { '@odata.nextLink': `${base}${request.path}?${next}` }),
    value: found.slice(from, from + size).map((row) => select(request, row)),
  });
}

export function select(request: Request, row: Row): Row {
  const names = request.query.get('$select');
  if (names === null) return row;
  const wanted = new Set(names.split(',').map((name) => name.trim()));
  return Object.fromEntries(
    Object.entries(row).filter(([name]) => wanted.has(name) || name === 'id' || name.startsWith('@')),
  );
}

/** `a eq 'x'`, `a/b eq true`, `a ge <instant>`, `startswith(a,'x')`, joined by `and`: what the facts' calls use. */
function matcherOf(world: World, filter: string): (row: Row) => boolean {
  const tests = filter.split(/ and /i).map((term): ((row: Row) => boolean) => {
    const equals = /^\s*\(?([\w/]+) eq (?:'((?:[^']|'')*)'|(\w+))\)?\s*$/i.exec(term);
    if (equals !== null) {
      const [, path = '', text, word] = equals;
      const wanted = text === undefined ? (word ?? '') : text.replaceAll("''", "'");
      return (row) => String(at(row, path)).toLowerCase() === wanted.toLowerCase();
    }
    const starts = /^\s*startswith\(([\w/]+),\s*'((?:[^']|'')*)'\)\s*$/i.exec(term);
    if (starts !== null) {
      const [, path = '', text = ''] = starts;
      return (row) => String(at(row, path)).toLowerCase().startsWith(text.toLowerCase());
    }
    const since = /^\s*([\w/]+) ge (\d{4}-\d\d-\d\dT[\d:.]+Z)\s*$/i.exec(term);
    if (since !== null) {
      const [, path = '', instant = ''] = since;
      return (row) => Date.parse(String(at(row, path))) >= Date.parse(instant);
    }
    throw graphError(world, 400, 'Request_UnsupportedQuery', `Unsupported filter clause '${term.trim()}'.`);
  });
  return (row) => tests.every((test) => test(row));
}

function at(row: Row, path: string): unknown {
  return path.split('/').reduce<unknown>((value, name) => (value as Row | null | undefined)?.[name], row);
}
