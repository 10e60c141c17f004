/** Partner Center's error shape, its checks on the caller, its collections and its case-insensitive bodies. */
import { z } from 'zod';
import { Refusal, type Reply, type Request } from '../core/http.ts';
import { readToken } from '../core/tokens.ts';
import { delegatedRoles, isAdminAgent } from '../directory/helpers.ts';
import { PARTNER } from '../options.ts';
import type { World } from '../world.ts';
import type { Customer } from './entities.ts';

export const PARTNER_CENTER_AUDIENCE = 'https://api.partnercenter.microsoft.com';

/** An answer `{ code, description, data, source }` (facts, "Error body"). */
export function partnerError(
  status: number,
  code: number | string,
  description: string,
  extra: { readonly data?: readonly unknown[]; readonly headers?: Record<string, string> } = {},
): Refusal {
  return new Refusal({
    status,
    json: { code, description, data: extra.data ?? [], source: 'PartnerFD' },
    ...(extra.headers && { headers: extra.headers }),
  });
}

/** The longer shape of newer services. */
export function newerError(status: number, code: number, errorName: string, message: string): Refusal {
  return new Refusal({
    status,
    json: {
      code,
      message,
      description: message,
      errorName,
      isRetryable: false,
      parameters: {},
      errorMessageExtended: `InternalErrorCode=${code}`,
    },
  });
}

export interface Caller {
  readonly kind: 'user' | 'app';
  readonly userId: string;
  readonly upn: string | null;
}

const claimsSchema = z.object({
  aud: z.string(),
  tid: z.string(),
  oid: z.string(),
  exp: z.number(),
  upn: z.string().optional(),
  scp: z.string().optional(),
  amr: z.array(z.string()).optional(),
});

/** Checks the bearer token; `user` when the operation takes App+User tokens only. */
export function authorise(world: World, request: Request, needs: 'any' | 'user' = 'any'): Caller {
  const header = request.headers.authorization;
  const challenge = { 'WWW-Authenticate': 'Bearer error="invalid_token"' };
  if (header === undefined || !/^bearer /i.test(header)) {
    throw partnerError(401, 800001, 'The authorization token is missing.', { headers: challenge });
  }
  const claims = claimsSchema.safeParse(readToken(header.slice(7).trim(), world.keys().tokenSecret)).data;
  if (claims === undefined || claims.exp * 1_000 < world.clock.now()) {
    throw partnerError(401, 400, 'Access denied', { headers: challenge });
  }
  if (claims.aud === 'https://graph.windows.net') {
    throw partnerError(401, 900420, 'The token was issued for a retired audience.', { headers: challenge });
  }
  if (claims.aud !== PARTNER_CENTER_AUDIENCE || claims.tid !== PARTNER.tenantId) {
    throw partnerError(401, 400, 'Access denied', { headers: challenge });
  }
  const isUser = claims.scp !== undefined;
  if (!isUser) {
    if (needs === 'user')
      throw partnerError(403, 900329, 'This API does not support application only tokens.');
    return { kind: 'app', userId: claims.oid, upn: null };
  }
  if (!(claims.amr ?? []).includes('mfa')) {
    throw partnerError(401, 400, 'MFA required', { headers: challenge });
  }
  if (!isAdminAgent(world, claims.oid)) throw partnerError(403, 1002, 'Authorization Failed');
  return { kind: 'user', userId: claims.oid, upn: claims.upn ?? null };
}

/** The customer of the path; without a visible relationship 403/20002, for an unknown tenant 404/60003. */
export function customerOf(world: World, request: Request): Customer {
  const id = (request.params['customerId'] ?? '').toLowerCase();
  const customer = world.partner.customers.get(id);
  if (customer !== undefined && !customer.removed && customer.visibleAt <= world.clock.now()) return customer;
  if (world.directory.tenants.get(id) === undefined)
    throw partnerError(404, 60003, 'The customer was not found.');
  throw partnerError(
    403,
    20002,
    'Access denied. There is no relationship between the partner and the customer.',
  );
}

/** Demands one of the roles in the customer's tenant, through GDAP. */
export function requireRole(
  world: World,
  caller: Caller,
  customer: Customer,
  roles: readonly string[],
): void {
  if (world.settings().conditionalAccessBlocks) {
    throw partnerError(403, 900309, 'Conditional access of the customer tenant blocks the partner.');
  }
  const held = delegatedRoles(world, customer.id, caller.userId);
  if (!roles.some((role) => held.has(role))) {
    throw partnerError(403, 900308, 'The required granular admin role is missing in the customer tenant.');
  }
}

/** A body by schema; keys match whatever their case (`CompanyProfile`, `companyProfile`). */
export function bodyOf<Schema extends z.ZodType>(request: Request, schema: Schema): z.output<Schema> {
  const parsed = schema.safeParse(foldKeys(request.body));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw partnerError(
    400,
    800002,
    `Invalid input: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim(),
  );
}

/** Schemas of request bodies are written with lower-case keys, because the service ignores case. */
function foldKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(foldKeys);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key.toLowerCase(), foldKeys(field)]),
  );
}

export const self = (uri: string, method = 'GET') => ({ uri, method, headers: [] });

export const objectType = (name: string, etag?: string) => ({
  ...(etag !== undefined && { etag }),
  objectType: name,
});

/** A whole collection in one page. */
export function collection(items: readonly unknown[], uri?: string): unknown {
  return {
    totalCount: items.length,
    items,
    ...(uri !== undefined && { links: { self: self(uri) } }),
    attributes: objectType('Collection'),
  };
}

/** One page; the next one is asked for with `MS-ContinuationToken`, as `links.next` says. */
export function page(request: Request, items: readonly unknown[], defaultSize: number): unknown {
  const size = Math.max(1, Number(request.query.get('size') ?? defaultSize) || defaultSize);
  const token = request.headers['ms-continuationtoken'];
  const from = typeof token === 'string' ? Number(Buffer.from(token, 'base64').toString()) || 0 : 0;
  const shown = items.slice(from, from + size);
  const path = request.path.replace(/^\/v1/, '');
  const more = from + size < items.length;
  return {
    totalCount: shown.length,
    items: shown,
    links: {
      self: self(`${path}?size=${size}`),
      ...(more && {
        next: {
          uri: `${path}?size=${size}&seekOperation=Next`,
          method: 'GET',
          headers: [
            { key: 'MS-ContinuationToken', value: Buffer.from(String(from + size)).toString('base64') },
          ],
        },
      }),
    },
    attributes: objectType('Collection'),
  };
}

/** Echoes the caller's ids and applies the shape switches. */
export function decoratePartnerReply(
  world: World,
  request: { headers: Request['headers'] },
  reply: Reply,
): Reply {
  const settings = world.settings();
  const echo = (name: string): string => String(request.headers[name] ?? world.random.guid());
  const headers: Record<string, string> = {
    'MS-RequestId': echo('ms-requestid'),
    'MS-CorrelationId': echo('ms-correlationid'),
    'MS-CV': `${world.random.hex(16)}.0`,
    'MS-ServerId': 'emulator-000001',
    'X-Locale': String(request.headers['x-locale'] ?? 'en-US'),
    ...reply.headers,
  };
  if (request.headers['validatemfa'] === 'true') headers['isMfaCompliant'] = String(settings.mfa);
  if (reply.json === undefined) return { ...reply, headers };
  let json = reply.json;
  if (settings.stringErrorCodes && json !== null && typeof json === 'object' && 'code' in json) {
    json = { ...json, code: String(json.code) };
  }
  if (!settings.byteOrderMark) return { ...reply, json, headers };
  return {
    status: reply.status,
    headers,
    text: `\uFEFF${JSON.stringify(json)}`,
    contentType: 'application/json; charset=utf-8',
  };
}
