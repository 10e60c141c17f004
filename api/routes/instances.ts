import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Client, InstanceView, ListFilter } from '../../engine/index.ts';
import { AppError, unknownInstance } from '../../shared/errors.ts';
import { uuidFrom } from '../../shared/ids.ts';
import type { Catalogue } from '../catalogue.ts';
import { etagOf, matches } from '../etag.ts';
import { instance, readTree, summary } from '../present.ts';
import { actorOf, callerOf, type Reply, type Route, route } from '../route.ts';
import { InstanceParams, InstanceSchema, InstanceStatus, pageOf, SummarySchema } from '../schemas.ts';

const flag = z.enum(['true', 'false']).transform((value) => value === 'true');
const instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

const ListQuery = z.strictObject({
  status: InstanceStatus.optional(),
  workflow: z.string().min(1).max(100).optional(),
  state: z.string().min(1).max(300).optional().meta({ description: 'Dotted path; needs `workflow`' }),
  waitingOn: z.enum(['customer', 'operator', 'microsoft', 'engineer', 'us']).optional(),
  attention: flag.optional(),
  rewound: flag.optional().meta({ description: 'Open when the store was set back' }),
  task: flag.optional(),
  children: flag.optional().meta({ description: 'Also the instances below others' }),
  key: z.string().min(1).max(300).optional().meta({ description: 'Correlation key, e.g. `tenant:<id>`' }),
  createdBefore: instant.optional(),
  createdAfter: instant.optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().min(1).max(200).optional(),
});
type ListQuery = z.output<typeof ListQuery>;

const StartBody = z
  .strictObject({
    workflow: z.string().min(1).max(100),
    input: z.unknown().meta({ description: "The workflow's input; `GET /v1/workflows` has its JSON Schema" }),
    labels: z
      .record(z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/), z.string().max(256))
      .refine((labels) => Object.keys(labels).length <= 32, 'has more than 32 labels')
      .optional(),
  })
  .meta({ id: 'StartInstance' });

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,200}$/;

export interface InstanceRouteDeps {
  readonly client: Client;
  readonly catalogue: Catalogue;
  readonly startDefaults: Readonly<Record<string, unknown>>;
}

export function instanceRoutes(deps: InstanceRouteDeps): readonly Route[] {
  return [startRoute(deps), listRoute(deps), getRoute(deps)];
}

function startRoute({ client, catalogue, startDefaults }: InstanceRouteDeps): Route {
  return route({
    id: 'startInstance',
    method: 'post',
    path: '/v1/instances',
    tag: 'instances',
    summary: 'Start an instance',
    description:
      'Accepted means kept: the answer comes after the commit. The same `Idempotency-Key` with the same body gives the same instance.',
    headers: z.object({ 'Idempotency-Key': z.string().meta({ description: 'A UUID; required' }) }),
    body: StartBody,
    size: 'bulk',
    responses: {
      201: { description: 'Started; `Location` names it', schema: InstanceSchema },
      200: {
        description: 'Started before under this key; `Idempotency-Replayed: true`',
        schema: InstanceSchema,
      },
    },
    errors: ['idempotency-key-missing', 'idempotency-mismatch', 'workflow-unknown', 'value-not-durable'],
    async handle(call) {
      const { body } = call;
      const key = idempotencyKey(call.request.headers['idempotency-key']);
      const workflow = catalogue.startableWorkflow(body.workflow);
      const started = await client.start(workflow, withDefaults(body.input, startDefaults) as never, {
        // One key is one instance, whatever workflow it names the second time.
        id: `wf_${uuidFrom('api-start', callerOf(call).name, key).replaceAll('-', '')}`,
        idempotencyKey: key,
        by: actorOf(call),
        ...(body.labels === undefined ? {} : { labels: body.labels }),
      });
      if (started.instance.workflow !== workflow.name)
        throw new AppError('idempotency-mismatch', 'This key was used to start another workflow.');
      const tree = await readTree(client, started.instance);
      const headers = { Location: `/v1/instances/${started.instance.id}` };
      const answer = instance(tree, catalogue, false);
      return started.created
        ? { status: 201, body: answer, headers }
        : { status: 200, body: answer, headers: { ...headers, 'Idempotency-Replayed': 'true' } };
    },
  });
}

function listRoute({ client }: InstanceRouteDeps): Route {
  return route({
    id: 'listInstances',
    method: 'get',
    path: '/v1/instances',
    tag: 'instances',
    summary: 'List instances, newest first',
    query: ListQuery,
    headers: z.object({ 'If-None-Match': z.string().optional() }),
    responses: {
      200: { description: 'A page; `Link` has the next one', schema: pageOf(SummarySchema) },
      304: { description: 'Nothing changed' },
    },
    errors: [],
    async handle({ query, request }): Promise<Reply> {
      if (query.state !== undefined && query.workflow === undefined)
        throw invalidQuery('state', 'needs workflow');
      const { limit, cursor, ...filter } = query;
      const mark = filterMark(filter);
      const page = await client.list(filter satisfies ListFilter, {
        limit,
        ...(cursor === undefined ? {} : { cursor: openCursor(cursor, mark) }),
      });
      const data = await Promise.all(page.items.map(async (view) => summary(await readTree(client, view))));
      const nextCursor = page.nextCursor === null ? null : `${mark}.${page.nextCursor}`;
      const body = { data, nextCursor };
      const etag = etagOf(JSON.stringify(body));
      if (matches(request, etag)) return { status: 304, headers: { ETag: etag } };
      return { status: 200, body, headers: { ETag: etag, ...linkTo(request.query, nextCursor) } };
    },
  });
}

function getRoute({ client, catalogue }: InstanceRouteDeps): Route {
  return route({
    id: 'getInstance',
    method: 'get',
    path: '/v1/instances/{id}',
    tag: 'instances',
    summary: 'One instance',
    params: InstanceParams,
    query: z.strictObject({
      tree: flag.default(false).meta({ description: 'With the instances below it, views and all' }),
    }),
    headers: z.object({ 'If-None-Match': z.string().optional() }),
    responses: {
      200: { description: 'Its strong `ETag` is made of the revisions', schema: InstanceSchema },
      304: { description: 'Nothing changed' },
    },
    errors: ['instance-unknown'],
    async handle({ params, query, request }): Promise<Reply> {
      const view = await client.describe(params.id);
      if (view === null) throw unknownInstance(params.id);
      const tree = await readTree(client, view);
      const body = instance(tree, catalogue, query.tree);
      const etag = revisionTag(view, JSON.stringify(body));
      const headers = { ETag: etag };
      return matches(request, etag) ? { status: 304, headers } : { status: 200, body, headers };
    },
  });
}

/** Begins with the revision, which `If-Match` reads; the rest tells changes below and of the day in a sentence. */
function revisionTag(view: InstanceView, body: string): string {
  return `"${view.revision}-${etagOf(body).slice(1, -1)}"`;
}

function idempotencyKey(header: string | readonly string[] | undefined): string {
  if (typeof header === 'string' && IDEMPOTENCY_KEY.test(header)) return header;
  if (header === undefined || header === '')
    throw new AppError('idempotency-key-missing', 'Send an Idempotency-Key header, for example a UUID.');
  throw new AppError('input-invalid', 'The Idempotency-Key is 1 to 200 printable characters.', {
    details: {
      errors: [{ pointer: '/headers/Idempotency-Key', detail: 'is not 1 to 200 printable characters' }],
    },
  });
}

/** Fields the caller leaves out are this installation's. */
function withDefaults(input: unknown, defaults: Readonly<Record<string, unknown>>): unknown {
  return typeof input === 'object' && input !== null && !Array.isArray(input)
    ? { ...defaults, ...input }
    : input;
}

function filterMark(filter: Omit<ListQuery, 'limit' | 'cursor'>): string {
  const entries = Object.entries(filter).toSorted(([a], [b]) => a.localeCompare(b));
  return createHash('sha256').update(JSON.stringify(entries)).digest('base64url').slice(0, 8);
}

/** A cursor of another filter would silently skip instances. */
function openCursor(cursor: string, mark: string): string {
  if (!cursor.startsWith(`${mark}.`)) throw invalidQuery('cursor', 'does not belong to this filter');
  return cursor.slice(mark.length + 1);
}

function linkTo(query: unknown, cursor: string | null): Record<string, string> {
  if (cursor === null) return {};
  const next = new URLSearchParams({ ...(query as Record<string, string>), cursor });
  return { Link: `</v1/instances?${next}>; rel="next"` };
}

function invalidQuery(name: string, detail: string): AppError {
  return new AppError('input-invalid', `${name} ${detail}.`, {
    details: { errors: [{ pointer: `/query/${name}`, detail }] },
  });
}
