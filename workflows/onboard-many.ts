/**
 * Many customers from one list: one child onboarding a row, started a few at a time, followed to their ends. A row without a
 * path is routed by its domain first. A row that cannot start is set aside with the reason; it stops nobody else.
 */
import { type AnyStateMachine, assign, enqueueActions, setup } from 'xstate';
import { z } from 'zod';
import { defineWorkflow, type StateMeta } from '../engine/definition.ts';
import { COLUMNS, type Column, formOf, keyOf, pathOf, type RawRow } from './import-rows.ts';
import { onboardExistingCspCustomerMachine } from './onboard-existing-csp-customer.ts';
import { onboardExistingOfficeCustomerMachine } from './onboard-existing-office-customer.ts';
import { onboardNewCustomerMachine } from './onboard-new-customer.ts';
import { type RouteOnboardingOutput, routeOnboardingMachine } from './route-onboarding.ts';
import type { Path } from './routing.ts';
import { pick, type SignalEvent } from './signals.ts';

const columns = Object.keys(COLUMNS) as [Column, ...Column[]];

export const OnboardManyInput = z.object({
  title: z.string().min(1).max(200),
  rows: z
    .array(z.object({ line: z.int().min(1), raw: z.partialRecord(z.enum(columns), z.string().max(1_000)) }))
    .min(1)
    .max(500),
  /** Fields of every start form that no column holds. */
  defaults: z.record(z.string(), z.unknown()).default({}),
  /** Rows started together, and the pause before the next ones. */
  batch: z.int().min(1).max(50).default(10),
  pauseMs: z.int().min(0).default(2_000),
});
type Input = z.output<typeof OnboardManyInput>;

const SETTLED = ['completed', 'canceled', 'abandoned', 'failed', 'set-aside'] as const;
type RowState = 'waiting' | 'routing' | 'running' | (typeof SETTLED)[number];

export interface ManyRow {
  readonly line: number;
  readonly name: string;
  readonly key: string;
  readonly path: Path | null;
  readonly state: RowState;
  /** Why this path, or why the row ended as it did. */
  readonly why: string | null;
  readonly tenantId: string | null;
  readonly orderIds: readonly string[];
}

export interface OnboardManyOutput {
  readonly title: string;
  readonly counts: Readonly<Record<(typeof SETTLED)[number], number>>;
  readonly rows: readonly ManyRow[];
}

interface Context {
  readonly input: Input;
  readonly rows: readonly ManyRow[];
  readonly canceled: boolean;
  readonly open: number;
}

/** What the closing output of a path tells, whichever path it was. */
interface PathOutput {
  readonly outcome: 'completed' | 'canceled' | 'abandoned';
  readonly customer: { readonly tenantId: string | null };
  readonly ordered: { readonly orders: readonly { readonly orderId: string }[] };
}

const isSettled = ({ state }: ManyRow) => SETTLED.some((settled) => settled === state);
const openOf = (rows: readonly ManyRow[]) => rows.filter((row) => !isSettled(row)).length;
const routeId = (line: number) => `route-${line}`;
const rowId = (line: number) => `row-${line}`;
const lineOf = (actorId: string) => Number(actorId.slice(actorId.lastIndexOf('-') + 1));

type Enqueue = Parameters<Parameters<typeof enqueueActions>[0]>[0]['enqueue'];

/** Begins a row under a path: its child, or the reason why there is none. */
function begin(enqueue: Enqueue, { input }: Context, row: ManyRow, path: Path): ManyRow {
  const raw = input.rows.find(({ line }) => line === row.line)?.raw ?? {};
  const { form, problems } = formOf(path, raw, input.defaults);
  if (form === null) {
    const why = problems.map(({ field, detail }) => `${field} ${detail}`).join('; ');
    return { ...row, path, state: 'set-aside', why: `As ${path}: ${why}.` };
  }
  enqueue.spawnChild(path as never, { id: rowId(row.line), input: form } as never);
  return { ...row, path, state: 'running' };
}

function startNext(enqueue: Enqueue, context: Context): ManyRow[] {
  const next = context.rows.filter(({ state }) => state === 'waiting').slice(0, context.input.batch);
  return context.rows.map((row) => {
    if (!next.includes(row)) return row;
    if (row.path !== null) return begin(enqueue, context, row, row.path);
    enqueue.spawnChild(
      'route-onboarding' as never,
      { id: routeId(row.line), input: { domain: row.key } } as never,
    );
    return { ...row, state: 'routing' };
  });
}

function settle(enqueue: Enqueue, context: Context, actorId: string, output: unknown): ManyRow[] {
  enqueue.stopChild(actorId);
  return context.rows.map((row) => {
    if (row.line !== lineOf(actorId)) return row;
    if (actorId !== routeId(row.line)) {
      const { outcome, customer, ordered } = output as PathOutput;
      const orderIds = ordered.orders.map(({ orderId }) => orderId);
      return { ...row, state: outcome, tenantId: customer.tenantId, orderIds };
    }
    const { path, why, tenantId } = output as RouteOnboardingOutput;
    if (path === null) return { ...row, state: 'set-aside', why };
    if (context.canceled) return { ...row, path, state: 'canceled', why, tenantId };
    return begin(enqueue, context, { ...row, why, tenantId }, path);
  });
}

interface ActorEvent {
  readonly actorId: string;
  readonly output?: unknown;
  readonly error?: unknown;
}

const wordsOf = (error: unknown) =>
  typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);

export const onboardManyMachine = setup({
  types: {
    input: {} as Input,
    context: {} as Context,
    events: {} as SignalEvent<'cancel.requested'>,
    output: {} as OnboardManyOutput,
    meta: {} as StateMeta,
  },
  actors: {
    'route-onboarding': routeOnboardingMachine,
    'onboard-existing-office-customer': onboardExistingOfficeCustomerMachine as AnyStateMachine,
    'onboard-existing-csp-customer': onboardExistingCspCustomerMachine as AnyStateMachine,
    'onboard-new-customer': onboardNewCustomerMachine as AnyStateMachine,
  },
  delays: { nextBatch: ({ context }) => context.input.pauseMs },
  guards: {
    noneWaiting: ({ context }) => context.rows.every(({ state }) => state !== 'waiting'),
    allSettled: ({ context }) => context.open === 0,
  },
  actions: {
    startNext: enqueueActions(({ enqueue, context }) => {
      const rows = startNext(enqueue as never, context);
      enqueue.assign({ rows, open: openOf(rows) });
    }),
    noteDone: enqueueActions(({ enqueue, context, event }) => {
      const { actorId, output } = event as unknown as ActorEvent;
      const rows = settle(enqueue as never, context, actorId, output);
      enqueue.assign({ rows, open: openOf(rows) });
    }),
    noteError: assign(({ context, event }) => {
      const { actorId, error } = event as unknown as ActorEvent;
      const rows = context.rows.map(
        (row): ManyRow =>
          row.line === lineOf(actorId) ? { ...row, state: 'failed', why: wordsOf(error) } : row,
      );
      return { rows, open: openOf(rows) };
    }),
    cancelAll: enqueueActions(({ enqueue, context }) => {
      const rows = context.rows.map((row): ManyRow => {
        if (row.state === 'running') enqueue.sendTo(rowId(row.line), { type: 'cancel.requested' });
        return row.state === 'waiting'
          ? { ...row, state: 'canceled', why: 'Canceled before its start.' }
          : row;
      });
      enqueue.assign({ rows, open: openOf(rows), canceled: true });
    }),
  },
}).createMachine({
  id: 'onboard-many',
  context: ({ input }) => {
    const rows = input.rows.map(
      ({ line, raw }): ManyRow => ({
        line,
        name: raw.company ?? '',
        key: keyOf(raw as RawRow),
        path: pathOf(raw as RawRow) ?? null,
        state: 'waiting',
        why: null,
        tenantId: null,
        orderIds: [],
      }),
    );
    return { input, rows, canceled: false, open: rows.length };
  },
  initial: 'starting',
  on: {
    'cancel.requested': { actions: 'cancelAll' },
    'xstate.done.actor.*': { actions: 'noteDone' },
    'xstate.error.actor.*': { actions: 'noteError' },
  } as never,
  states: {
    starting: {
      meta: { description: 'Starting the onboardings of {input.title}: {open} still open', waitingOn: 'us' },
      entry: 'startNext',
      always: { guard: 'noneWaiting', target: 'following' },
      after: { nextBatch: { target: 'starting', reenter: true } },
    },
    following: {
      meta: { description: 'Following the onboardings of {input.title}: {open} still open', waitingOn: 'us' },
      always: { guard: 'allSettled', target: 'closed' },
    },
    closed: { meta: { description: 'All onboardings of {input.title} have ended' }, type: 'final' },
  },
  output: ({ context: { input, rows } }) => ({
    title: input.title,
    counts: Object.fromEntries(
      SETTLED.map((state) => [state, rows.filter((row) => row.state === state).length]),
    ) as OnboardManyOutput['counts'],
    rows,
  }),
});

export const onboardMany = defineWorkflow({
  name: 'onboard-many',
  title: 'Onboarding a list of customers',
  machine: onboardManyMachine,
  input: OnboardManyInput,
  signals: pick('cancel.requested'),
  // Under these a later list finds the customers of this one.
  correlationKeys: (context) =>
    context.rows.flatMap(({ key, state }) =>
      ['canceled', 'abandoned', 'failed', 'set-aside'].includes(state) ? [] : [`import:${key}`],
    ),
  subject: (context) => context.input.title,
  cancelEvent: 'cancel.requested',
});
