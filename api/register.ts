/** Puts the routes into Express: who, how often, may they, what did they send, do it, answer. */
import express, { type Express, type Request, type RequestHandler, type Response } from 'express';
import { z } from 'zod';
import { AppError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import type { Auth, Caller } from './auth.ts';
import { BULK, csvBody, jsonBody, SMALL } from './body.ts';
import type { Limiters } from './limits.ts';
import { type Permission, permissionOf } from './permissions.ts';
import { nothing, parseAt, type Reply, type Route } from './route.ts';

export interface RegisterOptions {
  readonly auth: Auth;
  readonly limiters: Limiters;
  readonly log: Logger;
  readonly checkResponses: boolean;
}

/** Raises `config-invalid` when a route has no permission. */
export function registerRoutes(app: Express, routes: readonly Route[], options: RegisterOptions): void {
  for (const route of routes) {
    const permission = permissionOf(route.id);
    app[route.method](
      expressPath(route.path),
      name(route),
      identify(options.auth, route),
      options.limiters.failures,
      refuse,
      ...limitersFor(route, options.limiters),
      permit(permission),
      ...bodyParsers(route),
      answer(route, options),
    );
  }
  for (const [path, methods] of methodsByPath(routes)) {
    const allow = methods.toSorted().join(', ');
    app.all(expressPath(path), (_request, response) => {
      response.set('Allow', allow);
      throw new AppError('method-not-allowed', `This address takes ${allow}.`);
    });
  }
}

function expressPath(path: string): string {
  return path.replaceAll(/\{(\w+)\}/g, ':$1');
}

function methodsByPath(routes: readonly Route[]): ReadonlyMap<string, readonly string[]> {
  const methods = new Map<string, string[]>();
  for (const { path, method } of routes) {
    const known = methods.get(path) ?? [];
    methods.set(path, [...known, method.toUpperCase(), ...(method === 'get' ? ['HEAD'] : [])]);
  }
  return methods;
}

function name(route: Route): RequestHandler {
  return (_request, response, next) => {
    response.locals['route'] = route.id;
    response.set('Cache-Control', 'no-store');
    next();
  };
}

/** Machines that only look at health or deliver webhooks carry no credentials of ours. */
function identify(auth: Auth, route: Route): RequestHandler {
  const anonymous = route.tag === 'health' || route.tag === 'webhooks' || route.tag === 'description';
  const signsIn = route.id === 'signIn' || route.id === 'signOut';
  return (request, response, next) => {
    response.locals['caller'] = null;
    try {
      if (!anonymous && !signsIn) response.locals['caller'] = auth.authenticate(request, response);
    } catch (error) {
      // Thrown by `refuse`, once the limiter of failures has counted it.
      response.locals['refused'] = error;
    }
    next();
  };
}

const refuse: RequestHandler = (_request, response, next) => {
  const refused: unknown = response.locals['refused'];
  if (refused !== undefined) throw refused;
  next();
};

function limitersFor(route: Route, limiters: Limiters): readonly RequestHandler[] {
  if (route.tag === 'health') return [];
  if (route.tag === 'webhooks') return [limiters.webhooks];
  return route.tag === 'secrets' ? [limiters.caller, limiters.reveals] : [limiters.caller];
}

function permit(permission: Permission): RequestHandler {
  return (_request, response, next) => {
    if (permission !== 'public') {
      const caller = callerIn(response);
      if (caller === null)
        throw new AppError('unauthorized', 'Send an API key: Authorization: Bearer <key>.');
      if (!permission.includes(caller.role))
        throw new AppError(
          'forbidden',
          `The role '${caller.role}' may not do this; ${permission.join(', ')} may.`,
        );
    }
    next();
  };
}

function bodyParsers(route: Route): readonly RequestHandler[] {
  if (route.size === 'raw') return [express.raw({ type: () => true, limit: SMALL.bytes, inflate: false })];
  if (route.size === 'csv') return csvBody(BULK);
  return route.body === undefined ? [] : jsonBody(route.size === 'bulk' ? BULK : SMALL);
}

function answer(route: Route, { log, checkResponses }: RegisterOptions): RequestHandler {
  return async (request, response) => {
    const reply = await route.handle({
      params: parseAt(route.params ?? nothing, request.params, '/path'),
      query: parseAt(route.query ?? nothing, singleValues(request), '/query'),
      body: route.size === 'raw' ? undefined : parseAt(route.body ?? nothing, request.body ?? {}, ''),
      caller: callerIn(response),
      request,
      log: log.child({ traceId: response.locals['traceId'] as string }),
    });
    if (checkResponses) checkReply(route, reply);
    send(response, reply);
  };
}

/** A parameter given twice is a mistake, or an attempt to be read differently by two readers. */
function singleValues(request: Request): Record<string, unknown> {
  const query = { ...request.query };
  for (const [key, value] of Object.entries(query))
    if (Array.isArray(value))
      throw new AppError('input-invalid', `'${key.slice(0, 100)}' is given twice.`, {
        details: { errors: [{ pointer: `/query/${key.slice(0, 100)}`, detail: 'is given twice' }] },
      });
  return query;
}

function send(response: Response, { status, body, headers }: Reply): void {
  response.status(status).set(headers ?? {});
  if (body === undefined) response.end();
  else if (typeof body === 'string') response.send(body);
  else response.type('json').send(JSON.stringify(body));
}

function checkReply(route: Route, { status, body }: Reply): void {
  const form = route.responses[status];
  if (form === undefined)
    throw new AppError('internal', `${route.id} answered with ${status}, undocumented.`);
  if (form.schema === undefined) return;
  const result = form.schema.safeParse(JSON.parse(JSON.stringify(body)));
  if (!result.success)
    throw new AppError('internal', `${route.id} ${status}: ${z.prettifyError(result.error)}`);
}

function callerIn(response: Response): Caller | null {
  return (response.locals['caller'] as Caller | null | undefined) ?? null;
}
