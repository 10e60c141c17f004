import { describe, expect, it } from '@jest/globals';
import { ringAtOnce } from '../support/engine-timers.ts';

const TIMERS = Number(process.env['TIMERS'] ?? 100_000);
/** Setting one takes a millisecond or two, clearing a tenth of them a little more. */
const LEAD_MS = 10_000 + 4 * TIMERS;

describe('a hundred thousand timers due in one instant, under workers whose clocks are a day off and jump', () => {
  it('all fire once, none before Redis says so, none that was cleared', async () => {
    const report = await ringAtOnce(TIMERS, LEAD_MS, 10 * 60_000);

    process.stdout.write(`timers: ${JSON.stringify(report)}\n`);
    expect(report).toMatchObject({ stopped: TIMERS / 10, early: 0, ghosts: 0, doubled: 0, missing: 0 });
    expect(report.looksBeforeDue).toBeGreaterThan(10);
  }, 3_600_000);
});
