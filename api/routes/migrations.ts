import { z } from 'zod';
import type { Migrations } from '../../engine/index.ts';
import { actorOf, type Route, route } from '../route.ts';
import { instanceId, reason } from '../schemas.ts';

const Body = z
  .strictObject({
    version: z.int().min(2).meta({ description: 'Takes live instances of the version before to this one' }),
    undo: z.boolean().default(false).meta({ description: 'The other way, where nothing has happened since' }),
    dryRun: z.boolean().default(true),
    share: z.number().gt(0).max(1).default(1).meta({
      description: 'Share of the instances, chosen by their ids; a larger share holds a smaller one',
    }),
    limit: z.int().min(1).max(5_000).default(1_000).meta({ description: 'Most that this call moves' }),
    instanceIds: z.array(instanceId).min(1).max(1_000).optional().meta({ description: 'These only' }),
    reason,
  })
  .meta({ id: 'Migrate' });

const Report = z
  .strictObject({
    from: z.string(),
    to: z.string(),
    dryRun: z.boolean(),
    examined: z.int().meta({ description: 'Live instances of that version, within the share' }),
    fits: z.int(),
    moved: z.int(),
    left: z.int().meta({ description: 'They fit, and wait for another call' }),
    refused: z.array(
      z.strictObject({
        instanceId: z.string(),
        code: z.string(),
        problems: z.array(z.strictObject({ code: z.string(), message: z.string() })),
      }),
    ),
    refusedMore: z.int(),
  })
  .meta({ id: 'MigrationReport' });

export function migrationRoutes({ migrations }: { readonly migrations: Migrations }): readonly Route[] {
  return [
    route({
      id: 'migrateInstances',
      method: 'post',
      path: '/v1/workflows/{name}/migrations',
      tag: 'workflows',
      summary: 'Take live instances to the next version: look, a share, all; or back',
      params: z.object({ name: z.string().min(1).max(100) }),
      body: Body,
      size: 'bulk',
      responses: {
        200: { description: 'What fits, what was moved, and why the rest was not', schema: Report },
      },
      errors: ['workflow-unknown', 'workflow-version-missing'],
      async handle(call) {
        const { instanceIds, ...options } = call.body;
        const report = await migrations.migrate({
          ...options,
          name: call.params.name,
          by: actorOf(call),
          ...(instanceIds === undefined ? {} : { instanceIds }),
        });
        return { status: 200, body: report };
      },
    }),
  ];
}
