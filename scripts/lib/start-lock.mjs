/** One `npm start` per data directory: the second one is told where the first one runs. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Children of a killed parent stop by themselves within 15 s (see follow-parent.mjs). */
const ORPHANS_GONE_WITHIN_MS = 16_000;

export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** False when the system gave the id to something else in the meantime, where that can be seen. */
function isNode(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('.mjs');
  } catch (error) {
    return error.code === 'ENOENT' ? process.platform !== 'linux' : true;
  }
}

function read(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * Takes the lock and resolves with `{ update(fields), release() }`, or with `{ holder }` when another start lives.
 * Waits for children of a killed predecessor, so that their ports are free again.
 */
export async function takeStartLock(dataDir) {
  const path = join(dataDir, 'start.json');
  const held = read(path);
  if (held !== undefined && isAlive(held.pid) && isNode(held.pid)) return { holder: held };
  const deadline = Date.now() + ORPHANS_GONE_WITHIN_MS;
  while ((held?.children ?? []).some((pid) => isAlive(pid) && isNode(pid)) && Date.now() < deadline)
    await sleep(50);
  const mine = { pid: process.pid };
  const write = () => writeFileSync(path, JSON.stringify(mine), { mode: 0o600 });
  write();
  return {
    update(fields) {
      Object.assign(mine, fields);
      write();
    },
    release: () => rmSync(path, { force: true }),
  };
}
