/** A hand in one instance: another state, other data, an activity's outcome, a fork. Each can be looked at first. */
import { z } from 'zod';
import type { Client, Operation, Operations, Preview } from '../../engine/index.ts';
import type { Approvals } from '../approvals.ts';
import type { Catalogue } from '../catalogue.ts';
import { instance, readTree } from '../present.ts';
import { callerOf, type Reply, type Route, route } from '../route.ts';
import { InstanceParams, InstanceSchema, instanceId, iso, reason } from '../schemas.ts';
import { byOf, type OperationCall, onInstance, operate } from './operations.ts';

export interface InterventionDeps {
  readonly client: Client;
  readonly operations: Operations;
  readonly catalogue: Catalogue;
  readonly approvals: Approvals;
}

const path = z.string().min(1).max(300);
const state = path.meta({ description: 'Dotted path of a state, e.g. `consent.waiting`' });
const token = z.string().regex(/^[\w.-]{1,200}$/, 'is not a token');
const changes = z
  .record(z.string().min(1).max(200), z.unknown())
  .refine((fields) => Object.keys(fields).length > 0, 'has no field')
  .meta({ description: 'Fields of the context, each replaced whole' });
const output = z.unknown().meta({ description: "Parsed by the activity's contract" });
const revision = z.int().min(1).meta({ description: 'As it was after this revision' });
const restartChildren = z
  .boolean()
  .default(false)
  .meta({ description: 'Children that ran then begin anew; without it such a revision is refused' });
const failure = {
  code: z.string().regex(/^[\w.-]{1,100}$/, 'is not a code'),
  message: z.string().min(1).max(2_000),
};

/** What can be asked for by data: one operation, to look at or to do to many. */
export const OperationSchema = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('pause') }),
    z.strictObject({ kind: z.literal('resume') }),
    z.strictObject({ kind: z.literal('cancel'), force: z.boolean().default(false) }),
    z.strictObject({ kind: z.literal('retry'), token: token.optional() }),
    z.strictObject({ kind: z.literal('retry-from'), state }),
    z.strictObject({ kind: z.literal('move'), to: state }),
    z.strictObject({ kind: z.literal('edit-context'), changes }),
    z.strictObject({ kind: z.literal('dismiss-attention') }),
  ])
  .meta({ id: 'Operation' });

const Previewable = z.union([
  OperationSchema,
  z.strictObject({ kind: z.literal('complete-activity'), token, output }),
  z.strictObject({ kind: z.literal('fail-activity'), token, ...failure }),
  z.strictObject({ kind: z.literal('fork'), revision, restartChildren }),
]);

const PreviewSchema = z
  .strictObject({
    status: z.enum(['applied', 'deferred', 'impossible']),
    detail: z.string().nullable(),
    before: z.strictObject({ state: z.unknown(), status: z.string(), revision: z.int() }).nullable(),
    after: z.strictObject({ state: z.unknown(), status: z.string(), context: z.unknown() }).nullable(),
    effects: z
      .array(z.looseObject({ type: z.string() }))
      .meta({ description: 'What would begin, end, be set, cleared and sent' }),
  })
  .meta({ id: 'Preview' });

const hand = {
  ...onInstance,
  responses: { 200: { description: 'Done', schema: InstanceSchema } },
} as const;
const ActivityParams = z.object({ id: instanceId, token });

export function interventionRoutes(deps: InterventionDeps): readonly Route[] {
  return [...stateRoutes(deps), ...activityRoutes(deps), forkRoute(deps), previewRoute(deps)];
}

function stateRoutes(deps: InterventionDeps): readonly Route[] {
  const { client, operations } = deps;
  return [
    route({
      ...hand,
      id: 'moveInstance',
      path: '/v1/instances/{id}/move',
      summary: 'Move to a state: leaves what has to be left, enters it anew',
      body: z.strictObject({ to: state, reason }).meta({ id: 'MoveInstance' }),
      handle: (call) =>
        intervene(deps, call, (id) => client.operate(id, { kind: 'move', to: call.body.to }, byOf(call))),
    }),
    route({
      ...hand,
      id: 'retryInstanceFrom',
      path: '/v1/instances/{id}/retry-from',
      summary: 'Try again from a state it was in; opens a failed instance again',
      body: z.strictObject({ state, reason }).meta({ id: 'RetryInstanceFrom' }),
      handle: (call) => operate(deps, call, (id) => operations.retryFrom(id, call.body.state, byOf(call))),
    }),
    route({
      ...hand,
      id: 'editContext',
      path: '/v1/instances/{id}/edit-context',
      summary: 'Replace fields of the context',
      body: z.strictObject({ changes, reason }).meta({ id: 'EditContext' }),
      size: 'bulk',
      handle: (call) =>
        intervene(deps, call, (id) =>
          client.operate(id, { kind: 'edit-context', changes: call.body.changes }, byOf(call)),
        ),
    }),
    route({
      ...hand,
      id: 'dismissAttention',
      path: '/v1/instances/{id}/dismiss-attention',
      summary: 'Take it off the attention list; what was set aside is given up',
      body: z.strictObject({ reason }).meta({ id: 'DismissAttention' }),
      handle: (call) =>
        operate(deps, call, (id) => client.operate(id, { kind: 'dismiss-attention' }, byOf(call))),
    }),
  ];
}

function activityRoutes(deps: InterventionDeps): readonly Route[] {
  const { client } = deps;
  return [
    route({
      ...hand,
      id: 'completeActivity',
      path: '/v1/instances/{id}/activities/{token}/complete',
      summary: 'Complete an activity by hand, with the output it would have had',
      params: ActivityParams,
      body: z.strictObject({ output, reason }).meta({ id: 'CompleteActivity' }),
      size: 'bulk',
      handle: (call) =>
        intervene(deps, call, (id) =>
          client.operate(
            id,
            { kind: 'complete-activity', token: call.params.token, output: call.body.output },
            byOf(call),
          ),
        ),
    }),
    route({
      ...hand,
      id: 'failActivity',
      path: '/v1/instances/{id}/activities/{token}/fail',
      summary: 'End an activity as failed, for the statechart to deal with',
      params: ActivityParams,
      body: z.strictObject({ ...failure, reason }).meta({ id: 'FailActivity' }),
      handle: (call) =>
        intervene(deps, call, (id) => client.operate(id, failed(call.params.token, call.body), byOf(call))),
    }),
  ];
}

function failed(
  token: string,
  { code, message }: { readonly code: string; readonly message: string },
): Extract<Operation, { kind: 'fail-activity' }> {
  return { kind: 'fail-activity', token, failure: { kind: 'terminal', code, message } };
}

function forkRoute(deps: InterventionDeps): Route {
  const { client, operations, catalogue, approvals } = deps;
  return route({
    id: 'forkInstance',
    method: 'post',
    path: '/v1/instances/{id}/fork',
    tag: 'instances',
    summary: 'Begin another instance where this one once stood',
    params: InstanceParams,
    body: z.strictObject({ revision, restartChildren, reason }).meta({ id: 'ForkInstance' }),
    responses: { 201: { description: 'Begun; `Location` names it', schema: InstanceSchema } },
    errors: ['instance-unknown', 'operation-impossible', 'replay-diverged', 'workflow-version-missing'],
    async handle(call): Promise<Reply> {
      await approvals.checkHand(call.params.id, callerOf(call));
      const view = await operations.fork(call.params.id, { ...call.body, ...byOf(call) });
      const body = instance(await readTree(client, view), catalogue, false);
      return { status: 201, body, headers: { Location: `/v1/instances/${view.id}` } };
    },
  });
}

function previewRoute({ operations }: InterventionDeps): Route {
  return route({
    id: 'previewOperation',
    method: 'post',
    path: '/v1/instances/{id}/preview',
    tag: 'instances',
    summary: 'What an operation would do now; changes nothing',
    params: InstanceParams,
    body: z.strictObject({ operation: Previewable }).meta({ id: 'PreviewOperation' }),
    size: 'bulk',
    responses: { 200: { description: 'The effects', schema: PreviewSchema } },
    errors: ['instance-unknown', 'operation-impossible', 'replay-diverged'],
    async handle({ params: { id }, body: { operation } }) {
      const preview =
        operation.kind === 'fork'
          ? await operations.previewFork(id, operation)
          : await operations.preview(
              id,
              operation.kind === 'fail-activity'
                ? failed(operation.token, operation)
                : asOperation(operation),
            );
      return { status: 200, body: present(preview) };
    },
  });
}

type Asked =
  | z.output<typeof OperationSchema>
  | { kind: 'complete-activity'; token: string; output?: unknown };

/** The schema's `token?: undefined` is not the engine's. */
export function asOperation(asked: Asked): Operation {
  if (asked.kind !== 'retry') return asked as Operation;
  return { kind: 'retry', ...(asked.token === undefined ? {} : { token: asked.token }) };
}

function present({ effects, ...preview }: Preview) {
  return {
    ...preview,
    effects: effects.map((effect) =>
      'fireAt' in effect ? { ...effect, fireAt: iso(effect.fireAt) } : effect,
    ),
  };
}

async function intervene(
  deps: InterventionDeps,
  call: OperationCall,
  act: Parameters<typeof operate>[2],
): Promise<Reply> {
  await deps.approvals.checkHand(call.params.id, callerOf(call));
  return operate(deps, call, act);
}
