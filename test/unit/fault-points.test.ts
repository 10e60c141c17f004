import { describe, expect, it } from '@jest/globals';
import { CRASH_POINTS } from '../support/crash-points.ts';
import { readSources } from '../support/source-files.ts';

const sources = readSources(['engine', 'workers', 'api']);
const calls = sources.flatMap(({ path, text }) =>
  text
    .split('\n')
    .map((line) => ({ path, line: line.trim() }))
    .filter(({ line }) => line.includes('faults.at(')),
);
const declared = sources.find(({ path }) => path === 'engine/fault-points.ts')?.text ?? '';
const names = [...declared.matchAll(/^ {2}\| '([a-z-]+)'/gm)].map(([, name]) => name);

describe('fault points', () => {
  it('cost one comparison in production: nothing is called or awaited without faults', () => {
    expect(calls.length).toBeGreaterThanOrEqual(names.length);
    for (const { path, line } of calls)
      expect(`${path}: ${line}`).toMatch(/: if \(faults !== undefined\) await faults\.at\('/);
  });

  it('are each passed somewhere, and each a place to die in the crash matrix', () => {
    const passed = new Set(calls.map(({ line }) => /faults\.at\('([a-z-]+)'/.exec(line)?.[1]));
    const died: readonly string[] = Object.values(CRASH_POINTS).flatMap(({ at }) => at);

    expect([...passed].toSorted()).toEqual(names.toSorted());
    expect(names.filter((name) => name !== undefined && !died.includes(name))).toEqual([]);
  });
});
