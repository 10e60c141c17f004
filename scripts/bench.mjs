#!/usr/bin/env node
/**
 * `npm run bench`: ours beside raw BullMQ on a Redis of its own, every part of `lib/bench-parts.mjs`, each measurement in
 * a process of its own, medians of three rounds in turn. Prints a table with the budgets.
 * `--quick` (small sizes, one round), `--only=throughput,parked`, `--rounds=3`, `--workflows=3000`,
 * `--fsync=everysec,always`, `--json=figures.json`; `node scripts/bench-plot.mjs figures.json docs/benchmarks.svg` draws.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap, fail, ROOT } from './bootstrap.mjs';
import { FULL, PARTS, QUICK } from './lib/bench-parts.mjs';
import { row, tableOf } from './lib/bench-rows.mjs';
import { ensureRedis } from './lib/redis.mjs';
import { redisCommands } from './lib/redis-address.mjs';

const LONGEST_MS = 15 * 60_000;

const flags = Object.fromEntries(
  process.argv.slice(2).map((argument) => {
    const [name, value = ''] = argument.replace(/^--/, '').split('=');
    return [name, value];
  }),
);
const sizes = { ...('quick' in flags ? QUICK : FULL) };
if (flags.workflows) sizes.workflows = Number(flags.workflows);
const rounds = Number(flags.rounds ?? (sizes.quick ? 1 : 3));
const policies = (flags.fsync ?? 'everysec,always').split(',');
const wanted = (flags.only ?? Object.keys(PARTS).join(',')).split(',');

function run(part, options) {
  const args = ['--expose-gc', '--import', './test/support/register-ts.mjs', 'test/bench/run.ts', part];
  const child = spawnSync(process.execPath, [...args, JSON.stringify(options)], {
    ...{ cwd: ROOT, encoding: 'utf8', timeout: LONGEST_MS, killSignal: 'SIGKILL' },
  });
  const line = child.stdout.trim().split('\n').at(-1) ?? '';
  if (child.status !== 0 || line === '') throw new Error(`${part} did not finish:\n${child.stderr}`);
  return JSON.parse(line);
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Every variant once a round, each on an emptied Redis; the median of each figure. */
function measureOn(redis) {
  return async (variants, times = rounds) => {
    const runs = Object.fromEntries(variants.map(([name]) => [name, []]));
    for (let round = 0; round < times; round += 1) {
      for (const [name, part, options] of variants) {
        await redisCommands(redis.url, [['FLUSHALL']], { timeoutMs: 60_000 });
        runs[name].push(run(part, { ...options, redisUrl: redis.url }));
      }
    }
    return Object.fromEntries(
      Object.entries(runs).map(([name, all]) => [
        name,
        Object.fromEntries(Object.keys(all[0]).map((key) => [key, median(all.map((one) => one[key]))])),
      ]),
    );
  };
}

async function runParts(fsync, names) {
  const dataDir = mkdtempSync(join(tmpdir(), 'bench-'));
  const redis = await ensureRedis({ dataDir, fsync, log: () => {} });
  const rows = [];
  try {
    for (const name of names) {
      const began = performance.now();
      rows.push(...(await PARTS[name](measureOn(redis), sizes, fsync)));
      console.log(`${name} (${fsync}): ${Math.round((performance.now() - began) / 1_000)} s`);
    }
    return { redis: redis.version, rows };
  } finally {
    await redis.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

/** The price of syncing every commit, once both policies are measured. */
function priceOfAlways(rows) {
  const rate = (fsync) =>
    rows.find(({ part, name }) => part === `throughput, AOF ${fsync}` && name === 'workflows/s, ours')?.value;
  const [always, everysec] = [rate('always'), rate('everysec')];
  if (always === undefined || everysec === undefined) return [];
  const budget = { must: { least: 0.8 }, goal: { least: 0.9 } };
  return [row('throughput', 'ours, always against everysec', always / everysec, '×', budget)];
}

bootstrap();
const unknown = wanted.filter((name) => !(name in PARTS));
if (unknown.length > 0)
  fail(`There is no part ${unknown.join(', ')}; there are ${Object.keys(PARTS).join(', ')}.`);
delete process.env.REDIS_URL;
const rows = [];
let redis = '';
for (const [at, fsync] of policies.entries()) {
  const names = at === 0 ? wanted : wanted.filter((name) => name === 'throughput');
  if (names.length === 0) continue;
  const done = await runParts(fsync, names);
  redis = done.redis;
  rows.push(...done.rows);
}
rows.push(...priceOfAlways(rows));
const machine = { cores: cpus().length, cpu: cpus()[0]?.model ?? '', node: process.version, redis };
console.log(`\n${machine.cores} cores, Node ${machine.node}, Redis ${redis}, medians of ${rounds}\n`);
console.log(tableOf(rows));
if (flags.json) writeFileSync(flags.json, `${JSON.stringify({ machine, rounds, sizes, rows }, null, 2)}\n`);
const missed = rows.filter(({ verdict }) => verdict === 'MISSED').length;
console.log(`\n${missed === 0 ? 'Every budget holds.' : `${missed} of the budgets are missed.`}`);
