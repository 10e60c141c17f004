import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CampaignReport, summed, tooLittle } from '../simulation/campaign.ts';
import { openStorms, proofOf } from '../simulation/lanes.ts';
import type { Lanes } from '../support/lanes.ts';
import { longRun } from '../support/long-run.ts';
import { reportProof } from '../support/proof-report.ts';

/** The short proof plays the first ten thousand. */
const FIRST = Number(process.env['STORM_FIRST'] ?? 10_001);
const BATCH = 10_000;
const run = longRun('STORM_SEEDS');

describe('the engine in very many simulated storms', () => {
  let lanes: Lanes<CampaignReport>;
  beforeAll(async () => {
    lanes = await openStorms();
  }, 60_000);
  afterAll(() => lanes.close());

  it(
    'keeps every promise',
    async () => {
      const over = run.begin();
      let total = summed([]);
      for (let done = 0; done < run.size && total.broken === null && !over(); done += BATCH) {
        const reports = await lanes.play(FIRST + done, Math.min(BATCH, run.size - done));
        total = summed([total, ...reports]);
      }

      reportProof(proofOf('simulation: very many seeds', FIRST, total));
      expect(total.broken).toBeNull();
      expect(total.seeds).toBe(run.size);
      expect(tooLittle(total)).toEqual([]);
    },
    run.timeoutMs,
  );
});
