/**
 * Many onboardings of new customers through the product's own HTTP API while answers of Microsoft get lost and processes
 * die; then three accounts of what happened are held against each other: Microsoft's books, our histories, our API.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { PARTNER } from '../../emulator/index.ts';
import {
  type Client,
  createClient,
  createEngine,
  createRedisStore,
  createRegistry,
  type InstanceView,
  listed,
  type Store,
} from '../../engine/index.ts';
import { type Answer, answerTask } from '../../scripts/lib/answers.mjs';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { allWorkflows } from '../../workflows/index.ts';
import { LEAST_ROLES } from '../../workflows/start-form.ts';
import { type Audit, auditOrders } from './one-order-audit.ts';
import { STACK_NAMESPACE, STACK_SHARDS, type Stack, startStack } from './one-order-stack.ts';

const WORKFLOW = 'onboard-new-customer';
const CHECKOUT = 'POST /pc/v1/customers/:customerId/carts/:cartId/checkout';
const CREATE = 'POST /pc/v1/customers';

export interface OneOrderOptions {
  readonly runs: number;
  readonly seed: string;
  /** Ms until everything must be over. */
  readonly within: number;
  readonly workers?: number;
  /** Onboardings open at once. */
  readonly inFlight?: number;
  /** Share of the answers to a checkout and to a tenant creation that get lost after the deed. */
  readonly lost?: number;
}

export interface OneOrderReport extends Audit {
  readonly runs: number;
  readonly seed: string;
  readonly kills: { readonly workers: number; readonly redis: number };
  /** Answers that the emulator swallowed after doing what was asked. */
  readonly lostAnswers: number;
  /** How often staff answered each task. */
  readonly answered: Readonly<Record<string, number>>;
  readonly stuck: readonly string[];
  readonly seconds: number;
}

const QUICK_MICROSOFT = {
  ...{
    relationshipVisible: 20,
    gdapReplication: 5,
    gdapLock: 5,
    gdapActivation: 20,
    assignmentActivation: 10,
  },
  ...{
    consentPropagation: 10,
    customerReady: 20,
    orderListed: 20,
    orderCompletion: 50,
    provisioningStatus: 10,
  },
  ...{ seatsVisible: 20, licenceVisible: 5, userVisible: 5, confirmationMail: 5 },
};

/** Longer than the emulator takes, so that hardly a poll is in vain. */
const SETTINGS = {
  ...{ consentPollMinMs: 1_000, consentPollMs: 4_000, consentHintPollMs: 300, accessPollMs: 200 },
  ...{ accessSettleMs: 100, customerPollMs: 200, agreementPollMs: 2_000, vettingPollMs: 500 },
  ...{ orderLookupMs: 500, orderPollMs: 300, seatsPollMs: 300, licenceRetryMs: 300, syncPollMs: 1_000 },
};

const SEATS = 10;
const EMS = { productId: 'CFQ7TTC0LHT4', skuId: '0001', name: 'Enterprise Mobility + Security E3' };

function formOf(number: number) {
  return {
    partner: {
      name: PARTNER.name,
      roles: LEAST_ROLES,
      access: [{ groupId: PARTNER.securityGroupId, roles: LEAST_ROLES }],
    },
    customer: {
      name: `Adventure Works ${number}`,
      domainPrefix: `adventure${number}`,
      contact: {
        firstName: 'Ada',
        lastName: 'Meyer',
        email: `ada@adventure${number}.example`,
        phoneNumber: '4255550100',
      },
      address: { line1: '1 Example Way', city: 'Redmond', state: 'WA', postalCode: '98052', country: 'US' },
    },
    invitation: { mode: 'send', to: [`it@adventure${number}.example`] },
    order: { lines: [{ ...EMS, quantity: SEATS, termDuration: 'P1Y', billingCycle: 'monthly' }] },
    licences: { mode: 'all', usageLocation: 'US' },
    directory: { model: 'cloud-only' },
    attested: { 'admin-access': 'Ada will authorise us.', identities: 'Cloud-only, said Ada.' },
    settings: SETTINGS,
  };
}

export async function playOneOrder(options: OneOrderOptions): Promise<OneOrderReport> {
  const began = performance.now();
  const stack = await startStack({
    workers: options.workers ?? 4,
    emulated: { seed: options.seed, delays: QUICK_MICROSOFT, autoConsent: { afterMs: 20 } },
  });
  const redis = createRedis(stack.redis.url, 'worker', { log: silentLogger() });
  try {
    for (const route of [CHECKOUT, CREATE]) {
      stack.microsoft.emulator.addFault({ kind: 'hang-up-after', route, probability: options.lost ?? 0.2 });
    }
    const reader = readerOn(redis);
    const killer = stack.startKilling({ workerEveryMs: 1_000, redisEveryMs: 30_000 });
    const played = await play(stack, reader, options);
    const kills = await killer.end();
    const ask = staffOf(stack, performance.now() + 60_000);
    const audit = await auditOrders({
      roots: played.roots,
      seats: SEATS,
      books: stack.microsoft.emulator.books() as never,
      client: reader.client,
      ask: (path) => ask('GET', path),
    });
    const struck = stack.microsoft.emulator.world.faults.all().map((fault) => fault.struck);
    return {
      ...audit,
      runs: options.runs,
      seed: options.seed,
      kills,
      lostAnswers: struck.reduce((sum, count) => sum + count, 0),
      answered: played.answered,
      stuck: played.stuck,
      seconds: Math.round((performance.now() - began) / 1_000),
    };
  } finally {
    await closeRedis(redis);
    await stack.close();
  }
}

/** The test's own eyes on the store; it commits nothing. */
interface Reader {
  readonly store: Store;
  readonly client: Client;
}

function readerOn(redis: Redis): Reader {
  const store = createRedisStore({ redis, namespace: STACK_NAMESPACE, shards: STACK_SHARDS });
  const registry = createRegistry(allWorkflows);
  return { store, client: createClient(createEngine({ store, registry, log: silentLogger() })) };
}

type Ask = (
  method: 'GET' | 'POST',
  path: string,
  key?: string,
  body?: object,
) => Promise<{ status: number; body: unknown }>;

const AGAIN_MS = 200;

/** Asks until somebody answers: a store that is away and a limit that is reached pass by themselves. */
function staffOf({ apiUrl, apiKeys }: Stack, deadline: number): Ask {
  let turn = 0;
  return async (method, path, key, body) => {
    // One member of staff repeats a request until it is answered: idempotency keys are each caller's own.
    turn += 1;
    const headers = {
      authorization: `Bearer ${apiKeys[turn % apiKeys.length]}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
    };
    for (;;) {
      const sent = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
      const answer = await fetch(`${apiUrl}${path}`, { ...sent, signal: AbortSignal.timeout(20_000) }).catch(
        () => null,
      );
      if (answer !== null && answer.status < 500 && answer.status !== 429) {
        return { status: answer.status, body: await answer.json() };
      }
      if (performance.now() > deadline) throw new Error(`${path}: ${answer?.status ?? 'no answer'}`);
      await sleep(AGAIN_MS);
    }
  };
}

interface TaskSeen {
  readonly id: string;
  readonly since: string;
  readonly actions: readonly { readonly name: string }[];
  readonly shows: unknown;
}

interface Played {
  readonly roots: readonly string[];
  readonly answered: Readonly<Record<string, number>>;
  readonly stuck: readonly string[];
}

const LOOK_EVERY_MS = 250;
/** Requests at once. */
const HANDS = 12;

/** Starts them, answers every task, and goes on until none is open or time is up. */
async function play(stack: Stack, { store, client }: Reader, options: OneOrderOptions): Promise<Played> {
  const deadline = performance.now() + options.within;
  const ask = staffOf(stack, deadline);
  const inFlight = options.inFlight ?? 120;
  const roots: string[] = [];
  const answered: Record<string, number> = {};
  for (;;) {
    const open = await openOnboardings(store);
    const wanted = Math.min(options.runs - roots.length, inFlight - open.length);
    roots.push(...(await starting(ask, roots.length, wanted)));
    await answerAll(ask, answered);
    if (roots.length === options.runs && (await openOnboardings(store)).length === 0)
      return { roots, answered, stuck: [] };
    if (performance.now() > deadline)
      return { roots, answered, stuck: await standing(client, await openOnboardings(store)) };
    await sleep(LOOK_EVERY_MS);
  }
}

/** Ids only: nothing is loaded, however many are open. The undo of an order outlives its onboarding, and is no part of it. */
async function openOnboardings(store: Store): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const { id } of listed(store, { status: 'running', workflow: WORKFLOW, children: true }))
    ids.push(id);
  return ids;
}

/** Where each stands, with the instances below it: what a reader of a red test wants to know. */
async function standing(client: Client, ids: readonly string[]): Promise<readonly string[]> {
  const trees = await Promise.all(ids.map((id) => treeOf(client, id)));
  return trees.map((tree) =>
    tree
      .map(({ id, state, activities, attention }) => JSON.stringify([id, state, activities, attention]))
      .join(' > '),
  );
}

async function treeOf(client: Client, id: string): Promise<readonly InstanceView[]> {
  const view = await client.describe(id);
  if (view === null) return [];
  const below = await Promise.all(view.children.map(({ instanceId }) => treeOf(client, instanceId)));
  return [view, ...below.flat()];
}

async function starting(ask: Ask, from: number, count: number): Promise<readonly string[]> {
  return eachOf(
    Array.from({ length: Math.max(0, count) }, (_, at) => from + at),
    async (number) => {
      const body = { workflow: WORKFLOW, input: formOf(number) };
      const answer = await ask('POST', '/v1/instances', `start-${number}`, body);
      const { id } = answer.body as { id?: string };
      if (answer.status >= 300 || id === undefined)
        throw new Error(`not started: ${JSON.stringify(answer.body)}`);
      return id;
    },
  );
}

async function answerAll(ask: Ask, answered: Record<string, number>): Promise<void> {
  const { body } = await ask('GET', '/v1/tasks?limit=200');
  const tasks = (body as { data: readonly TaskSeen[] }).data;
  await eachOf(tasks, async (task) => {
    const answer: Answer | null = answerTask(task as never);
    if (answer === null) return;
    const path = `/v1/tasks/${encodeURIComponent(task.id)}/${answer.action}`;
    const key = `${task.id}-${task.since}`.replaceAll(/[^\x21-\x7e]/g, '-');
    const { status, body: said } = await ask('POST', path, key, { payload: answer.payload });
    const name = task.id.slice(task.id.indexOf('~') + 1);
    if (status < 300) answered[name] = (answered[name] ?? 0) + 1;
    // Answered meanwhile, or asked no longer: the next look shows what is open then.
    else if (![404, 409].includes(status)) throw new Error(`${name}: ${status} ${JSON.stringify(said)}`);
  });
}

async function eachOf<Item, Result>(
  items: readonly Item[],
  act: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  let next = 0;
  const hand = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) results[at] = await act(items[at] as Item);
  };
  await Promise.all(Array.from({ length: HANDS }, hand));
  return results;
}
