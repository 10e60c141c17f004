/**
 * One Redis for a whole jest run, in memory, on a unix socket; its address is `process.env.TEST_REDIS_URL`. Test files
 * keep apart by namespace (`testNamespace`). A TEST_REDIS_URL given from outside is used as it is.
 */
import { type RedisServer, startRedisServer } from './redis-server.ts';

declare global {
  var testRedisServer: RedisServer | undefined;
}

// biome-ignore lint/style/noDefaultExport: jest calls the default export.
export default async function globalSetup(): Promise<void> {
  if (process.env['TEST_REDIS_URL']) return;
  const server = await startRedisServer();
  globalThis.testRedisServer = server;
  process.env['TEST_REDIS_URL'] = server.url;
}
