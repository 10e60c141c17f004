/** Redis servers of a test's own: started on a socket or a free port, killed, restarted, stopped. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pingRedis, type RedisReply, redisCommands } from '../../scripts/lib/redis-address.mjs';
import { findRedisBinary, type RedisBinary } from '../../scripts/lib/redis-binary.mjs';
import { mendAof } from '../../scripts/lib/redis-mend.mjs';
import { eventually } from './eventually.ts';

export interface RedisServerOptions {
  /** Default `socket`: a unix socket in the server's folder. `tcp` listens on a free loopback port. */
  readonly listen?: 'socket' | 'tcp';
  /** Append-only file. Default `off`: memory only. */
  readonly aof?: 'always' | 'everysec' | 'no' | 'off';
  /** Makes it a replica of a server that listens on tcp. */
  readonly replicaOf?: RedisServer;
  /** Turns cluster mode on; needs `tcp`. Prefer `startRedisCluster`. */
  readonly cluster?: boolean;
  /** Asked of everybody, replicas and other nodes included; needs `tcp`. */
  readonly password?: string;
  /** TLS beside plain connections, on a port of its own: for whoever says `localhost` and trusts the certificate. */
  readonly tls?: RedisTls;
  /** It watches others instead of keeping anything; needs `tcp`. Prefer `startWatchedRedis`. */
  readonly sentinel?: boolean;
  /** Further arguments, e.g. `['--maxmemory', '10mb']`. */
  readonly args?: readonly string[];
  /** Added to its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Kilobytes a file of it may hold: its disk is full then. Lifted by `restart({ room: true })`. */
  readonly fileLimitKb?: number;
}

/** PEM files. */
export interface RedisTls {
  readonly certificate: string;
  readonly key: string;
}

export interface RedisServer {
  /** `unix:///…/r.sock` or `redis://127.0.0.1:port`, with the password if it has one; constant over restarts. */
  readonly url: string;
  /** 0 on a socket. */
  readonly port: number;
  /** 0 without TLS. Other nodes of a cluster speak to it there. */
  readonly tlsPort: number;
  readonly dir: string;
  readonly pid: () => number;
  /** Runs one command over a bare socket. */
  command(...args: readonly (string | number)[]): Promise<RedisReply>;
  /** Ends it with SIGKILL and waits until it is gone; the folder stays. */
  kill9(): Promise<void>;
  /** Resolves when it has ended by itself. */
  readonly ended: () => Promise<void>;
  /** Stops (or kills) it when it runs and starts it again on the same folder and address; `room` lifts the file limit. */
  restart(options?: { readonly kill9?: boolean; readonly room?: boolean }): Promise<void>;
  /** SIGSTOP: connections stay open and nothing answers. */
  freeze(): void;
  thaw(): void;
  /** Ends it and removes its folder. Harmless when it is gone already. */
  stop(): Promise<void>;
}

const SENTINEL_FILE = 'sentinel.conf';

let binary: Promise<RedisBinary> | undefined;

/** A loopback port nobody listens on at this moment. With `busToo`, port + 10 000 is free as well. */
export async function freePort(options: { readonly busToo?: boolean } = {}): Promise<number> {
  for (;;) {
    const port = await listenOnce(0);
    if (port === undefined) continue;
    if (options.busToo !== true) return port;
    if (port + 10_000 < 65_536 && (await listenOnce(port + 10_000)) !== undefined) return port;
  }
}

async function listenOnce(port: number): Promise<number | undefined> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : undefined;
  } catch {
    return undefined;
  } finally {
    server.close();
  }
}

function tlsArguments({ certificate, key }: RedisTls, port: number): string[] {
  return [
    ...['--tls-port', String(port), '--tls-auth-clients', 'no', '--tls-cluster', 'yes'],
    ...['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate],
    ...['--cluster-announce-hostname', 'localhost', '--cluster-preferred-endpoint-type', 'hostname'],
  ];
}

function argumentsOf(options: RedisServerOptions, dir: string, port: number, tlsPort: number): string[] {
  const aof = options.aof ?? 'off';
  const common = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir];
  common.push('--daemonize', 'no', '--logfile', join(dir, 'redis.log'));
  if (options.password !== undefined) common.push('--requirepass', options.password);
  if (options.sentinel) return [join(dir, SENTINEL_FILE), '--sentinel', ...common];
  return [
    ...common,
    ...['--save', '', '--maxmemory-policy', 'noeviction'],
    ...(port === 0 ? ['--unixsocket', join(dir, 'r.sock'), '--unixsocketperm', '700'] : []),
    ...(aof === 'off' ? ['--appendonly', 'no'] : ['--appendonly', 'yes', '--appendfsync', aof]),
    ...['--aof-load-truncated', 'no'],
    // Replicas wait five seconds for company by default.
    ...['--repl-diskless-sync-delay', '0'],
    ...(options.replicaOf ? ['--replicaof', '127.0.0.1', String(options.replicaOf.port)] : []),
    ...(options.cluster ? ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000'] : []),
    ...(options.password === undefined ? [] : ['--masterauth', options.password]),
    ...(options.tls ? tlsArguments(options.tls, tlsPort) : []),
    ...(options.args ?? []),
  ];
}

interface Launch {
  readonly args: readonly string[];
  readonly url: string;
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly fileLimitKb: number | null;
}

/** As the product starts its own: a file that ends within a commit is mended first. */
async function launch(how: Launch): Promise<ChildProcess> {
  binary ??= findRedisBinary();
  const found = await binary;
  return tryLaunch(found, how).catch((error: unknown) => {
    if (mendAof(found, how.dir) === 0) throw error;
    return tryLaunch(found, how);
  });
}

async function tryLaunch(
  { command, env }: RedisBinary,
  { args, url, dir, env: more, fileLimitKb }: Launch,
): Promise<ChildProcess> {
  // Blocks of 512 bytes. The signal is ignored, so that a write over the limit fails as on a full disk.
  const limited = `trap '' XFSZ; ulimit -f ${(fileLimitKb ?? 0) * 2}; exec "$0" "$@"`;
  const [program, ...given] =
    fileLimitKb === null ? [command, ...args] : ['/bin/sh', '-c', limited, command, ...args];
  const options = { cwd: dir, env: { ...process.env, ...env, ...more }, stdio: 'ignore' } as const;
  const child = spawn(program ?? command, given, options);
  let failure: Error | undefined;
  child.once('error', (error) => {
    failure = error;
  });
  const ended = () => child.exitCode !== null || child.signalCode !== null || failure !== undefined;
  await eventually(async () => ended() || (await pingRedis(url)), {
    within: 30_000,
    what: `Redis at ${url}`,
  });
  if (!ended()) return child;
  const log = await readFile(join(dir, 'redis.log'), 'utf8').catch(() => '');
  throw new Error(`Redis did not start: ${failure?.message ?? log.trim().split('\n').slice(-3).join(' | ')}`);
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

export async function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  const dir = await mkdtemp(join(tmpdir(), 'redis-'));
  const tcp = options.listen === 'tcp' || options.cluster === true;
  const port = tcp ? await freePort({ busToo: options.cluster === true }) : 0;
  const tlsPort = options.tls ? await freePort({ busToo: true }) : 0;
  const login = options.password === undefined ? '' : `:${options.password}@`;
  const url = tcp ? `redis://${login}127.0.0.1:${port}` : `unix://${join(dir, 'r.sock')}`;
  const args = argumentsOf(options, dir, port, tlsPort);
  // It writes down what it learns.
  if (options.sentinel) await writeFile(join(dir, SENTINEL_FILE), '');
  const how: Launch = { args, url, dir, env: options.env ?? {}, fileLimitKb: options.fileLimitKb ?? null };
  let child = await launch(how);
  // A test run that is stopped half way leaves no server behind.
  const reap = () => child.kill('SIGKILL');
  process.once('exit', reap);

  const kill9 = () => end(child, 'SIGKILL');
  return {
    url,
    port,
    tlsPort,
    dir,
    pid: () => child.pid ?? 0,
    command: async (...command) => {
      const [reply = null] = await redisCommands(url, [command], { timeoutMs: 10_000 });
      return reply;
    },
    kill9,
    ended: async () => {
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
    restart: async ({ kill9: hard = false, room = false } = {}) => {
      await end(child, hard ? 'SIGKILL' : 'SIGTERM');
      child = await launch(room ? { ...how, fileLimitKb: null } : how);
    },
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    stop: async () => {
      process.off('exit', reap);
      await kill9();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  stop(): Promise<void>;
}

/** A cluster of masters that share the 16 384 slots evenly, ready for commands. */
export async function startRedisCluster(
  options: Omit<RedisServerOptions, 'cluster' | 'listen' | 'replicaOf'> & { readonly masters?: number } = {},
): Promise<RedisCluster> {
  const { masters = 3, ...rest } = options;
  const nodes = await Promise.all(
    Array.from({ length: masters }, () => startRedisServer({ ...rest, cluster: true })),
  );
  const [first, ...others] = nodes;
  const size = Math.ceil(16_384 / masters);
  for (const [index, node] of nodes.entries()) {
    const slots = Array.from(
      { length: Math.min(size, 16_384 - index * size) },
      (_, slot) => index * size + slot,
    );
    await node.command('CLUSTER', 'ADDSLOTS', ...slots);
    await node.command('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
  }
  for (const node of others) await first?.command('CLUSTER', 'MEET', '127.0.0.1', node.tlsPort || node.port);
  for (const node of nodes) {
    await eventually(async () => String(await node.command('CLUSTER', 'INFO')).includes('cluster_state:ok'), {
      within: 20_000,
      what: 'the cluster',
    });
  }
  return { nodes, stop: async () => void (await Promise.all(nodes.map((node) => node.stop()))) };
}
