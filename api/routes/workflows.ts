import { z } from 'zod';
import type { Catalogue } from '../catalogue.ts';
import { type Route, route } from '../route.ts';
import { WorkflowSchema } from '../schemas.ts';

export function workflowRoutes({ catalogue }: { readonly catalogue: Catalogue }): readonly Route[] {
  return [
    route({
      id: 'listWorkflows',
      method: 'get',
      path: '/v1/workflows',
      tag: 'workflows',
      summary: 'The workflows that may be started, with their forms',
      responses: {
        200: { description: 'All of them', schema: z.strictObject({ data: z.array(WorkflowSchema) }) },
      },
      errors: [],
      handle: () => ({ status: 200, body: { data: catalogue.startable } }),
    }),
    route({
      id: 'getWorkflow',
      method: 'get',
      path: '/v1/workflows/{name}',
      tag: 'workflows',
      summary: 'One workflow: input form and signals',
      params: z.object({ name: z.string().min(1).max(100) }),
      responses: { 200: { description: 'The newest version', schema: WorkflowSchema } },
      errors: ['workflow-unknown'],
      handle: ({ params }) => ({ status: 200, body: catalogue.form(params.name) }),
    }),
  ];
}
