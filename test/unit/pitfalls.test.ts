import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');
const rows = readFileSync(join(ROOT, 'docs/pitfalls.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| Pitfall'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, pitfall = '', handling = '', tests = '']) => ({ pitfall, handling, tests }));

describe('docs/pitfalls.md', () => {
  it('holds at least every pitfall that operators are known to run into', () => {
    expect(rows.length).toBeGreaterThanOrEqual(31);
    expect(new Set(rows.map(({ pitfall }) => pitfall)).size).toBe(rows.length);
  });

  it.each(rows)('shows "$pitfall" handled, by tests that exist', ({ handling, tests }) => {
    const references = [...tests.matchAll(/`(test\/[\w./-]+\.test\.ts)` "([^"]+)"/g)];

    expect(handling.length).toBeGreaterThan(10);
    expect(references.length).toBeGreaterThan(0);
    expect(references.map(([text]) => text).join(', ')).toBe(tests);
    for (const [, file = '', title = ''] of references) {
      const path = join(ROOT, file);
      expect([file, existsSync(path)]).toEqual([file, true]);
      const written = readFileSync(path, 'utf8');
      expect([title, written.includes(`'${title}'`)]).toEqual([title, true]);
    }
  });
});
