import { randomBytes } from 'node:crypto';

/** Address of the Redis of this jest run. Throws in a project without the global set-up. */
export function testRedisUrl(): string {
  const url = process.env['TEST_REDIS_URL'];
  if (url === undefined)
    throw new Error('This jest project has no Redis: see globalSetup in jest.config.mjs.');
  return url;
}

/** A namespace no other test uses, e.g. `t-1-8f3a9c20`. Safe inside a key's hash tag and a BullMQ prefix. */
export function testNamespace(): string {
  return `t-${process.env['JEST_WORKER_ID'] ?? '0'}-${randomBytes(4).toString('hex')}`;
}
