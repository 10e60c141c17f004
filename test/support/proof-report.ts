/** What a proof run did, as a line of the report that `npm run proof` makes docs/reliability.md from. */
import { appendFileSync } from 'node:fs';

export interface ProofLine {
  /** Name of the run, unique over all suites: `crash matrix`, `redis: power cut`. */
  readonly suite: string;
  /** Faults that really happened, by name: `{ 'kill -9 before commit': 20 }`. All zero fails the proof. */
  readonly injected: Readonly<Record<string, number>>;
  /** Work that was really finished, by name: `{ instances: 812, effects: 4060 }`. All zero fails the proof. */
  readonly done: Readonly<Record<string, number>>;
  /** Everything that was lost, doubled, torn or stuck. Anything but 0 fails the proof. */
  readonly lost: number;
  /** What reproduces the run: `1..20`, `0x5eed`. */
  readonly seeds?: string;
}

/**
 * Prints the line, and appends it to the file that PROOF_REPORT names, if one does. Call it before the run's own
 * assertions.
 */
export function reportProof(line: ProofLine): void {
  process.stdout.write(`proof ${JSON.stringify(line)}\n`);
  const file = process.env['PROOF_REPORT'];
  if (file !== undefined && file !== '') appendFileSync(file, `${JSON.stringify(line)}\n`);
}
