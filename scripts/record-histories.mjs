// Records the histories that test/unit/histories.test.ts replays: plays the real paths against the emulator and keeps what
// their instances left, for every workflow version of today. Versions that no code has any more keep theirs. Run it for a
// new version, or after a change that was meant to reach instances under way.
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { status } = spawnSync(
  process.execPath,
  [
    join(root, 'scripts/test.mjs'),
    '--testPathPatterns',
    'integration/histories',
    '--selectProjects',
    'integration',
  ],
  { cwd: root, stdio: 'inherit', env: { ...process.env, UPDATE_HISTORIES: '1' } },
);
process.exit(status ?? 1);
