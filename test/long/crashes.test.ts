import { afterEach, describe, expect, it } from '@jest/globals';
import { type Chaos, FAULT_POINTS, openChaos, percentile } from '../support/engine-chaos.ts';

/** Rounds over every named point; 20 is about ten minutes. */
const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? 20);

let chaos: Chaos;
afterEach(() => chaos.close());

describe('kill -9 of workers and Redis, again and again', () => {
  it(
    'loses no instance and doubles no effect',
    async () => {
      chaos = await openChaos(20);
      await Promise.all([chaos.standby(), chaos.standby()]);

      for (let round = 0; round < ROUNDS; round += 1) {
        for (const point of FAULT_POINTS) await chaos.dieAt(point, Math.floor(Math.random() * 20));
        await chaos.killAfter(Math.random() * 2_000);
        await chaos.killRedis();
      }

      const outcome = await chaos.conclude(120_000);
      expect(outcome.kills).toBe(ROUNDS * (FAULT_POINTS.length + 2));
      expect(outcome.started).toBeGreaterThan(ROUNDS * 50);
      expect(outcome).toMatchObject({
        completed: outcome.started,
        doubled: [],
        missing: [],
        brokenHistories: [],
      });
      expect(percentile(outcome.standstills, 0.99)).toBeLessThan(10_000);
    },
    24 * 3_600_000,
  );
});
