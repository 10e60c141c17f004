/**
 * The crash matrix: kill -9 of API and worker processes at every named point, seed after seed. CRASH_SEEDS says how many
 * (20 is the short run, 200 the long one), CRASH_SEED which one alone.
 */
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { shardOf } from '../../engine/store.ts';
import { boundOf } from '../../scripts/lib/proof-sizes.mjs';
import { bundlePrograms } from '../support/bundle.ts';
import { SHARDS } from '../support/crash-machine.ts';
import { CRASH_POINT_NAMES } from '../support/crash-points.ts';
import { CRASH_PROGRAMS, type CrashRun, openLane } from '../support/crash-run.ts';
import type { Order } from '../support/crash-verdict.ts';
import { reportProof } from '../support/proof-report.ts';
import { table } from '../support/table.ts';

const SEEDS = Number(process.env['CRASH_SEEDS'] ?? 20);
const ONLY = process.env['CRASH_SEED'];
/** Lanes side by side: most of a run is waiting, for boots and for leases to end. */
const LANES = 4;
const BOUND_MS = boundOf('CRASH_SEEDS', ONLY === undefined ? SEEDS : 1);
/** For the seeds under way when time is up. */
const LAST_SEEDS_MS = 300_000;

let programs: string;
beforeAll(async () => {
  programs = await bundlePrograms(CRASH_PROGRAMS);
}, 60_000);
afterAll(() => rmSync(programs, { recursive: true }));

async function runAll(seeds: readonly number[]): Promise<CrashRun[]> {
  const waiting = [...seeds];
  const runs: CrashRun[] = [];
  const end = performance.now() + BOUND_MS;
  const next = () => (performance.now() < end ? waiting.shift() : undefined);
  const work = async () => {
    const lane = await openLane(programs);
    try {
      for (let seed = next(); seed !== undefined; seed = next()) runs.push(await lane.run(seed));
    } finally {
      await lane.close();
    }
  };
  // Every lane is closed before the first failure is told.
  const ends = await Promise.allSettled(Array.from({ length: Math.min(LANES, seeds.length) }, work));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
  return runs;
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

describe('kill -9 at every named point', () => {
  it(
    'loses no accepted command, doubles no effect, and comes to rest',
    async () => {
      const seeds =
        ONLY === undefined ? Array.from({ length: SEEDS }, (_, index) => index + 1) : [Number(ONLY)];

      const runs = await runAll(seeds);

      const kills = Object.fromEntries(
        CRASH_POINT_NAMES.map((name) => [name, sum(runs.map((run) => run.kills[name] ?? 0))]),
      );
      const done = {
        orders: sum(runs.map(({ orders }) => orders.length)),
        'accepted commands': sum(runs.map(({ accepted }) => accepted)),
        effects: sum(runs.map(({ effects }) => effects)),
        migrations: sum(runs.map(({ migrations }) => migrations)),
      };
      const problems = runs.flatMap((run) => run.problems);
      const slowest = Math.max(...runs.map(({ restMs }) => restMs));
      table('kill -9 at', { ...kills, ...done, 'slowest to rest, ms': Math.round(slowest) });
      const injected = Object.fromEntries(
        CRASH_POINT_NAMES.map((name) => [`kill -9 at ${name}`, kills[name] ?? 0]),
      );
      reportProof({
        suite: 'crash matrix',
        injected,
        done,
        lost: problems.length,
        seeds: seedsInWords(runs.map(({ seed }) => seed).toSorted((a, b) => a - b)),
      });
      expect(problems.slice(0, 20)).toEqual([]);
      for (const name of CRASH_POINT_NAMES) expect([name, kills[name]]).toEqual([name, seeds.length]);
      expect(done.orders).toBeGreaterThanOrEqual(seeds.length * 20);
      expect(done['accepted commands']).toBe(done.orders * 2);
      expect(done.migrations).toBeGreaterThanOrEqual(seeds.length * 5);
    },
    BOUND_MS + LAST_SEEDS_MS,
  );
});

describe('the verdict on a crash run', () => {
  it('names each thing that was lost, doubled, changed or left over', async () => {
    const lane = await openLane(programs);
    try {
      const { orders, problems } = await lane.run(1, ['any moment', 'load']);
      const [doubled, missing, gone, cut, altered, forged] = orders;
      const key = (order: Order | undefined) => `{crash:s${shardOf(order?.id ?? '', SHARDS)}}:i:${order?.id}`;
      const change = async (order: Order | undefined, from: string, to: string) => {
        const body = String(await lane.redis.command('LINDEX', key(order), 0));
        expect(body).toContain(from);
        await lane.redis.command('LSET', key(order), 0, body.replace(from, to));
      };

      appendFileSync(join(lane.ledger, doubled?.name ?? ''), '3\n');
      writeFileSync(join(lane.ledger, missing?.name ?? ''), '1\n2\n3\n4\n5\n');
      await lane.redis.command('DEL', key(gone));
      await lane.redis.command('LTRIM', key(cut), 0, -2);
      await change(altered, '"completed"', '"failed"');
      const first = await lane.redis.command('LINDEX', key(forged), 2);
      await lane.redis.command('LSET', key(forged), 2, String(first).replace('crash-trial', 'crash-tria1'));
      await lane.redis.command('ZADD', '{crash:s0}:timers', 9e12, 'nobody|1-1');

      expect(problems).toEqual([]);
      const judged = await lane.judge(orders);
      const told = (order: Order | undefined) =>
        judged.problems.filter((problem) => problem.startsWith(`${order?.name} `)).join('\n');
      expect(told(doubled)).toMatch(/effect 3 happened twice/);
      expect(told(missing)).toMatch(/effect 6 never happened/);
      expect(told(gone)).toMatch(/was accepted and does not exist/);
      expect(told(cut)).toMatch(/history and snapshot differ, the chain is broken at \d+/);
      expect(told(altered)).toMatch(/ended as failed.*\n.*history and snapshot differ, status/);
      expect(told(forged)).toMatch(/the chain is broken at 0/);
      expect(judged.problems.length).toBeLessThan(12);
      expect(await lane.unrest(200)).toEqual([expect.stringMatching(/timers is not empty/)]);
    } finally {
      await lane.close();
    }
  }, 120_000);
});

function seedsInWords(seeds: readonly number[]): string {
  return seeds.length === 1 ? String(seeds[0]) : `${seeds[0]}..${seeds.at(-1)}`;
}
