#!/usr/bin/env node
/**
 * `npm run deploy-check`: does every live instance of the configured store (REDIS_URL and its like, NAMESPACE, SHARDS) live on under this code?
 * JSON on stdout, plain words on stderr; exits 1 when some do not. In the image: `node dist/workers/deploy-check.js`.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { bootstrap, fail, ROOT } from './bootstrap.mjs';
import { build } from './lib/builder.mjs';

bootstrap();
try {
  build({ root: ROOT, log: console.error });
} catch (error) {
  fail(error.message);
}
const { status } = spawnSync(process.execPath, [join(ROOT, 'dist/workers/deploy-check.js')], {
  stdio: 'inherit',
});
process.exitCode = status ?? 2;
