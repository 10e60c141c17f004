/** The API description, made of the routes themselves: what is documented is what is registered. */
import { z } from 'zod';
import { createDocument, type ZodOpenApiPathsObject, type ZodOpenApiResponsesObject } from 'zod-openapi';
import type { ErrorCode } from '../shared/errors.ts';
import { permissionOf } from './permissions.ts';
import { titleOf, usualStatus } from './problem.ts';
import type { Route } from './route.ts';
import { ProblemSchema } from './schemas.ts';

export const API_VERSION = '1.0.0';

export function openApiDocument(routes: readonly Route[]): object {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method]: operationOf(route) };
  }
  return createDocument({
    openapi: '3.1.1',
    info: {
      title: 'CSP onboarding',
      version: API_VERSION,
      description:
        'Start, watch, approve and intervene in onboardings. Errors are problem documents (RFC 9457) whose `code` never changes its meaning. Times are UTC, ISO 8601.',
    },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    components: {
      securitySchemes: {
        apiKey: { type: 'http', scheme: 'bearer', description: 'An API key' },
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: '__Host-session',
          description: 'The dashboard’s session',
        },
      },
    },
    paths,
  });
}

function operationOf(route: Route) {
  const permission = permissionOf(route.id);
  const roles = permission === 'public' ? null : permission;
  return {
    operationId: route.id,
    summary: route.summary,
    description: [route.description, roles === null ? 'Public.' : `Roles: ${roles.join(', ')}.`]
      .filter((text) => text !== undefined)
      .join(' '),
    tags: [route.tag],
    security: roles === null ? [] : [{ apiKey: [] }, { session: [] }],
    requestParams: {
      ...(route.params === undefined ? {} : { path: route.params as z.ZodObject }),
      ...(route.query === undefined ? {} : { query: route.query as z.ZodObject }),
      ...(route.headers === undefined ? {} : { header: route.headers }),
    },
    ...bodyOf(route),
    responses: responsesOf(route, roles !== null),
  };
}

function bodyOf(route: Route) {
  if (route.size === 'raw')
    return { requestBody: { content: { 'application/json': { schema: z.unknown() } } } };
  if (route.body === undefined) return {};
  return {
    requestBody: {
      required: !route.body.safeParse({}).success,
      content: { [route.size === 'csv' ? 'text/csv' : 'application/json']: { schema: route.body } },
    },
  };
}

function responsesOf(route: Route, signedIn: boolean): ZodOpenApiResponsesObject {
  const responses: Record<string, object> = {};
  for (const [status, form] of Object.entries(route.responses)) {
    const content =
      form.schema === undefined
        ? {}
        : { content: { [form.type ?? 'application/json']: { schema: form.schema } } };
    responses[status] = { description: form.description, ...content };
  }
  for (const [status, codes] of errorsByStatus(route, signedIn)) {
    const description = codes.map((code) => `\`${code}\`: ${titleOf(code)}`).join('; ');
    responses[status] ??= { description, content: { 'application/problem+json': { schema: ProblemSchema } } };
  }
  return responses as ZodOpenApiResponsesObject;
}

/** What any route of this kind may answer with, beside its own. */
export function errorsOf(route: Route, signedIn: boolean): readonly ErrorCode[] {
  return [
    ...new Set<ErrorCode>([
      ...route.errors,
      ...(signedIn ? (['unauthorized', 'forbidden'] as const) : []),
      ...(route.tag === 'session' && route.method !== 'get' ? (['unauthorized', 'forbidden'] as const) : []),
      ...(route.body === undefined || route.size === 'raw'
        ? []
        : (['body-too-large', 'body-malformed', 'media-type-unsupported'] as const)),
      'input-invalid',
      'rate-limited',
      ...(route.tag === 'health' ? [] : (['store-unavailable'] as const)),
      'internal',
    ]),
  ];
}

function errorsByStatus(route: Route, signedIn: boolean): ReadonlyMap<string, readonly ErrorCode[]> {
  const byStatus = new Map<string, ErrorCode[]>();
  for (const code of errorsOf(route, signedIn)) {
    const status = String(usualStatus(code));
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return byStatus;
}
