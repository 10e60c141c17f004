/**
 * A power cut: Redis is killed and the bytes it never synced are taken out of its append-only file. SIGKILL alone loses
 * nothing, because what a dead process wrote stays with the kernel.
 *
 * Which bytes those are is observed, not guessed. With `everysec` all syncing is done by one thread of Redis, and the
 * kernel counts how often that thread has been woken: while the count stands still, nothing written meanwhile has been
 * synced. With `always` Redis syncs before it answers, so what was answered is never among them. Linux only.
 */
import { readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import type { RedisServer } from './redis-server.ts';

export interface PowerCut {
  /** Bytes that were written and never synced, and are gone. */
  readonly lostBytes: number;
  /** How often `work` was done until no sync came in between. */
  readonly tries: number;
}

export const canCutPower = process.platform === 'linux';

const MOST_TRIES = 50;

/**
 * Does `work`, which must be short (Redis syncs each second), then cuts the power and starts Redis again. `work` is done
 * again when a sync came in between: what it did before is on disk then.
 */
export async function losePower(
  server: RedisServer,
  fsync: 'always' | 'everysec',
  work: () => Promise<void>,
): Promise<PowerCut> {
  for (let tries = 1; tries <= MOST_TRIES; tries += 1) {
    if (fsync === 'everysec') await untilJustSynced(server);
    const wakeUps = syncWakeUps(server.pid());
    const { path, size } = appendFile(server.dir);
    await work();
    const written = appendFile(server.dir);
    if (fsync === 'everysec' && syncWakeUps(server.pid()) !== wakeUps) continue;
    // Frozen before it is looked at for the last time: a sync may begin at any moment.
    server.freeze();
    const synced = fsync === 'always' ? written.size : size;
    const untouched = fsync === 'always' || syncWakeUps(server.pid()) === wakeUps;
    if (!untouched) {
      server.thaw();
      continue;
    }
    await server.kill9();
    const { size: there } = statSync(path);
    truncateSync(path, synced);
    await server.restart();
    return { lostBytes: there - synced, tries };
  }
  throw new Error(`Redis synced in between ${MOST_TRIES} times`);
}

/** Waits for a write's sync to end, so that almost a second is left until the next. */
async function untilJustSynced(server: RedisServer): Promise<void> {
  const before = await eventually(() => syncWakeUps(server.pid()) || false, { what: 'the syncing thread' });
  await eventually(
    async () => {
      await server.command('SET', 'power-cut:tick', Date.now());
      return syncWakeUps(server.pid()) !== before;
    },
    { within: 5_000, every: 20, what: 'a sync' },
  );
  await eventually(async () =>
    /aof_pending_bio_fsync:0/.test(String(await server.command('INFO', 'persistence'))),
  );
}

/** How often the thread that syncs the append-only file has been woken; NaN while it has not begun. */
function syncWakeUps(pid: number): number {
  const folder = `/proc/${pid}/task`;
  const thread = readdirSync(folder).find((task) =>
    readFileSync(join(folder, task, 'comm'), 'utf8').startsWith('bio_aof'),
  );
  if (thread === undefined) return Number.NaN;
  const status = readFileSync(join(folder, thread, 'status'), 'utf8');
  return Number(/^voluntary_ctxt_switches:\s+(\d+)/m.exec(status)?.[1]);
}

/** The file that commands are appended to: since Redis 7 the newest increment in a folder of its own. */
function appendFile(dir: string): { readonly path: string; readonly size: number } {
  const files = readdirSync(dir, { recursive: true }).map(String);
  const path = files
    .filter((file) => /\.incr\.aof$|^appendonly\.aof$/.test(file))
    .sort()
    .at(-1);
  if (path === undefined) throw new Error(`there is no append-only file in ${dir}`);
  return { path: join(dir, path), size: statSync(join(dir, path)).size };
}
