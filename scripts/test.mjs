#!/usr/bin/env node
/**
 * `npm test`: everything from a fresh clone. Runs the short suites; `-- --all` runs every one; other arguments go to
 * jest. The tests start Redis servers of their own and touch neither `.data` nor a running server.
 */
import { bootstrap, fail, ROOT } from './bootstrap.mjs';
import { build } from './lib/builder.mjs';
import { runJest } from './lib/jest-run.mjs';
import { findRedisBinary } from './lib/redis-binary.mjs';
import { chooseSuites, findBrowser, LONG, PROOF } from './lib/suites.mjs';

bootstrap();
const browser = findBrowser();
const { suites, rest, skipped } = chooseSuites(process.argv.slice(2), browser);
try {
  const redis = await findRedisBinary({ log: console.log });
  console.log(`Redis ${redis.version} (${redis.source}: ${redis.command})`);
  if (suites.length === 0 || suites.some((name) => [...PROOF, ...LONG, 'e2e'].includes(name))) {
    build({ root: ROOT, log: console.log });
  }
} catch (error) {
  fail(error.message);
}
// The option takes every word behind it, so what the caller gave comes first.
const projects = suites.length === 0 ? [] : ['--selectProjects', ...suites];
const env = { ...process.env, ...(browser === undefined ? {} : { CHROME_BIN: browser }) };
const { passed, failed, skipped: pending } = await runJest({ root: ROOT, args: [...rest, ...projects], env });
for (const suite of skipped) console.log(`Not run: ${suite}`);
if (pending > 0) console.log(`Skipped inside the suites: ${pending}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
