import { describe, expect, it } from '@jest/globals';
import { proofOfTimers, ringAtOnce } from '../support/engine-timers.ts';
import { reportProof } from '../support/proof-report.ts';

const TIMERS = 2_000;

describe('timers due in one instant, under workers whose clocks are a day off and jump', () => {
  it('all fire once, none before Redis says so, none that was cleared', async () => {
    const report = await ringAtOnce(TIMERS, 15_000, 60_000);

    reportProof(proofOfTimers('timers: due at once', report));
    expect(report).toMatchObject({ due: 1_800, stopped: 200, early: 0, ghosts: 0, doubled: 0, missing: 0 });
    expect(report.looksBeforeDue).toBeGreaterThan(10);
  }, 120_000);
});
