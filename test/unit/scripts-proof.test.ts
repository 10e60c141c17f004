import { describe, expect, it } from '@jest/globals';
import { proofPage, proofProblems, proofTable, readProof } from '../../scripts/lib/proof-report.mjs';
import type { ProofLine } from '../support/proof-report.ts';

const line = (changes: Partial<ProofLine> = {}): ProofLine => ({
  suite: 'crash matrix',
  injected: { 'kill -9 at load': 20, 'kill -9 at decide': 20 },
  done: { orders: 915 },
  lost: 0,
  seeds: '1..20',
  ...changes,
});

describe('a proof', () => {
  it('holds when faults happened, work was done and nothing was lost', () => {
    expect(proofProblems([line(), line({ suite: 'power cut' })])).toEqual([]);
  });

  it.each([
    ['no run reported', [], /no run/],
    ['nothing was injected', [line({ injected: {} })], /crash matrix: injected nothing/],
    ['one of the faults never happened', [line({ injected: { a: 3, b: 0 } })], /'b' never happened/],
    ['nothing was finished', [line({ done: { orders: 0 } })], /finished nothing/],
    ['something was lost', [line({ lost: 2 })], /lost 2/],
  ])('does not hold when %s', (_, lines, words) => {
    expect(proofProblems(lines).join()).toMatch(words);
  });

  it('is read in the order of its runs, whichever came first', () => {
    const text = [line({ suite: 'b' }), line({ suite: 'a' })].map((one) => JSON.stringify(one)).join('\n');

    expect(readProof(`${text}\n`).map(({ suite }) => suite)).toEqual(['a', 'b']);
  });

  it('is shown as a table, and as a page that says what was injected, finished, lost and planted', () => {
    const control = (plant: string, caught: number) =>
      line({
        suite: `control: ${plant}`,
        injected: { faults: 50, 'plants caught': caught },
        done: { 'things done': 50 },
      });
    const lines = [line(), control('no commit id', 1), control('no one looks', 0)];

    const page = proofPage({ words: '# Words\n', command: 'npm run proof', machine: '2 cores', lines });

    expect(proofTable(lines)).toContain('crash matrix           40 faults  915 orders');
    expect(page).toContain('| kill -9 at load | 20 |');
    expect(page).toContain('Finished: 915 orders, seeds 1..20. Lost, doubled, torn or stuck: **0**.');
    expect(page).toContain('| no commit id | yes | 50 things done, 0 lost |');
    expect(page).toContain('| no one looks | **no** |');
    expect(page).not.toContain('### control');
  });
});
