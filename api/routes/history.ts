import { z } from 'zod';
import type { Client } from '../../engine/index.ts';
import { unknownInstance } from '../../shared/errors.ts';
import { linesOf, presentLine, treeHistory } from '../history-words.ts';
import { type Reply, type Route, route } from '../route.ts';
import { HistoryEntrySchema, InstanceParams, pageOf } from '../schemas.ts';

const Query = z.strictObject({
  cursor: z
    .string()
    .regex(/^\d{1,9}$/, 'is not one of ours')
    .optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  tree: z
    .enum(['true', 'false'])
    .default('false')
    .meta({ description: 'With the instances below it, by time; the newest 1000, unpaged' }),
});

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
      summary: 'What happened, oldest first: events, effects, who and why',
      params: InstanceParams,
      query: Query,
      responses: { 200: { description: 'A page', schema: pageOf(HistoryEntrySchema) } },
      errors: ['instance-unknown'],
      async handle({ params: { id }, query: { cursor, limit, tree } }): Promise<Reply> {
        if (tree === 'true') {
          const lines = await treeHistory(client, id);
          return { status: 200, body: { data: lines.map(presentLine), nextCursor: null } };
        }
        const view = await client.describe(id);
        if (view === null) throw unknownInstance(id);
        const from = Number(cursor ?? 0);
        const entries = await client.history(id, { from, limit: limit + 1 });
        const data = linesOf(view, entries.slice(0, limit)).map(presentLine);
        const nextCursor = entries.length > limit ? String(from + limit) : null;
        const headers: Record<string, string> =
          nextCursor === null
            ? {}
            : { Link: `</v1/instances/${id}/history?limit=${limit}&cursor=${nextCursor}>; rel="next"` };
        return { status: 200, body: { data, nextCursor }, headers };
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
