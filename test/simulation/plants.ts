/** Bugs put in on purpose, around production code and never in it. Each must be caught. */
export const PLANTS = {
  'no-commit-ids': 'the store forgets commit ids, so one sent twice is judged twice',
  'no-revision-check': 'the store applies a commit whatever revision it was decided on',
  'enqueue-before-commit': 'activities are handed out before their commit, and nobody looks again',
  'no-verify': 'an activity runs again without looking what became of the last attempt',
  'worker-clock': 'timers are set and fired by the clock of the worker',
  'migration-drops-timers': 'a migration leaves the timers of its instance behind',
  'claim-kept-by-old-code': 'old code keeps the claim of what it cannot tell of',
  'lanes-share-answers': 'the two lanes of a process are one client to the commit script',
  'batch-forgotten': 'an instance does not remember the batch that it was in',
} as const;
/** One for the simulation itself: a process rolls dice that no seed governs, and no run can be played again. */
export type Plant = keyof typeof PLANTS | 'unseeded-dice';
