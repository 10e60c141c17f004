import { describe, expect, it } from '@jest/globals';
import { campaign } from './campaign.ts';
import { simulate } from './simulate.ts';

/** A taste: test/faults/simulation.test.ts plays ten thousand, test/long/simulation.test.ts a million. */
const FIRST = Number(process.env['SIM_FIRST'] ?? 1);
const SEEDS = Number(process.env['SIM_SEEDS'] ?? 300);

describe('the engine in simulated storms', () => {
  it('keeps every promise, whatever the seed', async () => {
    const report = await campaign(FIRST, SEEDS);

    expect(report.broken).toBeNull();
    expect(report.finished).toBeGreaterThanOrEqual(SEEDS);
  }, 900_000);

  it.each([44_641, 44_729])(
    'keeps every promise in the storm of seed %i, which once broke one',
    async (seed) => {
      expect((await campaign(seed, 1)).broken).toBeNull();
    },
  );

  it('plays the same run for the same seed, and another for another', async () => {
    const traces: number[] = [];
    for (const seed of [1, 2, 3, 5, 8, 13, 21, 34, 55, 89]) {
      const [once, again] = [await simulate(seed), await simulate(seed)];
      expect(again).toEqual(once);
      traces.push(once.trace);
    }

    expect(new Set(traces).size).toBe(traces.length);
  });

  it('is seen to play another run when its dice are not of the seed', async () => {
    const plant = 'unseeded-dice';

    expect(await simulate(1, { plant })).not.toEqual(await simulate(1, { plant }));
  });
});
