import { describe, expect, it } from '@jest/globals';
import { COVERAGE } from '../../emulator/coverage.ts';
import { createEmulator } from '../../emulator/index.ts';

describe('the coverage table of the emulator', () => {
  it('names exactly the registered operations of Microsoft', () => {
    const registered = createEmulator()
      .operations.map((operation) => operation.key)
      .filter((key) => /^\w+ \/(login|pc|graph)\//.test(key));

    const served = COVERAGE.filter((row) => row.status !== 'not-started').map(
      (row) => `${row.method} ${row.path}`,
    );

    expect(served.sort()).toEqual(registered.sort());
  });

  it('never serves what it calls not started, and says why', () => {
    const registered = new Set(createEmulator().operations.map((operation) => operation.key));

    for (const row of COVERAGE.filter((candidate) => candidate.status === 'not-started')) {
      expect(registered.has(`${row.method} ${row.path}`)).toBe(false);
      expect(row.notes).not.toBe('');
    }
  });
});
