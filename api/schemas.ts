/** What the API answers with, one schema a thing. Times are ISO 8601 in UTC. */
import { z } from 'zod';
import { ROLES } from '../shared/config.ts';

export const INSTANCE_ID = /^[A-Za-z0-9_-]{1,64}(?:\.[A-Za-z0-9_-]{1,64}){0,12}$/;
export const instanceId = z
  .string()
  .regex(INSTANCE_ID, 'is not an instance id')
  .meta({
    description: "An instance's id; a child's is its parent's with a token behind a dot",
    examples: ['wf_5f2b6c0e7d1a4c8f9b3e2d1c0a9f8e7d'],
  });
export const InstanceParams = z.object({ id: instanceId });
export const reason = z.string().trim().min(1).max(2_000).meta({ description: 'Why; kept in the history' });

const instant = z.string().meta({ description: 'UTC, ISO 8601', examples: ['2026-11-02T10:00:00.000Z'] });
const status = z.enum(['running', 'paused', 'completed', 'failed', 'canceled']);
export const InstanceStatus = status;

export const StateSchema = z
  .strictObject({
    id: z.string(),
    path: z.string(),
    sentence: z.string().meta({ description: 'What staff read while the instance is here' }),
    waitingOn: z.string().nullable(),
  })
  .meta({ id: 'State' });

export const ActionSchema = z
  .strictObject({
    name: z.string(),
    label: z.string(),
    signal: z.string(),
    reasonRequired: z.boolean(),
    fields: z.unknown().meta({ description: 'JSON Schema of the fields this action takes' }),
    prefill: z
      .record(z.string(), z.unknown())
      .meta({ description: 'What is shown with the task and goes into the fields of the same name' }),
  })
  .meta({ id: 'TaskAction' });

export const TaskSchema = z
  .strictObject({
    id: z.string(),
    instanceId: z.string(),
    rootId: z.string(),
    subject: z.string().nullable(),
    title: z.string(),
    instructions: z.string(),
    responsible: z.string().meta({ description: 'operator, approver, engineer or customer' }),
    shows: z.record(z.string(), z.unknown()),
    since: instant,
    dueAt: instant.nullable().meta({ description: 'When it is due; null for one that nothing waits for' }),
    escalatesTo: z.string().nullable().meta({ description: 'Who looks after it once it is overdue' }),
    verify: z
      .strictObject({ how: z.enum(['api', 'attested']), by: z.string() })
      .nullable()
      .meta({ description: 'How "done" is judged: read again through an API, or believed from evidence' }),
    evidence: z.array(z.string()).meta({ description: 'Fields of the answers that hold the evidence' }),
    optional: z.boolean().meta({ description: 'An offer: nothing waits for it' }),
    reveals: z.string().nullable().meta({ description: 'The secret it hands over, to be revealed once' }),
    actions: z.array(ActionSchema),
  })
  .meta({ id: 'Task' });

const Attention = z.strictObject({
  code: z.string(),
  message: z.string(),
  at: instant,
  token: z.string().optional(),
});

const Activity = z.strictObject({
  token: z.string(),
  name: z.string(),
  description: z.string(),
  queue: z.string(),
  phase: z.enum(['open', 'waiting-retry', 'attention', 'held']),
  attempt: z.int(),
  maxAttempts: z.int().nullable(),
  lastFailure: z
    .strictObject({ kind: z.string(), code: z.string(), message: z.string(), at: instant })
    .nullable(),
});

const summaryShape = {
  id: z.string(),
  rootId: z.string(),
  parentId: z.string().nullable(),
  workflow: z.string(),
  version: z.int().nullable(),
  title: z.string(),
  subject: z.string().nullable(),
  revision: z.int(),
  status,
  sentence: z.string(),
  waitingOn: z.string().nullable(),
  innermost: z
    .strictObject({ instanceId: z.string(), sentence: z.string(), waitingOn: z.string().nullable() })
    .nullable()
    .meta({ description: 'Where the open child stands that matters most; null without children' }),
  attention: Attention.nullable(),
  rewound: z.strictObject({ since: instant, at: instant }).nullable().meta({
    description:
      'Set where the store was set back and taken on while it was open: what it did from `since` on may be forgotten here',
  }),
  needs: z
    .strictObject({ attention: z.int(), tasks: z.int() })
    .meta({ description: 'Instances of the whole tree on the attention list, and its open tasks' }),
  labels: z.record(z.string(), z.string()),
  createdAt: instant,
  updatedAt: instant,
  stateSince: instant,
};

export const SummarySchema = z.strictObject(summaryShape).meta({ id: 'InstanceSummary' });

export const InstanceSchema = z
  .strictObject({
    ...summaryShape,
    state: z.unknown().meta({ description: "XState's state value" }),
    states: z.array(StateSchema),
    tags: z.array(z.string()),
    context: z.unknown(),
    output: z.unknown(),
    error: z.unknown(),
    keys: z.array(z.string()),
    accepts: z.array(z.string()).meta({ description: 'Signals the current state takes' }),
    activities: z.array(Activity),
    timers: z.array(z.strictObject({ token: z.string(), event: z.string(), fireAt: instant })),
    deferred: z.array(z.strictObject({ event: z.string(), at: instant })),
    quarantine: z.array(z.strictObject({ event: z.string(), error: z.string(), at: instant })),
    tasks: z.array(TaskSchema),
    get children(): z.ZodArray<typeof ChildSchema> {
      return z.array(ChildSchema);
    },
  })
  .meta({ id: 'Instance' });

export const ChildSchema: z.ZodObject<{
  actorId: z.ZodString;
  instanceId: z.ZodString;
  instance: z.ZodNullable<z.ZodType>;
}> = z
  .strictObject({
    actorId: z.string(),
    instanceId: z.string(),
    get instance(): z.ZodNullable<z.ZodType> {
      return z.nullable(InstanceSchema as z.ZodType);
    },
  })
  .meta({ id: 'ChildInstance' });

export const HistoryEntrySchema = z
  .strictObject({
    instanceId: z.string(),
    workflow: z.string(),
    revision: z.int(),
    at: instant,
    kind: z.string(),
    words: z.string().meta({ description: 'The entry in plain words' }),
    event: z.unknown(),
    outcome: z.string().nullable(),
    state: z.unknown(),
    status: status.nullable(),
    effects: z.array(z.unknown()),
    by: z.strictObject({ kind: z.string(), id: z.string() }).nullable(),
    reason: z.string().nullable(),
  })
  .meta({ id: 'HistoryEntry' });

export const SignalContractSchema = z.strictObject({
  type: z.string(),
  description: z.string().nullable(),
  whenNotAccepted: z.enum(['defer', 'reject', 'ignore']),
  payload: z.unknown().meta({ description: 'JSON Schema of the payload' }),
});

export const WorkflowSchema = z
  .strictObject({
    name: z.string(),
    version: z.int(),
    title: z.string(),
    input: z
      .unknown()
      .meta({ description: 'JSON Schema of what a start takes; null when it takes anything' }),
    signals: z.array(SignalContractSchema),
  })
  .meta({ id: 'Workflow' });

export const SignalResultSchema = z
  .strictObject({
    status: z.enum(['applied', 'deferred', 'duplicate']),
    detail: z.string().nullable(),
    instance: InstanceSchema.nullable(),
  })
  .meta({ id: 'SignalResult' });

export const ProblemSchema = z
  .strictObject({
    type: z.string().meta({ description: 'Address of the explanation' }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    instance: z.string(),
    code: z.string().meta({ description: 'Stable; see docs/errors.md' }),
    traceId: z.string(),
    errors: z.array(z.strictObject({ pointer: z.string(), detail: z.string() })).optional(),
  })
  .meta({ id: 'Problem' });

export const SessionSchema = z
  .strictObject({
    signedIn: z.boolean(),
    name: z.string().nullable(),
    role: z.enum(ROLES).nullable(),
    demo: z.boolean().meta({ description: 'Whether this browser may sign in without a key' }),
  })
  .meta({ id: 'Session' });

export function pageOf<T extends z.ZodType>(item: T) {
  return z.strictObject({ data: z.array(item), nextCursor: z.string().nullable() });
}

export function iso(ms: number): string {
  return new Date(ms).toISOString();
}
