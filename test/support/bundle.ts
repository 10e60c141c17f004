/** Programs of tests as bundles in a folder of their own, with faults planted on request. */
import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SCRIPT = fileURLToPath(new URL('./bundle.mjs', import.meta.url));

/** A fault planted in the copy that is bundled; the sources stay as they are. */
export interface Patch {
  /** From the root of the repository. */
  readonly file: string;
  /** Stands in the file exactly once; anything else fails the build, so that no plant is a plant of nothing. */
  readonly find: string;
  readonly replace: string;
}

/** Resolves with the folder that holds `<name>.mjs` for each entry. The caller removes it. */
export async function bundlePrograms(
  entries: Readonly<Record<string, string>>,
  patches: readonly Patch[] = [],
): Promise<string> {
  const out = await mkdtemp(join(tmpdir(), 'programs-'));
  const { NODE_OPTIONS: _, ...env } = process.env;
  await promisify(execFile)(process.execPath, [SCRIPT, JSON.stringify({ entries, out, patches })], { env });
  return out;
}
