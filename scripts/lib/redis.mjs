/** The Redis a command runs on: somebody's, our own that is already running, or our own started now. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describeAddress, pingRedis, redisCommands, redisInfo } from './redis-address.mjs';
import { findRedisBinary } from './redis-binary.mjs';
import { mendAof } from './redis-mend.mjs';

/** sockaddr_un holds 104 bytes on macOS and 108 on Linux, the ending zero included. */
const LONGEST_SOCKET_PATH = 100;
const READY_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 20_000;

function privateFolder(dir) {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  chmodSync(dir, 0o700);
  return dir;
}

/** The socket of a data directory: inside it, or in a short folder of the temp root when the path is too long. */
export function socketPath(dir) {
  const inside = join(dir, 'r.sock');
  if (Buffer.byteLength(inside) <= LONGEST_SOCKET_PATH) return inside;
  const name = createHash('sha256').update(dir).digest('hex').slice(0, 16);
  const owner = userInfo();
  const folder = privateFolder(join(tmpdir(), `csp-${owner.uid}-${name}`));
  // Another user could have made this folder first.
  if (owner.uid >= 0 && statSync(folder).uid !== owner.uid)
    throw new Error(`${folder} belongs to another user.`);
  return join(folder, 'r.sock');
}

function serverArguments({ dir, socket, fsync }) {
  return [
    ['--port', '0'],
    ['--unixsocket', socket],
    ['--unixsocketperm', '700'],
    ['--dir', dir],
    ['--appendonly', 'yes'],
    ['--appendfsync', fsync],
    ['--aof-load-truncated', 'no'],
    ['--save', ''],
    ['--maxmemory-policy', 'noeviction'],
    ['--daemonize', 'no'],
    ['--pidfile', join(dir, 'redis.pid')],
    ['--logfile', join(dir, 'redis.log')],
  ].flat();
}

function lastLogLines(dir) {
  const path = join(dir, 'redis.log');
  return existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n').slice(-5).join('\n') : '';
}

/** Waits until it answers PING. Rejects when the process ends first or the deadline passes. */
async function waitUntilReady(child, url, dir) {
  const deadline = Date.now() + READY_DEADLINE_MS;
  while (Date.now() < deadline) {
    if (await pingRedis(url, { timeoutMs: 1_000 })) return;
    if (child.exitCode !== null || child.signalCode !== null) break;
    await sleep(20);
  }
  throw new Error(`Redis did not start. Its last words (${join(dir, 'redis.log')}):\n${lastLogLines(dir)}`);
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

async function stopServer(url, pid) {
  if (!isAlive(pid) || !(await pingRedis(url))) return;
  process.kill(pid, 'SIGTERM');
  const deadline = Date.now() + STOP_DEADLINE_MS;
  while (isAlive(pid) && Date.now() < deadline) await sleep(20);
  if (isAlive(pid))
    throw new Error(`Redis (process ${pid}) did not stop within ${STOP_DEADLINE_MS / 1_000} s.`);
}

/** Holds `<dir>/start.lock` while `work` runs, so that two commands share one server instead of racing. */
async function withStartLock(dir, work) {
  const path = join(dir, 'start.lock');
  const deadline = Date.now() + READY_DEADLINE_MS;
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: 'wx', mode: 0o600 });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
      const owner = readOwner(path);
      if (owner !== undefined && !isAlive(owner)) rmSync(path, { force: true });
      else if (Date.now() > deadline) throw new Error(`Another command (process ${owner}) holds ${path}.`);
      else await sleep(50);
    }
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/** The process id in a lock file, or undefined when it went away or is being written. */
function readOwner(path) {
  try {
    return Number(readFileSync(path, 'utf8')) || undefined;
  } catch {
    return undefined;
  }
}

async function describe(url, source) {
  const info = await redisInfo(url);
  return {
    version: info.valkey_version ?? info.redis_version,
    source,
    pid: Number(info.process_id),
    durable: info.aof_enabled === '1' && info.aof_last_write_status !== 'err',
  };
}

async function useGiven(url) {
  let described;
  try {
    described = await describe(url, 'REDIS_URL');
  } catch (error) {
    throw new Error(`REDIS_URL is set, but ${describeAddress(url)} does not answer: ${error.message}`, {
      cause: error,
    });
  }
  return { ...described, url, stop: async () => {} };
}

async function launch(binary, { dir, socket, url, fsync }) {
  rmSync(socket, { force: true });
  // A crash before the log file opens is seen nowhere else.
  const out = openSync(join(dir, 'redis.log'), 'a', 0o600);
  const child = spawn(binary.command, serverArguments({ dir, socket, fsync }), {
    cwd: dir,
    env: { ...process.env, ...binary.env },
    detached: true,
    stdio: ['ignore', out, out],
  });
  closeSync(out);
  const failed = new Promise((_, reject) => child.once('error', reject));
  const problem = await Promise.race([failed, waitUntilReady(child, url, dir)]).catch((error) => error);
  if (problem === undefined) child.unref();
  return { problem, ended: child.exitCode !== null || child.signalCode !== null };
}

async function startOwn({ log, env, ...how }) {
  const binary = await findRedisBinary({ env, log });
  let { problem, ended } = await launch(binary, how);
  const cut = ended ? mendAof(binary, how.dir) : 0;
  if (cut > 0) {
    log(`Redis ended within a write: ${cut} bytes of half a commit were cut from its append-only file.`);
    ({ problem } = await launch(binary, how));
  }
  if (problem !== undefined) throw problem;
  return { source: `${binary.source}: ${binary.command}` };
}

/**
 * A Redis for `dataDir`, by the first of: REDIS_URL; our own one that still runs on this data directory; one started
 * from the first usable program (see `findRedisBinary`). Resolves with
 * `{ url, source, version, pid, durable, owned, stop() }`. `stop` ends our own one and leaves a given one alone.
 * It outlives a killed parent on purpose: the next caller takes it over.
 */
export async function ensureRedis({ dataDir, fsync = 'always', log = () => {}, env = process.env }) {
  if (env.REDIS_URL) return { ...(await useGiven(env.REDIS_URL)), owned: false };
  const dir = privateFolder(join(resolve(dataDir), 'redis'));
  const socket = socketPath(dir);
  const url = `unix://${socket}`;
  return withStartLock(dir, async () => {
    let source = 'already running';
    if (!(await pingRedis(url)) && !(await isLoading(url))) {
      ({ source } = await startOwn({ dir, socket, url, fsync, log, env }));
    }
    const described = await describe(url, source);
    return { ...described, url, owned: true, stop: () => stopServer(url, described.pid) };
  });
}

/** A server that reads its append-only file refuses PING but is alive: waits for it instead of starting a second. */
async function isLoading(url) {
  const deadline = Date.now() + READY_DEADLINE_MS;
  while (Date.now() < deadline) {
    try {
      await redisCommands(url, [['PING']]);
      return true;
    } catch (error) {
      if (!error.message.startsWith('LOADING')) return false;
      await sleep(100);
    }
  }
  return false;
}
