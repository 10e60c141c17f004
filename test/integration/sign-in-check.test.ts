import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createConnectors, credentialExpiry } from '../../connectors/index.ts';
import { PARTNER } from '../../emulator/index.ts';
import { createMemoryStore, type Store } from '../../engine/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { createNotices } from '../../shared/notices.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { createSecretBox, Secret } from '../../shared/secrets.ts';
import { createRefreshTokenStore } from '../../workers/refresh-tokens.ts';
import { checkSignIn, type SignInCheckOptions } from '../../workers/sign-in-check.ts';
import { type EmulatedMicrosoft, startEmulatedMicrosoft } from '../support/emulated-microsoft.ts';
import { testNamespace, testRedisUrl } from '../support/test-redis.ts';
import { issueCertificate, pemOf } from '../unit/shared-test-certificate.ts';

const DAY = 24 * 3_600_000;
const GROUP = PARTNER.securityGroupId;
const log = silentLogger();

let microsoft: EmulatedMicrosoft;
let store: Store;
let banner: string | null;
beforeEach(async () => {
  microsoft = await startEmulatedMicrosoft();
  store = createMemoryStore({ now: Date.now });
  banner = null;
});
afterEach(() => microsoft.close());

function check(
  change: Partial<SignInCheckOptions> = {},
  connectors = microsoft.connectors,
): Promise<boolean> {
  return checkSignIn({
    identity: connectors.identity,
    partnerTenantId: PARTNER.tenantId,
    tenants: connectors.graph.tenants,
    groupIds: [GROUP],
    renewedAt: async () => Date.now(),
    credentialExpiresAt: null,
    store,
    notices: {
      async set(_, sentence) {
        banner = sentence;
      },
    },
    log,
    ...change,
  });
}

const pausedQueues = async () =>
  (await store.pausedQueues()).map(({ queue, code }) => `${queue}: ${code}`).sort();
const membersOf = (groupId: string, memberIds: string[]) => {
  microsoft.emulator.world.directory.groups.update(groupId, { memberIds });
};

describe('the daily check of our sign-in', () => {
  it('renews a sound one, pauses nothing and has nothing to say', async () => {
    expect([await check(), await pausedQueues(), banner]).toEqual([true, [], null]);
  });

  it('pauses each queue once when the refresh token is dead, however often it looks, under one banner', async () => {
    await microsoft.control('/refresh-tokens/revoke');

    expect([await check(), await check()]).toEqual([false, false]);

    expect(await pausedQueues()).toEqual(['graph: aadsts-700082', 'partner-center: aadsts-700082']);
    expect(banner).toMatch(/^The partner’s sign-in is refused \(aadsts-700082\): .*signed in anew/);
    expect(banner?.match(/refused/g)).toHaveLength(1);
  });

  it('lets the queues go on by itself after a new consent, and takes the banner back', async () => {
    await microsoft.control('/refresh-tokens/revoke');
    await check();
    await store.pauseQueue({ queue: 'mail', code: 'mail-refused', reason: 'Not ours to resume.' });
    await microsoft.control('/clock/advance', { ms: 1_000 });
    const { refreshToken } = (await microsoft.control('/refresh-tokens')) as { refreshToken: string };
    const { config } = microsoft;
    const renewed = createConnectors(
      { ...config, microsoft: { ...config.microsoft, refreshToken: new Secret(refreshToken) } },
      { log },
    );

    expect([await check({}, renewed), await pausedQueues(), banner]).toEqual([
      true,
      ['mail: mail-refused'],
      null,
    ]);
  });

  it('names a missing second factor, and stops what needs it', async () => {
    await microsoft.control('/settings', { mfa: false }, 'PATCH');

    expect(await check()).toBe(false);
    expect(await pausedQueues()).toEqual(['partner-center: identity-mfa-missing']);
    expect(banner).toContain('identity-mfa-missing');
  });

  it('finds our own Conditional Access before a customer’s onboarding does', async () => {
    const route = 'POST /login/:tenant/oauth2/v2.0/token';
    microsoft.emulator.addFault({ kind: 'error', route, status: 400, code: 53003 });
    const refused = await check();
    expect([refused, await pausedQueues()]).toEqual([
      false,
      ['graph: aadsts-53003', 'partner-center: aadsts-53003'],
    ]);
  });

  it.each([
    ['empty', () => membersOf(GROUP, [])],
    ['gone', () => microsoft.emulator.world.directory.groups.remove(GROUP)],
  ])('stops once for a security group that is %s, and goes on when it has members', async (_, spoil) => {
    spoil();
    expect([await check(), await check()]).toEqual([false, false]);
    expect(await pausedQueues()).toEqual(['graph: partner-group-unusable']);
    expect(banner).toContain(GROUP);

    const displayName = 'Again';
    const memberIds = [PARTNER.adminId];
    microsoft.emulator.world.directory.groups.put({
      id: GROUP,
      tenantId: PARTNER.tenantId,
      displayName,
      memberIds,
    });
    expect([await check(), await pausedQueues(), banner]).toEqual([true, [], null]);
  });

  it('stops once when our user is no Admin Agent any more', async () => {
    membersOf(PARTNER.adminAgentsGroupId, []);

    expect(await check()).toBe(false);
    expect(await pausedQueues()).toEqual(['partner-center: partner-not-admin-agent']);
  });

  it('pauses nothing while Microsoft’s sign-in service is merely away', async () => {
    microsoft.emulator.addFault({ kind: 'gateway-page', route: 'POST /login/*', status: 503 });

    expect([await check(), await pausedQueues()]).toEqual([false, []]);
    expect(banner).toContain('could not be checked');
  });
});

describe('the alarm', () => {
  it.each([
    [75, false],
    [77, true],
    [89, true],
  ])('%d days after the last renewal sounds: %s', async (days, sounds) => {
    microsoft.emulator.addFault({ kind: 'gateway-page', route: 'POST /login/*', status: 503 });

    await check({ renewedAt: async () => Date.now() - days * DAY });

    expect(/dies of disuse on \d{4}-\d\d-\d\d/.test(banner ?? '')).toBe(sounds);
    expect(await pausedQueues()).toEqual([]);
  });

  it.each([
    [13, true],
    [15, false],
  ])('%d days before our certificate runs out sounds: %s', async (days, sounds) => {
    const issued = issueCertificate({
      name: [['CN', 'x']],
      from: Date.now() - DAY,
      until: Date.now() + days * DAY,
    });
    const key = issued.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const credentialExpiresAt = credentialExpiry(new Secret(`${key}${pemOf(issued.der)}`));

    expect(await check({ credentialExpiresAt })).toBe(true);

    expect(/certificate runs out on/.test(banner ?? '')).toBe(sounds);
    expect(credentialExpiry(new Secret('a secret says nothing'))).toBeNull();
  });
});

describe('what the check stands on', () => {
  it('is kept in Redis: the sealed token with its day, and one sentence a name for every page', async () => {
    const redis = createRedis(testRedisUrl(), 'worker', { log });
    const namespace = testNamespace();
    const secretBox = createSecretBox({ key: randomBytes(32), oldKeys: [] });
    const kept = createRefreshTokenStore({ redis, namespace, secretBox, log });
    const notices = createNotices(redis, namespace);
    expect([await kept.renewedAt(), await notices.all()]).toEqual([null, []]);

    await kept.save(new Secret('hunter2'));
    await notices.set('b', 'Second.');
    await notices.set('a', 'Old.');
    await notices.set('a', 'First.');

    expect(Math.abs(Date.now() - ((await kept.renewedAt()) ?? 0))).toBeLessThan(60_000);
    expect((await kept.load())?.reveal()).toBe('hunter2');
    expect(await redis.get(`{${namespace}:meta}:refresh-token`)).not.toContain('hunter2');
    expect(await notices.all()).toEqual(['First.', 'Second.']);
    await notices.set('a', null);
    expect(await notices.all()).toEqual(['Second.']);
    await closeRedis(redis);
  });
});
