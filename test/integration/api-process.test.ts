/** The API as a process of its own, on a real Redis. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { exampleInput } from '../support/api-example.ts';
import { eventually } from '../support/eventually.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { isReadyLine, parseLine, type Spawned, spawnNode } from '../support/spawn.ts';
import { testRedisUrl } from '../support/test-redis.ts';

const KEY = 'wfk_process';
const cleanUps: (() => Promise<unknown> | undefined)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function startApi(
  redisUrl: string,
  env: Record<string, string> = {},
): Promise<{ api: Spawned; url: string }> {
  const stateDir = mkdtempSync(join(tmpdir(), 'api-'));
  cleanUps.push(async () => rmSync(stateDir, { recursive: true, force: true }));
  const api = await spawnNode('api/main.ts', {
    env: {
      REDIS_URL: redisUrl,
      NAMESPACE: `t-${randomBytes(6).toString('hex')}`,
      STATE_DIR: stateDir,
      SECRET_KEY: randomBytes(32).toString('base64'),
      API_PORT: '0',
      API_KEYS: `ops:admin:${createHash('sha256').update(KEY).digest('hex')}`,
      ...env,
    },
  });
  cleanUps.push(() => (api.running() ? api.stop() : undefined));
  const ready = parseLine(api.lines.find(isReadyLine) ?? '');
  return { api, url: String(ready?.['url']) };
}

const call = (url: string, path: string, init: RequestInit = {}) =>
  fetch(`${url}${path}`, {
    ...init,
    headers: { Authorization: `Bearer ${KEY}`, 'Content-Type': 'application/json', ...init.headers },
  });

describe('the API process', () => {
  it('starts, serves all three paths, and ends in order when told to', async () => {
    const { api, url } = await startApi(testRedisUrl());

    const ready = await call(url, '/readyz?verbose');
    const workflows = (await (await call(url, '/v1/workflows')).json()) as { data: { name: string }[] };
    const code = await api.stop();

    expect(ready.status).toBe(200);
    expect(workflows.data.map(({ name }) => name)).toEqual([
      'onboard-existing-office-customer',
      'onboard-existing-csp-customer',
      'onboard-new-customer',
      'undo-purchase',
    ]);
    expect(code).toBe(0);
    expect(api.lines.map((line) => parseLine(line)?.['msg'])).toEqual(
      expect.arrayContaining(['ready', 'stopping', 'stopped']),
    );
  });

  it('keeps what it accepted over a restart of its own', async () => {
    const env = { NAMESPACE: `t-${randomBytes(6).toString('hex')}` };
    const first = await startApi(testRedisUrl(), env);
    const started = await call(first.url, '/v1/instances', {
      method: 'POST',
      headers: { 'Idempotency-Key': 'k' },
      body: JSON.stringify({
        workflow: 'onboard-existing-csp-customer',
        input: await exampleInput((path) => call(first.url, path), 'onboard-existing-csp-customer'),
      }),
    });
    const { id } = (await started.json()) as { id: string };
    await first.api.kill9();

    const second = await startApi(testRedisUrl(), env);
    const again = await call(second.url, `/v1/instances/${id}`);

    expect([started.status, again.status]).toEqual([201, 200]);
  });

  it('answers 503 while Redis is away and goes on when it is back', async () => {
    const redis = await startRedisServer();
    cleanUps.push(() => redis.stop());
    const { url } = await startApi(redis.url);

    redis.freeze();
    const away = await call(url, '/v1/instances');
    const unready = await call(url, '/readyz');
    redis.thaw();
    await eventually(async () => expect((await call(url, '/v1/instances')).status).toBe(200));

    expect([away.status, unready.status]).toEqual([503, 503]);
  });

  it('is not ready while Redis takes no writes, and ends with code 70 when it is emptied', async () => {
    const redis = await startRedisServer();
    cleanUps.push(() => redis.stop());
    const { api, url } = await startApi(redis.url);

    await redis.command('REPLICAOF', '127.0.0.1', 1);
    const unready = await call(url, '/readyz');
    await redis.command('REPLICAOF', 'NO', 'ONE');
    await eventually(async () => expect((await call(url, '/readyz')).status).toBe(200));
    await redis.command('FLUSHALL');

    expect(unready.status).toBe(503);
    expect(await api.exited).toBe(70);
    expect(api.lines.join('\n')).toContain('store-lost');
  });

  it('does not start with settings missing, and names them all', async () => {
    const api = await spawnNode('api/main.ts', { ready: null });

    expect(await api.exited).toBe(1);
    const reason = String(parseLine(api.lines.at(-1) ?? '')?.['reason']);
    expect(reason).toContain('SECRET_KEY');
    expect(reason).toContain('API_KEYS');
  });
});
