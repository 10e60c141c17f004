/** A store put back to an older copy on purpose: what it has forgotten was done all the same, and is not done again. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { setup } from 'xstate';
import { z } from 'zod';
import {
  activity,
  checkStore,
  createClient,
  createEngine,
  createRedisStore,
  createRegistry,
  defineActivity,
  defineWorkflow,
  implementActivity,
  markRewound,
} from '../../engine/index.ts';
import { recall, remember } from '../../engine/redis/seen.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { type RunningWorker, startWorker } from '../../workers/worker.ts';
import { deferred } from '../support/engine-house.ts';
import { eventually } from '../support/eventually.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';

const PLACE = { namespace: 'set-back', shards: 2 };
const log = silentLogger();

const order = defineActivity({
  name: 'order',
  description: 'Ordering',
  input: z.object({ customer: z.string() }),
  output: z.string(),
  effectful: true,
});
const note = defineActivity({ name: 'note', description: 'Noting', input: z.null(), output: z.null() });

const buying = setup({
  types: {} as { context: { customer: string }; input: { customer: string } },
  actors: { order: activity(order) },
}).createMachine({
  context: ({ input }) => input,
  initial: 'ordering',
  states: {
    ordering: {
      invoke: { src: 'order', input: ({ context }) => context, onDone: 'bought' },
    },
    bought: { type: 'final' },
  },
});
/** Notes, waits for `go`, and buys in a child. */
const workflow = defineWorkflow({
  name: 'buyer',
  machine: setup({
    types: {} as { context: { customer: string }; input: { customer: string }; events: { type: 'go' } },
    actors: { buying, note: activity(note) },
  }).createMachine({
    context: ({ input }) => input,
    initial: 'noting',
    states: {
      noting: { invoke: { src: 'note', input: null, onDone: 'waiting' } },
      waiting: { on: { go: 'buying' } },
      buying: { invoke: { src: 'buying', input: ({ context }) => context, onDone: 'done' } },
      done: { type: 'final' },
    },
  }),
});

let server: RedisServer;
let folder: string;
/** Lines that BullMQ may leave behind when it was cut off. */
let copies: Redis[];
let lifetimes: { worker: RunningWorker; redis: Redis; proxy: TcpProxy }[];
/** The world outside: the orders placed, and what was asked, in order. */
let placed: string[];
let calls: string[];
/** Held up before an order is placed, and after. */
let gate: { before: Promise<void>; after: Promise<void> };

beforeEach(async () => {
  server = await startRedisServer({ aof: 'always' });
  folder = await mkdtemp(join(tmpdir(), 'set-back-'));
  lifetimes = [];
  copies = [];
  placed = [];
  calls = [];
  gate = { before: Promise.resolve(), after: Promise.resolve() };
});
afterEach(async () => {
  for (const { worker, redis, proxy } of lifetimes) {
    proxy.setDown(false);
    await eventually(() => redis.status === 'ready');
    await worker.stop(200);
    await closeRedis(redis);
    await proxy.close();
  }
  for (const copy of copies) copy.disconnect();
  await server.stop();
  await rm(folder, { recursive: true });
});

const seenBy = (process = 'worker') => ({ namespace: PLACE.namespace, stateDir: folder, process });

async function check({ acceptStore = false, process = 'worker' } = {}) {
  const redis = createRedis(server.url, 'worker', { log });
  try {
    const { epoch, loss } = await checkStore({ ...seenBy(process), redis, ...PLACE, acceptStore });
    return { epoch, loss: loss === null ? null : { since: loss.since, at: loss.at } };
  } finally {
    await closeRedis(redis);
  }
}

const activities = [
  implementActivity(order, {
    async run({ customer }) {
      calls.push('order');
      await gate.before;
      placed.push(customer);
      await gate.after;
      return `order ${placed.length}`;
    },
    async verify({ customer }, { lossSince }) {
      calls.push('verify');
      expect(lossSince).toEqual(expect.any(Number));
      const at = placed.indexOf(customer);
      return at < 0 ? { outcome: 'not-done' } : { outcome: 'done', output: `order ${at + 1}` };
    },
  }),
  implementActivity(note, {
    async run() {
      calls.push('note');
      return null;
    },
  }),
];

/** A worker process: its checks, its own line to the store. */
async function begin(acceptStore = false): Promise<RunningWorker> {
  const proxy = await startTcpProxy({ path: join(server.dir, 'r.sock') });
  const redis = createRedis(`redis://127.0.0.1:${proxy.port}`, 'worker', { log });
  const duplicate = redis.duplicate.bind(redis);
  redis.duplicate = (override) => {
    const copy = duplicate(override);
    copies.push(copy);
    return copy;
  };
  const { epoch, loss } = await checkStore({ ...seenBy(), redis, ...PLACE, acceptStore });
  const worker = await startWorker({
    ...{ redis, namespace: PLACE.namespace, log, epoch, loss, activities },
    store: createRedisStore({ redis, ...PLACE }),
    workflows: [workflow],
    remember: (seen) => remember(seenBy(), seen),
  });
  lifetimes.push({ worker, redis, proxy });
  return worker;
}

const copyOf = (): string => join(folder, 'copy');
const keep = () => cp(server.dir, copyOf(), { recursive: true, filter: (path) => !path.endsWith('.sock') });

/** Everything dies some renewals later, and the store is there again as it was when it was kept. */
async function loseWhile(renewed: 'renewals were remembered' | 'none was'): Promise<void> {
  for (const { proxy } of lifetimes) proxy.setDown(true);
  await server.kill9();
  await rm(join(server.dir, 'appendonlydir'), { recursive: true });
  await cp(join(copyOf(), 'appendonlydir'), join(server.dir, 'appendonlydir'), { recursive: true });
  await server.restart();
  if (renewed === 'none was') return;
  const [newest] = recall(seenBy()).toSorted((a, b) => b.tick - a.tick);
  for (const process of ['worker', 'api'])
    await remember(seenBy(process), { epoch: newest?.epoch ?? '', tick: 1_000_000 });
}

const waiting = (worker: RunningWorker, id: string) =>
  eventually(async () => expect(await worker.client.describe(id)).toMatchObject({ state: 'waiting' }));
const completed = (worker: RunningWorker, id: string) =>
  eventually(async () => expect(await worker.client.describe(id)).toMatchObject({ status: 'completed' }), {
    within: 15_000,
  });

describe('a store set back and taken on', () => {
  it('looks for an order it knew was being placed, and places no other', async () => {
    const first = await begin();
    await first.client.start(workflow, { customer: 'contoso' }, { id: 'a' });
    await waiting(first, 'a');
    const hold = deferred();
    gate.before = hold.promise;
    await first.client.signal(workflow, 'a', 'go', {});
    await eventually(() => expect(calls).toContain('order'));
    await keep();
    hold.resolve();
    await completed(first, 'a');

    await loseWhile('renewals were remembered');
    await expect(check()).rejects.toMatchObject({ code: 'store-rewound' });
    const second = await begin(true);
    await completed(second, 'a');

    expect(placed).toEqual(['contoso']);
    expect(calls).toEqual(['note', 'order', 'verify']);
  }, 60_000);

  it('looks for an order of which it knows nothing, in a child that begins later', async () => {
    const first = await begin();
    await first.client.start(workflow, { customer: 'contoso' }, { id: 'a' });
    await waiting(first, 'a');
    await keep();
    await first.client.signal(workflow, 'a', 'go', {});
    await completed(first, 'a');

    await loseWhile('renewals were remembered');
    const second = await begin(true);
    await second.client.signal(workflow, 'a', 'go', {});
    await completed(second, 'a');

    expect(placed).toEqual(['contoso']);
    expect(calls).toEqual(['note', 'order', 'verify']);
  }, 60_000);

  it('marks what was open for staff, with the reason, and leaves alone what begins afterwards', async () => {
    const first = await begin();
    await first.client.start(workflow, { customer: 'contoso' }, { id: 'open' });
    await first.client.start(workflow, { customer: 'fabrikam' }, { id: 'paused' });
    await waiting(first, 'open');
    await waiting(first, 'paused');
    await first.client.pause('paused');
    await keep();

    await loseWhile('renewals were remembered');
    const { client } = await begin(true);
    await client.start(workflow, { customer: 'wingtip' }, { id: 'new' });

    const marked = await client.list({ rewound: true });
    expect(marked.items.map(({ id }) => id).sort()).toEqual(['open', 'paused']);
    const { rewound } = marked.items[0] ?? {};
    expect(rewound?.since).toBeLessThan(rewound?.at ?? 0);
    expect((await client.history('open')).at(-1)?.event).toMatchObject({ kind: 'rewound', ...rewound });
    expect(await client.verifyHistory('open')).toMatchObject({ intact: true });
    await eventually(async () => expect(await client.describe('new')).toMatchObject({ state: 'waiting' }));
    await client.signal(workflow, 'new', 'go', {});
    await eventually(() => expect(placed).toEqual(['wingtip']));
    expect(calls).not.toContain('verify');
  }, 60_000);

  it('is taken on once for all processes, and marked by the next one where the first dies over it', async () => {
    const first = await begin();
    await check({ process: 'api' });
    await first.client.start(workflow, { customer: 'contoso' }, { id: 'a' });
    await waiting(first, 'a');
    await keep();
    const before = await check();
    await loseWhile('renewals were remembered');
    await expect(check({ process: 'api' })).rejects.toMatchObject({ code: 'store-rewound' });

    const accepted = await check({ process: 'api', acceptStore: true });

    expect(accepted.epoch).not.toBe(before.epoch);
    expect(await check({ process: 'worker', acceptStore: true })).toEqual(accepted);
    const redis = createRedis(server.url, 'worker', { log });
    const store = createRedisStore({ redis, ...PLACE });
    const engine = createEngine({ store, registry: createRegistry([workflow]), log });
    const { loss } = await checkStore({ ...seenBy(), redis, ...PLACE, acceptStore: false });
    if (loss !== null) await markRewound(engine, loss, log);
    expect((await createClient(engine).describe('a'))?.rewound).toEqual(accepted.loss);
    expect(await check()).toEqual({ epoch: accepted.epoch, loss: null });
    await closeRedis(redis);
  }, 60_000);

  it('is noticed however little it lost, when an effect was begun in that', async () => {
    const first = await begin();
    await first.client.start(workflow, { customer: 'contoso' }, { id: 'a' });
    await waiting(first, 'a');
    const hold = deferred();
    gate.after = hold.promise;
    await keep();
    await first.client.signal(workflow, 'a', 'go', {});
    await eventually(() => expect(placed).toEqual(['contoso']));

    await loseWhile('none was');

    await expect(check()).rejects.toMatchObject({ code: 'store-rewound' });
    await check({ acceptStore: true });
    hold.resolve();
  }, 60_000);
});
