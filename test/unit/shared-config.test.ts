import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import {
  describeConfig,
  loadApiConfig,
  loadConfig,
  loadStoreConfig,
  loadWorkerConfig,
} from '../../shared/config.ts';
import { parseDuration, type VariableProblem } from '../../shared/environment.ts';
import { AppError } from '../../shared/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const KEY = Buffer.from(Array.from({ length: 32 }, (_, index) => index * 7)).toString('base64');
const GROUP = '99999999-0000-4000-8000-000000000009';
const api = { SECRET_KEY: KEY, API_KEYS: `ci:operator:${'ab'.repeat(32)}` };
const worker = {
  SECRET_KEY: KEY,
  PARTNER_TENANT_ID: '3a1d0c55-0000-4000-8000-00000000aaaa',
  CLIENT_ID: '44444444-0000-4000-8000-000000000004',
  CLIENT_SECRET: 'hunter2-client',
  GDAP_GROUP_IDS: GROUP,
  SMTP_URL: 'smtp://user:hunter2-mail@mail.example:587',
  MAIL_FROM: 'Onboarding <onboarding@partner.example>',
};

function problemsOf(load: () => unknown): readonly VariableProblem[] {
  try {
    load();
  } catch (error) {
    if (error instanceof AppError && error.code === 'config-invalid')
      return error.details['errors'] as VariableProblem[];
    throw error;
  }
  return [];
}

describe('the configuration', () => {
  it('of each process needs only its own parts', () => {
    expect(loadApiConfig(api).http).toMatchObject({
      host: '127.0.0.1',
      port: 3_000,
      apiKeys: [{ name: 'ci', role: 'operator' }],
    });
    expect(loadWorkerConfig(worker).microsoft.partnerCenterUrl).toBe(
      'https://api.partnercenter.microsoft.com',
    );
    expect(loadConfig({ ...api, ...worker }).timing.consentExpireAfterMs).toBe(30 * 24 * 3_600_000);
  });

  it('reports every mistake at once and quotes no value', () => {
    const problems = problemsOf(() =>
      loadWorkerConfig({
        ...worker,
        SECRET_KEY: 'hunter2',
        CLIENT_ID: 'hunter2',
        CLIENT_SECRET: '',
        SHARDS: '0',
        CONSENT_POLL_MIN: 'soon',
      }),
    );

    expect(problems.map(({ variable }) => variable).sort()).toEqual([
      'CLIENT_ID',
      'CLIENT_SECRET',
      'CONSENT_POLL_MIN',
      'SECRET_KEY',
      'SHARDS',
    ]);
    expect(problems.find(({ variable }) => variable === 'CLIENT_SECRET')?.problem).toBe('is required');
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  it.each([
    ['SECRET_KEY', Buffer.alloc(32).toString('base64')],
    ['SECRET_KEY', Buffer.alloc(16, 'abcdefghij').toString('base64')],
    ['API_KEYS', `ci:king:${'ab'.repeat(32)}`],
    ['API_KEYS', 'ci:viewer:plain-text-key'],
    ['API_KEYS', ','],
    ['REDIS_URL', 'http://127.0.0.1'],
    ['API_PORT', '70000'],
    ['NAMESPACE', 'a{b}'],
    ['CONSENT_REMINDERS', 'P1D,never'],
    ['CONSENT_EXPIRE_AFTER', 'P3D'],
    ['NODE_ENV', 'prod'],
  ])('refuses %s=%s', (variable, value) => {
    expect(
      problemsOf(() => loadApiConfig({ ...api, [variable]: value })).map((problem) => problem.variable),
    ).toEqual([variable]);
  });

  it('reads switches like any other setting, and refuses a word it does not know', () => {
    const production = { ...api, NODE_ENV: 'production' };
    expect(loadApiConfig(api).http).toMatchObject({ demo: false, fourEyes: false });
    expect(loadApiConfig(production).http.fourEyes).toBe(true);
    expect(loadApiConfig({ ...production, FOUR_EYES: 'false' }).http.fourEyes).toBe(false);
    expect(loadApiConfig({ ...api, DEMO: '1', ACCEPT_STORE: 'true' })).toMatchObject({
      http: { demo: true },
      store: { accept: true },
    });
    expect(loadWorkerConfig({ ...worker, WEBHOOK_TAKE_OVER: '1' }).worker.takeOverWebhooks).toBe(true);
    for (const variable of ['DEMO', 'FOUR_EYES', 'ACCEPT_STORE'])
      expect(problemsOf(() => loadApiConfig({ ...api, [variable]: 'yes' }))).toEqual([
        { variable, problem: 'is neither true nor false' },
      ]);
    expect(problemsOf(() => loadWorkerConfig({ ...worker, WEBHOOK_TAKE_OVER: 'on' }))).toMatchObject([
      { variable: 'WEBHOOK_TAKE_OVER' },
    ]);
  });

  it.each([
    ['in production', { NODE_ENV: 'production' }],
    ['where other machines can reach it', { API_HOST: '0.0.0.0' }],
  ])('refuses a demo %s', (_, change) => {
    expect(problemsOf(() => loadApiConfig({ ...api, ...change, DEMO: '1' }))).toMatchObject([
      { variable: 'DEMO' },
    ]);
  });

  it('refuses to send credentials in clear to another machine', () => {
    const withUrl = (url: string) =>
      problemsOf(() => loadWorkerConfig({ ...worker, PARTNER_CENTER_URL: url }));

    expect(withUrl('http://microsoft.example')).toMatchObject([{ variable: 'PARTNER_CENTER_URL' }]);
    expect(withUrl('http://127.0.0.1:9000')).toEqual([]);
  });

  it('takes secrets from files, one source each', () => {
    const file = join(folder, 'client-secret');
    writeFileSync(file, 'from-file\n');
    const { CLIENT_SECRET: _, ...rest } = worker;

    expect(loadWorkerConfig({ ...rest, CLIENT_SECRET_FILE: file }).microsoft.clientSecret.reveal()).toBe(
      'from-file',
    );
    expect(problemsOf(() => loadWorkerConfig({ ...worker, CLIENT_SECRET_FILE: file }))).toMatchObject([
      { variable: 'CLIENT_SECRET' },
    ]);
    expect(problemsOf(() => loadWorkerConfig({ ...rest, CLIENT_SECRET_FILE: join(folder, 'none') }))).toEqual(
      [
        {
          variable: 'CLIENT_SECRET',
          problem: 'cannot be read from the file that CLIENT_SECRET_FILE names (ENOENT)',
        },
      ],
    );
  });

  it('is described without its secrets', () => {
    const redis = 'redis://default:hunter2-redis@redis.example:6379/2';
    const described = JSON.stringify(
      describeConfig(loadConfig({ ...api, ...worker, REDIS_URL: redis, REFRESH_TOKEN: 'hunter2-token' })),
    );

    expect(described).not.toMatch(/hunter2|abab/);
    expect(described).toContain('redis://[secret]@redis.example:6379/2');
    expect(described).not.toContain(KEY);
  });

  it('gives groups the least roles unless others are named', () => {
    const groupsOf = (value: string) => loadWorkerConfig({ ...worker, GDAP_GROUP_IDS: value }).gdap.groups;

    expect(groupsOf(GROUP)[0]?.roleIds).toContain('4d6ac14f-3453-41d0-bef9-a3e0c569773a');
    expect(groupsOf(`${GROUP}=user-administrator+88d8e3e3-8f55-4a1e-953a-9b9898b8876b`)).toEqual([
      {
        groupId: GROUP,
        roleIds: ['fe930be7-5e62-47db-91af-98c3a49a38b1', '88d8e3e3-8f55-4a1e-953a-9b9898b8876b'],
      },
    ]);
    expect(problemsOf(() => groupsOf(`${GROUP}=emperor`))).toMatchObject([{ variable: 'GDAP_GROUP_IDS' }]);
  });
});

describe('a duration', () => {
  it.each([
    ['1500', 1_500],
    ['P2D', 172_800_000],
    ['P1W', 604_800_000],
    ['PT1H30M', 5_400_000],
    ['PT0.25S', 250],
    ['P1DT1S', 86_401_000],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', 'P', 'PT', 'P1DT', 'P1M', 'P1Y', '-5', '2 days', 'PT1.S'])('"%s" is none', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});

describe('where the store is', () => {
  const redisOf = (environment: Record<string, string>) => loadStoreConfig(environment).redis;
  const nobody = { username: null, password: null };

  it('is one server, a cluster or what Sentinel names, with the same credentials for all', () => {
    expect(redisOf({})).toEqual({ kind: 'node', url: 'redis://127.0.0.1:6379', login: nobody });
    expect(redisOf({ REDIS_CLUSTER: 'rediss://a.example:7000, rediss://b:1' })).toEqual({
      kind: 'cluster',
      nodes: {
        tls: true,
        at: [
          { host: 'a.example', port: 7_000 },
          { host: 'b', port: 1 },
        ],
      },
      login: nobody,
    });
    const place = redisOf({
      REDIS_SENTINELS: 'sentinel-1:26379,[::1]:26380',
      REDIS_SENTINEL_MASTER: 'mymaster',
      REDIS_SENTINEL_PASSWORD: 'hunter2-sentinel',
      REDIS_USERNAME: 'onboarding',
      REDIS_PASSWORD: 'hunter2-redis',
    });
    expect(place).toMatchObject({
      kind: 'sentinel',
      master: 'mymaster',
      sentinels: {
        tls: false,
        at: [
          { host: 'sentinel-1', port: 26_379 },
          { host: '::1', port: 26_380 },
        ],
      },
      login: { username: 'onboarding' },
      sentinelLogin: { username: null },
    });
    expect(place.login.password?.reveal()).toBe('hunter2-redis');
    expect(place.kind === 'sentinel' && place.sentinelLogin.password?.reveal()).toBe('hunter2-sentinel');
  });

  const SENTINELS = { REDIS_SENTINELS: 'a:1', REDIS_SENTINEL_MASTER: 'm' };
  it.each([
    ['REDIS_CLUSTER', { REDIS_CLUSTER: 'a' }],
    ['REDIS_CLUSTER', { REDIS_CLUSTER: ',' }],
    ['REDIS_CLUSTER', { REDIS_CLUSTER: 'http://a:1' }],
    ['REDIS_CLUSTER', { REDIS_CLUSTER: 'a:1/0' }],
    ['REDIS_CLUSTER', { REDIS_CLUSTER: 'rediss://a:1,b:1' }],
    ['REDIS_CLUSTER', { REDIS_CLUSTER: 'redis://default:hunter2@a:1' }],
    ['REDIS_CLUSTER', { REDIS_URL: 'redis://a:1', REDIS_CLUSTER: 'a:1' }],
    ['REDIS_SENTINELS', { REDIS_CLUSTER: 'a:1', ...SENTINELS }],
    ['REDIS_SENTINEL_MASTER', { REDIS_SENTINELS: 'a:1' }],
    ['REDIS_SENTINEL_MASTER', { REDIS_SENTINEL_MASTER: 'm' }],
    ['REDIS_SENTINEL_PASSWORD', { REDIS_SENTINEL_PASSWORD: 'hunter2' }],
    ['REDIS_PASSWORD', { REDIS_URL: 'redis://:hunter2@a:1', REDIS_PASSWORD: 'hunter2' }],
  ])('is refused, without a secret quoted: %s of %j', (variable, environment) => {
    for (const load of [
      () => loadStoreConfig(environment),
      () => loadApiConfig({ ...api, ...environment }),
      () => loadWorkerConfig({ ...worker, ...environment }),
    ]) {
      const problems = problemsOf(load);
      expect(problems.map((problem) => problem.variable)).toEqual([variable]);
      expect(JSON.stringify(problems)).not.toContain('hunter2');
    }
  });

  it('is described without its secrets', () => {
    const described = JSON.stringify(
      describeConfig(
        loadApiConfig({
          ...api,
          ...SENTINELS,
          REDIS_PASSWORD: 'hunter2-redis',
          REDIS_SENTINEL_PASSWORD: 'hunter2-sentinel',
        }),
      ),
    );

    expect(described).toContain('"host":"a"');
    expect(described).not.toContain('hunter2');
  });
});
