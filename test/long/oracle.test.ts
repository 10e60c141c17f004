import { describe, expect, it } from '@jest/globals';
import { consultOracle } from '../support/engine-oracle.ts';

/** Sequences; 100 000 is the nightly figure and takes the better part of an hour. */
const RUNS = Number(process.env['ORACLE_RUNS'] ?? 100_000);
const BATCH = 1_000;

describe('a random statechart', () => {
  it(
    'runs durably just as XState runs it in memory, over very many sequences',
    async () => {
      const total = { sequences: 0, moved: 0, unsound: 0, poisoned: 0 };
      for (let left = RUNS; left > 0; left -= BATCH) {
        const report = await consultOracle(Math.min(left, BATCH));
        total.sequences += report.sequences;
        total.moved += report.moved;
        total.unsound += report.unsound;
        total.poisoned += report.poisoned;
      }

      process.stdout.write(`${JSON.stringify(total)}\n`);
      expect(total.sequences).toBeGreaterThanOrEqual(RUNS);
      expect(total.moved).toBeGreaterThan(total.sequences);
      expect(total.unsound + total.poisoned).toBeLessThan(total.sequences / 4);
    },
    24 * 3_600_000,
  );
});
