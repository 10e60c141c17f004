#!/usr/bin/env node
/** First thing every command does: the right Node and the right packages. Needs nothing but Node and npm. */
import { fileURLToPath } from 'node:url';
import { nodeProblem } from './lib/node-version.mjs';
import { ensurePackages } from './lib/packages.mjs';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Ends the process with a plain message when this Node is too old or the packages cannot be installed. */
export function bootstrap({ log = console.log } = {}) {
  const problem = nodeProblem(process.version);
  if (problem !== undefined) fail(problem);
  try {
    ensurePackages({ root: ROOT, log });
  } catch (error) {
    fail(error.message);
  }
}

/** Says what is wrong, without a stack, and ends. */
export function fail(message) {
  console.error(message);
  process.exit(1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) bootstrap();
