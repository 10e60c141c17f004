/**
 * Keeps package-lock.json installable everywhere. A registry mirror that lacks the binaries of other platforms lets
 * `npm install` write a lock without them, and `npm ci` then refuses that lock on every machine.
 */

const OS_NAMES = {
  android: 'android',
  darwin: 'darwin',
  freebsd: 'freebsd',
  linux: 'linux',
  openharmony: 'openharmony',
  sunos: 'sunos',
  win32: 'win32',
};
const CPU_NAMES = {
  arm: 'arm',
  arm64: 'arm64',
  ia32: 'ia32',
  loong64: 'loong64',
  ppc64: 'ppc64',
  riscv64: 'riscv64',
  s390x: 's390x',
  wasm32: 'wasm32',
  x64: 'x64',
};
const EXACT_VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;
const HOME_HOST = 'registry.npmjs.org';

/** Where Node finds `name` from `folder` in the lock, nearest first. */
function resolveInLock(packages, folder, name) {
  let here = folder;
  for (;;) {
    const path = `${here === '' ? '' : `${here}/`}node_modules/${name}`;
    if (packages[path] !== undefined) return { path, entry: packages[path] };
    if (here === '') return undefined;
    const cut = here.lastIndexOf('node_modules/');
    here = cut <= 0 ? '' : here.slice(0, cut - 1);
  }
}

/** Optional dependencies without an entry: what `npm ci` stops at with EUSAGE. */
export function findLockGaps(lock) {
  const gaps = [];
  for (const [folder, entry] of Object.entries(lock.packages)) {
    for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
      const found = resolveInLock(lock.packages, folder, name);
      const fits = found !== undefined && (!EXACT_VERSION.test(range) || found.entry.version === range);
      if (!fits) gaps.push({ folder, name, range, dev: entry.dev === true, taken: found?.path });
    }
  }
  return gaps;
}

/** Entries that name a download address outside the public registry. */
export function findForeignAddresses(lock) {
  return Object.entries(lock.packages)
    .filter(([, entry]) => entry.resolved !== undefined && entry.link !== true)
    .filter(([, entry]) => !URL.canParse(entry.resolved) || new URL(entry.resolved).hostname !== HOME_HOST)
    .map(([path, entry]) => ({ path, resolved: entry.resolved }));
}

/** The platform a binary package is for, read from its name: `core-linux-arm64-musl` → linux, arm64, musl. */
export function platformFromName(name) {
  const words = name.toLowerCase().split(/[/@_-]/);
  const os = words.map((word) => OS_NAMES[word]).find((word) => word !== undefined);
  const cpu = words.map((word) => CPU_NAMES[word]).findLast((word) => word !== undefined);
  const last = words.at(-1) ?? '';
  const libc = last.startsWith('musl') ? 'musl' : last.startsWith('gnu') ? 'glibc' : undefined;
  return {
    ...(os === undefined ? {} : { os: [os] }),
    ...(cpu === undefined ? {} : { cpu: [cpu] }),
    ...(os === 'linux' && libc !== undefined ? { libc: [libc] } : {}),
  };
}

function entryFor(gap) {
  const platform = platformFromName(gap.name);
  if (!EXACT_VERSION.test(gap.range) || platform.cpu === undefined) {
    throw new Error(
      `package-lock.json lacks ${gap.name}@${gap.range} (of ${gap.folder}): install it from a full registry.`,
    );
  }
  return {
    version: gap.range,
    cpu: platform.cpu,
    ...(gap.dev ? { dev: true } : {}),
    optional: true,
    ...platform,
  };
}

/** A lock without gaps and without foreign addresses. The given one is left as it is. */
export function fixLock(lock) {
  const packages = { ...lock.packages };
  const added = [];
  for (const gap of findLockGaps(lock)) {
    const path =
      gap.taken === undefined ? `node_modules/${gap.name}` : `${gap.folder}/node_modules/${gap.name}`;
    packages[path] = entryFor(gap);
    added.push(path);
  }
  const foreign = new Set(findForeignAddresses(lock).map((found) => found.path));
  for (const path of foreign) {
    const { resolved: _resolved, ...rest } = packages[path];
    packages[path] = rest;
  }
  const sorted = Object.keys(packages).sort((a, b) => a.localeCompare(b, 'en'));
  return {
    lock: { ...lock, packages: Object.fromEntries(sorted.map((path) => [path, packages[path]])) },
    added,
    stripped: [...foreign],
  };
}
