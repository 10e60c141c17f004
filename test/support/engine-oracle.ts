/** The oracle's property, for the short suite and the long one. */
import { deepStrictEqual } from 'node:assert/strict';
import fc from 'fast-check';
import { messageOf } from '../../shared/errors.ts';
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

/** Sequences of one batch: a batch is a seed. */
export const BATCH = 500;

export interface BatchesReport extends OracleReport {
  readonly batches: number;
  /** Where the engine and XState differ, with how to play it again. */
  readonly broken: string | null;
}

/** Whole batches, up to the first that finds a difference. */
export async function askOracle(first: number, batches: number): Promise<BatchesReport> {
  const reports: OracleReport[] = [];
  for (let seed = first; seed < first + batches; seed += 1) {
    try {
      reports.push(await consultOracle(BATCH, seed));
    } catch (error) {
      const again = `ORACLE_SEED=${seed} ORACLE_RUNS=${BATCH} npm run test:long -- --testPathPatterns oracle`;
      const broken = `batch ${seed}: ${messageOf(error)}\nPlay it again: ${again}`;
      return { ...added(reports), batches: reports.length, broken };
    }
  }
  return { ...added(reports), batches: reports.length, broken: null };
}

export function added(reports: readonly OracleReport[]): OracleReport {
  const sum = (part: keyof OracleReport) => reports.reduce((total, report) => total + report[part], 0);
  return {
    ...{ sequences: sum('sequences'), moved: sum('moved') },
    ...{ unsound: sum('unsound'), poisoned: sum('poisoned') },
  };
}

/** Throws with the smallest machine and sequence on which the engine and XState differ. */
export async function consultOracle(numRuns: number, seed?: number): Promise<OracleReport> {
  const report: OracleReport = { sequences: 0, moved: 0, unsound: 0, poisoned: 0 };
  await fc.assert(
    fc.asyncProperty(rawMachine, fc.array(step, { minLength: 1, maxLength: 20 }), async (raw, steps) => {
      const { moved, cut } = await playDuet(buildMachine(raw), steps, (durable, original, at) => {
        deepStrictEqual({ after: at, seen: durable }, { after: at, seen: original });
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
