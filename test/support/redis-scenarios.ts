/** What is done to Redis while writers are at work on it; each answers with what was injected and what became of the store. */
import { readFileSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { createGroupCommit } from '../../engine/redis/group-commit.ts';
import { metaKeys, shardKeys } from '../../engine/redis/keys.ts';
import { prepareScripts } from '../../engine/redis/scripts.ts';
import type { Store } from '../../engine/store.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { growingAof } from './aof.ts';
import { eventually } from './eventually.ts';
import { type Bound, unbounded } from './long-run.ts';
import { startPowerCutRedis } from './power-cut.ts';
import { type RedisServer, startRedisServer } from './redis-server.ts';
import { startTcpProxy } from './tcp-proxy.ts';
import {
  commitAt,
  judge,
  NAMESPACE,
  startWriters,
  storeOn,
  tornIn,
  type Verdict,
  type Writers,
  type Written,
} from './writers.ts';

const WRITERS = 8;

/** Reads a Redis that is up, and lets go of it. */
async function looking<T>(url: string, look: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = createRedis(url, 'worker', { log: silentLogger() });
  return look(redis).finally(() => closeRedis(redis));
}

const total = (written: Written): number => [...written.known.values()].reduce((sum, one) => sum + one, 0);

/**
 * Resolves once this many more commits were acknowledged: faults hit a store at work, on slow machines too. A store that
 * its writers find set back acknowledges nothing more; the verdict tells.
 */
async function progress(writers: Writers, commits: number, from = total(writers.soFar())): Promise<void> {
  const rewound = () => writers.soFar().errors['store-rewound'] !== undefined;
  await eventually(() => total(writers.soFar()) >= from + commits || rewound(), {
    within: 30_000,
    every: 2,
    what: `${commits} more commits`,
  });
}

/** kill -9 under load, again and again. `aof: 'off'` plants a Redis that writes nothing down. */
export async function killUnderLoad(
  times: number,
  { over = unbounded, aof = 'always' }: { over?: Bound; aof?: 'always' | 'off' } = {},
): Promise<Verdict & { readonly kills: number }> {
  const server = await startRedisServer({ aof });
  const writers = startWriters({ url: server.url, writers: WRITERS });
  let kills = 0;
  for (; kills < times && !over(); kills += 1) {
    await progress(writers, 50 + 37 * (kills % 5));
    await server.restart({ kill9: true });
  }
  await progress(writers, 50);
  const written = await writers.stop();
  const verdict = await looking(server.url, (redis) => judge(redis, written));
  await server.stop();
  return { ...verdict, kills };
}

export interface Tears {
  /** Bytes of one commit in the append-only file. */
  readonly bytes: number;
  readonly cuts: number;
  readonly before: number;
  readonly after: number;
  /** Neither wholly before nor wholly after. */
  readonly torn: readonly string[];
  /** Wrong answers to the commit that was sent again. */
  readonly misjudged: readonly string[];
}

/** A commit as Redis writes it down, without what makes one transaction of its commands. */
function withoutTransaction(commands: Buffer): Buffer {
  const text = commands.toString('latin1');
  return Buffer.from(text.replace('*1\r\n$5\r\nMULTI\r\n', '').replace('*1\r\n$4\r\nEXEC\r\n', ''), 'latin1');
}

/** Ten places all over a commit, and its end. */
export function* everyTenth(bytes: number): Iterable<number> {
  for (let tenth = 0; tenth <= 10; tenth += 1) yield Math.floor((bytes * tenth) / 10);
}

export interface TearOptions {
  /** Before the commit is sent again, the store goes on with another one and its Redis is killed once more. */
  readonly goesOn?: boolean;
  /** Plants a commit whose commands stand each on its own. */
  readonly pieces?: boolean;
  /** Plants a Redis that loads a torn file as it is. */
  readonly unmended?: boolean;
}

/** Cuts the file within one commit, at each byte that `cutsOf` chooses, and sends the commit again. */
export async function tearCommit(
  cutsOf: (bytes: number) => Iterable<number>,
  { goesOn = false, pieces = false, unmended = false }: TearOptions = {},
): Promise<Tears> {
  const asItIs = unmended ? ['--aof-load-truncated', 'yes'] : [];
  const args = ['--auto-aof-rewrite-percentage', '0', ...asItIs];
  const server = await startRedisServer({ aof: 'always', args });
  const id = 'instance-0';
  const sent: (readonly (string | number)[])[] = [];
  const shard = await looking(server.url, async (redis) => storeOn(redis).shardOf(id));
  const keys = shardKeys(NAMESPACE, shard);
  const names = [keys.timers, keys.outbox, keys.bodies, keys.claims, keys.reply('tearing.0')];
  const from = await looking(server.url, async (redis) => {
    const script = prepareScripts(redis);
    const commit = createGroupCommit({
      run: (name, ofKeys, args) => {
        sent.push(args);
        return script(name, ofKeys, args);
      },
      ...{ keys, shard, client: 'tearing', wakeChannel: metaKeys(NAMESPACE).wake },
      ...{ monotonic: () => performance.now(), onTime: () => {}, onRewound: () => {} },
    });
    await commit(commitAt(id, 0));
    await commit(commitAt(id, 1));
    const length = readFileSync(growingAof(server)).length;
    await commit(commitAt(id, 2));
    return length;
  });
  await server.kill9();
  const file = growingAof(server);
  const written = readFileSync(file);
  const last = written.subarray(from);
  const whole = Buffer.concat([written.subarray(0, from), pieces ? withoutTransaction(last) : last]);
  const tears = { before: 0, after: 0, cuts: 0, torn: [] as string[], misjudged: [] as string[] };
  for (const cut of cutsOf(whole.length - from)) {
    writeFileSync(file, whole.subarray(0, from + cut));
    await server.restart({ kill9: true });
    if (goesOn) {
      await looking(server.url, (redis) => storeOn(redis).commit(commitAt('another', 0)));
      await server.restart({ kill9: true });
    }
    tears.cuts += 1;
    await looking(server.url, async (redis) => {
      tears.torn.push(...(await tornIn(redis, id)).map((what) => `cut at ${cut}: ${what}`));
      const revision = (await storeOn(redis).load(id))?.revision;
      tears[revision === 3 ? 'after' : 'before'] += 1;
      const reply = await prepareScripts(redis)('commit', names, sent[2] ?? []);
      const again = (await storeOn(redis).load(id))?.revision;
      const right = /^3\|\d+\|OK$/.test(String(reply)) && again === 3 && [2, 3].includes(revision ?? 0);
      if (!right)
        tears.misjudged.push(`cut at ${cut}: ${revision}, then ${JSON.stringify(reply)}, then ${again}`);
      tears.torn.push(...(await tornIn(redis, id)).map((what) => `sent again after ${cut}: ${what}`));
    });
  }
  await server.stop();
  return { ...tears, bytes: whole.length - from };
}

export interface PowerCuts extends Verdict {
  readonly cuts: number;
  readonly how: 'observed' | 'assumed';
  /** Bytes that the cuts took. */
  readonly droppedBytes: number;
}

/** Power cuts under load; after each the writers begin anew on what is left. */
export async function cutPower(
  aof: 'always' | 'everysec',
  times: number,
  over: Bound = unbounded,
): Promise<PowerCuts> {
  const redis = await startPowerCutRedis(aof);
  const sum = { lost: 0, kept: 0, torn: [] as string[], falselyRefused: [] as string[], droppedBytes: 0 };
  let cuts = 0;
  for (; cuts < times && !over(); cuts += 1) {
    await redis.server.command('FLUSHALL');
    const writers = startWriters({ url: redis.server.url, writers: WRITERS });
    await progress(writers, 100 + 53 * (cuts % 4));
    const told = writers.soFar();
    sum.droppedBytes += await redis.cutPower();
    const ending = writers.stop();
    await redis.server.restart();
    // A commit that was under way is sent again; only then is the store at rest.
    const ended = await ending;
    // Where the cut may take what was acknowledged, what its writer says next is rightly refused.
    const verdict = await looking(redis.server.url, (own) => judge(own, aof === 'always' ? ended : told));
    sum.falselyRefused.push(...verdict.falselyRefused);
    sum.lost += verdict.lost;
    sum.kept += verdict.kept;
    sum.torn.push(...verdict.torn);
  }
  await redis.stop();
  return { ...sum, cuts, how: redis.how };
}

/**
 * Whether a Redis whose append-only file cannot be synced answers a commit. The file is the null device: it takes every
 * byte and refuses the sync.
 */
export async function answersUnsynced(aof: 'always' | 'everysec'): Promise<boolean> {
  const server = await startRedisServer({ aof });
  await server.kill9();
  const file = growingAof(server);
  unlinkSync(file);
  symlinkSync('/dev/null', file);
  await server.restart();
  const writers = startWriters({ url: server.url, writers: 1, kind: 'service', commits: 1 });
  const told = await Promise.race([writers.finished(), server.ended().then(() => null)]);
  await writers.stop(0);
  await server.stop();
  return told !== null && told.unknown === 0;
}

export interface LineCuts {
  readonly over?: Bound;
  /** Plants a store that does not keep the ids of commits. */
  readonly forgetful?: boolean;
}

/** The line is cut after each commit has reached Redis and before its answer is back. */
export async function cutConnections(
  cuts: number,
  kind: 'worker' | 'service',
  { over = unbounded, forgetful = false }: LineCuts = {},
): Promise<Verdict & { readonly cuts: number; readonly unknown: number }> {
  const server = await startRedisServer({ listen: 'tcp' });
  // The script is known before the first cut, or a client that sends nothing twice would never get to say its words.
  await looking(server.url, (redis) => storeOn(redis).commit(commitAt('first', 0)));
  const each = Math.ceil(cuts / WRITERS);
  const forgetting = forgetful ? forgetAnswers(server) : null;
  const rounds = await Promise.all(
    Array.from({ length: WRITERS }, async (_, writer) => {
      const proxy = await startTcpProxy({ port: server.port });
      const writers = startWriters({
        ...{ url: `redis://127.0.0.1:${proxy.port}`, writers: 1, first: writer, commits: each, kind },
        before: () => proxy.cutAfterForward((chunk) => chunk.includes(`line-`)),
      });
      const watch = setInterval(() => over() && void writers.stop(), 1_000);
      const written = await writers.finished();
      clearInterval(watch);
      const count = proxy.cuts();
      await proxy.close();
      return { written, count };
    }),
  );
  await forgetting?.end();
  const written = rounds.map((round) => round.written);
  const verdict = await looking(server.url, (redis) =>
    judge(redis, {
      known: new Map(written.flatMap(({ known }) => [...known])),
      falselyRefused: written.flatMap(({ falselyRefused }) => falselyRefused),
      unknown: 0,
      errors: {},
    }),
  );
  await server.stop();
  const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
  return {
    ...verdict,
    cuts: sum(rounds.map(({ count }) => count)),
    unknown: sum(written.map((one) => one.unknown)),
  };
}

/** Takes away, again and again, what the store keeps of its clients' last commits. */
function forgetAnswers(server: RedisServer): { end(): Promise<void> } {
  let open = true;
  const pattern = shardKeys(NAMESPACE, 0).reply('*').replace('s0', 's*').replaceAll(/[{}]/g, '?');
  const forgetting = (async () => {
    const redis = createRedis(server.url, 'worker', { log: silentLogger() });
    while (open) {
      const keys = await redis.keys(pattern);
      if (keys.length > 0) await redis.del(...keys);
    }
    await closeRedis(redis);
  })();
  return {
    async end() {
      open = false;
      await forgetting;
    },
  };
}

/** The script cache is emptied again and again under load. */
export async function flushScripts(
  times: number,
  /** Around each writer's connection: what plants one that gives up where its script is not known. */
  around: (redis: Redis) => Redis = (redis) => redis,
): Promise<Verdict & { readonly flushes: number; readonly errors: Written['errors'] }> {
  const server = await startRedisServer();
  const writers = startWriters({ url: server.url, writers: WRITERS, around });
  for (let time = 0; time < times; time += 1) {
    await progress(writers, 20);
    await server.command('SCRIPT', 'FLUSH');
  }
  const written = await writers.stop();
  const verdict = await looking(server.url, (redis) => judge(redis, written));
  await server.stop();
  return { ...verdict, flushes: times, errors: written.errors };
}

export interface Refusals extends Verdict {
  readonly refused: number;
  /** Codes of the errors that writers met while there was no room. */
  readonly errors: Readonly<Record<string, number>>;
  /** Commits acknowledged after there was room again, by the same writers. */
  readonly resumed: number;
}

/** Writers until there is no room, for a while without room, and on once there is. */
async function withoutRoom(
  server: RedisServer,
  makeRoom: () => Promise<unknown>,
  deceives: boolean,
): Promise<Refusals> {
  let refused = 0;
  const deceiving = (store: Store): Store => ({
    ...store,
    commit: (entry) =>
      store.commit(entry).catch((error: unknown) => {
        refused += 1;
        if (deceives) return { status: 'ok' as const };
        throw error;
      }),
  });
  const writers = startWriters({
    ...{ url: server.url, writers: WRITERS, ballast: 2_000, kind: 'service', aroundStore: deceiving },
  });
  await eventually(() => refused >= WRITERS, { within: 60_000, every: 5, what: 'refusals' });
  await sleep(100);
  const { errors } = writers.soFar();
  // Counted from before: the room may be full again before a busy machine looks.
  const from = total(writers.soFar());
  await makeRoom();
  await progress(writers, 50, from);
  const written = await writers.stop();
  const verdict = await looking(server.url, (redis) => judge(redis, written));
  await server.stop();
  return { ...verdict, refused, errors, resumed: total(written) - from };
}

/** `always`: Redis ends itself on a full disk and comes back when there is room. `everysec`: it refuses writes. */
export async function fillDisk(aof: 'always' | 'everysec', deceives = false): Promise<Refusals> {
  const args = ['--auto-aof-rewrite-percentage', '0'];
  const server = await startRedisServer({ aof, args, fileLimitKb: 256 });
  // Redis that refuses to write goes on when the file it writes to is a shorter one.
  return withoutRoom(
    server,
    () => (aof === 'always' ? server.restart({ room: true }) : server.command('BGREWRITEAOF')),
    deceives,
  );
}

/** `deceives` plants a store that calls a commit kept which Redis refused. */
export async function fillMemory(deceives = false): Promise<Refusals> {
  const server = await startRedisServer({ args: ['--maxmemory', '6mb'] });
  return withoutRoom(server, () => server.command('CONFIG', 'SET', 'maxmemory', '0'), deceives);
}
