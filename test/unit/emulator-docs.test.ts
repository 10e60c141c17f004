import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { FAULT_KINDS } from '../../emulator/core/faults.ts';
import { DEFAULT_SETTINGS } from '../../emulator/options.ts';

const ROOT = join(import.meta.dirname, '../..');
const page = readFileSync(join(ROOT, 'docs/emulator.md'), 'utf8');
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| what'))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, what = '', how = '', tests = '']) => ({ what, how, tests }));

describe('docs/emulator.md', () => {
  it('names every trouble that can be ordered and every setting', () => {
    const names = [...FAULT_KINDS, ...Object.keys(DEFAULT_SETTINGS)];

    expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });

  it.each(rows)('shows "$what" used, by tests that exist', ({ tests }) => {
    const references = [...tests.matchAll(/`(test\/[\w./-]+\.test\.ts)` "([^"]+)"/g)];

    expect(references.map(([text]) => text).join(', ')).toBe(tests);
    expect(references.length).toBeGreaterThan(0);
    for (const [, file = '', title = ''] of references) {
      const path = join(ROOT, file);
      expect([file, existsSync(path)]).toEqual([file, true]);
      expect([title, readFileSync(path, 'utf8').includes(`'${title}'`)]).toEqual([title, true]);
    }
  });
});
