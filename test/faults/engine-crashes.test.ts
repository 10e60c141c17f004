import { afterEach, describe, expect, it } from '@jest/globals';
import { type Chaos, FAULT_POINTS, type Outcome, openChaos, percentile } from '../support/engine-chaos.ts';

let chaos: Chaos;
afterEach(() => chaos.close());

/** What must be true after any of it. A run that hit nothing or finished nothing proves nothing. */
function expectKept(outcome: Outcome, atLeast: { readonly kills: number; readonly instances: number }): void {
  expect(outcome.kills).toBeGreaterThanOrEqual(atLeast.kills);
  expect(outcome.started).toBeGreaterThanOrEqual(atLeast.instances);
  expect(outcome.completed).toBe(outcome.started);
  expect(outcome.doubled).toEqual([]);
  expect(outcome.missing).toEqual([]);
  expect(outcome.brokenHistories).toEqual([]);
  expect(percentile(outcome.standstills, 0.99)).toBeLessThan(10_000);
}

describe('kill -9', () => {
  it('of a worker at every named point and at random loses no instance and doubles no effect', async () => {
    chaos = await openChaos(12);
    await chaos.standby();

    for (const [index, point] of FAULT_POINTS.entries()) await chaos.dieAt(point, (index * 3) % 7);
    for (const ms of [50, 300, 700]) await chaos.killAfter(ms);

    const outcome = await chaos.conclude(30_000);
    expectKept(outcome, { kills: FAULT_POINTS.length + 3, instances: 50 });
  }, 90_000);

  it('of Redis under load loses nothing that was acknowledged', async () => {
    chaos = await openChaos(15);
    await Promise.all([chaos.standby(), chaos.standby()]);

    for (let kill = 0; kill < 4; kill += 1) {
      await new Promise((resolve) => setTimeout(resolve, 700 + kill * 130));
      await chaos.killRedis();
    }

    const outcome = await chaos.conclude(30_000);
    expectKept(outcome, { kills: 4, instances: 20 });
  }, 90_000);
});
