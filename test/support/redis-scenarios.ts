/** What is done to Redis while writers are at work on it; each answers with what was injected and what became of the store. */
import { readFileSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { createGroupCommit } from '../../engine/redis/group-commit.ts';
import { metaKeys, shardKeys } from '../../engine/redis/keys.ts';
import { prepareScripts } from '../../engine/redis/scripts.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { growingAof } from './aof.ts';
import { eventually } from './eventually.ts';
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

/** Resolves once this many more commits were acknowledged: faults hit a store at work, on slow machines too. */
async function progress(writers: Writers, commits: number, within = 30_000): Promise<void> {
  const from = total(writers.soFar());
  await eventually(() => total(writers.soFar()) >= from + commits, {
    within,
    every: 2,
    what: `${commits} more commits`,
  });
}

/** kill -9 under load, again and again. */
export async function killUnderLoad(kills: number): Promise<Verdict & { readonly kills: number }> {
  const server = await startRedisServer({ aof: 'always' });
  const writers = startWriters({ url: server.url, writers: WRITERS });
  for (let kill = 0; kill < kills; kill += 1) {
    await progress(writers, 50 + 37 * (kill % 5));
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

/** Cuts the file within one commit, at each byte that `cutsOf` chooses, and sends the commit again. */
export async function tearCommit(cutsOf: (bytes: number) => Iterable<number>): Promise<Tears> {
  const server = await startRedisServer({ aof: 'always', args: ['--auto-aof-rewrite-percentage', '0'] });
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
  const whole = readFileSync(file);
  const tears = { before: 0, after: 0, cuts: 0, torn: [] as string[], misjudged: [] as string[] };
  for (const cut of cutsOf(whole.length - from)) {
    writeFileSync(file, whole.subarray(0, from + cut));
    await server.restart({ kill9: true });
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
export async function cutPower(aof: 'always' | 'everysec', cuts: number): Promise<PowerCuts> {
  const redis = await startPowerCutRedis(aof);
  const sum = { lost: 0, kept: 0, torn: [] as string[], falselyRefused: [] as string[], droppedBytes: 0 };
  for (let cut = 0; cut < cuts; cut += 1) {
    await redis.server.command('FLUSHALL');
    const writers = startWriters({ url: redis.server.url, writers: WRITERS });
    await progress(writers, 100 + 53 * (cut % 4));
    const told = writers.soFar();
    sum.droppedBytes += await redis.cutPower();
    const ending = writers.stop();
    await redis.server.restart();
    // A commit that was under way is sent again; only then is the store at rest.
    await ending;
    const verdict = await looking(redis.server.url, (own) => judge(own, told));
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

/** The line is cut after each commit has reached Redis and before its answer is back. */
export async function cutConnections(
  cuts: number,
  kind: 'worker' | 'service',
): Promise<Verdict & { readonly cuts: number; readonly unknown: number }> {
  const server = await startRedisServer({ listen: 'tcp' });
  // The script is known before the first cut, or a client that sends nothing twice would never get to say its words.
  await looking(server.url, (redis) => storeOn(redis).commit(commitAt('first', 0)));
  const each = Math.ceil(cuts / WRITERS);
  const rounds = await Promise.all(
    Array.from({ length: WRITERS }, async (_, writer) => {
      const proxy = await startTcpProxy({ port: server.port });
      const writers = startWriters({
        ...{ url: `redis://127.0.0.1:${proxy.port}`, writers: 1, first: writer, commits: each, kind },
        before: () => proxy.cutAfterForward((chunk) => chunk.includes(`line-`)),
      });
      const written = await writers.finished();
      const count = proxy.cuts();
      await proxy.close();
      return { written, count };
    }),
  );
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

/** The script cache is emptied again and again under load. */
export async function flushScripts(times: number): Promise<Verdict & { readonly flushes: number }> {
  const server = await startRedisServer();
  const writers = startWriters({ url: server.url, writers: WRITERS });
  for (let time = 0; time < times; time += 1) {
    await progress(writers, 20);
    await server.command('SCRIPT', 'FLUSH');
  }
  const written = await writers.stop();
  const verdict = await looking(server.url, (redis) => judge(redis, written));
  await server.stop();
  return { ...verdict, flushes: times };
}

export interface Refusals extends Verdict {
  /** Codes of the errors that writers met while there was no room. */
  readonly errors: Readonly<Record<string, number>>;
  /** Commits acknowledged after there was room again, by the same writers. */
  readonly resumed: number;
}

/** Writers until there is no room, for a while without room, and on once there is. */
async function withoutRoom(server: RedisServer, makeRoom: () => Promise<unknown>): Promise<Refusals> {
  const writers = startWriters({ url: server.url, writers: WRITERS, ballast: 2_000, kind: 'service' });
  await eventually(() => writers.soFar().unknown >= WRITERS, { within: 60_000, every: 5, what: 'refusals' });
  await sleep(100);
  const { errors } = writers.soFar();
  await makeRoom();
  const from = total(writers.soFar());
  await progress(writers, 50);
  const written = await writers.stop();
  const verdict = await looking(server.url, (redis) => judge(redis, written));
  await server.stop();
  return { ...verdict, errors, resumed: total(written) - from };
}

/** `always`: Redis ends itself on a full disk and comes back when there is room. `everysec`: it refuses writes. */
export async function fillDisk(aof: 'always' | 'everysec'): Promise<Refusals> {
  const args = ['--auto-aof-rewrite-percentage', '0'];
  const server = await startRedisServer({ aof, args, fileLimitKb: 256 });
  // Redis that refuses to write goes on when the file it writes to is a shorter one.
  return withoutRoom(server, () =>
    aof === 'always' ? server.restart({ room: true }) : server.command('BGREWRITEAOF'),
  );
}

export async function fillMemory(): Promise<Refusals> {
  const server = await startRedisServer({ args: ['--maxmemory', '6mb'] });
  return withoutRoom(server, () => server.command('CONFIG', 'SET', 'maxmemory', '0'));
}
