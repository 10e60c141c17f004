import { z } from 'zod';
import { type Operation, ok, Refusal, type Reply, type Request, type Routes } from '../../core/http.ts';
import type { World } from '../../world.ts';
import { badRequest, bodyOf, graphErrorBody } from '../helpers.ts';

const MAX_REQUESTS = 20;

const batchSchema = z.object({
  requests: z.array(
    z.object({
      id: z.string(),
      method: z.string(),
      url: z.string().startsWith('/'),
      headers: z.record(z.string(), z.string()).optional(),
      body: z.unknown().optional(),
      dependsOn: z.array(z.string()).optional(),
    }),
  ),
});

/** Runs one request of a batch as if it had come alone, faults and counters included. */
export type Dispatch = (request: Omit<Request, 'operation' | 'params'>) => Promise<Reply>;

export function batchRoutes(routes: Routes, world: World, dispatch: Dispatch): Operation[] {
  routes.on('POST', '/v1.0/$batch', async (request) => {
    const { requests } = bodyOf(world, request, batchSchema);
    if (requests.length === 0 || requests.length > MAX_REQUESTS) {
      throw badRequest(world, `A batch holds 1 to ${MAX_REQUESTS} requests.`);
    }
    if (new Set(requests.map((part) => part.id)).size !== requests.length)
      throw badRequest(world, 'Request ids must be unique.');
    const answers = new Map<string, Reply>();
    for (const part of requests) {
      const failed = (part.dependsOn ?? []).some((id) => (answers.get(id)?.status ?? 500) >= 400);
      answers.set(
        part.id,
        failed ? failedDependency(world) : await answerPart(world, request, part, dispatch),
      );
    }
    const responses = [...answers].map(([id, reply]) => ({
      id,
      status: reply.status,
      headers: { ...reply.headers, 'Content-Type': 'application/json' },
      ...(reply.json !== undefined && { body: reply.json }),
    }));
    return ok({ responses: world.random.shuffle(responses) });
  });
  return routes.operations;
}

async function answerPart(
  world: World,
  outer: Request,
  part: z.output<typeof batchSchema>['requests'][number],
  dispatch: Dispatch,
): Promise<Reply> {
  const [path = '', search = ''] = part.url.split('?');
  if (path.toLowerCase() === '/$batch')
    return { status: 400, json: graphErrorBody(world, 'BadRequest', 'Batches do not nest.') };
  try {
    return await dispatch({
      method: part.method.toUpperCase(),
      path: `/v1.0${decodeURIComponent(path)}`,
      query: new URLSearchParams(search),
      headers: { ...part.headers, authorization: outer.headers.authorization },
      body: part.body,
    });
  } catch (error) {
    if (error instanceof Refusal) return error.reply;
    throw error;
  }
}

function failedDependency(world: World): Reply {
  return {
    status: 424,
    json: graphErrorBody(world, 'FailedDependency', 'A request this one depends on failed.'),
  };
}
