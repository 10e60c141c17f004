/** A list of customers: read, tried dry, started as one instance that follows an onboarding a row. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Client, InstanceView } from '../../engine/index.ts';
import { AppError } from '../../shared/errors.ts';
import { uuidFrom } from '../../shared/ids.ts';
import { keyOf, pathOf } from '../../workflows/import-rows.ts';
import { type ManyRow, onboardMany } from '../../workflows/onboard-many.ts';
import { type ListProblem, type ListRow, readList } from '../list-file.ts';
import { actorOf, type Call, callerOf, type Reply, type Route, route } from '../route.ts';

const Query = z.strictObject({
  dryRun: z.enum(['true', 'false']).default('true').meta({ description: 'true: only say what would happen' }),
  title: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .default('Customer list')
    .meta({ description: 'What staff call it' }),
});

const ImportSchema = z
  .strictObject({
    dryRun: z.boolean(),
    instanceId: z
      .string()
      .nullable()
      .meta({ description: 'The instance that follows the rows; null when none' }),
    rows: z.array(
      z.strictObject({
        line: z.int(),
        company: z.string(),
        path: z.string().nullable().meta({ description: 'null: found out from the domain' }),
        underWay: z.string().nullable().meta({
          description: 'The instance that takes this customer on already; the row is left out then',
        }),
      }),
    ),
    problems: z.array(z.strictObject({ line: z.int(), field: z.string().nullable(), detail: z.string() })),
  })
  .meta({ id: 'Import' });

export interface ImportRouteDeps {
  readonly client: Client;
  readonly startDefaults: Readonly<Record<string, unknown>>;
}

export function importRoutes(deps: ImportRouteDeps): readonly Route[] {
  return [
    route({
      id: 'importCustomers',
      method: 'post',
      path: '/v1/imports',
      tag: 'imports',
      summary: 'Take many customers on from a CSV list',
      description:
        'Dry by default: the answer names every mistake by line and column, and what would be started. Started lists begin only without mistakes; the same list twice is one import, and a customer under way is left out.',
      query: Query,
      body: z
        .string()
        .min(1)
        .max(512 * 1024),
      size: 'csv',
      responses: {
        200: { description: 'What would be started, or was started before', schema: ImportSchema },
        201: { description: 'Started; `Location` names the instance', schema: ImportSchema },
      },
      errors: ['input-invalid', 'instance-exists'],
      handle: (call) => importList(call, deps),
    }),
  ];
}

async function importList(
  call: Call<unknown, z.output<typeof Query>, string>,
  { client, startDefaults }: ImportRouteDeps,
): Promise<Reply> {
  const { query, body } = call;
  const dryRun = query.dryRun === 'true';
  const { rows, problems } = readList(body, startDefaults);
  if (!dryRun && problems.length > 0) throw refusedList(problems);
  const id = `wf_${uuidFrom('import', callerOf(call).name, digestOf(body)).replaceAll('-', '')}`;
  const before = await client.describe(id);
  if (before !== null && !dryRun) return { status: 200, body: answer(rows, [], new Map(), before.id) };

  const busy = await findBusy(client, rows);
  const fresh = rows.filter(({ line }) => !busy.has(line));
  if (dryRun) return { status: 200, body: { ...answer(rows, problems, busy, null), dryRun } };
  if (fresh.length === 0) return { status: 200, body: answer(rows, [], busy, null) };
  const input = { title: query.title, rows: fresh, defaults: startDefaults };
  const { instance } = await client.start(onboardMany, input as never, {
    id,
    by: actorOf(call),
    ifExists: 'return',
  });
  const headers = { Location: `/v1/instances/${instance.id}` };
  return { status: 201, body: answer(rows, [], busy, instance.id), headers };
}

function answer(
  rows: readonly ListRow[],
  problems: readonly ListProblem[],
  busy: ReadonlyMap<number, string>,
  instanceId: string | null,
): z.input<typeof ImportSchema> {
  return {
    dryRun: false,
    instanceId,
    rows: rows.map(({ line, raw }) => ({
      line,
      company: raw.company ?? '',
      path: pathOf(raw) ?? null,
      underWay: busy.get(line) ?? null,
    })),
    problems: [...problems],
  };
}

const AT_ONCE = 20;

/** Lines whose customer an earlier list or a single onboarding takes on. */
async function findBusy(client: Client, rows: readonly ListRow[]): Promise<ReadonlyMap<number, string>> {
  const busy = new Map<number, string>();
  for (let at = 0; at < rows.length; at += AT_ONCE) {
    await Promise.all(
      rows.slice(at, at + AT_ONCE).map(async ({ line, raw }) => {
        const key = keyOf(raw);
        const [lists, single] = await Promise.all([
          client.list({ key: `import:${key}` }, { limit: 20 }),
          client.list({ key: `domain:${key}`, status: 'running', children: true }, { limit: 1 }),
        ]);
        const holder = lists.items.find((view) => takesOn(view, key)) ?? single.items[0];
        if (holder !== undefined) busy.set(line, holder.id);
      }),
    );
  }
  return busy;
}

/** A row that ended without success may be tried again by another list. */
function takesOn(view: InstanceView, key: string): boolean {
  const rows = (view.context as { readonly rows?: readonly ManyRow[] } | undefined)?.rows ?? [];
  return rows.some(
    (row) => row.key === key && ['waiting', 'routing', 'running', 'completed'].includes(row.state),
  );
}

function refusedList(problems: readonly ListProblem[]): AppError {
  const [first] = problems;
  const where =
    first === undefined ? '' : ` Line ${first.line}: ${first.field ?? 'the line'} ${first.detail}.`;
  return new AppError(
    'input-invalid',
    `The list has ${problems.length} mistakes; nothing was started.${where}`,
    {
      details: {
        errors: problems.map(({ line, field, detail }) => ({
          pointer: field === null ? `/lines/${line}` : `/lines/${line}/${field}`,
          detail,
        })),
      },
    },
  );
}

const digestOf = (text: string) => createHash('sha256').update(text).digest('hex');
