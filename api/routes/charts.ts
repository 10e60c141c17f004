import type { Client, Registry } from '../../engine/index.ts';
import { AppError, unknownInstance } from '../../shared/errors.ts';
import { ChartStateSchema, chartOf } from '../chart.ts';
import { type Route, route } from '../route.ts';
import { InstanceParams } from '../schemas.ts';

export function chartRoutes(deps: {
  readonly client: Client;
  readonly registry: Registry;
}): readonly Route[] {
  return [
    route({
      id: 'getChart',
      method: 'get',
      path: '/v1/instances/{id}/chart',
      tag: 'instances',
      summary: 'The statechart of an instance, in the version it runs in',
      description: 'Which states it is in says the instance itself: `states` has their ids.',
      params: InstanceParams,
      responses: { 200: { description: 'The root, with its states inside', schema: ChartStateSchema } },
      errors: ['instance-unknown', 'workflow-version-missing'],
      async handle({ params: { id } }) {
        const view = await deps.client.describe(id);
        if (view === null) throw unknownInstance(id);
        const ref = view.version === null ? view.workflow : `${view.workflow}@${view.version}`;
        const found = deps.registry.find(ref);
        if (found === null)
          throw new AppError('workflow-version-missing', `This process lacks the workflow '${ref}'.`, {
            details: { definition: ref },
          });
        return { status: 200, body: chartOf(found.source) };
      },
    }),
  ];
}
