import { describe, expect, it } from '@jest/globals';
import { playScripts } from '../support/engine-store-scripts.ts';

const SCRIPTS = Number(process.env['STORE_SCRIPTS'] ?? 10_000);

describe('very many random scripts of calls', () => {
  it('get equal answers from memory and Redis', async () => {
    const { calls } = await playScripts(SCRIPTS);

    process.stdout.write(`store scripts: ${SCRIPTS}, calls: ${JSON.stringify(calls)}\n`);
    expect(Object.values(calls).every((times) => times > 0)).toBe(true);
  }, 3_600_000);
});
