/** Finds a Redis or Valkey server program on this machine, or fetches a private copy of one. */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { canFetchByApt, fetchByApt, libraryEnvironment } from './redis-apt.mjs';

/** Below this BullMQ warns and commands that the engine uses are missing. */
export const MINIMUM_VERSION = [6, 2];
const PROGRAMS = ['valkey-server', 'redis-server'];
const PREFIXES = ['/opt/homebrew/bin', '/usr/local/bin', '/home/linuxbrew/.linuxbrew/bin', '/opt/local/bin'];

/** `~/.cache/csp-onboarding/redis`, or where the platform and XDG_CACHE_HOME put it. */
export function cacheDir(env = process.env) {
  const root = env.XDG_CACHE_HOME || join(homedir(), '.cache');
  return join(root, 'csp-onboarding', 'redis');
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** `7.0.15` of a server program, or undefined when it does not run here. */
export function versionOf(command, env = {}) {
  try {
    const text = execFileSync(command, ['--version'], {
      env: { ...process.env, ...env },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 10_000,
    });
    return /v=(\d+\.\d+\.\d+)/.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

export function isRecentEnough(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantedMajor, wantedMinor] = MINIMUM_VERSION;
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/** The private copy of an earlier fetch, or undefined. */
function cachedCopy(dir) {
  const manifest = join(dir, 'manifest.json');
  if (!existsSync(manifest)) return undefined;
  try {
    const { command, libraryPath } = JSON.parse(readFileSync(manifest, 'utf8'));
    return { command: join(dir, command), env: libraryEnvironment(dir, libraryPath) };
  } catch {
    return undefined;
  }
}

function* candidates(env) {
  if (env.REDIS_BIN) yield { command: env.REDIS_BIN, env: {}, source: 'REDIS_BIN' };
  const path = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const program of PROGRAMS) {
    for (const folder of path) yield { command: join(folder, program), env: {}, source: 'this machine' };
  }
  for (const program of PROGRAMS) {
    for (const folder of PREFIXES) yield { command: join(folder, program), env: {}, source: 'this machine' };
  }
  const cached = cachedCopy(cacheDir(env));
  if (cached !== undefined) yield { ...cached, source: 'private copy' };
}

/** The first program that runs and is recent enough, with what was refused on the way. */
function firstUsable(env) {
  const refused = [];
  for (const candidate of candidates(env)) {
    if (!isProgram(candidate.command)) {
      if (candidate.source === 'REDIS_BIN') refused.push(`REDIS_BIN=${candidate.command} is not a program`);
      continue;
    }
    const version = versionOf(candidate.command, candidate.env);
    if (version !== undefined && isRecentEnough(version))
      return { found: { ...candidate, version }, refused };
    refused.push(`${candidate.command} ${version === undefined ? 'does not run' : `is version ${version}`}`);
  }
  return { found: undefined, refused };
}

/** The command that installs a server on this platform, for people to copy. */
export function installCommand(platform = process.platform, exists = existsSync) {
  if (platform === 'darwin') return 'brew install valkey';
  if (platform === 'win32') return 'wsl --install   (then run this project inside WSL2)';
  if (exists('/usr/bin/apt-get')) return 'sudo apt-get install redis-server';
  if (exists('/usr/bin/dnf')) return 'sudo dnf install valkey';
  if (exists('/sbin/apk')) return 'sudo apk add valkey';
  if (exists('/usr/bin/pacman')) return 'sudo pacman -S valkey';
  if (exists('/usr/bin/zypper')) return 'sudo zypper install valkey';
  return 'install valkey or redis with your package manager';
}

function problemText(refused, fetchError) {
  const lines = [
    `No Redis or Valkey server of version ${MINIMUM_VERSION.join('.')} or newer was found.`,
    ...refused.map((text) => `  - ${text}`),
    ...(fetchError === undefined ? [] : [`  - fetching a private copy failed: ${fetchError.message}`]),
    'Do one of these, then run the same command again:',
    `  1. ${installCommand()}`,
    '  2. REDIS_BIN=/path/to/redis-server   to name a program',
    '  3. REDIS_URL=redis://host:6379       to use a running server (append-only file on, noeviction)',
  ];
  return lines.join('\n');
}

/**
 * A server program: `{ command, env, version, source }`, `env` to be added to the child's environment.
 * Order: REDIS_BIN, PATH, usual prefixes, private copy, apt without root. WF_REDIS_FETCH=0 forbids the fetch.
 * Throws with a text that says what to do when there is none.
 */
export async function findRedisBinary({ env = process.env, log = () => {} } = {}) {
  const { found, refused } = firstUsable(env);
  if (found !== undefined) return found;
  if (env.WF_REDIS_FETCH === '0')
    throw new Error(problemText([...refused, 'WF_REDIS_FETCH=0 forbids fetching one'], undefined));
  if (!canFetchByApt()) throw new Error(problemText(refused, undefined));
  log('No Redis on this machine: fetching a private copy with apt (no root, about 12 MB) ...');
  try {
    const fetched = await fetchByApt({
      dir: cacheDir(env),
      log,
      isUsable: (version) => isRecentEnough(version),
      versionOf,
    });
    return { ...fetched, source: 'private copy' };
  } catch (error) {
    throw new Error(problemText(refused, error), { cause: error });
  }
}
