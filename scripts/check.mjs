#!/usr/bin/env node
/**
 * `npm run check`: what CI runs. Every gate runs even when an earlier one failed. The last line counts: each
 * test is one, and so is each other gate.
 */
import { spawn } from 'node:child_process';
import { bootstrap, ROOT } from './bootstrap.mjs';

const node = process.execPath;
const GATES = [
  {
    name: 'format and lint',
    command: [node, 'node_modules/@biomejs/biome/bin/biome', 'check', '.', '--error-on-warnings'],
  },
  { name: 'types', command: [node, 'node_modules/typescript/bin/tsc', '--noEmit'] },
  { name: 'unused code', command: [node, 'node_modules/knip/bin/knip.js', '--no-progress'] },
  { name: 'build', command: [node, 'scripts/build.mjs'] },
  { name: 'tests', command: [node, 'scripts/test.mjs', ...process.argv.slice(2)] },
  { name: 'proof', command: [node, 'scripts/proof.mjs', '--short'] },
];
const COUNT = /^(\d+) passed, (\d+) failed\n?$/;

/** Runs with its output passed through, and returns the exit code with what was said. */
function run([command, ...args]) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NO_COLOR: '1' },
    });
    let said = '';
    child.stdout.on('data', (chunk) => {
      said += chunk;
      process.stdout.write(chunk);
    });
    child.once('error', (error) => resolve({ code: 1, said: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 1, said }));
  });
}

bootstrap();
const total = { passed: 0, failed: 0 };
for (const { name, command } of GATES) {
  console.log(`\n== ${name}`);
  const { code, said } = await run(command);
  const counted = COUNT.exec(said.trimEnd().split('\n').at(-1) ?? '');
  total.passed += counted === null ? Number(code === 0) : Number(counted[1]);
  total.failed += counted === null ? Number(code !== 0) : Number(counted[2]);
  if (code !== 0) console.log(`== ${name}: FAILED`);
}
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;
