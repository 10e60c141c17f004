import { z } from 'zod';
import type { Client } from '../../engine/index.ts';
import { AppError, unknownInstance } from '../../shared/errors.ts';
import { wholeHistory, wholeTree } from '../history-pages.ts';
import { isList, reportOf } from '../report.ts';
import { REPORT_POLICY, reportPage } from '../report-page.ts';
import { type Reply, type Route, route } from '../route.ts';
import { InstanceParams } from '../schemas.ts';

const Query = z.strictObject({
  format: z.enum(['json', 'html']).optional().meta({ description: 'Instead of the Accept header' }),
});

const ReportSchema = z
  .strictObject({
    instanceId: z.string(),
    title: z.string(),
    subject: z.string().nullable(),
    outcome: z.string(),
    startedAt: z.string(),
    startedBy: z.string().nullable(),
    closedAt: z.string(),
    decisions: z.array(
      z.strictObject({
        at: z.string(),
        by: z.string(),
        what: z.string(),
        said: z.string(),
        reason: z.string().nullable(),
      }),
    ),
    changes: z.array(z.strictObject({ at: z.string(), what: z.string() })),
    tables: z.array(
      z.strictObject({
        title: z.string(),
        columns: z.array(z.string()),
        rows: z.array(z.array(z.string())),
      }),
    ),
    output: z.unknown(),
  })
  .meta({ id: 'Report' });

export function reportRoutes({ client }: { readonly client: Client }): readonly Route[] {
  return [
    route({
      id: 'getReport',
      method: 'get',
      path: '/v1/instances/{id}/report',
      tag: 'history',
      summary:
        'The closing report: what was ordered, granted, assigned, verified and attested, by whom and when',
      description: 'As JSON, or as a page to print with `Accept: text/html` or `?format=html`.',
      params: InstanceParams,
      query: Query,
      responses: { 200: { description: 'The report', schema: z.union([ReportSchema, z.string()]) } },
      errors: ['instance-unknown', 'operation-impossible'],
      async handle({ params: { id }, query, request }): Promise<Reply> {
        const view = await client.describe(id);
        if (view === null) throw unknownInstance(id);
        if (view.status === 'running' || view.status === 'paused')
          throw new AppError('operation-impossible', 'The closing report comes when the instance is closed.');
        const read = isList(view.output) ? wholeHistory : wholeTree;
        const report = reportOf(view, await read(client, id));
        const format = query.format ?? request.accepts(['json', 'html']);
        const vary = { Vary: 'Accept' };
        if (format !== 'html') return { status: 200, body: report, headers: vary };
        const headers = {
          ...vary,
          'Content-Type': 'text/html; charset=utf-8',
          'Content-Security-Policy': REPORT_POLICY,
        };
        return { status: 200, body: reportPage(report), headers };
      },
    }),
  ];
}
