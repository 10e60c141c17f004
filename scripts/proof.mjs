#!/usr/bin/env node
/**
 * `npm run proof`: the engine under faults, for hours, and docs/reliability.md from what happened. `-- --share=0.1` does
 * a tenth of each size, `-- --short` is what CI runs: few seeds, and no page. The last line counts tests; a run that injected or finished
 * nothing, or lost anything, is a failed one.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { bootstrap, fail, ROOT } from './bootstrap.mjs';
import { build } from './lib/builder.mjs';
import { runJest } from './lib/jest-run.mjs';
import { proofPage, proofProblems, proofTable, readProof } from './lib/proof-report.mjs';
import { LONG_RUN, minutesOf, shareOf, sizeOf, sizesOf } from './lib/proof-sizes.mjs';
import { findRedisBinary } from './lib/redis-binary.mjs';
import { LONG, PROOF } from './lib/suites.mjs';

/** The sizes of the long run, with what it will take; what the caller has set stays. Ends the process on a bad one. */
function planned(share) {
  try {
    const env = { ...sizesOf(share), ...process.env };
    const sizes = Object.fromEntries(Object.keys(LONG_RUN).map((name) => [name, String(sizeOf(name, env))]));
    const { expected, atMost } = minutesOf(sizes);
    for (const [name, size] of Object.entries(sizes)) console.log(`${name.padEnd(20)}${size}`);
    console.log(
      `About ${expected} minutes on two quiet cores; each suite stops by itself, all after ${atMost}.`,
    );
    return sizes;
  } catch (error) {
    return fail(error.message);
  }
}

function readShare(args) {
  try {
    return shareOf(args);
  } catch (error) {
    return fail(error.message);
  }
}

async function prepare() {
  try {
    const redis = await findRedisBinary({ log: console.log });
    build({ root: ROOT, log: console.log });
    return redis.version;
  } catch (error) {
    return fail(error.message);
  }
}

bootstrap();
const short = process.argv.includes('--short');
const given = process.argv.slice(2);
const { share, rest } = readShare(given.filter((arg) => arg !== '--short'));
const sizes = short ? {} : planned(share);
const redisVersion = await prepare();
const folder = mkdtempSync(join(tmpdir(), 'proof-'));
const report = join(folder, 'report.jsonl');
writeFileSync(report, '');
try {
  const suites = short ? PROOF : [...PROOF, ...LONG];
  const { passed, failed } = await runJest({
    root: ROOT,
    // One file after another: each has processes of its own to fill the machine with.
    args: [...rest, '--runInBand', '--selectProjects', ...suites],
    env: { ...process.env, ...sizes, PROOF_REPORT: report },
  });
  const lines = readProof(readFileSync(report, 'utf8'));
  const problems = proofProblems(lines);
  console.log(`\n${lines.length === 0 ? '' : proofTable(lines)}`);
  for (const problem of problems) console.log(`NOT PROVED ${problem}`);
  if (!short) {
    const [cpu] = cpus();
    const memory = `${Math.round(totalmem() / 2 ** 30)} GB`;
    const machine = `${cpus().length} cores (${cpu?.model.trim()}), ${memory}, Node ${process.versions.node}, Redis ${redisVersion}`;
    const words = readFileSync(join(ROOT, 'scripts/lib/proof-words.md'), 'utf8');
    const command = ['npm run proof', ...(given.length === 0 ? [] : ['--', ...given])].join(' ');
    writeFileSync(join(ROOT, 'docs/reliability.md'), proofPage({ words, command, machine, lines }));
  }
  console.log(`${passed} passed, ${failed + problems.length} failed`);
  process.exitCode = failed + problems.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true });
}
