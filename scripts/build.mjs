#!/usr/bin/env node
/** `npm run build [-- --force]`: compiles to dist, copies what the code reads at run time, builds the dashboard. */
import { bootstrap, fail, ROOT } from './bootstrap.mjs';
import { build } from './lib/builder.mjs';

bootstrap();
try {
  const built = build({ root: ROOT, force: process.argv.includes('--force'), log: console.log });
  console.log(built ? 'dist is built' : 'dist is up to date');
} catch (error) {
  fail(error.message);
}
