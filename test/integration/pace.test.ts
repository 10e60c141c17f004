import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { createConnectors, type Pace } from '../../connectors/index.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import { createPace } from '../../workers/pace.ts';
import { startEmulatedMicrosoft } from '../support/emulated-microsoft.ts';
import { testNamespace, testRedisUrl } from '../support/test-redis.ts';

const log = silentLogger();
let redis: Redis;
let namespace: string;
beforeEach(() => {
  redis = createRedis(testRedisUrl(), 'worker', { log });
  namespace = testNamespace();
});
afterEach(() => closeRedis(redis));

const pace = (perMinute: number, patienceMs = 0): Pace =>
  createPace({ redis, namespace, service: 'partner-center', subject: 'partner', perMinute, patienceMs, log });

describe('the pace of all workers together', () => {
  it('lets no minute see more calls than allowed, however many workers there are', async () => {
    const workers = [pace(130), pace(130)];
    const calls = await Promise.allSettled(Array.from({ length: 40 }, (_, n) => workers[n % 2]?.admit()));

    // 130 a minute are 10 in each of the 13 windows of five seconds that a minute can touch.
    expect(calls.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
    const refused = calls.flatMap((call) => (call.status === 'rejected' ? [call.reason] : []));
    expect(refused[0]).toMatchObject({ kind: 'retryable', code: 'partner-center-paced' });
    expect(refused[0].retryAfterMs).toBeGreaterThan(0);
    expect(refused[0].retryAfterMs).toBeLessThanOrEqual(5_000);
  });

  it('holds for every worker when Microsoft asks one of them to pause', async () => {
    const [throttled, other] = [pace(1_300), pace(1_300)];
    await other.admit();

    await throttled.throttled(1_200);

    await expect(other.admit()).rejects.toMatchObject({ code: 'partner-center-paced' });
    const patient = pace(1_300, 10_000);
    const started = performance.now();
    await patient.admit();
    expect(performance.now() - started).toBeGreaterThan(900);
  });

  it('ends a wait when the attempt is aborted', async () => {
    const slow = pace(1_300, 60_000);
    await slow.throttled(30_000);
    const controller = new AbortController();
    const waiting = slow.admit(controller.signal);
    controller.abort();

    await expect(waiting).rejects.toMatchObject({ kind: 'retryable', code: 'partner-center-aborted' });
  });

  it('is told of a 429 by whichever call met it, with the time Microsoft named', async () => {
    const microsoft = await startEmulatedMicrosoft();
    const pauses: number[] = [];
    const admitted: string[] = [];
    const connectors = createConnectors(microsoft.config, {
      log,
      partnerCenterPace: {
        admit: async () => void admitted.push('call'),
        throttled: async (waitMs) => void pauses.push(waitMs),
      },
    });
    microsoft.emulator.addFault({ kind: 'throttle', route: 'GET /pc/*', times: 1, retryAfterSeconds: 7 });

    const call = connectors.partnerCenter.relationships.invitation();

    await expect(call).rejects.toMatchObject({ kind: 'retryable', retryAfterMs: 7_000 });
    expect([admitted.length, pauses]).toEqual([1, [7_000]]);
    connectors.close();
    await microsoft.close();
  });
});
