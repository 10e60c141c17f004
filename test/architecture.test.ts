/** The house rules of docs/ARCHITECTURE.md as data: who may import whom, what the engine may not touch, file form. */
import { basename } from 'node:path/posix';
import { describe, expect, it } from '@jest/globals';
import { codeOnly, importsOf, readSources, type SourceFile } from './support/source-files.ts';

const CODE = ['workflows', 'engine', 'workers', 'connectors', 'api', 'dashboard', 'emulator', 'shared'];

interface FolderLaw {
  /** Our own folders; `'engine/definition.ts'` allows that file only. */
  readonly ours: readonly string[];
  /** Packages; `'*'` allows all but the guarded ones. */
  readonly packages: readonly string[];
}

const LAWS: Readonly<Record<string, FolderLaw>> = {
  shared: { ours: [], packages: ['*'] },
  engine: { ours: ['shared'], packages: ['xstate', 'zod', 'devalue', 'node:'] },
  workflows: {
    ours: ['engine/definition.ts', 'engine/activity.ts', 'shared'],
    packages: ['xstate', 'zod'],
  },
  connectors: { ours: ['shared'], packages: ['*'] },
  workers: { ours: ['engine', 'workflows', 'connectors', 'shared'], packages: ['*'] },
  api: { ours: ['engine', 'workflows', 'shared'], packages: ['*'] },
  dashboard: { ours: [], packages: ['*'] },
  emulator: { ours: [], packages: ['*'] },
};

/** Packages that one place only may import. */
const GUARDED: Readonly<Record<string, readonly string[]>> = {
  bullmq: ['workers/'],
  ioredis: ['engine/redis/', 'shared/redis.ts', 'workers/'],
  express: ['api/', 'emulator/'],
};

/** Of `shared`, a workflow may take types, but no I/O. */
const SHARED_FOR_WORKFLOWS = ['shared/errors.ts'];

/** What makes a function of the engine depend on more than its arguments. */
const IMPURE =
  /\bDate\.now\b|\bMath\.random\b|\bset(?:Timeout|Interval|Immediate)\b(?!\s*:)|\bglobalThis\b|\bnew Date\(\s*\)|\bperformance\.now\b|\bprocess\.(?:env|hrtime)\b|\brandomUUID\b|\brandomBytes\b|\bfetch\(/;

/** Files of the engine that may use one of them, each with its reason. */
const IMPURE_ALLOWED: Readonly<Record<string, string>> = {};

const LONGEST_FILE = 500;
/** A statechart is one thing to read from top to bottom, most of it the sentences and buttons of its states. */
const LONGEST_STATECHART = 950;

const sources = readSources(CODE);
const own = (folder: string) => sources.filter((file) => file.path.startsWith(`${folder}/`));
const topOf = (path: string) => path.split('/')[0] ?? '';

/** A relative specifier as a path from the root. */
function resolveFrom(path: string, specifier: string): string {
  const parts = path.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

function matches(name: string, allowed: readonly string[]): boolean {
  return allowed.some((entry) => name === entry || (entry.endsWith('/') && name.startsWith(entry)));
}

function packageProblem(file: SourceFile, specifier: string): string | undefined {
  const law = LAWS[topOf(file.path)];
  const builtIn = specifier.startsWith('node:');
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  const guards = GUARDED[name];
  if (guards !== undefined) {
    return matches(file.path, guards) ? undefined : `only ${guards.join(', ')} may import ${name}`;
  }
  const listed = law?.packages.some(
    (entry) => entry === '*' || entry === name || (entry === 'node:' && builtIn),
  );
  return listed ? undefined : `${topOf(file.path)} may not import ${name}`;
}

function ownProblem(file: SourceFile, specifier: string): string | undefined {
  const target = resolveFrom(file.path, specifier);
  const [from, to] = [topOf(file.path), topOf(target)];
  if (from === to) return undefined;
  const allowed = LAWS[from]?.ours.some((entry) => entry === to || entry === target);
  if (!allowed) return `${from} may not import ${target}`;
  if (from === 'workflows' && to === 'shared' && !SHARED_FOR_WORKFLOWS.includes(target)) {
    return `workflows may not import ${target}: it could do I/O`;
  }
  return undefined;
}

function importProblems(file: SourceFile): string[] {
  return importsOf(file.text).flatMap(({ specifier, line, typeOnly }) => {
    const relative = specifier.startsWith('.');
    // A type vanishes at run time, so workflows may take any type of shared.
    const harmless = typeOnly && topOf(file.path) === 'workflows' && /^(\.\.\/)+shared\//.test(specifier);
    const problem = harmless
      ? undefined
      : relative
        ? ownProblem(file, specifier)
        : packageProblem(file, specifier);
    return problem === undefined ? [] : [`${file.path}:${line} ${problem}`];
  });
}

function impureLines(file: SourceFile): string[] {
  return codeOnly(file.text)
    .split('\n')
    .flatMap((line, index) => {
      const found = IMPURE.exec(line)?.[0];
      return found === undefined ? [] : [`${file.path}:${index + 1} ${found}`];
    });
}

function formProblems(file: SourceFile): string[] {
  const name = basename(file.path);
  const lines = file.text.split('\n').length - 1;
  const longest =
    file.path.startsWith('workflows/') && file.text.includes('.createMachine(')
      ? LONGEST_STATECHART
      : LONGEST_FILE;
  const isConfig = /\.config\.ts$/.test(name);
  return [
    ...(/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9-]+)*\.tsx?$/.test(name)
      ? []
      : [`${file.path} is not in kebab-case`]),
    ...(lines > longest ? [`${file.path} has ${lines} lines; ${longest} are the limit`] : []),
    ...(!isConfig && /\bexport\s+default\b/.test(codeOnly(file.text))
      ? [`${file.path} has a default export`]
      : []),
    ...(!isConfig && /\bas\s+default\b/.test(codeOnly(file.text))
      ? [`${file.path} has a default export`]
      : []),
  ];
}

describe('the folders', () => {
  it.each(Object.keys(LAWS))('%s imports only what the table allows', (folder) => {
    expect(own(folder).flatMap(importProblems)).toEqual([]);
  });

  it('each folder of code has a law', () => {
    expect(Object.keys(LAWS).sort()).toEqual([...CODE].sort());
  });

  it('no cycle of folders is possible under the table', () => {
    const reach = (folder: string, seen: readonly string[]): boolean =>
      (LAWS[folder]?.ours ?? [])
        .map(topOf)
        .some((next) => seen.includes(next) || reach(next, [...seen, next]));

    expect(Object.keys(LAWS).filter((folder) => reach(folder, [folder]))).toEqual([]);
  });
});

describe('the engine', () => {
  it('is given time, chance and the environment outside engine/redis', () => {
    const files = own('engine').filter((file) => !file.path.startsWith('engine/redis/'));
    const lines = files.filter((file) => IMPURE_ALLOWED[file.path] === undefined).flatMap(impureLines);

    expect(lines).toEqual([]);
  });

  it('holds no exception to that which it no longer needs', () => {
    const impure = own('engine').filter((file) => impureLines(file).length > 0);
    const stale = Object.keys(IMPURE_ALLOWED).filter((path) => !impure.some((file) => file.path === path));

    expect(stale).toEqual([]);
  });
});

describe('the workflows', () => {
  it('do nothing but describe: no time, chance, network or environment', () => {
    expect(own('workflows').flatMap(impureLines)).toEqual([]);
  });
});

describe('every file', () => {
  it('is named in kebab-case, short enough and exports by name', () => {
    expect(sources.flatMap(formProblems)).toEqual([]);
  });
});

describe('these rules', () => {
  const at = (path: string, text: string): SourceFile => ({ path, text });

  it.each([
    ['shared/a.ts', "import { x } from '../engine/a.ts';"],
    ['engine/a.ts', "import { Redis } from 'ioredis';"],
    ['engine/a.ts', "export * from '../workers/a.ts';"],
    ['engine/a.ts', "import express from 'express';"],
    ['engine/a.ts', "import { pino } from 'pino';"],
    ['workflows/a.ts', "import { readFile } from 'node:fs/promises';"],
    ['workflows/a.ts', "import { connectRedis } from '../shared/redis.ts';"],
    ['workflows/a.ts', "import { commit } from '../engine/redis/store.ts';"],
    ['connectors/a.ts', "const x = await import('../engine/a.ts');"],
    ['connectors/a/b.ts', "import type { X } from '../../workers/a.ts';"],
    ['workers/a.ts', "import '../api/a.ts';"],
    ['api/a.ts', "import {\n  a,\n  type B,\n} from '../connectors/a.ts';"],
    ['api/a.ts', "import { Queue } from 'bullmq';"],
    ['api/a.ts', "import { Redis } from 'ioredis';"],
    ['emulator/a.ts', "import { AppError } from '../shared/errors.ts';"],
    ['dashboard/src/a.tsx', "import { x } from '../../api/a.ts';"],
    ['workers/a.ts', "import { App } from 'express';"],
  ])('refuse in %s: %s', (path, text) => {
    expect(importProblems(at(path, text))).toHaveLength(1);
  });

  it.each([
    ['engine/redis/a.ts', "import { Redis } from 'ioredis';\nimport { a } from '../a.ts';"],
    ['engine/a.ts', "// import { Redis } from 'ioredis'\nconst a = \"import x from 'bullmq'\";"],
    ['workers/activities/a.ts', "import { b } from '../../connectors/b.ts';\nimport { Job } from 'bullmq';"],
    ['workflows/a.ts', "import { setup } from 'xstate';\nimport type { C } from '../shared/config.ts';"],
  ])('allow in %s: %s', (path, text) => {
    expect(importProblems(at(path, text))).toEqual([]);
  });

  it.each(['Date.now()', 'new Date()', 'Math.random()', 'setTimeout(f, 1)', 'randomUUID()', 'process.env.X'])(
    'see %s in engine code, but not in its comments and strings',
    (code) => {
      expect(impureLines(at('engine/a.ts', `const a = \`x \${${code}} y\`;`))).toHaveLength(1);
      expect(
        impureLines(
          at(
            'engine/a.ts',
            `const clock = { setTimeout: () => 0 };\n// ${code}\n/* ${code} */ const a = '${code}';`,
          ),
        ),
      ).toEqual([]);
    },
  );

  it.each([
    ['engine/myFile.ts', 'export const a = 1;\n'],
    ['engine/a.ts', 'const a = 1;\n'.repeat(LONGEST_FILE + 1)],
    ['engine/a.ts', 'export default function f() {}\n'],
    ['engine/a.ts', 'export { a as default };\n'],
  ])('refuse the form of %s: %p', (path, text) => {
    expect(formProblems(at(path, text))).toHaveLength(1);
  });
});
