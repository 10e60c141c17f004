/** The worker as a process of its own: what it tells, registers and keeps, and how it stops. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { createSecretBox } from '../../shared/secrets.ts';
import { createRefreshTokenStore } from '../../workers/refresh-tokens.ts';
import {
  type EmulatedMicrosoft,
  environmentFor,
  startEmulatedMicrosoft,
} from '../support/emulated-microsoft.ts';
import { eventually } from '../support/eventually.ts';
import { type Spawned, spawnNode } from '../support/spawn.ts';
import { testNamespace, testRedisUrl } from '../support/test-redis.ts';

const KEY = Buffer.from('0123456789abcdef0123456789abcdef');

let microsoft: EmulatedMicrosoft;
let namespace: string;
let redis: Redis;
let env: Record<string, string>;
const workers: Spawned[] = [];

beforeEach(async () => {
  microsoft = await startEmulatedMicrosoft();
  namespace = testNamespace();
  redis = createRedis(testRedisUrl(), 'worker', { log: silentLogger() });
  env = {
    NODE_ENV: 'test',
    LOG_LEVEL: 'warn',
    REDIS_URL: testRedisUrl(),
    NAMESPACE: namespace,
    SHARDS: '2',
    STATE_DIR: mkdtempSync(join(tmpdir(), 'state-')),
    SECRET_KEY: KEY.toString('base64'),
    PUBLIC_URL: 'http://127.0.0.1:9',
    ...environmentFor(microsoft.urls),
  };
});
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.stop();
  await closeRedis(redis);
  await microsoft.close();
});

async function startWorkerProcess(more: Record<string, string> = {}): Promise<Spawned> {
  const worker = await spawnNode('workers/main.ts', { env: { ...env, ...more } });
  workers.push(worker);
  return worker;
}

const registrations = () => microsoft.emulator.world.partner.registrations.all();

describe('a worker process', () => {
  it('says that it is ready, registers the webhooks and stops cleanly on SIGTERM', async () => {
    const worker = await startWorkerProcess();

    await eventually(() =>
      expect(registrations()).toMatchObject([{ url: 'http://127.0.0.1:9/webhooks/partner-center' }]),
    );
    expect(registrations()[0]?.events).toEqual(
      expect.arrayContaining([
        'reseller-relationship-accepted-by-customer',
        'granular-admin-relationship-approved',
      ]),
    );
    expect(await worker.stop()).toBe(0);
  });

  it('keeps the newest refresh token sealed in Redis', async () => {
    await startWorkerProcess();
    await eventually(() => expect(registrations()).toHaveLength(1));

    const raw = await redis.get(`{${namespace}:meta}:refresh-token`);
    const secretBox = createSecretBox({ key: KEY });
    const token = await createRefreshTokenStore({ redis, namespace, secretBox, log: silentLogger() }).load();

    expect(token?.reveal()).toMatch(/^0\./);
    expect(raw).not.toContain(token?.reveal() ?? '');
  });

  it('leaves a registration of somebody else alone and says so, until told to take it over', async () => {
    const ids = {
      requestId: '11111111-0000-4000-8000-000000000001',
      correlationId: '11111111-0000-4000-8000-000000000002',
    };
    const theirs = { url: 'https://other.example/hook', events: ['invoice-ready'] };
    await microsoft.connectors.partnerCenter.webhooks.ensure(theirs, ids);

    const first = await startWorkerProcess();
    await first.waitForLine((line) => line.includes('webhooks go to another address'));
    expect(registrations()).toMatchObject([theirs]);
    await first.stop();

    await startWorkerProcess({ WEBHOOK_TAKE_OVER: '1' });
    await eventually(() =>
      expect(registrations()[0]?.url).toBe('http://127.0.0.1:9/webhooks/partner-center'),
    );
    expect(registrations()[0]?.events).toEqual(
      expect.arrayContaining(['invoice-ready', 'granular-admin-relationship-approved']),
    );
  });

  it('ends with code 70 and a word to the log when the store is emptied under it', async () => {
    const worker = await startWorkerProcess();

    await redis.del(`{${namespace}:meta}:epoch`);

    expect(await worker.exited).toBe(70);
    expect(worker.lines.join('\n')).toContain('store-lost');
  });

  it('refuses to start with a configuration that has mistakes, and names them all', async () => {
    const worker = await spawnNode('workers/main.ts', {
      env: { ...env, CLIENT_ID: 'x', SMTP_URL: '' },
      ready: null,
    });
    workers.push(worker);

    expect(await worker.exited).toBe(1);
    const said = worker.lines.join('\n');
    expect(said).toContain('CLIENT_ID');
    expect(said).toContain('SMTP_URL');
  });
});
