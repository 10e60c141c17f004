import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import {
  findForeignAddresses,
  findLockGaps,
  fixLock,
  type LockFile,
  platformFromName,
} from '../../scripts/lib/lock-file.mjs';

const lock = JSON.parse(
  readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'),
) as LockFile;

describe('package-lock.json', () => {
  it('has an entry for each optional dependency, so that npm ci takes it on every platform', () => {
    expect(findLockGaps(lock)).toEqual([]);
  });

  it('names no download address outside the public registry', () => {
    expect(findForeignAddresses(lock)).toEqual([]);
  });
});

describe('mending a lock', () => {
  const broken: LockFile = {
    packages: {
      '': {},
      'node_modules/tool': {
        version: '1.2.3',
        dev: true,
        resolved: 'https://mirror.example/tool.tgz',
        optionalDependencies: {
          '@tool/linux-x64': '1.2.3',
          '@tool/darwin-arm64': '1.2.3',
          'shared-arm64': '2.0.0',
        },
      },
      'node_modules/@tool/linux-x64': { version: '1.2.3' },
      'node_modules/shared-arm64': { version: '1.0.0' },
    },
  };

  it('adds what is missing, beside another version where one is taken, and strips foreign addresses', () => {
    const mended = fixLock(broken);

    expect(mended.added).toEqual([
      'node_modules/@tool/darwin-arm64',
      'node_modules/tool/node_modules/shared-arm64',
    ]);
    expect(mended.lock.packages['node_modules/@tool/darwin-arm64']).toEqual({
      version: '1.2.3',
      dev: true,
      optional: true,
      os: ['darwin'],
      cpu: ['arm64'],
    });
    expect(mended.lock.packages['node_modules/tool']?.resolved).toBeUndefined();
    expect(findLockGaps(mended.lock)).toEqual([]);
  });

  it('changes nothing the second time', () => {
    const once = fixLock(broken).lock;

    expect(fixLock(once)).toEqual({ lock: once, added: [], stripped: [] });
  });

  it('does not invent a version for a range', () => {
    const ranged: LockFile = { packages: { '': { optionalDependencies: { fsevents: '^2.3.3' } } } };

    expect(() => fixLock(ranged)).toThrow('fsevents@^2.3.3');
  });

  it.each([
    ['@swc/core-linux-arm64-musl', { os: ['linux'], cpu: ['arm64'], libc: ['musl'] }],
    ['@swc/core-linux-arm-gnueabihf', { os: ['linux'], cpu: ['arm'], libc: ['glibc'] }],
    ['@swc/core-win32-ia32-msvc', { os: ['win32'], cpu: ['ia32'] }],
    ['@rolldown/binding-wasm32-wasi', { cpu: ['wasm32'] }],
    ['@biomejs/cli-darwin-x64', { os: ['darwin'], cpu: ['x64'] }],
  ])('reads the platform of %s from its name', (name, platform) => {
    expect(platformFromName(name)).toEqual(platform);
  });
});
