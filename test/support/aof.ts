/** A Redis's append-only files on its disk: one file before Redis 7, a folder since. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { RedisServer } from './redis-server.ts';

export function aofFiles({ dir }: Pick<RedisServer, 'dir'>): readonly string[] {
  const folder = join(dir, 'appendonlydir');
  if (existsSync(folder)) return readdirSync(folder).map((name) => join(folder, name));
  return [join(dir, 'appendonly.aof')].filter(existsSync);
}

/** The file that grows. */
export function growingAof(server: Pick<RedisServer, 'dir'>): string {
  const files = aofFiles(server);
  const found =
    files.find((file) => file.endsWith('.incr.aof')) ?? files.find((file) => file.endsWith('.aof'));
  if (found === undefined) throw new Error(`There is no append-only file in ${server.dir}.`);
  return found;
}
