import { z } from 'zod';
import type { Client, InstanceView } from '../../engine/index.ts';
import { AppError } from '../../shared/errors.ts';
import { task } from '../present.ts';
import { actorOf, callerOf, type Route, route } from '../route.ts';
import { INSTANCE_ID, pageOf, reason, SignalResultSchema, TaskSchema } from '../schemas.ts';
import { type SignalDeps, sendSignal, signalId } from './signals.ts';

const TaskParams = z.object({
  taskId: z
    .string()
    .max(1_000)
    .refine(
      (id) => INSTANCE_ID.test(id.split('~')[0] ?? '') && /~[A-Za-z0-9_.-]{1,100}$/.test(id),
      'is not a task id',
    )
    .meta({ description: '`<instance id>~<task>`' }),
  action: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'is not an action')
    .meta({ examples: ['approve'] }),
});

const ActionBody = z
  .strictObject({
    payload: z.record(z.string(), z.unknown()).default({}).meta({ description: 'The fields of the action' }),
    reason: reason.optional(),
    id: signalId.optional(),
  })
  .meta({ id: 'ActOnTask' });

export function taskRoutes(deps: SignalDeps): readonly Route[] {
  return [listRoute(deps), actRoute(deps)];
}

function listRoute({ client, catalogue }: SignalDeps): Route {
  return route({
    id: 'listTasks',
    method: 'get',
    path: '/v1/tasks',
    tag: 'tasks',
    summary: 'Open tasks of all instances, newest instance first',
    query: z.strictObject({
      responsible: z.enum(['operator', 'approver', 'engineer', 'customer']).optional(),
      limit: z.coerce.number().int().min(1).max(200).default(50).meta({ description: 'Instances a page' }),
      cursor: z.string().min(1).max(200).optional(),
    }),
    responses: { 200: { description: 'A page', schema: pageOf(TaskSchema) } },
    errors: [],
    async handle({ query: { responsible, limit, cursor } }) {
      const page = await client.list(
        { task: true, children: true },
        { limit, ...(cursor === undefined ? {} : { cursor }) },
      );
      const subjects = await rootSubjects(client, page.items);
      const data = page.items.flatMap((view) =>
        view.tasks
          .filter((open) => responsible === undefined || open.responsible === responsible)
          .map((open) => task(open, view, catalogue, subjects.get(view.rootId) ?? null)),
      );
      return { status: 200, body: { data, nextCursor: page.nextCursor } };
    },
  });
}

async function rootSubjects(
  client: Client,
  views: readonly InstanceView[],
): Promise<ReadonlyMap<string, string | null>> {
  const missing = new Set(views.filter(({ subject }) => subject === null).map(({ rootId }) => rootId));
  const roots = await Promise.all([...missing].map((id) => client.describe(id)));
  return new Map(roots.flatMap((root) => (root === null ? [] : [[root.id, root.subject]])));
}

function actRoute(deps: SignalDeps): Route {
  return route({
    id: 'actOnTask',
    method: 'post',
    path: '/v1/tasks/{taskId}/{action}',
    tag: 'tasks',
    summary: 'Approve, reject, complete: answer a task',
    description:
      'Sends the signal that the task declares for the action. A task for approvers needs an approver.',
    params: TaskParams,
    headers: z.object({ 'Idempotency-Key': z.string().optional() }),
    body: ActionBody,
    size: 'bulk',
    responses: {
      200: { description: 'Done, or done before', schema: SignalResultSchema },
      202: { description: 'Waits for a state that takes it', schema: SignalResultSchema },
    },
    errors: [
      'task-unknown',
      'task-action-unknown',
      'signal-not-accepted',
      'instance-closed',
      'value-not-durable',
    ],
    async handle(call) {
      const { params, body } = call;
      const view = await deps.client.describe(params.taskId.split('~')[0] ?? '');
      const open = view?.tasks.find(({ id }) => id === params.taskId);
      const chosen = open?.actions.find(({ name }) => name === params.action);
      const header = call.request.headers['idempotency-key'];
      const id = body.id ?? (typeof header === 'string' ? signalId.parse(header) : undefined);
      if (view === null || view === undefined || open === undefined) throw unknownTask(params.taskId);
      if (chosen === undefined)
        throw new AppError('task-action-unknown', `This task has no action '${params.action}'.`, {
          details: { actions: open.actions.map(({ name }) => name) },
        });
      if (chosen.reasonRequired === true && body.reason === undefined && body.payload['reason'] === undefined)
        throw new AppError('input-invalid', `'${chosen.label}' needs a reason.`, {
          details: { errors: [{ pointer: '/reason', detail: 'is required for this action' }] },
        });
      const why = body.reason ?? stringOrUndefined(body.payload['reason']);
      return sendSignal(deps, view, callerOf(call), {
        type: chosen.signal,
        payload: withReason(body.payload, why, deps.catalogue.fields(view, chosen.signal)?.properties ?? {}),
        by: actorOf(call),
        ...(id === undefined ? {} : { id }),
        ...(why === undefined ? {} : { reason: why }),
      });
    },
  });
}

/** The reason is the history's; where the signal has a field for it, the statechart's too. */
function withReason(
  payload: Readonly<Record<string, unknown>>,
  why: string | undefined,
  properties: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const { reason: given, ...rest } = payload;
  const value = why ?? given;
  return value === undefined || !Object.hasOwn(properties, 'reason') ? rest : { ...rest, reason: value };
}

function stringOrUndefined(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function unknownTask(taskId: string): AppError {
  return new AppError('task-unknown', 'This task is not open.', { details: { taskId } });
}
