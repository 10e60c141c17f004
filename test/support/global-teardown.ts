import './global-setup.ts';

// biome-ignore lint/style/noDefaultExport: jest calls the default export.
export default async function globalTeardown(): Promise<void> {
  await globalThis.testRedisServer?.stop();
  globalThis.testRedisServer = undefined;
}
