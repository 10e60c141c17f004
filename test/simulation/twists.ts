/**
 * What a run has beyond the common story. Decided by dice of their own: a seed without twists plays the storm it always
 * played.
 */
import { createChance } from './chance.ts';

export interface Twists {
  /** New code is rolled out beside the old, and instances are taken to its version and back. */
  readonly migrates: boolean;
  /** Operations staff take a hand: by any of their means, at any moment. */
  readonly operates: boolean;
  /** Commits ride together in batches, two under way a process and shard, as they do over Redis. */
  readonly groups: boolean;
}

/** Such that the seeds `simulation.test.ts` names for what they once found have none. */
const APART = 18 * 2 ** 20;

export function twistsOf(seed: number): Twists {
  const dice = createChance(seed + APART);
  return { migrates: dice.happens(0.2), operates: dice.happens(0.25), groups: dice.happens(0.4) };
}
