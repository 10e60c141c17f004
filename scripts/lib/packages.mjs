/** Packages are installed when the lock asks for others than those that are there. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const STAMP = '.install-stamp';

function readJson(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
}

/** What an installation depends on: the lock, the package list, and what native packages are made for. */
function fingerprint(root) {
  const hash = createHash('sha256');
  for (const file of ['package.json', 'package-lock.json']) hash.update(readFileSync(join(root, file)));
  const platform = `${process.platform} ${process.arch} ${process.versions.modules}`;
  return { files: hash.digest('hex'), platform };
}

/** True when npm's own record of node_modules holds every package of the lock in the version of the lock. */
function isInstalled(root) {
  const wanted = readJson(join(root, 'package-lock.json'));
  const present = readJson(join(root, 'node_modules', '.package-lock.json'));
  if (wanted === undefined || present === undefined) return false;
  return Object.entries(wanted.packages).every(([path, entry]) => {
    if (!path.startsWith('node_modules/')) return true;
    const found = present.packages[path];
    return found === undefined ? entry.optional === true : found.version === entry.version;
  });
}

function runNpm(root, args) {
  // npm hands its own location to the scripts it runs; the one on PATH may be another.
  const ownNpm = process.env.npm_execpath?.endsWith('.js') ? process.env.npm_execpath : undefined;
  const [command, first] = ownNpm === undefined ? ['npm', []] : [process.execPath, [ownNpm]];
  return spawnSync(command, [...first, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, npm_config_update_notifier: 'false' },
    shell: ownNpm === undefined && process.platform === 'win32',
  });
}

/**
 * True when packages were installed, false when nothing was to do. Throws when npm fails. What a hand-made `npm install`
 * left behind is kept when it is what the lock asks for.
 */
export function ensurePackages({ root, log = () => {} }) {
  const path = join(root, 'node_modules', STAMP);
  const wanted = fingerprint(root);
  const stamp = readStamp(path);
  if (stamp?.files === wanted.files && stamp.platform === wanted.platform) return false;
  const moved = stamp !== undefined && stamp.platform !== wanted.platform;
  const install = moved || !isInstalled(root);
  if (install) installAll(root, log);
  mkdirSync(join(root, 'node_modules'), { recursive: true });
  writeFileSync(path, JSON.stringify(wanted));
  return install;
}

function readStamp(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function installAll(root, log) {
  log('Installing packages (npm ci) ...');
  // No package of ours needs an install script, so none is given the chance to run.
  const args = ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const result = runNpm(root, args);
  if (result.error) throw new Error(`npm could not be run: ${result.error.message}`, { cause: result.error });
  if (result.status !== 0) {
    throw new Error('npm ci failed. If it named the lock file, run: node scripts/fix-lock.mjs');
  }
}
