/** The product's own processes on a Redis Cluster and behind Sentinel, told by nothing but their environment. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { exampleInput } from '../support/api-example.ts';
import { environmentFor, startEmulatedMicrosoft } from '../support/emulated-microsoft.ts';
import { eventually } from '../support/eventually.ts';
import { reportProof } from '../support/proof-report.ts';
import { startWatchedRedis } from '../support/redis-sentinel.ts';
import { freePort, type RedisTls, startRedisCluster } from '../support/redis-server.ts';
import { isReadyLine, parseLine, type Spawned, spawnNode } from '../support/spawn.ts';
import { issueCertificate, pemOf } from '../unit/shared-test-certificate.ts';

const API_KEY = 'wfk_places';
const PASSWORD = 'redis-hunter2';
const SENTINEL_PASSWORD = 'sentinel-hunter2';
const SHARDS = 12;

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
}, 60_000);

interface Product {
  readonly api: Spawned;
  readonly worker: Spawned;
  readonly url: string;
  readonly env: Readonly<Record<string, string>>;
}

async function startProduct(store: Readonly<Record<string, string>>): Promise<Product> {
  const microsoft = await startEmulatedMicrosoft();
  cleanUps.push(() => microsoft.close());
  const stateDir = mkdtempSync(join(tmpdir(), 'places-'));
  cleanUps.push(async () => rmSync(stateDir, { recursive: true, force: true }));
  const env = {
    ...environmentFor(microsoft.urls),
    ...{ NODE_ENV: 'test', NAMESPACE: 'places', SHARDS: String(SHARDS), STATE_DIR: stateDir },
    ...{ SECRET_KEY: randomBytes(32).toString('base64'), API_PORT: '0', LOG_LEVEL: 'info' },
    API_KEYS: `ops:admin:${createHash('sha256').update(API_KEY).digest('hex')}`,
    ...store,
  };
  const start = async (file: string) => {
    const process = await spawnNode(file, { env });
    cleanUps.push(() => process.stop());
    return process;
  };
  const [api, worker] = await Promise.all([start('api/main.ts'), start('workers/main.ts')]);
  const url = String(parseLine(api.lines.find(isReadyLine) ?? '')?.['url']);
  return { api, worker, url, env };
}

function call(url: string, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { Authorization: `Bearer ${API_KEY}`, 'Content-Type': 'application/json', ...init.headers };
  return fetch(`${url}${path}`, { ...init, headers });
}

/** Asked again under one key until it is accepted: while a primary is gone nothing is. */
async function startOnboarding({ url }: Product, key: string): Promise<string> {
  const body = JSON.stringify({
    workflow: 'onboard-existing-csp-customer',
    input: await exampleInput((path) => call(url, path), 'onboard-existing-csp-customer'),
  });
  const answered = await eventually(
    async () => {
      const response = await call(url, '/v1/instances', {
        ...{ method: 'POST', body },
        headers: { 'Idempotency-Key': key },
      });
      expect([response.status, await response.clone().text()]).toEqual([201, expect.anything()]);
      return response;
    },
    { within: 60_000, every: 250, what: `onboarding ${key} to be accepted` },
  );
  return ((await answered.json()) as { id: string }).id;
}

/** A worker has asked Microsoft for it, and the answer is in its history. */
async function workedOn({ url }: Product, id: string): Promise<void> {
  await eventually(
    async () => {
      const response = await call(url, `/v1/instances/${id}/history?tree=true`);
      expect(response.status).toBe(200);
      expect(await response.text()).toContain('"kind":"activity.done"');
    },
    { within: 60_000, every: 250, what: `${id} to be worked on` },
  );
}

function tellsNoSecret({ api, worker }: Product): void {
  const said = [...api.lines, ...worker.lines].join('\n');
  expect(said).toContain('ready');
  expect(said).not.toContain(PASSWORD);
  expect(said).not.toContain(SENTINEL_PASSWORD);
}

/** A certificate for `localhost` that signs itself. */
function issueTlsFiles(): RedisTls {
  const folder = mkdtempSync(join(tmpdir(), 'tls-'));
  cleanUps.push(async () => rmSync(folder, { recursive: true, force: true }));
  const now = Date.now();
  const issued = issueCertificate({
    name: [['CN', 'localhost']],
    authority: true,
    ...{ from: now - 60_000, until: now + 3_600_000 },
  });
  const files = { certificate: join(folder, 'tls.pem'), key: join(folder, 'tls.key') };
  writeFileSync(files.certificate, pemOf(issued.der));
  writeFileSync(files.key, issued.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return files;
}

describe('API, worker and deploy check', () => {
  it('work on a Redis Cluster of three, over TLS and with a password', async () => {
    const tls = issueTlsFiles();
    const cluster = await startRedisCluster({ password: PASSWORD, tls, aof: 'always' });
    cleanUps.push(() => cluster.stop());
    const product = await startProduct({
      // The first of them is not there: the others tell.
      REDIS_CLUSTER: [await freePort(), ...cluster.nodes.map(({ tlsPort }) => tlsPort)]
        .map((port) => `rediss://localhost:${port}`)
        .join(','),
      REDIS_PASSWORD: PASSWORD,
      NODE_EXTRA_CA_CERTS: tls.certificate,
    });

    const ids = await Promise.all(
      Array.from({ length: SHARDS }, (_, number) => startOnboarding(product, `k${number}`)),
    );
    await Promise.all(ids.map((id) => workedOn(product, id)));

    for (const node of cluster.nodes) expect(Number(await node.command('DBSIZE'))).toBeGreaterThan(0);
    const check = await spawnNode('workers/deploy-check.ts', { env: product.env, ready: null });
    expect(await check.exited).toBe(0);
    tellsNoSecret(product);
    expect(await product.worker.stop()).toBe(0);
    expect(await product.api.stop()).toBe(0);

    await cluster.nodes.at(-1)?.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    const refused = await spawnNode('workers/main.ts', { env: product.env, ready: null });
    expect(await refused.exited).toBe(1);
    expect(refused.lines.join('\n')).toContain('allkeys-lru');
    reportProof({
      suite: 'main processes on a cluster',
      injected: { 'nodes that do not answer': 1 },
      ...{ done: { onboardings: ids.length }, lost: 0 },
    });
  }, 180_000);

  it('follow Sentinel to the next primary, and lose nothing', async () => {
    const watched = await startWatchedRedis({
      ...{ password: PASSWORD, sentinelPassword: SENTINEL_PASSWORD, aof: 'always', replicas: 2 },
    });
    cleanUps.push(() => watched.stop());
    const product = await startProduct({
      REDIS_SENTINELS: `127.0.0.1:${await freePort()},127.0.0.1:${watched.sentinel.port}`,
      REDIS_SENTINEL_MASTER: watched.master,
      REDIS_SENTINEL_PASSWORD: SENTINEL_PASSWORD,
      REDIS_PASSWORD: PASSWORD,
      REDIS_WAIT_REPLICAS: '1',
    });
    const before = await startOnboarding(product, 'before');
    await workedOn(product, before);

    await watched.primary.kill9();
    const after = await startOnboarding(product, 'after');
    await workedOn(product, after);

    expect(await watched.named()).not.toBe(watched.primary.port);
    expect((await call(product.url, `/v1/instances/${before}`)).status).toBe(200);
    expect([product.api.running(), product.worker.running()]).toEqual([true, true]);
    tellsNoSecret(product);
    reportProof({
      suite: 'main processes behind Sentinel',
      injected: { 'primaries killed': 1 },
      ...{ done: { onboardings: 2 }, lost: 0 },
    });
  }, 180_000);
});
