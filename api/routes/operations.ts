import { z } from 'zod';
import type { Client, InstanceView, OperateOptions } from '../../engine/index.ts';
import type { Catalogue } from '../catalogue.ts';
import { revisionAsked } from '../etag.ts';
import { instance, readTree } from '../present.ts';
import { actorOf, type Reply, type Route, route } from '../route.ts';
import { InstanceParams, InstanceSchema, reason } from '../schemas.ts';

export interface OperationDeps {
  readonly client: Client;
  readonly catalogue: Catalogue;
}

const ReasonBody = z.strictObject({ reason: reason.optional() }).meta({ id: 'Operate' });
const CancelBody = z
  .strictObject({
    reason,
    force: z.boolean().default(false).meta({ description: 'Stop where it is, without compensating' }),
  })
  .meta({ id: 'CancelInstance' });
const RetryBody = z
  .strictObject({
    reason: reason.optional(),
    token: z.string().min(1).max(200).optional().meta({ description: 'One activity only' }),
  })
  .meta({ id: 'RetryInstance' });

const CancelAnswer = z.strictObject({ status: z.enum(['applied', 'deferred']), instance: InstanceSchema });

/** What every operation on one instance has in common. */
export const onInstance = {
  method: 'post',
  tag: 'instances',
  params: InstanceParams,
  headers: z.object({
    'If-Match': z.string().optional().meta({ description: 'ETag of the instance you looked at' }),
  }),
  errors: ['instance-unknown', 'instance-closed', 'operation-impossible', 'revision-mismatch'],
} as const;

export function operationRoutes(deps: OperationDeps): readonly Route[] {
  const { client } = deps;
  return [
    route({
      ...onInstance,
      id: 'pauseInstance',
      path: '/v1/instances/{id}/pause',
      summary: 'Pause: begin nothing new; what comes in waits',
      body: ReasonBody,
      responses: { 200: { description: 'Paused', schema: InstanceSchema } },
      handle: (call) => operate(deps, call, (id) => client.pause(id, byOf(call))),
    }),
    route({
      ...onInstance,
      id: 'resumeInstance',
      path: '/v1/instances/{id}/resume',
      summary: 'Resume a paused instance',
      body: ReasonBody,
      responses: { 200: { description: 'Running again', schema: InstanceSchema } },
      handle: (call) => operate(deps, call, (id) => client.resume(id, byOf(call))),
    }),
    route({
      ...onInstance,
      id: 'retryInstance',
      path: '/v1/instances/{id}/retry',
      summary: 'Try again what waits, gave up or was set aside',
      body: RetryBody,
      responses: { 200: { description: 'Tried again', schema: InstanceSchema } },
      handle: (call) =>
        operate(deps, call, (id) =>
          client.retry(id, {
            ...byOf(call),
            ...(call.body.token === undefined ? {} : { token: call.body.token }),
          }),
        ),
    }),
    cancelRoute(deps),
  ];
}

function cancelRoute({ client, catalogue }: OperationDeps): Route {
  return route({
    ...onInstance,
    id: 'cancelInstance',
    path: '/v1/instances/{id}/cancel',
    summary: 'Cancel, with the compensation that the workflow defines',
    body: CancelBody,
    responses: {
      200: { description: 'Canceled, or canceling', schema: CancelAnswer },
      202: { description: 'Cancels as soon as its state allows', schema: CancelAnswer },
    },
    async handle(call) {
      const { status, instance: view } = await client.cancel(call.params.id, {
        ...byOf(call),
        force: call.body.force,
      });
      const body = { status, instance: instance(await readTree(client, view), catalogue, false) };
      return { status: status === 'deferred' ? 202 : 200, body };
    },
  });
}

export type OperationCall = Parameters<Route['handle']>[0] & {
  readonly params: { readonly id: string };
  readonly body: { readonly reason?: string | undefined };
};

export function byOf(call: OperationCall): OperateOptions {
  const { reason: why } = call.body;
  const expectedRevision = revisionAsked(call.request);
  return {
    by: actorOf(call),
    ...(why === undefined ? {} : { reason: why }),
    ...(expectedRevision === undefined ? {} : { expectedRevision }),
  };
}

export async function operate(
  { client, catalogue }: OperationDeps,
  call: OperationCall,
  act: (id: string) => Promise<InstanceView>,
): Promise<Reply> {
  const view = await act(call.params.id);
  return { status: 200, body: instance(await readTree(client, view), catalogue, false) };
}
