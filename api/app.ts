/** The Express app: everything it needs is handed in, and it never listens. */
import { randomBytes } from 'node:crypto';
import express, { type Express, type RequestHandler } from 'express';
import helmet from 'helmet';
import type { AnyWorkflow, Client, Migrations, Operations, Registry } from '../engine/index.ts';
import { type Clock, systemClock } from '../shared/clock.ts';
import type { ApiKey } from '../shared/config.ts';
import { AppError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import type { SecretBox } from '../shared/secrets.ts';
import type { WebhookVerifier } from '../shared/webhook-signature.ts';
import { createApprovals } from './approvals.ts';
import { createAuth } from './auth.ts';
import { createCatalogue } from './catalogue.ts';
import { createLimiters, DEFAULT_LIMITS, type RateLimits } from './limits.ts';
import { openApiDocument } from './openapi.ts';
import { problemHandler } from './problem.ts';
import { registerRoutes } from './register.ts';
import { type Route, route } from './route.ts';
import { batchRoutes } from './routes/batches.ts';
import { chartRoutes } from './routes/charts.ts';
import { type Health, healthRoutes } from './routes/health.ts';
import { historyRoutes } from './routes/history.ts';
import { importRoutes } from './routes/imports.ts';
import { instanceRoutes } from './routes/instances.ts';
import { interventionRoutes } from './routes/interventions.ts';
import { invitationRoutes } from './routes/invitations.ts';
import { migrationRoutes } from './routes/migrations.ts';
import { operationRoutes } from './routes/operations.ts';
import { pathRoutes } from './routes/paths.ts';
import { queueRoutes } from './routes/queues.ts';
import { reportRoutes } from './routes/report.ts';
import { secretRoutes } from './routes/secrets.ts';
import { sessionRoutes } from './routes/session.ts';
import { signalRoutes } from './routes/signals.ts';
import { taskRoutes } from './routes/tasks.ts';
import { unmatchedRoutes } from './routes/unmatched.ts';
import { webhookRoutes } from './routes/webhooks.ts';
import { workflowRoutes } from './routes/workflows.ts';
import { staticFiles } from './static-files.ts';

export type { Health } from './routes/health.ts';

export interface AppDeps {
  readonly client: Client;
  readonly operations: Operations;
  readonly migrations: Migrations;
  /** Everything registered; tells forms and tasks of children too. */
  readonly registry: Registry;
  /** Those that may be started. */
  readonly workflows: readonly AnyWorkflow[];
  readonly auth: {
    readonly keys: readonly ApiKey[];
    /** Whoever started an instance may not approve in it. */
    readonly fourEyes: boolean;
    /** Lets a browser on this machine in without a key, as this key's holder. */
    readonly demoKey: ApiKey | null;
  };
  readonly webhookVerifier: WebhookVerifier;
  readonly secretBox: SecretBox;
  readonly log: Logger;
  readonly health: Health;
  /** Takes a signal off the list of unclaimed ones. */
  readonly unpark: (key: string, signalId: string) => Promise<void>;
  /** The built dashboard; null serves none. */
  readonly dashboardDir: string | null;
  /** The text of docs/errors.md, which problem documents point into; null serves none. */
  readonly errorCatalogue?: string | null;
  /** Where people and Microsoft reach this API; null when only the bound address is known. */
  readonly publicUrl: string | null;
  /** Input fields of this installation, for starts that leave them out. */
  readonly startDefaults?: Readonly<Record<string, unknown>>;
  readonly trustProxyHops?: number;
  readonly limits?: Partial<RateLimits>;
  readonly clock?: Clock;
  /** Holds every answer against its documented shape; for tests. */
  readonly checkResponses?: boolean;
}

export function createApp(deps: AppDeps): Express {
  const auth = createAuth({
    keys: deps.auth.keys,
    demoKey: deps.auth.demoKey,
    secretBox: deps.secretBox,
    clock: deps.clock ?? systemClock,
    publicUrl: deps.publicUrl,
  });
  const limiters = createLimiters({ ...DEFAULT_LIMITS, ...deps.limits });
  const routes = routesOf(deps, auth);

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('query parser', 'simple');
  app.set('trust proxy', deps.trustProxyHops ?? 0);
  app.use(trace(deps.log), securityHeaders(deps.publicUrl), refuseLongAddresses);
  if (deps.dashboardDir !== null) app.use(staticFiles(deps.dashboardDir));
  registerRoutes(app, routes, {
    auth,
    limiters,
    log: deps.log,
    checkResponses: deps.checkResponses ?? false,
  });
  app.use(() => {
    throw new AppError('route-unknown', 'Nothing lives at this address.');
  });
  app.use(problemHandler(deps.publicUrl ?? '', deps.log));
  return app;
}

function routesOf(deps: AppDeps, auth: ReturnType<typeof createAuth>): readonly Route[] {
  const catalogue = createCatalogue(deps.registry, deps.workflows);
  const approvals = createApprovals({ client: deps.client, catalogue, fourEyes: deps.auth.fourEyes });
  const shared = { ...deps, catalogue, approvals, auth };
  const described: Route[] = [
    ...workflowRoutes(shared),
    ...instanceRoutes({ ...shared, startDefaults: deps.startDefaults ?? {} }),
    ...pathRoutes(shared),
    ...invitationRoutes(),
    ...importRoutes({ client: deps.client, startDefaults: deps.startDefaults ?? {} }),
    ...chartRoutes(shared),
    ...reportRoutes(shared),
    ...historyRoutes(shared),
    ...signalRoutes(shared),
    ...operationRoutes(shared),
    ...interventionRoutes(shared),
    ...batchRoutes(shared),
    ...migrationRoutes(shared),
    ...taskRoutes(shared),
    ...unmatchedRoutes(shared),
    ...secretRoutes(shared),
    ...queueRoutes(shared),
    ...sessionRoutes(shared),
    ...webhookRoutes({ client: deps.client, verifier: deps.webhookVerifier }),
    ...healthRoutes({ health: deps.health, clock: deps.clock ?? systemClock }),
    ...documentRoutes(() => document, deps.errorCatalogue ?? null),
  ];
  const document = openApiDocument(described);
  return described;
}

function documentRoutes(document: () => object, errorCatalogue: string | null): readonly Route[] {
  return [
    route({
      id: 'getOpenApi',
      method: 'get',
      path: '/openapi.json',
      tag: 'description',
      summary: 'This description',
      responses: { 200: { description: 'OpenAPI 3.1' } },
      errors: [],
      handle: () => ({ status: 200, body: document() }),
    }),
    route({
      id: 'getErrorCatalogue',
      method: 'get',
      path: '/docs/errors.md',
      tag: 'description',
      summary: 'What each error code means and what to do',
      responses: { 200: { description: 'Markdown', type: 'text/markdown' } },
      errors: ['route-unknown'],
      handle() {
        if (errorCatalogue === null) throw new AppError('route-unknown', 'Nothing lives at this address.');
        return {
          status: 200,
          body: errorCatalogue,
          headers: { 'Content-Type': 'text/markdown; charset=utf-8' },
        };
      },
    }),
  ];
}

/** A trace id for log and problem documents, and one log line a request: named fields only, no headers, no query. */
function trace(log: Logger): RequestHandler {
  return (request, response, next) => {
    const given = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/.exec(
      String(request.headers['traceparent'] ?? ''),
    )?.[1];
    const traceId = given ?? randomBytes(16).toString('hex');
    response.locals['traceId'] = traceId;
    const startedAt = performance.now();
    response.on('finish', () => {
      const {
        route: name,
        caller,
        code,
      } = response.locals as {
        route?: string;
        caller?: { name: string } | null;
        code?: string;
      };
      const ms = Math.round(performance.now() - startedAt);
      const line = { traceId, method: request.method, route: name, status: response.statusCode, ms };
      log.debug({ ...line, caller: caller?.name, code }, 'request');
    });
    next();
  };
}

function securityHeaders(publicUrl: string | null): RequestHandler {
  const secure = publicUrl?.startsWith('https://') ?? false;
  const self = ["'self'"];
  const protect = helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: self,
        styleSrc: self,
        imgSrc: ["'self'", 'data:'],
        connectSrc: self,
        formAction: self,
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
        requireTrustedTypesFor: ["'script'"],
      },
    },
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity: secure ? { maxAge: 31_536_000, includeSubDomains: true } : false,
    xFrameOptions: { action: 'deny' },
  });
  return (request, response, next) => {
    response.set('Permissions-Policy', 'camera=(), geolocation=(), microphone=(), payment=(), usb=()');
    protect(request, response, next);
  };
}

const MAX_ADDRESS = 2_048;

const refuseLongAddresses: RequestHandler = (request, _response, next) => {
  if (request.originalUrl.length > MAX_ADDRESS)
    throw new AppError('input-invalid', `The address is longer than ${MAX_ADDRESS} characters.`);
  next();
};
