import { describe, expect, it } from '@jest/globals';
import { playScripts } from '../support/engine-store-scripts.ts';

const SCRIPTS = Number(process.env['STORE_SCRIPTS'] ?? 250);

describe('random scripts of calls', () => {
  it('get equal answers from memory and Redis', async () => {
    const { calls } = await playScripts(SCRIPTS);

    expect(Object.entries(calls).filter(([, times]) => times < SCRIPTS / 50)).toEqual([]);
  }, 120_000);
});
