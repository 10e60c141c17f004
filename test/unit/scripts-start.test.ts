import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { countTests } from '../../scripts/lib/jest-run.mjs';
import { apiKeyEntry, localPorts, localSecrets } from '../../scripts/lib/local-settings.mjs';
import { nodeProblem } from '../../scripts/lib/node-version.mjs';
import { ensurePackages } from '../../scripts/lib/packages.mjs';
import { readableLine } from '../../scripts/lib/readable-log.mjs';
import { chooseSuites } from '../../scripts/lib/suites.mjs';
import { type Supervised, supervise } from '../../scripts/lib/supervisor.mjs';
import { eventually } from '../support/eventually.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'start-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('the version of Node', () => {
  it.each(['v20.19.0', 'v22.1.0', 'v100.0.0'])('%s is taken', (version) => {
    expect(nodeProblem(version)).toBeUndefined();
  });

  it.each(['v20.18.3', 'v18.20.4'])('%s is refused with what to do', (version) => {
    expect(nodeProblem(version)).toMatch(/needs Node 20\.19 or newer; this is v.*nvm install/s);
  });
});

describe('the packages', () => {
  const write = (path: string, value: unknown) => {
    mkdirSync(join(dir, path, '..'), { recursive: true });
    writeFileSync(join(dir, path), JSON.stringify(value));
  };

  it('are left alone when npm has installed what the lock asks for, optional ones of other platforms aside', () => {
    const packages = { '': {}, 'node_modules/a': { version: '1.0.0' } };
    write('package.json', {});
    write('package-lock.json', {
      packages: { ...packages, 'node_modules/b': { version: '1.0.0', optional: true } },
    });
    write('node_modules/.package-lock.json', { packages });

    expect(ensurePackages({ root: dir })).toBe(false);
    expect(statSync(join(dir, 'node_modules/.install-stamp')).isFile()).toBe(true);
  });

  it('are installed once when there are none, and again when the lock changes', () => {
    const lock = { name: 'x', lockfileVersion: 3, requires: true, packages: { '': { name: 'x' } } };
    write('package.json', { name: 'x' });
    write('package-lock.json', lock);
    write('other/package.json', { name: 'other', version: '1.0.0' });

    expect(ensurePackages({ root: dir })).toBe(true);
    expect(ensurePackages({ root: dir })).toBe(false);

    write('package.json', { name: 'x', dependencies: { other: 'file:other' } });
    const linked = {
      'node_modules/other': { resolved: 'other', link: true },
      other: { name: 'other', version: '1.0.0' },
    };
    write('package-lock.json', {
      ...lock,
      packages: { '': { name: 'x', dependencies: { other: 'file:other' } }, ...linked },
    });

    expect(ensurePackages({ root: dir })).toBe(true);
    expect(JSON.parse(readFileSync(join(dir, 'node_modules/other/package.json'), 'utf8'))).toMatchObject({
      name: 'other',
    });
  });
});

describe('the local settings', () => {
  it('are made once and readable by their owner only', () => {
    const secrets = localSecrets(dir);

    expect(localSecrets(dir)).toEqual(secrets);
    expect(Buffer.from(secrets.secretKey, 'base64')).toHaveLength(32);
    expect(statSync(join(dir, 'secrets.json')).mode & 0o777).toBe(0o600);
    expect(apiKeyEntry('local', 'admin', secrets.apiKey)).toMatch(/^local:admin:[0-9a-f]{64}$/);
  });

  it('keep a port while it is free and take another when it is not', async () => {
    const first = await localPorts(dir, { api: 0, emulator: 0 });
    const second = await localPorts(dir, { api: 0, emulator: 0 });
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(first.api, '127.0.0.1', resolve));
    const third = await localPorts(dir, { api: 0, emulator: 0 });
    await new Promise((resolve) => taken.close(resolve));

    expect(second).toEqual(first);
    expect(third.api).not.toBe(first.api);
    expect(third.emulator).toBe(first.emulator);
  });

  it('never give one port to two', async () => {
    const { api, emulator } = await localPorts(dir, { api: 0, emulator: 0 });
    const both = await localPorts(join(dir), { emulator: api, api: emulator });

    expect(both.api).not.toBe(both.emulator);
  });
});

describe('a supervised program', () => {
  let child: Supervised | undefined;
  const said: string[] = [];
  afterEach(async () => {
    await child?.stop({ force: true });
    said.length = 0;
  });
  const logFile = () => join(dir, 'logs', 'x.log');
  function run(source: string, more: { readyWithinMs?: number; stopWithinMs?: number } = {}) {
    const file = join(dir, 'x.mjs');
    writeFileSync(file, source);
    const say = (text: string) => void said.push(text);
    child = supervise({
      name: 'x',
      file,
      cwd: dir,
      env: { PATH: process.env['PATH'] },
      logFile: logFile(),
      say,
      ...more,
    });
    return child;
  }
  const READY =
    "console.log(JSON.stringify({ level: 30, msg: 'ready', url: 'u' })); setInterval(() => {}, 1000);";

  it('is started again after kill -9', async () => {
    const program = run(READY);
    await expect(program.start()).resolves.toMatchObject({ url: 'u' });
    const first = program.pid();

    process.kill(first ?? 0, 'SIGKILL');

    await eventually(() => expect(said).toEqual(['x ended (SIGKILL); starting it again', 'x is back']));
    expect(program.pid()).not.toBe(first);
  });

  it('stops on SIGTERM and stays stopped', async () => {
    const program = run(READY);
    await program.start();

    await expect(program.stop()).resolves.toBe('stopped');
    await expect(program.stop()).resolves.toBe('gone');
    expect(said).toEqual([]);
  });

  it('is killed when it does not stop within its deadline', async () => {
    const program = run(`process.on('SIGTERM', () => {}); ${READY}`, { stopWithinMs: 100 });
    await program.start();

    await expect(program.stop()).resolves.toBe('killed');
  });

  it('that ends before it is ready is reported with its last words and not started again', async () => {
    const program = run("console.error('REDIS_URL is required'); process.exit(3);");

    await expect(program.start()).rejects.toThrow(/x ended at once \(exit code 3\).*REDIS_URL is required/s);
    expect(said).toEqual([]);
  });

  it('that says nothing is given up', async () => {
    const program = run('setInterval(() => {}, 1000);', { readyWithinMs: 300 });

    await expect(program.start()).rejects.toThrow('x did not become ready within 0.3 s');
  });

  it('writes a log for people to a file, not to the console', async () => {
    await run(READY).start();

    await eventually(() =>
      expect(readFileSync(logFile(), 'utf8')).toMatch(/^\d\d:\d\d:\d\d\.\d{3} INFO {2}x {8}ready url=u\n/),
    );
  });
});

describe('a readable log line', () => {
  it('shows time, level, word and fields, and the stack of an error on lines of its own', () => {
    const entry = {
      level: 50,
      time: '2026-01-02T03:04:05.678Z',
      name: 'w',
      pid: 1,
      msg: 'bad',
      id: 'a b',
      err: { stack: 'E\n at x' },
    };

    expect(readableLine('worker', JSON.stringify(entry))).toBe(
      '03:04:05.678 ERROR worker   bad id="a b" \n    E\n     at x',
    );
  });

  it('passes on what is not JSON', () => {
    expect(readableLine('api', 'plain', new Date(0))).toBe('00:00:00.000       api      plain');
  });
});

describe('the choice of suites', () => {
  it('runs the short ones and says what was left out and why', () => {
    const { suites, rest, skipped } = chooseSuites(['-t', 'consent'], undefined);

    expect(suites).toEqual(['unit', 'contract', 'integration']);
    expect(rest).toEqual(['-t', 'consent']);
    expect(skipped.join()).toMatch(/faults \(npm run proof -- --short\).*long.*e2e \(no Chromium/);
  });

  it('runs all with --all, e2e where there is a browser', () => {
    expect(chooseSuites(['--all'], '/usr/bin/chromium')).toEqual({
      suites: ['unit', 'contract', 'integration', 'faults', 'long', 'e2e'],
      rest: [],
      skipped: [],
    });
  });

  it('leaves the choice to a caller who makes one', () => {
    expect(chooseSuites(['--selectProjects', 'unit'], undefined).suites).toEqual([]);
  });

  it('counts a suite that could not run as a failure', () => {
    const report = {
      numPassedTests: 5,
      numFailedTests: 0,
      numRuntimeErrorTestSuites: 1,
      numPendingTests: 2,
      numTodoTests: 0,
    };

    expect(countTests(report)).toEqual({ passed: 5, failed: 1, skipped: 2 });
  });
});
