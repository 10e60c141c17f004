import { z } from 'zod';
import type { Client, InstanceView, SignalResult } from '../../engine/index.ts';
import { AppError, unknownInstance } from '../../shared/errors.ts';
import type { Approvals } from '../approvals.ts';
import type { Caller } from '../auth.ts';
import type { Catalogue } from '../catalogue.ts';
import { instance, readTree } from '../present.ts';
import { actorOf, callerOf, type Reply, type Route, route } from '../route.ts';
import { InstanceParams, reason, SignalResultSchema } from '../schemas.ts';

export interface SignalDeps {
  readonly client: Client;
  readonly catalogue: Catalogue;
  readonly approvals: Approvals;
}

export const signalId = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, 'is not 1 to 200 printable characters')
  .meta({ description: 'The same id is applied once' });

const SignalBody = z
  .strictObject({
    type: z
      .string()
      .min(1)
      .max(200)
      .meta({ examples: ['customer.chosen'] }),
    payload: z.record(z.string(), z.unknown()).default({}),
    id: signalId.optional(),
    reason: reason.optional(),
  })
  .meta({ id: 'SendSignal' });

export function signalRoutes(deps: SignalDeps): readonly Route[] {
  return [
    route({
      id: 'sendSignal',
      method: 'post',
      path: '/v1/instances/{id}/signals',
      tag: 'instances',
      summary: 'Tell an instance a fact',
      description:
        'Answered with what became of it. A signal that an approver’s task offers needs an approver here too. `Idempotency-Key` serves as id where the body has none.',
      params: InstanceParams,
      headers: z.object({ 'Idempotency-Key': z.string().optional() }),
      body: SignalBody,
      size: 'bulk',
      responses: {
        200: { description: 'Applied, or applied before', schema: SignalResultSchema },
        202: { description: 'Waits for a state that takes it', schema: SignalResultSchema },
      },
      errors: [
        'instance-unknown',
        'instance-closed',
        'signal-unknown',
        'signal-not-accepted',
        'signal-overflow',
        'event-reserved',
        'value-not-durable',
      ],
      async handle(call) {
        const { body, params, request } = call;
        const view = await deps.client.describe(params.id);
        if (view === null) throw unknownInstance(params.id);
        const header = request.headers['idempotency-key'];
        const id = body.id ?? (header === undefined ? undefined : signalId.parse(header));
        return sendSignal(deps, view, callerOf(call), {
          type: body.type,
          payload: body.payload,
          by: actorOf(call),
          ...(id === undefined ? {} : { id }),
          ...(body.reason === undefined ? {} : { reason: body.reason }),
        });
      },
    }),
  ];
}

/** Checks who may, fills in `by`, and answers with what became of it. */
export async function sendSignal(
  { client, catalogue, approvals }: SignalDeps,
  view: InstanceView,
  caller: Caller,
  signal: {
    readonly type: string;
    readonly payload: Readonly<Record<string, unknown>>;
    readonly by: ReturnType<typeof actorOf>;
    readonly id?: string;
    readonly reason?: string;
  },
): Promise<Reply> {
  const { type, payload, ...options } = signal;
  if (Object.hasOwn(payload, 'by'))
    throw new AppError('input-invalid', '`by` is filled in from your sign-in.', {
      details: { errors: [{ pointer: '/payload/by', detail: 'is filled in from your sign-in' }] },
    });
  await approvals.check(view, type, caller);
  const filled = catalogue.takesBy(view, type) ? { ...payload, by: caller.name } : payload;
  const result = await client.signalById(view.id, type, filled, options);
  return replyOf(result, client, catalogue, type);
}

async function replyOf(
  { status, detail, instance: view }: SignalResult,
  client: Client,
  catalogue: Catalogue,
  type: string,
): Promise<Reply> {
  if (status === 'rejected' || status === 'unmatched') {
    const details = { signal: type, instanceId: view?.id ?? null, why: detail };
    throw detail === 'closed'
      ? new AppError('instance-closed', 'The instance is closed and takes no more signals.', { details })
      : new AppError('signal-not-accepted', `The present state cannot take '${type}'.`, { details });
  }
  const shown = view === null ? null : instance(await readTree(client, view), catalogue, false);
  return { status: status === 'deferred' ? 202 : 200, body: { status, detail, instance: shown } };
}
