/** The oracle's property, for the short suite and the long one. */
import { expect } from '@jest/globals';
import fc from 'fast-check';
import { playDuet, type Step } from './engine-duet.ts';
import { buildMachine, EVENTS, rawMachine } from './engine-machines.ts';

const value = fc.constantFrom<unknown>(
  1,
  'text',
  null,
  undefined,
  { a: undefined, b: [1] },
  new Date(5),
  Number.NaN,
);
const error = fc.constantFrom<unknown>('plain', new TypeError('typed'), { code: 7 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      type: fc.constantFrom(...EVENTS, 'unheard.of'),
      x: fc.nat(3),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('resolve' as const), which: fc.nat(5), output: value }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reject' as const), which: fc.nat(5), error }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 5, 10, 30, 100) }),
  },
);

export interface OracleReport {
  sequences: number;
  /** Events after which the machine was still open. */
  moved: number;
  /** Sequences cut short: where XState contradicts itself, where the machine throws. */
  unsound: number;
  poisoned: number;
}

/** Throws with the smallest machine and sequence on which the engine and XState differ. */
export async function consultOracle(numRuns: number, seed?: number): Promise<OracleReport> {
  const report: OracleReport = { sequences: 0, moved: 0, unsound: 0, poisoned: 0 };
  await fc.assert(
    fc.asyncProperty(rawMachine, fc.array(step, { minLength: 1, maxLength: 20 }), async (raw, steps) => {
      const { moved, cut } = await playDuet(buildMachine(raw), steps, (durable, original, at) => {
        expect({ after: at, seen: durable }).toEqual({ after: at, seen: original });
      });
      report.sequences += 1;
      report.moved += moved;
      if (cut === 'unsound') report.unsound += 1;
      if (cut === 'poison') report.poisoned += 1;
    }),
    { numRuns, ...(seed === undefined ? {} : { seed }), interruptAfterTimeLimit: 0x7fffffff },
  );
  return report;
}
