import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ERROR_CODES } from '../../shared/errors.ts';

const text = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
const sections = text.split(/^## /m).slice(1);
const headings = sections.map((section) => /^`([^`]+)`\n/.exec(section)?.[1] ?? section.split('\n')[0]);

describe('docs/errors.md', () => {
  it('has one heading for each error code, in the order of the code, and no other', () => {
    expect(headings).toEqual([...ERROR_CODES]);
  });

  it('says something in one paragraph under each heading', () => {
    const paragraphs = sections.map((section) =>
      section
        .trim()
        .split(/\n{2,}/)
        .slice(1),
    );

    expect(headings.filter((_, index) => paragraphs[index]?.length !== 1)).toEqual([]);
  });
});
