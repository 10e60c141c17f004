import { describe, expect, it } from '@jest/globals';
import { campaign, tooLittle } from './campaign.ts';
import { simulate } from './simulate.ts';

const FIRST = Number(process.env['SIM_FIRST'] ?? 1);
const SEEDS = Number(process.env['SIM_SEEDS'] ?? 10_000);

describe('the engine in simulated storms', () => {
  it('keeps every promise, whatever the seed', async () => {
    const report = await campaign(FIRST, SEEDS);

    expect(report.broken).toBeNull();
    process.stdout.write(`simulation: ${JSON.stringify(report)}\n`);
    expect(SEEDS < 1_000 ? [] : tooLittle(report)).toEqual([]);
  }, 900_000);

  it('plays the same run for the same seed, and another for another', async () => {
    const traces: string[] = [];
    for (const seed of [1, 2, 3, 5, 8, 13, 21, 34, 55, 89]) {
      const [once, again] = [await simulate(seed), await simulate(seed)];
      expect(again).toEqual(once);
      traces.push(once.trace);
    }

    expect(new Set(traces).size).toBe(traces.length);
  });
});
