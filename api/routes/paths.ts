/** Which path a customer takes. Only workers ask Microsoft, so a small instance does, and its output is the answer. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Client } from '../../engine/index.ts';
import {
  RouteOnboardingInput,
  type RouteOnboardingOutput,
  routeOnboarding,
} from '../../workflows/route-onboarding.ts';
import { PATHS } from '../../workflows/routing.ts';
import { actorOf, type Route, route } from '../route.ts';

const PathSchema = z
  .strictObject({
    instanceId: z.string().meta({ description: 'The instance that asks' }),
    domain: z.string(),
    path: z.enum(PATHS).nullable().meta({
      description: 'The workflow to start; null when it is not known. Starting another one is allowed.',
    }),
    why: z.string(),
    tenantId: z.string().nullable(),
    tenantName: z.string().nullable(),
  })
  .meta({ id: 'Path' });

const PATIENCE_MS = 8_000;
const LOOK_EVERY_MS = 100;

export function pathRoutes({
  client,
  patienceMs = PATIENCE_MS,
}: {
  readonly client: Client;
  readonly patienceMs?: number;
}): readonly Route[] {
  return [
    route({
      id: 'findPath',
      method: 'post',
      path: '/v1/paths',
      tag: 'instances',
      summary: 'Find the path of a customer from its domain',
      description: 'A proposal: whoever starts the onboarding may take another path.',
      body: z.strictObject({ domain: RouteOnboardingInput.shape.domain }),
      responses: {
        200: { description: 'The path, or why it is not known', schema: PathSchema },
        202: { description: 'Microsoft has not answered yet; read the instance', schema: PathSchema },
      },
      errors: [],
      async handle(call) {
        const { instance } = await client.start(routeOnboarding, call.body, { by: actorOf(call) });
        const deadline = performance.now() + patienceMs;
        for (;;) {
          const view = await client.describe(instance.id);
          if (view !== null && view.status === 'completed') {
            const output = view.output as RouteOnboardingOutput;
            return { status: 200, body: { instanceId: instance.id, ...output } };
          }
          if (performance.now() > deadline) break;
          await sleep(LOOK_EVERY_MS);
        }
        const open = { path: null, why: 'Microsoft has not answered yet.', tenantId: null, tenantName: null };
        return {
          status: 202,
          body: { instanceId: instance.id, domain: call.body.domain, ...open },
          headers: { Location: `/v1/instances/${instance.id}` },
        };
      },
    }),
  ];
}
