import { describe, expect, it } from '@jest/globals';
import { drawing } from '../support/drawing.ts';
import { consultOracle } from '../support/engine-oracle.ts';

describe('a random statechart', () => {
  it('runs durably, stored and restored at every event, just as XState runs it in memory', async () => {
    await drawing(300, async ({ seed, numRuns }) => {
      const { sequences, moved, unsound, poisoned } = await consultOracle(numRuns, seed);

      expect(sequences).toBeGreaterThanOrEqual(numRuns);
      expect(moved).toBeGreaterThan(sequences);
      // A sequence cut short compares less than it drew.
      expect(unsound + poisoned).toBeLessThan(sequences / 4);
    });
  }, 60_000);
});
