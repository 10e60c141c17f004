import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CampaignReport, summed, tooLittle } from '../simulation/campaign.ts';
import { type Lanes, openLanes, proofOf } from '../simulation/lanes.ts';
import { reportProof } from '../support/proof-report.ts';

/** A million is the nightly figure and takes an hour or more; the short proof plays the first ten thousand. */
const FIRST = Number(process.env['SIM_FIRST'] ?? 10_001);
const SEEDS = Number(process.env['SIM_SEEDS'] ?? 1_000_000);
const BATCH = 10_000;

describe('the engine in very many simulated storms', () => {
  let lanes: Lanes;
  beforeAll(async () => {
    lanes = await openLanes();
  }, 60_000);
  afterAll(() => lanes.close());

  it(
    'keeps every promise',
    async () => {
      const reports: CampaignReport[] = [];
      for (let done = 0; done < SEEDS; done += BATCH) {
        const report = await lanes.play(FIRST + done, Math.min(BATCH, SEEDS - done));
        reports.push(report);
        process.stdout.write(`simulation from ${FIRST + done}: ${JSON.stringify(report)}\n`);
        if (report.broken !== null) break;
      }

      const total = summed(reports);
      reportProof(proofOf('simulation: very many seeds', FIRST, total));
      expect(total.broken).toBeNull();
      expect(SEEDS < 1_000 ? [] : tooLittle(total)).toEqual([]);
    },
    24 * 3_600_000,
  );
});
