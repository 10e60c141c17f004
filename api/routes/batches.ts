import { z } from 'zod';
import { MAX_BATCH, type Operations } from '../../engine/index.ts';
import { AppError } from '../../shared/errors.ts';
import type { Approvals } from '../approvals.ts';
import { actorOf, callerOf, type Route, route } from '../route.ts';
import { InstanceStatus, reason } from '../schemas.ts';
import { asOperation, OperationSchema } from './interventions.ts';

const Filter = z
  .strictObject({
    status: InstanceStatus.optional(),
    workflow: z.string().min(1).max(100).optional(),
    state: z.string().min(1).max(300).optional().meta({ description: 'Dotted path; needs `workflow`' }),
    waitingOn: z.enum(['customer', 'operator', 'microsoft', 'engineer', 'us']).optional(),
    attention: z.boolean().optional(),
    rewound: z.boolean().optional().meta({ description: 'Open when the store was set back' }),
    task: z.boolean().optional(),
    children: z.boolean().optional().meta({ description: 'Also the instances below others' }),
    createdBefore: z.iso.datetime({ offset: true }).optional(),
    createdAfter: z.iso.datetime({ offset: true }).optional(),
  })
  .refine((filter) => filter.state === undefined || filter.workflow !== undefined, 'state needs workflow');

const Body = z
  .strictObject({
    id: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,64}$/, 'has other characters than letters, digits, _ and -')
      .meta({ description: 'The same id does it once an instance: send a batch again that was cut short' }),
    filter: Filter,
    operation: OperationSchema,
    dryRun: z.boolean().default(true).meta({ description: 'Only counts' }),
    expected: z
      .int()
      .min(0)
      .max(MAX_BATCH)
      .optional()
      .meta({ description: 'The count seen; needed to do it' }),
    reason,
  })
  .meta({ id: 'Batch' });

const Report = z
  .strictObject({
    dryRun: z.boolean(),
    matched: z.int().meta({ description: `More than ${MAX_BATCH} are not counted, nor done` }),
    done: z.int(),
    before: z.int().meta({ description: 'Done before, under the same id' }),
    refused: z.array(z.strictObject({ instanceId: z.string(), code: z.string(), message: z.string() })),
  })
  .meta({ id: 'BatchReport' });

/** Operations that can stand for an approval. */
const BY_HAND: ReadonlySet<string> = new Set(['move', 'edit-context']);

export function batchRoutes({
  operations,
  approvals,
}: {
  readonly operations: Operations;
  readonly approvals: Approvals;
}): readonly Route[] {
  return [
    route({
      id: 'runBatch',
      method: 'post',
      path: '/v1/batches',
      tag: 'instances',
      summary: 'One operation for all instances that a filter finds',
      description: `Counts first (\`dryRun\`), then takes the count it was shown; at most ${MAX_BATCH} instances.`,
      body: Body,
      responses: { 200: { description: 'What became of each', schema: Report } },
      errors: ['batch-changed'],
      async handle(call) {
        const { id, dryRun, expected, reason: why } = call.body;
        const filter = filterOf(call.body.filter);
        if (dryRun) {
          const matched = await operations.countBatch(filter);
          return { status: 200, body: { dryRun, matched, done: 0, before: 0, refused: [] } };
        }
        if (expected === undefined) throw countFirst();
        const operation = asOperation(call.body.operation);
        const caller = callerOf(call);
        const report = await operations.batch({
          ...{ id: `${caller.name}:${id}`, filter, operation, expected, by: actorOf(call), reason: why },
          permit: (instanceId) =>
            BY_HAND.has(operation.kind) ? approvals.checkHand(instanceId, caller) : Promise.resolve(),
        });
        return { status: 200, body: { dryRun, ...report } };
      },
    }),
  ];
}

function filterOf({ createdBefore, createdAfter, ...filter }: z.output<typeof Filter>) {
  const given = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
  return {
    ...given,
    ...(createdBefore === undefined ? {} : { createdBefore: Date.parse(createdBefore) }),
    ...(createdAfter === undefined ? {} : { createdAfter: Date.parse(createdAfter) }),
  };
}

function countFirst(): AppError {
  return new AppError('input-invalid', '/expected: is needed; count first, with dryRun.', {
    details: { errors: [{ pointer: '/expected', detail: 'is needed; count first, with dryRun' }] },
  });
}
