/**
 * Every checker must be seen to fail. Faults are planted, one after another, in copies of the code or around it; each is
 * caught by the same check that passes without it.
 */
import { rmSync } from 'node:fs';
import { afterAll, describe, it } from '@jest/globals';
import { bundlePrograms, type Patch } from '../support/bundle.ts';
import { expectControl } from '../support/control.ts';
import type { CrashPointName } from '../support/crash-points.ts';
import { CRASH_PROGRAMS, openLane } from '../support/crash-run.ts';
import type { CHECKS, Checked } from '../support/engine-checks.ts';
import { powerCuts } from '../support/power-check.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { secretsInTheOpen } from '../support/secrets-check.ts';
import { parseLine, spawnNode } from '../support/spawn.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

async function bundle(entries: Readonly<Record<string, string>>, patches: readonly Patch[] = []) {
  const folder = await bundlePrograms(entries, patches);
  folders.push(folder);
  return folder;
}

interface Planting {
  readonly patches?: readonly Patch[];
  readonly env?: Readonly<Record<string, string>>;
}

/** One of the small checks, in a process of its own. */
async function check(name: keyof typeof CHECKS, { patches = [], env = {} }: Planting = {}): Promise<Checked> {
  const folder = await bundle({ checks: 'test/support/engine-checks-program.ts' }, patches);
  const server = await startRedisServer({ aof: 'always' });
  try {
    const program = await spawnNode(`${folder}/checks.mjs`, {
      env: { REDIS_URL: server.url, CHECK: name, ...env },
      ready: (line) => line.includes('"msg":"checked"'),
      within: 60_000,
    });
    return program.lines.map(parseLine).find((line) => line?.['msg'] === 'checked') as unknown as Checked;
  } finally {
    await server.stop();
  }
}

/** A run of the crash matrix at some of its points. */
async function crash(
  points: readonly CrashPointName[],
  { patches = [], env = {} }: Planting = {},
): Promise<Checked> {
  const lane = await openLane(await bundle(CRASH_PROGRAMS, patches), env);
  try {
    const { problems, kills, effects } = await lane.run(1, points);
    return { problems, injected: Object.keys(kills).length, done: effects };
  } finally {
    await lane.close();
  }
}

const COMMIT = 'engine/redis/scripts/commit.lua';

describe('a planted fault is caught:', () => {
  it('no commit id', async () => {
    const patch = { file: COMMIT, find: 'known == counter', replace: 'false' };

    const sound = await check('lostReplies');
    const planted = await check('lostReplies', { patches: [patch] });

    expectControl('no commit id', sound, planted, /done and refused|called duplicate/);
  }, 120_000);

  it('no revision check', async () => {
    const patch = {
      file: COMMIT,
      find: 'if math.max(length - 2, 0) ~= expected then',
      replace: 'if expected == 0 and length > 0 then',
    };

    const sound = await check('racingSignals');
    const planted = await check('racingSignals', { patches: [patch] });

    expectControl('no revision check', sound, planted, /signals were called applied, \d+ count/);
  }, 120_000);

  it('enqueue before commit', async () => {
    const points = ['before commit', 'timer fire', 'before enqueue'] as const;

    const sound = await crash(points);
    const planted = await crash(points, { env: { ENQUEUE_FIRST: '1' } });

    expectControl('enqueue before commit', sound, planted, /store damage mended/);
  }, 180_000);

  it('no verify before a retried effect', async () => {
    const points = ['after side effect', 'result commit', 'any moment'] as const;
    const patch = {
      file: 'engine/attempt.ts',
      find: 'if (activity.unverified && ',
      replace: 'if (false && ',
    };

    const sound = await crash(points);
    const planted = await crash(points, { patches: [patch] });

    expectControl('no verify before a retried effect', sound, planted, /effect \d happened twice/);
  }, 180_000);

  it('a migration told and not made', async () => {
    const points = ['between two migrations', 'any moment'] as const;
    const patch = {
      file: 'engine/migrations.ts',
      find: 'if (moves) await engine.handle(instanceId, envelope);',
      replace: 'if (moves) await engine.preview(instanceId, envelope);',
    };

    const sound = await crash(points);
    const planted = await crash(points, { patches: [patch] });

    expectControl('a migration told and not made', sound, planted, /migrations are in histories, \d+ to/);
  }, 180_000);

  it('everysec under a power cut', async () => {
    const sound = await powerCuts('always');
    const planted = await powerCuts('everysec');

    expectControl('everysec under a power cut', sound, planted, /accepted and gone/);
  }, 120_000);

  it('an empty or older store taken as it is', async () => {
    const patch = {
      file: 'engine/redis/boot.ts',
      find: 'doubtOf(found, remembered)',
      replace: 'doubtOf(found, [])',
    };

    const sound = await check('rewoundStores');
    const planted = await check('rewoundStores', { patches: [patch] });

    const plant = 'an empty or older store taken as it is';
    expectControl(plant, sound, planted, /an older store: accepted\nan empty store: accepted/);
  }, 120_000);

  it('a worker’s clock for timers', async () => {
    const sound = await check('earlyTimers');
    const planted = await check('earlyTimers', { env: { WORKER_CLOCK: '1' } });

    expectControl('a worker’s clock for timers', sound, planted, /fired an hour early/);
  }, 120_000);

  it('a secret logged', async () => {
    // In the text of a message: a field of that name would be masked by the logger.
    const seal = 'context.seal(ADMIN_PASSWORD, JSON.stringify(signIn));';
    const patch = {
      file: 'workers/activities/create-customer.ts',
      find: seal,
      replace: `${seal} context.log.info('signed in with ' + signIn.password);`,
    };

    const sound = await secretsInTheOpen();
    const planted = await secretsInTheOpen([patch]);

    expectControl('a secret logged', sound, planted, /administrator's password is in the worker's log/);
  }, 180_000);
});
