/** Turns the sources into `dist`, whole or not at all: built aside and swapped in when everything passed. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';

const CODE_FOLDERS = ['workflows', 'engine', 'workers', 'connectors', 'api', 'emulator', 'shared'];
const SETTINGS = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'];
const STAMP = '.build-stamp';

function filesBelow(root, folder) {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .filter((file) => !file.includes('node_modules') && !file.startsWith(join(root, 'dashboard', 'dist')))
    .map((file) => relative(root, file))
    .sort();
}

/** One hash over everything the build reads, this file included. */
export function sourceHash(root) {
  const hash = createHash('sha256');
  const files = [
    ...SETTINGS,
    ...[...CODE_FOLDERS, 'dashboard'].flatMap((folder) => filesBelow(root, folder)),
  ];
  for (const file of files) {
    if (existsSync(join(root, file)))
      hash
        .update(`${file}\0`)
        .update(readFileSync(join(root, file)))
        .update('\0');
  }
  return hash.update(readFileSync(new URL(import.meta.url))).digest('hex');
}

/** Files the code reads while it runs (Lua, HTML, CSS ...), which tsc does not copy. */
export function assets(root) {
  return CODE_FOLDERS.flatMap((folder) => filesBelow(root, folder)).filter(
    (file) => !/\.(ts|tsx|md)$/.test(file),
  );
}

function runTool(root, args) {
  const result = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.status === 0) return;
  const said = `${result.stdout ?? ''}${result.stderr ?? ''}`.trim() || String(result.error ?? result.signal);
  throw new Error(`The build failed:\n${said}`);
}

function hasDashboard(root) {
  const folder = join(root, 'dashboard');
  return existsSync(folder) && readdirSync(folder).some((file) => file.startsWith('vite.config.'));
}

function buildInto(root, target) {
  // Maps are written aside, so they name the sources by their full path: a relative one would not survive the move.
  const maps = ['--sourceRoot', root];
  runTool(root, [
    'node_modules/typescript/bin/tsc',
    '-p',
    'tsconfig.build.json',
    '--outDir',
    target,
    ...maps,
  ]);
  for (const file of assets(root)) {
    mkdirSync(dirname(join(target, file)), { recursive: true });
    cpSync(join(root, file), join(target, file));
  }
  if (!hasDashboard(root)) return;
  const out = join(target, 'dashboard');
  runTool(root, [
    'node_modules/vite/bin/vite.js',
    'build',
    'dashboard',
    '--outDir',
    out,
    '--emptyOutDir',
    '--logLevel',
    'warn',
  ]);
}

/** True when something was built, false when `dist` was up to date. Throws with the tools' words when it fails. */
export function build({ root, force = false, log = () => {} }) {
  const dist = join(root, 'dist');
  const stamp = join(dist, STAMP);
  const wanted = sourceHash(root);
  if (!force && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return false;
  log('Building ...');
  const aside = join(root, 'node_modules', '.cache', `build-${process.pid}`);
  rmSync(aside, { recursive: true, force: true });
  mkdirSync(aside, { recursive: true });
  try {
    buildInto(root, aside);
    writeFileSync(join(aside, STAMP), wanted);
    rmSync(dist, { recursive: true, force: true });
    renameSync(aside, dist);
  } finally {
    rmSync(aside, { recursive: true, force: true });
  }
  return true;
}
