import { describe, expect, it } from '@jest/globals';
import { boundOf, LONG_RUN, minutesOf, shareOf, sizeOf, sizesOf } from '../../scripts/lib/proof-sizes.mjs';

describe('the sizes of a long proof', () => {
  it('are in proportion to the share, and never nothing', () => {
    expect(sizesOf(1)).toMatchObject({ STORM_SEEDS: '1000000', ORACLE_RUNS: '100000', CRASH_SEEDS: '200' });
    expect(sizesOf(0.1)).toMatchObject({ STORM_SEEDS: '100000', REDIS_KILLS: '100', CLUSTER_LOSSES: '2' });
    expect(Object.values(sizesOf(1e-9))).toEqual(Object.keys(LONG_RUN).map(() => '1'));
  });

  it('give way to what the caller sets, unless it is no size', () => {
    expect(sizeOf('TIMERS', {})).toBe(LONG_RUN.TIMERS.size);
    expect(sizeOf('TIMERS', { TIMERS: '7' })).toBe(7);
    for (const TIMERS of ['0', '-1', '1.5', 'many', ''])
      expect(() => sizeOf('TIMERS', { TIMERS })).toThrow(/TIMERS/);
  });

  it('bound each run and the whole in time', () => {
    expect(boundOf('CRASH_SEEDS', 1)).toBeGreaterThanOrEqual(60_000);
    expect(boundOf('CRASH_SEEDS', 200)).toBeGreaterThan(200 * LONG_RUN.CRASH_SEEDS.secondsEach * 1_000);
    const [tenth, whole] = [minutesOf(sizesOf(0.1)), minutesOf(sizesOf(1))];
    expect(tenth.expected).toBeLessThan(whole.expected / 5);
    expect(whole.atMost).toBeGreaterThan(whole.expected);
  });
});

describe('the share on the command line', () => {
  it('is one without a word, and taken off the rest', () => {
    expect(shareOf(['-t', 'x'])).toEqual({ share: 1, rest: ['-t', 'x'] });
    expect(shareOf(['-t', '--share=0.1', 'x'])).toEqual({ share: 0.1, rest: ['-t', 'x'] });
  });

  it.each(['0', '1.1', '-1', 'half', ''])('is refused when it is %j', (given) => {
    expect(() => shareOf([`--share=${given}`])).toThrow(/--share/);
  });
});
