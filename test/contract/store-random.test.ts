import { describe, expect, it } from '@jest/globals';
import { drawing } from '../support/drawing.ts';
import { playScripts } from '../support/engine-store-scripts.ts';

const SCRIPTS = Number(process.env['STORE_SCRIPTS'] ?? 250);

describe('random scripts of calls', () => {
  it('get equal answers from memory and Redis', async () => {
    await drawing(SCRIPTS, async ({ seed, numRuns }) => {
      const { calls } = await playScripts(numRuns, seed);

      expect(Object.entries(calls).filter(([, times]) => times < numRuns / 50)).toEqual([]);
    });
  }, 120_000);
});
