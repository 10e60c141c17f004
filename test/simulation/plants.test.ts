/** The simulation is worth something only if it sees what it looks for: each planted fault must be caught, and soon. */
import { describe, expect, it } from '@jest/globals';
import { campaign, tooLittle } from './campaign.ts';
import { ACTS, type Act } from './judge.ts';
import { PLANTS } from './plants.ts';
import { FAULTS, type Fault } from './weather.ts';

/** More than what each took when this was written (1 to 300). */
const WITHIN_SEEDS = 1_000;

const SHOWN_BY: Readonly<Record<keyof typeof PLANTS, RegExp>> = {
  'no-commit-ids': /started once and told|sent once and called|asked for once and refused|come to rest/,
  'no-revision-check': /a decision on revision \d+ became/,
  'enqueue-before-commit': /does not come to rest/,
  'no-verify': /the outside was changed 2 times/,
  'migration-drops-timers': /timer .* is in the record only/,
  'claim-kept-by-old-code': /does not come to rest/,
  'lanes-share-answers': /another story|come to rest|in no history|record only|became|once/,
  'batch-forgotten': /batch:\d+: \d+ were told of, and \d+ have it/,
  'worker-clock': /ms early|ahead of the store's time|come to rest/,
};

describe('a planted fault', () => {
  it.each(Object.entries(PLANTS) as [keyof typeof PLANTS, string][])(
    '%s (%s) is caught',
    async (plant) => {
      const { seeds, broken } = await campaign(1, WITHIN_SEEDS, plant);

      expect(broken).toMatch(SHOWN_BY[plant]);
      process.stdout.write(`planted ${plant}: caught by seed ${seeds}\n`);
    },
    120_000,
  );

  it('is not what makes the same seeds fail', async () => {
    expect((await campaign(1, 50)).broken).toBeNull();
  });

  it('in the storm itself is caught: a campaign in which nothing goes wrong counts for nothing', () => {
    const faults = Object.fromEntries(FAULTS.map((fault) => [fault, 1_000])) as Record<Fault, number>;
    const acts = Object.fromEntries(ACTS.map((act) => [act, 100])) as Record<Act, number>;
    const enough = {
      seeds: 1_000,
      commits: 9_000,
      finished: 1_900,
      effects: 1,
      virtualMs: 1,
      faults,
      acts,
      broken: null,
      trace: 1,
    };

    expect(tooLittle(enough)).toEqual([]);
    expect(tooLittle({ ...enough, faults: { ...enough.faults, crash: 0 } })).toEqual(['crash: 0']);
    expect(tooLittle({ ...enough, acts: { ...acts, undo: 0 } })).toEqual(['undo: 0']);
    expect(tooLittle({ ...enough, finished: 10 })).toHaveLength(1);
  });
});
