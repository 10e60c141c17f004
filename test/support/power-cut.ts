/**
 * A power cut: Redis is killed and the bytes it never synced are taken out of its append-only file. SIGKILL alone loses
 * nothing, because what a dead process wrote stays with the kernel.
 *
 * Which bytes those are is observed, not guessed. With `everysec` all syncing is done by one thread of Redis, and the
 * kernel counts how often that thread has been woken: while the count stands still, nothing written meanwhile has been
 * synced. With `always` Redis syncs before it answers, so nothing that was answered is among them. Linux only.
 */
import { readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { type RedisServer, startRedisServer } from './redis-server.ts';

export interface PowerCutRedis {
  readonly server: RedisServer;
  /** Kills Redis, drops what was not synced and answers with how many bytes that was. Restart it then. */
  cutPower(): Promise<number>;
  stop(): Promise<void>;
}

const SAMPLE_EVERY_MS = 5;

export async function startPowerCutRedis(aof: 'always' | 'everysec'): Promise<PowerCutRedis> {
  // A rewrite would give the file a new name half way.
  const server = await startRedisServer({ aof, args: ['--auto-aof-rewrite-percentage', '0'] });
  /** Length when the syncing thread was first seen at its present count. */
  let seen = { pid: 0, wakeUps: -1, size: 0 };
  const look = (): void => {
    const wakeUps = syncWakeUps(server.pid());
    if (wakeUps !== undefined && (wakeUps !== seen.wakeUps || server.pid() !== seen.pid))
      seen = { pid: server.pid(), wakeUps, size: statSync(appendFile(server.dir)).size };
  };
  const timer = setInterval(look, SAMPLE_EVERY_MS);
  return {
    server,
    async cutPower() {
      server.freeze();
      look();
      if (seen.wakeUps < 0) throw new Error('what this Redis syncs cannot be observed here');
      await server.kill9();
      const path = appendFile(server.dir);
      const { size } = statSync(path);
      const synced = aof === 'always' ? size : Math.min(size, seen.size);
      truncateSync(path, synced);
      return size - synced;
    },
    async stop() {
      clearInterval(timer);
      await server.stop();
    },
  };
}

/** How often the thread that syncs the append-only file has been woken; undefined while there is none. */
function syncWakeUps(pid: number): number | undefined {
  try {
    const folder = `/proc/${pid}/task`;
    const thread = readdirSync(folder).find((task) =>
      readFileSync(join(folder, task, 'comm'), 'utf8').startsWith('bio_aof'),
    );
    if (thread === undefined) return undefined;
    const status = readFileSync(join(folder, thread, 'status'), 'utf8');
    return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1]);
  } catch {
    return undefined;
  }
}

/** The file that commands are appended to: since Redis 7 the newest increment in a folder of its own. */
function appendFile(dir: string): string {
  const files = readdirSync(dir, { recursive: true }).map(String);
  const path = files
    .filter((file) => /\.incr\.aof$|^appendonly\.aof$/.test(file))
    .sort()
    .at(-1);
  if (path === undefined) throw new Error(`there is no append-only file in ${dir}`);
  return join(dir, path);
}
