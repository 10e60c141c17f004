/**
 * A Redis or Valkey from the distribution's signed packages, without root: apt with its own state, the packages
 * unpacked beside it, and LD_LIBRARY_PATH for the one child that runs it. Nothing of the system is changed.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
/** In the order tried. The program is a link into the tools package, which must come along even where it is installed. */
const PACKAGES = [
  { names: ['valkey-server', 'valkey-tools'], program: 'valkey-server' },
  { names: ['redis-server', 'redis-tools'], program: 'redis-server' },
];
const APT = '/usr/bin/apt-get';
const DPKG = '/usr/bin/dpkg-deb';

export function canFetchByApt() {
  return (
    process.platform === 'linux' && existsSync(APT) && existsSync(DPKG) && existsSync('/var/lib/dpkg/status')
  );
}

function aptOptions(work) {
  const settings = {
    'Dir::State': join(work, 'state'),
    'Dir::State::lists': join(work, 'state', 'lists'),
    // The host's own list of installed packages, so that only missing libraries are fetched.
    'Dir::State::status': '/var/lib/dpkg/status',
    'Dir::Cache': join(work, 'cache'),
    'Debug::NoLocking': '1',
    'APT::Sandbox::User': '',
    'APT::Update::Post-Invoke': '',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '2',
    'Acquire::http::Timeout': '30',
    'Acquire::https::Timeout': '30',
  };
  return Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

/** What the child needs in its environment to find libraries in these folders. An empty path would mean its work folder. */
export function libraryEnvironment(dir, libraryPath) {
  if (libraryPath.length === 0) return {};
  return { LD_LIBRARY_PATH: libraryPath.map((path) => join(dir, path)).join(':') };
}

/** Folders below `root` that hold shared libraries, relative to it. */
function libraryFolders(root) {
  const folders = new Set();
  for (const entry of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (/\.so(\.|$)/.test(entry.name)) folders.add(entry.parentPath ?? entry.path);
  }
  return [...folders].map((folder) => folder.slice(root.length + 1));
}

function findProgram(root, program) {
  return ['usr/bin', 'usr/sbin', 'bin']
    .map((folder) => `${folder}/${program}`)
    .find((path) => existsSync(join(root, path)));
}

/** Downloads the packages with the libraries this machine lacks and unpacks all to `root`. */
async function unpackPackages(work, names, root) {
  const options = aptOptions(work);
  const archives = join(work, 'cache', 'archives');
  rmSync(archives, { recursive: true, force: true });
  mkdirSync(join(archives, 'partial'), { recursive: true });
  await run(
    APT,
    [...options, '--yes', '--no-install-recommends', '--download-only', '--reinstall', 'install', ...names],
    {
      timeout: 180_000,
      maxBuffer: 16 * 1024 * 1024,
    },
  );
  const files = readdirSync(archives).filter((file) => file.endsWith('.deb'));
  if (files.length === 0) throw new Error(`apt fetched nothing for ${names[0]}`);
  for (const file of files) await run(DPKG, ['-x', join(archives, file), root]);
  return files;
}

async function tryPackages(work, { names, program }, { isUsable, versionOf }) {
  const root = join(work, 'root');
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  const packages = await unpackPackages(work, names, root);
  const command = findProgram(root, program);
  if (command === undefined) throw new Error(`${names[0]} holds no ${program}`);
  const libraryPath = libraryFolders(root);
  const version = versionOf(join(root, command), libraryEnvironment(root, libraryPath));
  if (version === undefined) throw new Error(`${names[0]} does not run on this machine`);
  if (!isUsable(version)) throw new Error(`${names[0]} is version ${version}`);
  return { command, libraryPath, version, packages };
}

/**
 * Fetches into `dir` and returns `{ command, env, version }`. Two callers at once do not disturb each other: each works
 * in its own folder and the last rename wins.
 */
export async function fetchByApt({ dir, log, isUsable, versionOf }) {
  mkdirSync(dirname(dir), { recursive: true, mode: 0o700 });
  const work = mkdtempSync(`${dir}-`);
  try {
    for (const folder of ['state/lists/partial', 'cache/archives/partial'])
      mkdirSync(join(work, folder), { recursive: true });
    await run(APT, [...aptOptions(work), 'update'], { timeout: 180_000, maxBuffer: 16 * 1024 * 1024 });
    const refusals = [];
    for (const candidate of PACKAGES) {
      try {
        const found = await tryPackages(work, candidate, { isUsable, versionOf });
        const root = join(work, 'root');
        const manifest = { ...found, fetchedAt: new Date().toISOString() };
        writeFileSync(join(root, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
        rmSync(dir, { recursive: true, force: true });
        renameSync(root, dir);
        log(`Redis ${found.version} fetched to ${dir}`);
        const env = libraryEnvironment(dir, found.libraryPath);
        return { command: join(dir, found.command), env, version: found.version };
      } catch (error) {
        refusals.push(
          String(error.stderr || error.message)
            .trim()
            .split('\n')
            .at(-1),
        );
      }
    }
    throw new Error(refusals.join('; '));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
