import { describe, expect, it } from '@jest/globals';
import { proofOfTimers, ringAtOnce } from '../support/engine-timers.ts';
import { longRun } from '../support/long-run.ts';
import { reportProof } from '../support/proof-report.ts';

const run = longRun('TIMERS');
/** Setting one takes a millisecond or two, clearing a tenth of them a little more. */
const LEAD_MS = 10_000 + 4 * run.size;

describe('very many timers due in one instant, under workers whose clocks are a day off and jump', () => {
  it(
    'all fire once, none before Redis says so, none that was cleared',
    async () => {
      const report = await ringAtOnce(run.size, LEAD_MS, run.boundMs);
      reportProof(proofOfTimers('timers: very many due at once', report));

      const stopped = Math.ceil(run.size / 10);
      expect(report).toMatchObject({ stopped, early: 0, ghosts: 0, doubled: 0, missing: 0 });
      expect(report.due).toBe(run.size - stopped);
      expect(report.looksBeforeDue).toBeGreaterThan(10);
    },
    LEAD_MS + run.timeoutMs,
  );
});
