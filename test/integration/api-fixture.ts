/** An API over an engine in memory, with one small workflow that has every kind of thing the API can show. */
import { createHash, randomBytes } from 'node:crypto';
import type { Express } from 'express';
import request from 'supertest';
import { assign, setup } from 'xstate';
import { z } from 'zod';
import { type AppDeps, createApp } from '../../api/app.ts';
import {
  activity,
  createClient,
  createEngine,
  createMemoryStore,
  createMigrations,
  createOperations,
  createRegistry,
  defineActivity,
  defineWorkflow,
  type StateMeta,
} from '../../engine/index.ts';
import { createSimulatedClock } from '../../shared/clock.ts';
import type { Role } from '../../shared/config.ts';
import { silentLogger } from '../../shared/logger.ts';
import { createSecretBox } from '../../shared/secrets.ts';
import type { WebhookVerifier } from '../../shared/webhook-signature.ts';

const by = z.string().optional();

const greet = defineActivity({
  name: 'greetCustomer',
  description: 'Greeting the customer',
  input: z.object({ name: z.string() }),
  output: z.object({ greeted: z.boolean() }),
});

const waitingMachine = setup({
  types: {
    input: {} as { tenantId: string; name: string },
    context: {} as { tenantId: string; name: string; source: string | null },
    events: {} as { type: 'consent.reseller.granted'; source?: string } | { type: 'consent.admin.granted' },
    meta: {} as StateMeta,
  },
  actions: {
    note: assign({
      source: ({ event }) => (event.type === 'consent.reseller.granted' ? (event.source ?? null) : null),
    }),
  },
}).createMachine({
  id: 'waiting',
  context: ({ input }) => ({ ...input, source: null }),
  initial: 'asking',
  states: {
    asking: {
      meta: { description: 'Waiting for {name} to accept, day {day}', waitingOn: 'customer' },
      on: { 'consent.reseller.granted': { target: 'granted', actions: 'note' } },
    },
    granted: { type: 'final', meta: { description: 'Accepted' } },
  },
});

export const waiting = defineWorkflow({
  name: 'waiting',
  title: 'Waiting for consent',
  machine: waitingMachine,
  signals: {
    'consent.reseller.granted': {
      payload: z.object({ source: z.string().optional(), by }),
      whenNotAccepted: 'ignore',
    },
    'consent.admin.granted': { payload: z.object({ by }), whenNotAccepted: 'ignore' },
  },
  correlationKeys: (context) => [`tenant:${context.tenantId}`],
});

const orderMachine = setup({
  types: {
    input: {} as { customer: string; tenantId: string; seats: number },
    context: {} as {
      customer: string;
      tenantId: string;
      seats: number;
      cartId: string;
      approvedBy: string | null;
      note: string | null;
    },
    events: {} as
      | { type: 'order.approved'; cartId: string; by?: string }
      | { type: 'order.rejected'; reason: string; by?: string }
      | { type: 'note.added'; text: string; by?: string }
      | { type: 'later.said' }
      | { type: 'cancel.requested' },
    meta: {} as StateMeta,
  },
  actors: { greetCustomer: activity(greet), waiting: waitingMachine },
  actions: {
    approve: assign({
      approvedBy: ({ event }) => (event.type === 'order.approved' ? (event.by ?? null) : null),
    }),
    note: assign({ note: ({ event }) => (event.type === 'note.added' ? event.text : null) }),
  },
}).createMachine({
  id: 'order',
  context: ({ input }) => ({ ...input, cartId: 'cart-1', approvedBy: null, note: null }),
  initial: 'awaitingApproval',
  on: { 'note.added': { actions: 'note' }, 'cancel.requested': '.canceled' },
  states: {
    awaitingApproval: {
      meta: {
        description: 'The order of {seats} seats for {customer} waits for approval',
        waitingOn: 'operator',
        task: {
          id: 'approve-order',
          title: 'Approve the order',
          instructions: 'Check seats and price.',
          responsible: 'approver',
          actions: [
            { name: 'approve', label: 'Approve', signal: 'order.approved' },
            { name: 'reject', label: 'Reject', signal: 'order.rejected', reasonRequired: true },
          ],
          shows: { Seats: 'seats', Cart: 'cartId' },
        },
      },
      on: {
        'order.approved': {
          guard: ({ context, event }) => event.cartId === context.cartId,
          target: 'asking',
          actions: 'approve',
        },
        'order.rejected': 'rejected',
      },
    },
    asking: {
      meta: { description: 'Waiting for {customer}', waitingOn: 'customer' },
      invoke: {
        id: 'consent',
        src: 'waiting',
        input: ({ context }) => ({ tenantId: context.tenantId, name: context.customer }),
        onDone: 'greeting',
      },
    },
    greeting: {
      meta: { description: 'Greeting {customer}', waitingOn: 'us' },
      invoke: {
        id: 'greet',
        src: 'greetCustomer',
        input: ({ context }) => ({ name: context.customer }),
        onDone: 'completed',
        onError: 'rejected',
      },
    },
    completed: { type: 'final', meta: { description: '{customer} is a customer' } },
    rejected: { type: 'final', meta: { description: 'The order was rejected' } },
    canceled: { type: 'final', meta: { description: 'Canceled' } },
  },
});

export const order = defineWorkflow({
  name: 'order',
  title: 'Order for a customer',
  machine: orderMachine,
  input: z.strictObject({
    customer: z
      .string()
      .min(1)
      .max(200)
      .meta({ title: 'Customer', examples: ['Contoso Ltd'] }),
    tenantId: z.guid().meta({ title: 'Tenant id', examples: ['6f0c1b4e-2f6a-4f0e-9a44-8f5f7a1f0c11'] }),
    seats: z
      .int()
      .min(1)
      .max(1_000)
      .meta({ title: 'Seats', examples: [25] }),
  }),
  signals: {
    'order.approved': { payload: z.object({ cartId: z.string().min(1), by }), whenNotAccepted: 'reject' },
    'order.rejected': {
      payload: z.object({ reason: z.string().min(1), by }),
      whenNotAccepted: 'reject',
    },
    'note.added': { payload: z.object({ text: z.string().max(100_000), by }) },
    'later.said': { payload: z.object({}) },
    'cancel.requested': { payload: z.object({}) },
  },
  subject: (context) => context.customer,
  cancelEvent: 'cancel.requested',
});

export const TENANT = '6f0c1b4e-2f6a-4f0e-9a44-8f5f7a1f0c11';
export const INPUT = { customer: 'Contoso Ltd', tenantId: TENANT, seats: 25 };
export const ROLE_NAMES: readonly Role[] = ['viewer', 'operator', 'approver', 'admin', 'auditor'];

export interface ApiFixtureOptions extends Partial<Omit<AppDeps, 'auth' | 'health'>> {
  readonly fourEyes?: boolean;
  readonly demo?: boolean;
  readonly health?: Partial<AppDeps['health']>;
}

export type Fixture = ReturnType<typeof createFixture>;

/** One key a role; the key's name is the role's. */
export function createFixture(options: ApiFixtureOptions = {}) {
  const clock = createSimulatedClock();
  const store = createMemoryStore({ now: clock.now });
  const registry = createRegistry([order, waiting]);
  const engine = createEngine({ store, registry, log: silentLogger() });
  const client = createClient(engine);
  const tokens = Object.fromEntries(
    ROLE_NAMES.map((role) => [role, `wfk_${role}_${randomBytes(16).toString('hex')}`]),
  ) as Record<Role, string>;
  const keys = ROLE_NAMES.map((role) => ({
    name: role,
    role,
    sha256: createHash('sha256').update(tokens[role]).digest('hex'),
  }));
  const secretBox = createSecretBox({ key: randomBytes(32) });
  const { fourEyes = false, demo = false, health, ...rest } = options;
  const app = createApp({
    client,
    operations: createOperations(engine, client),
    migrations: createMigrations(engine),
    registry,
    workflows: [order],
    auth: { keys, fourEyes, demoKey: demo ? (keys[3] ?? null) : null },
    webhookVerifier: trusting,
    secretBox,
    log: silentLogger(),
    health: {
      store: () => Promise.resolve({ durable: true }),
      workers: () => client.liveWorkers(),
      signInRenewedAt: () => Promise.resolve(null),
      draining: () => false,
      ...health,
    },
    unpark: (key, signalId) => store.unpark(key, signalId),
    dashboardDir: null,
    errorCatalogue: '# Errors\n',
    publicUrl: null,
    clock,
    checkResponses: true,
    limits: { perKey: 100_000, perAddress: 100_000, failures: 100_000, reveals: 1_000, webhooks: 100_000 },
    ...rest,
  });

  const as = (role: Role) => callsOf(app, tokens[role]);
  const start = async (input: object = INPUT, key: string = randomBytes(8).toString('hex')) => {
    const response = await as('operator').post(
      '/v1/instances',
      { workflow: 'order', input },
      { 'Idempotency-Key': key },
    );
    return response.body as { id: string; revision: number };
  };
  return { app, clock, store, registry, engine, client, tokens, secretBox, as, start };
}

/** A verifier that believes what says so. */
const trusting: WebhookVerifier = {
  verify: (_body, headers) =>
    Promise.resolve(
      headers['x-ms-signature'] === 'good'
        ? { outcome: 'verified', certificateFingerprint: 'x' }
        : { outcome: 'refused', reason: 'signature-wrong', status: 401 },
    ),
};

function callsOf(app: Express, token: string) {
  const auth = { Authorization: `Bearer ${token}` };
  return {
    get: (path: string, headers: Record<string, string> = {}) =>
      request(app)
        .get(path)
        .set({ ...auth, ...headers }),
    post: (path: string, body: object = {}, headers: Record<string, string> = {}) =>
      request(app)
        .post(path)
        .set({ ...auth, ...headers })
        .send(body),
    delete: (path: string, headers: Record<string, string> = {}) =>
      request(app)
        .delete(path)
        .set({ ...auth, ...headers }),
  };
}
