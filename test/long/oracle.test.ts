import { describe, expect, it } from '@jest/globals';
import { consultOracle } from '../support/engine-oracle.ts';
import { reportProof } from '../support/proof-report.ts';

/** Sequences; 100 000 is the nightly figure and takes the better part of an hour. */
const RUNS = Number(process.env['ORACLE_RUNS'] ?? 100_000);
const BATCH = 1_000;
/** Others each night; the batches count on from it. */
const FIRST = Number(process.env['ORACLE_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

describe('a random statechart', () => {
  it(
    'runs durably just as XState runs it in memory, over very many sequences',
    async () => {
      const total = { sequences: 0, moved: 0, unsound: 0, poisoned: 0 };
      let seed = FIRST;
      let lost = 1;
      try {
        for (let left = RUNS; left > 0; left -= BATCH, seed += 1) {
          const report = await consultOracle(Math.min(left, BATCH), seed);
          total.sequences += report.sequences;
          total.moved += report.moved;
          total.unsound += report.unsound;
          total.poisoned += report.poisoned;
        }
        lost = 0;
      } finally {
        reportProof({
          ...{ suite: 'oracle: XState in memory', lost, seeds: `${FIRST}..${seed - 1 + lost}` },
          injected: { 'stored and restored between two events': total.moved },
          done: { sequences: total.sequences, events: total.moved },
        });
      }

      process.stdout.write(`${JSON.stringify(total)}\n`);
      expect(total.sequences).toBeGreaterThanOrEqual(RUNS);
      expect(total.moved).toBeGreaterThan(total.sequences);
      expect(total.unsound + total.poisoned).toBeLessThan(total.sequences / 4);
    },
    24 * 3_600_000,
  );
});
