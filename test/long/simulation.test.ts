import { describe, expect, it } from '@jest/globals';
import { campaign, tooLittle } from '../simulation/campaign.ts';

/** A million is the nightly figure and takes hours of one core; the short suite plays the first ten thousand. */
const FIRST = Number(process.env['SIM_FIRST'] ?? 10_001);
const SEEDS = Number(process.env['SIM_SEEDS'] ?? 1_000_000);
const BATCH = 10_000;

describe('the engine in very many simulated storms', () => {
  it(
    'keeps every promise',
    async () => {
      for (let done = 0; done < SEEDS; done += BATCH) {
        const report = await campaign(FIRST + done, Math.min(BATCH, SEEDS - done));

        expect(report.broken).toBeNull();
        process.stdout.write(`simulation from ${FIRST + done}: ${JSON.stringify(report)}\n`);
        expect(report.seeds < 1_000 ? [] : tooLittle(report)).toEqual([]);
      }
    },
    24 * 3_600_000,
  );
});
