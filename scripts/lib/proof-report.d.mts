import type { ProofLine } from '../../test/support/proof-report.ts';

export declare function readProof(text: string): ProofLine[];
export declare function proofProblems(lines: readonly ProofLine[]): string[];
export declare function proofTable(lines: readonly ProofLine[]): string;
export declare function proofPage(page: {
  words: string;
  command: string;
  machine: string;
  lines: readonly ProofLine[];
}): string;
