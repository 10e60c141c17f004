import { describe, expect, it } from '@jest/globals';
import { consultOracle } from '../support/engine-oracle.ts';

describe('a random statechart', () => {
  it('runs durably, stored and restored at every event, just as XState runs it in memory', async () => {
    const { sequences, moved } = await consultOracle(300);

    expect(sequences).toBeGreaterThanOrEqual(300);
    expect(moved).toBeGreaterThan(sequences);
  }, 60_000);
});
