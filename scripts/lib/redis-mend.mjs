/**
 * An append-only file that ends within a commit: its Redis was killed, or the machine lost power, half way through a write.
 *
 * Redis would load it (`aof-load-truncated yes`, its default) and cut it behind the last whole command. Within a transaction
 * that leaves an open MULTI in the file, and the start after the next runs that half of a commit together with whatever was
 * written behind it (mended in Valkey by valkey-io/valkey#4342, in no Redis so far). So our servers refuse such a file, and
 * Redis's own tool, which cuts before the transaction, mends it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';

/** Half a commit is smaller. What says that more is wrong is for a person to judge. */
const MOST_BYTES = 16 * 1024 * 1024;

/** One file before Redis 7, a folder with a manifest since. */
function fileOf(dir) {
  return [join(dir, 'appendonlydir', 'appendonly.aof.manifest'), join(dir, 'appendonly.aof')].find(
    existsSync,
  );
}

/** The server program is the tool as well, by the name it is called. */
function runTool({ command, env }, args) {
  const { stdout, status } = spawnSync(command, args, {
    argv0: basename(command).startsWith('valkey') ? 'valkey-check-aof' : 'redis-check-aof',
    env: { ...process.env, ...env },
    input: 'y\n',
    encoding: 'utf8',
  });
  return { text: stdout ?? '', sound: status === 0 };
}

/**
 * Mends the file of a server that has ended; answers with the bytes that were cut, 0 where it was whole. Throws when more
 * than half a commit is wrong with it.
 */
export function mendAof(binary, dir) {
  const file = fileOf(dir);
  if (file === undefined) return 0;
  const { text, sound } = runTool(binary, [file]);
  const torn = [...text.matchAll(/\bdiff=(\d+)/g)].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
  if (sound || torn === 0) return 0;
  if (torn > MOST_BYTES || !runTool(binary, ['--fix', file]).sound)
    throw new Error(`${file} is damaged (${torn} bytes). Look at it with redis-check-aof.`);
  return torn;
}
