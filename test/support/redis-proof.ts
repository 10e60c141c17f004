/** What was done to a Redis and what became of it, as a line of the proof. */
import { reportProof } from './proof-report.ts';
import type { Verdict } from './writers.ts';

export function reportRedis(
  suite: string,
  injected: Readonly<Record<string, number>>,
  outcome: Verdict,
  also: Readonly<Record<string, number>> = {},
): void {
  const { lost, torn, falselyRefused, kept } = outcome;
  const wrong = lost + torn.length + falselyRefused.length;
  reportProof({ suite: `redis: ${suite}`, injected, done: { commits: kept, ...also }, lost: wrong });
}
