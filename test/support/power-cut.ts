/**
 * A power cut, as the disk sees it: what was written and not synced is gone. A few lines of C stand between Redis and its
 * `fdatasync` and note how long the file was at each that succeeded; the cut kills Redis and takes every file of its
 * append-only folder back to that length. No rule of Redis is assumed, so `always` and `everysec` are judged alike.
 *
 * Where there is no C compiler (or Redis is linked statically) the kernel is asked instead: with `everysec` all syncing is
 * done by one thread of Redis, and while the count of its wake-ups stands still nothing written meanwhile has been synced.
 * With `always` Redis syncs before it answers, so nothing is dropped then; that it does so is held by the test with the
 * file that cannot be synced. Linux only.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { aofFiles } from './aof.ts';
import { type RedisServer, startRedisServer } from './redis-server.ts';

const SHIM = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void note(const struct stat *file) {
  static int log = -1;
  if (log < 0) log = open(getenv("SYNC_LOG"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  uint64_t line[2] = { (uint64_t) file->st_ino, (uint64_t) file->st_size };
  if (write(log, line, sizeof line) != (ssize_t) sizeof line) abort();
}

/* The length is taken before the sync: what is written meanwhile need not have reached the disk. */
#define NOTED(name) \\
  int name(int fd) { \\
    static int (*real)(int); \\
    struct stat file; \\
    if (!real) real = (int (*)(int)) dlsym(RTLD_NEXT, #name); \\
    int known = fstat(fd, &file); \\
    int result = real(fd); \\
    if (result == 0 && known == 0) note(&file); \\
    return result; \\
  }
NOTED(fdatasync)
NOTED(fsync)
`;
const RECORD_BYTES = 16;
const SAMPLE_EVERY_MS = 5;

export interface PowerCutRedis {
  readonly server: RedisServer;
  /** Whether the syncs are observed, or assumed by Redis's own words. */
  readonly how: 'observed' | 'assumed';
  /** Kills Redis, drops what was not synced and answers with how many bytes that was. Restart it then. */
  cutPower(): Promise<number>;
  stop(): Promise<void>;
}

export async function startPowerCutRedis(aof: 'always' | 'everysec'): Promise<PowerCutRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'power-cut-'));
  const shim = compileShim(folder);
  const log = join(folder, 'syncs');
  const env: Readonly<Record<string, string>> = shim === null ? {} : { LD_PRELOAD: shim, SYNC_LOG: log };
  // A rewrite would give the files new names half way.
  const args = ['--auto-aof-rewrite-percentage', '0'];
  const server = await startRedisServer({ aof, args, env });
  const thread = existsSync(log) ? null : watchSyncThread(server);
  return {
    server,
    how: thread === null ? 'observed' : 'assumed',
    async cutPower() {
      server.freeze();
      const synced = thread === null ? lastSynced(log) : thread.lastSynced();
      await server.kill9();
      return thread !== null && aof === 'always' ? 0 : dropBeyond(server, synced);
    },
    async stop() {
      thread?.stop();
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function compileShim(folder: string): string | null {
  const source = join(folder, 'shim.c');
  const target = join(folder, 'shim.so');
  writeFileSync(source, SHIM);
  const { status } = spawnSync(process.env['CC'] ?? 'cc', [
    '-shared',
    '-fPIC',
    '-O1',
    '-o',
    target,
    source,
    '-ldl',
  ]);
  return status === 0 ? target : null;
}

/** Length by file at its last sync. */
function lastSynced(log: string): ReadonlyMap<number, number> {
  const records = readFileSync(log);
  const lengths = new Map<number, number>();
  for (let at = 0; at + RECORD_BYTES <= records.length; at += RECORD_BYTES) {
    lengths.set(Number(records.readBigUInt64LE(at)), Number(records.readBigUInt64LE(at + 8)));
  }
  return lengths;
}

function dropBeyond(server: RedisServer, synced: ReadonlyMap<number, number>): number {
  let dropped = 0;
  for (const file of aofFiles(server)) {
    const { ino, size } = statSync(file);
    const kept = Math.min(size, synced.get(ino) ?? 0);
    dropped += size - kept;
    truncateSync(file, kept);
  }
  return dropped;
}

/** Length by file when the syncing thread was first seen at its present count of wake-ups. */
function watchSyncThread(server: RedisServer) {
  let seen = { pid: 0, wakeUps: -1, lengths: new Map<number, number>() };
  const look = (): void => {
    const wakeUps = syncWakeUps(server.pid());
    if (wakeUps === undefined || (wakeUps === seen.wakeUps && server.pid() === seen.pid)) return;
    const files = aofFiles(server).map((file) => statSync(file));
    seen = { pid: server.pid(), wakeUps, lengths: new Map(files.map(({ ino, size }) => [ino, size])) };
  };
  const timer = setInterval(look, SAMPLE_EVERY_MS);
  return {
    lastSynced(): ReadonlyMap<number, number> {
      look();
      if (seen.wakeUps < 0) throw new Error('What this Redis syncs cannot be observed here.');
      return seen.lengths;
    },
    stop: () => clearInterval(timer),
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
