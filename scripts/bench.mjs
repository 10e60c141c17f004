#!/usr/bin/env node
/**
 * `npm run bench`: ours beside raw BullMQ, in turn, on one Redis of its own: 10 no-op activities with a signal awaited
 * half-way, against 11 chained jobs. Prints medians of three rounds and their ratios, and one JSON line.
 * `--workflows=2000`, `--activities=10`, `--context=1024` (bytes), `--rounds=3`, `--fsync=everysec,always`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap, ROOT } from './bootstrap.mjs';
import { ensureRedis } from './lib/redis.mjs';

const options = Object.fromEntries(
  process.argv.slice(2).map((argument) => argument.replace(/^--/, '').split('=')),
);
const rounds = Number(options.rounds ?? 3);
const work = {
  workflows: Number(options.workflows ?? 2_000),
  activities: Number(options.activities ?? 10),
  contextBytes: Number(options.context ?? 1_024),
  inFlight: 100,
};

function run(kind, redisUrl) {
  const args = ['--import', './test/support/register-ts.mjs', 'test/bench/throughput.ts', kind];
  const child = spawnSync(process.execPath, [...args, JSON.stringify({ ...work, redisUrl })], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  const line = child.stdout.trim().split('\n').at(-1) ?? '';
  if (child.status !== 0 || line === '') throw new Error(`${kind} did not finish:\n${child.stderr}`);
  const { workflows, seconds, cpuMs, p50Ms } = JSON.parse(line);
  return { perSecond: workflows / seconds, cpuMs, p50Ms };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const medians = (runs) => ({
  perSecond: median(runs.map((one) => one.perSecond)),
  cpuMs: median(runs.map((one) => one.cpuMs)),
  p50Ms: median(runs.map((one) => one.p50Ms)),
});

async function compare(fsync) {
  const dataDir = mkdtempSync(join(tmpdir(), 'bench-'));
  const redis = await ensureRedis({ dataDir, fsync, log: () => {} });
  try {
    const raw = [];
    const ours = [];
    for (let round = 0; round < rounds; round += 1) {
      raw.push(run('raw', redis.url));
      ours.push(run('ours', redis.url));
    }
    return { fsync, redis: redis.version, raw: medians(raw), ours: medians(ours) };
  } finally {
    await redis.stop();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

function show({ fsync, redis, raw, ours }) {
  const row = (label, a, b, digits) =>
    console.log(
      `  ${label.padEnd(34)}${a.toFixed(digits).padStart(9)}${b.toFixed(digits).padStart(9)}${(b / a).toFixed(2).padStart(9)}`,
    );
  console.log(
    `\nappendfsync ${fsync}, Redis ${redis}, ${work.activities} activities, ${work.contextBytes} bytes of context`,
  );
  console.log(`  ${''.padEnd(34)}${'raw'.padStart(9)}${'ours'.padStart(9)}${'ratio'.padStart(9)}`);
  row('workflows per second', raw.perSecond, ours.perSecond, 0);
  row('CPU of Node per workflow, ms', raw.cpuMs, ours.cpuMs, 2);
  row('start to completion, one a time, ms', raw.p50Ms, ours.p50Ms, 1);
}

bootstrap();
delete process.env.REDIS_URL;
const results = [];
for (const fsync of (options.fsync ?? 'everysec,always').split(',')) {
  results.push(await compare(fsync));
  show(results.at(-1));
}
console.log(`\n${JSON.stringify({ work, rounds, results })}`);
