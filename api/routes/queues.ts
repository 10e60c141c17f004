import { z } from 'zod';
import type { Client } from '../../engine/index.ts';
import { type Route, route } from '../route.ts';
import { iso, reason } from '../schemas.ts';

const PausedSchema = z
  .strictObject({ queue: z.string(), code: z.string(), reason: z.string(), at: z.string() })
  .meta({ id: 'PausedQueue' });
const ResumeBody = z.strictObject({ reason: reason.optional() }).meta({ id: 'ResumeQueue' });

export function queueRoutes({ client }: { readonly client: Client }): readonly Route[] {
  return [
    route({
      id: 'listPausedQueues',
      method: 'get',
      path: '/v1/queues/paused',
      tag: 'queues',
      summary: 'Queues that stand still because their connector is broken',
      responses: { 200: { description: 'All', schema: z.strictObject({ data: z.array(PausedSchema) }) } },
      errors: [],
      async handle() {
        const paused = await client.pausedQueues();
        return { status: 200, body: { data: paused.map((queue) => ({ ...queue, at: iso(queue.at) })) } };
      },
    }),
    route({
      id: 'resumeQueue',
      method: 'post',
      path: '/v1/queues/{queue}/resume',
      tag: 'queues',
      summary: 'Let a paused queue go on',
      params: z.object({ queue: z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/, 'is not a queue') }),
      body: ResumeBody,
      responses: { 204: { description: 'Goes on' } },
      errors: [],
      async handle({ params, body, caller, log }) {
        await client.resumeQueue(params.queue);
        log.info({ queue: params.queue, by: caller?.name, reason: body.reason }, 'queue-resumed');
        return { status: 204 };
      },
    }),
  ];
}
