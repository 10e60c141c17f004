/**
 * Secrets in the open: the product as it runs (API and worker processes, Redis that syncs always, emulator) takes one new
 * customer on, with its logs wide open. Then all it wrote and said is searched for every secret it was trusted with.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_CLIENT } from '../../emulator/index.ts';
import { createClient, createEngine, createRedisStore, createRegistry } from '../../engine/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { createSecretBox } from '../../shared/secrets.ts';
import { createRefreshTokenStore } from '../../workers/refresh-tokens.ts';
import { allWorkflows } from '../../workflows/index.ts';
import { COMMON, ems, NEW_CUSTOMER, QUICK } from '../integration/onboarding-fixture.ts';
import { bundlePrograms, type Patch } from './bundle.ts';
import { type EmulatedMicrosoft, environmentFor, startEmulatedMicrosoft } from './emulated-microsoft.ts';
import type { Checked } from './engine-checks.ts';
import { playToTheEnd } from './play.ts';
import { startRedisServer } from './redis-server.ts';
import { isReadyLine, parseLine, spawnNode } from './spawn.ts';

const PROGRAMS = { api: 'api/main.ts', worker: 'workers/main.ts' } as const;
const PLACE = { namespace: 'secrets', shards: 2 };

export async function secretsInTheOpen(patches: readonly Patch[] = []): Promise<Checked> {
  const programs = await bundlePrograms(PROGRAMS, patches);
  const server = await startRedisServer({ aof: 'always' });
  const microsoft = await startEmulatedMicrosoft({ delays: QUICK });
  const stateDir = mkdtempSync(join(tmpdir(), 'secrets-'));
  const trusted = {
    'the sealing key': randomBytes(32).toString('base64'),
    'the API key': `wfk_${randomBytes(16).toString('hex')}`,
    'the SMTP password': randomBytes(12).toString('hex'),
    'the client secret': DEFAULT_CLIENT.clientSecret,
    'the first refresh token': DEFAULT_CLIENT.refreshToken,
  };
  const env = { ...environmentOf(microsoft, trusted), REDIS_URL: server.url, STATE_DIR: stateDir };
  const redis = createRedis(server.url, 'worker', { log: silentLogger() });
  const [api, worker] = await Promise.all([
    spawnNode(join(programs, 'api.mjs'), { env }),
    spawnNode(join(programs, 'worker.mjs'), { env }),
  ]);
  try {
    const port = parseLine(api.lines.find(isReadyLine) ?? '')?.['port'];
    const ask = askerOf(`http://127.0.0.1:${String(port)}`, trusted['the API key']);
    const input = { ...COMMON, customer: NEW_CUSTOMER, order: { lines: [ems(10)] } };
    const started = await ask('POST', '/v1/instances', { workflow: 'onboard-new-customer', input });
    const { id } = JSON.parse(started) as { id: string };
    const store = createRedisStore({ redis, ...PLACE });
    const registry = createRegistry(allWorkflows);
    const client = createClient(createEngine({ store, registry, log: silentLogger() }));
    const { instance } = await playToTheEnd(id, { client, microsoft, within: 90_000, pauseMs: 100 });
    const answers = await readEverything(ask, [id, ...instance.children.map(({ instanceId }) => instanceId)]);

    const secretBox = createSecretBox({ key: Buffer.from(trusted['the sealing key'], 'base64') });
    const tokens = createRefreshTokenStore({
      ...{ redis, namespace: PLACE.namespace, secretBox },
      log: silentLogger(),
    });
    // The one answer that may hold it, and the proof that it is the right one.
    const revealed = await ask('POST', `/v1/instances/${id}/secrets/admin-password/reveal`, {
      reason: 'test',
    });
    const { value } = JSON.parse(revealed) as { value: string };
    const secrets = {
      ...trusted,
      'the newest refresh token': (await tokens.load())?.reveal() ?? '',
      "the administrator's password": (JSON.parse(value) as { password: string }).password,
    };
    const places = {
      "the worker's log": worker.lines.join('\n'),
      "the API's log": api.lines.join('\n'),
      Redis: readFiles(server.dir),
      "the API's answers": [started, ...answers].join('\n'),
    };
    return search(secrets, places);
  } finally {
    await Promise.all([api.kill9(), worker.kill9()]);
    await closeRedis(redis);
    await microsoft.close();
    await server.stop();
    for (const folder of [programs, stateDir]) rmSync(folder, { recursive: true });
  }
}

/** A place that holds next to nothing was not searched, and a secret that is empty is found nowhere. */
function search(
  secrets: Readonly<Record<string, string>>,
  places: Readonly<Record<string, string>>,
): Checked {
  const problems: string[] = [];
  let searched = 0;
  for (const [secret, text] of Object.entries(secrets)) {
    if (text.length < 8) problems.push(`${secret} is not known`);
    const forms = [
      ...[text, JSON.stringify(text).slice(1, -1), encodeURIComponent(text)],
      ...(['base64', 'base64url', 'hex'] as const).map((form) => Buffer.from(text).toString(form)),
    ];
    for (const [place, content] of Object.entries(places)) {
      if (forms.some((form) => content.includes(form))) problems.push(`${secret} is in ${place}`);
      searched += 1;
    }
  }
  for (const [place, content] of Object.entries(places)) {
    if (content.length < 500) problems.push(`${place} was not read: ${content.length} characters`);
    const token = /eyJ[\w-]{8,}\.[\w-]{8,}/.exec(content);
    if (token !== null) problems.push(`an access token is in ${place}`);
  }
  return { problems, injected: Object.keys(secrets).length, done: searched };
}

type Ask = (method: 'GET' | 'POST', path: string, body?: object) => Promise<string>;

function askerOf(url: string, key: string): Ask {
  return async (method, path, body) => {
    const headers = {
      Authorization: `Bearer ${key}`,
      'Content-Type': 'application/json',
      'Idempotency-Key': 'one',
    };
    const sent = body === undefined ? { method, headers } : { method, headers, body: JSON.stringify(body) };
    const response = await fetch(`${url}${path}`, sent);
    const text = await response.text();
    if (method === 'POST' && !response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
    return text;
  };
}

/** Every address that can be read, by the API's own description, for each of the instances. */
async function readEverything(ask: Ask, ids: readonly string[]): Promise<string[]> {
  const { paths } = JSON.parse(await ask('GET', '/openapi.json')) as {
    paths: Record<string, Record<string, unknown>>;
  };
  const readable = Object.entries(paths).flatMap(([path, methods]) => ('get' in methods ? [path] : []));
  const addresses = readable.flatMap((path) =>
    path.includes('{id}') ? ids.map((id) => path.replace('{id}', id)) : [path],
  );
  return Promise.all(addresses.filter((path) => !path.includes('{')).map((path) => ask('GET', path)));
}

function readFiles(dir: string): string {
  return readdirSync(dir, { recursive: true })
    .map((name) => join(dir, String(name)))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'latin1'))
    .join('\n');
}

function environmentOf(
  { urls }: EmulatedMicrosoft,
  secrets: Readonly<Record<'the sealing key' | 'the API key' | 'the SMTP password', string>>,
): Record<string, string> {
  const digest = createHash('sha256').update(secrets['the API key']).digest('hex');
  return {
    NODE_ENV: 'test',
    LOG_LEVEL: 'trace',
    NAMESPACE: PLACE.namespace,
    SHARDS: String(PLACE.shards),
    SECRET_KEY: secrets['the sealing key'],
    API_PORT: '0',
    API_KEYS: `staff:admin:${digest}`,
    PUBLIC_URL: 'http://127.0.0.1:9',
    ...environmentFor(urls),
    SMTP_URL: `smtp://post:${secrets['the SMTP password']}@${urls.smtp.host}:${urls.smtp.port}`,
  };
}
