import { z } from 'zod';
import type { Client, UnmatchedSignal } from '../../engine/index.ts';
import { AppError, unknownInstance } from '../../shared/errors.ts';
import { actorOf, callerOf, type Route, route } from '../route.ts';
import { instanceId, iso, reason, SignalResultSchema } from '../schemas.ts';
import { type SignalDeps, sendSignal } from './signals.ts';

const UnmatchedSchema = z
  .strictObject({
    signalId: z.string(),
    key: z.string(),
    type: z.string(),
    payload: z.record(z.string(), z.unknown()),
    at: z.string(),
  })
  .meta({ id: 'UnmatchedSignal' });

const AssignBody = z.strictObject({ instanceId, reason: reason.optional() }).meta({ id: 'AssignUnmatched' });

const LIMIT = 500;

export interface UnmatchedDeps extends SignalDeps {
  /** Takes a signal off the list of unclaimed ones. */
  unpark(key: string, signalId: string): Promise<void>;
}

export function unmatchedRoutes(deps: UnmatchedDeps): readonly Route[] {
  const { client } = deps;
  return [
    route({
      id: 'listUnmatched',
      method: 'get',
      path: '/v1/unmatched',
      tag: 'signals',
      summary: 'Signals that no instance has claimed',
      responses: {
        200: { description: 'At most 500', schema: z.strictObject({ data: z.array(UnmatchedSchema) }) },
      },
      errors: [],
      handle: async () => ({ status: 200, body: { data: (await client.unmatched(LIMIT)).map(present) } }),
    }),
    route({
      id: 'assignUnmatched',
      method: 'post',
      path: '/v1/unmatched/{signalId}/assign',
      tag: 'signals',
      summary: 'Give an unclaimed signal to an instance',
      params: z.object({ signalId: z.string().min(1).max(200) }),
      body: AssignBody,
      responses: {
        200: { description: 'Applied, or applied before', schema: SignalResultSchema },
        202: { description: 'Waits for a state that takes it', schema: SignalResultSchema },
      },
      errors: ['signal-unknown', 'instance-unknown', 'instance-closed', 'signal-not-accepted'],
      async handle(call) {
        const parked = await find(client, call.params.signalId);
        const view = await client.describe(call.body.instanceId);
        if (view === null) throw unknownInstance(call.body.instanceId);
        const { type, by: _, ...payload } = parked.event;
        const reply = await sendSignal(deps, view, callerOf(call), {
          type,
          payload,
          by: actorOf(call),
          id: parked.signalId,
          reason: call.body.reason ?? `Unclaimed signal for ${parked.key}, assigned by hand`,
        });
        await deps.unpark(parked.key, parked.signalId);
        return reply;
      },
    }),
  ];
}

async function find(client: Client, signalId: string): Promise<UnmatchedSignal> {
  const parked = (await client.unmatched(LIMIT)).find((signal) => signal.signalId === signalId);
  if (parked === undefined)
    throw new AppError('signal-unknown', 'No unclaimed signal has this id.', { details: { signalId } });
  return parked;
}

function present({ key, signalId, event, at }: UnmatchedSignal) {
  const { type, ...payload } = event;
  return { signalId, key, type, payload, at: iso(at) };
}
