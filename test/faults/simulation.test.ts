import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type CampaignReport, campaign, summed, tooLittle } from '../simulation/campaign.ts';
import { openStorms, proofOf } from '../simulation/lanes.ts';
import type { Lanes } from '../support/lanes.ts';
import { reportProof } from '../support/proof-report.ts';

const FIRST = Number(process.env['SIM_FIRST'] ?? 1);
const SEEDS = Number(process.env['SIM_SEEDS'] ?? 10_000);

describe('the engine in ten thousand simulated storms', () => {
  let lanes: Lanes<CampaignReport>;
  beforeAll(async () => {
    lanes = await openStorms();
  }, 60_000);
  afterAll(() => lanes.close());

  it('keeps every promise', async () => {
    const report = summed(await lanes.play(FIRST, SEEDS));

    reportProof(proofOf('simulation', FIRST, report));
    expect(report.broken).toBeNull();
    expect(SEEDS < 1_000 ? [] : tooLittle(report)).toEqual([]);
  }, 900_000);

  it('plays the same runs in any process', async () => {
    expect(summed(await lanes.play(FIRST, 40))).toEqual(await campaign(FIRST, 40));
  }, 60_000);
});
