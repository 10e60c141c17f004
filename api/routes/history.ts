import { z } from 'zod';
import type { Client } from '../../engine/index.ts';
import { AppError } from '../../shared/errors.ts';
import { HISTORY_CURSOR, instancePage, treePage, wholeHistory } from '../history-pages.ts';
import { childrenOf, presentLine } from '../history-words.ts';
import { type Reply, type Route, route } from '../route.ts';
import { HistoryEntrySchema, InstanceParams, pageOf } from '../schemas.ts';

const Query = z.strictObject({
  cursor: z.string().regex(HISTORY_CURSOR, 'is not one of ours').optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  order: z
    .enum(['asc', 'desc'])
    .default('asc')
    .meta({ description: 'Oldest first, or newest first; the cursor of one is none of the other' }),
  tree: z
    .enum(['true', 'false'])
    .default('false')
    .meta({ description: 'With the instances below it, by time' }),
});

const Child = z
  .strictObject({ actorId: z.string(), instanceId: z.string(), startedAt: z.string() })
  .meta({ id: 'StartedChild' });

const Verdict = z.union([
  z.strictObject({ intact: z.literal(true), head: z.string() }),
  z.strictObject({ intact: z.literal(false), brokenAt: z.int() }),
]);

export function historyRoutes({ client }: { readonly client: Client }): readonly Route[] {
  return [
    route({
      id: 'getHistory',
      method: 'get',
      path: '/v1/instances/{id}/history',
      tag: 'history',
      summary: 'What happened: events, effects, who and why',
      params: InstanceParams,
      query: Query,
      responses: { 200: { description: 'A page', schema: pageOf(HistoryEntrySchema) } },
      errors: ['instance-unknown'],
      async handle({ params: { id }, query: { cursor, limit, order, tree } }): Promise<Reply> {
        const paged = tree === 'true' ? treePage : instancePage;
        if (cursor !== undefined && (tree === 'true') !== cursor.includes('.'))
          throw new AppError('input-invalid', 'The cursor is of another list.');
        const { lines, nextCursor } = await paged(client, id, { order, limit, cursor: cursor ?? null });
        const next = new URLSearchParams({ limit: String(limit), order, tree, cursor: nextCursor ?? '' });
        return {
          status: 200,
          body: { data: lines.map(presentLine), nextCursor },
          headers: nextCursor === null ? {} : { Link: `</v1/instances/${id}/history?${next}>; rel="next"` },
        };
      },
    }),
    route({
      id: 'listChildren',
      method: 'get',
      path: '/v1/instances/{id}/children',
      tag: 'history',
      summary: 'Every instance that it ever started, those that ended included',
      params: InstanceParams,
      responses: { 200: { description: 'In the order they began, all at once', schema: pageOf(Child) } },
      errors: ['instance-unknown'],
      async handle({ params }) {
        const data = childrenOf(await wholeHistory(client, params.id));
        return { status: 200, body: { data, nextCursor: null } };
      },
    }),
    route({
      id: 'verifyHistory',
      method: 'get',
      path: '/v1/instances/{id}/history/verify',
      tag: 'history',
      summary: 'Whether the hash chain of the history is unbroken',
      params: InstanceParams,
      responses: {
        200: { description: '`brokenAt` is the index of the first entry that does not fit', schema: Verdict },
      },
      errors: ['instance-unknown'],
      handle: async ({ params }) => ({ status: 200, body: await client.verifyHistory(params.id) }),
    }),
  ];
}
