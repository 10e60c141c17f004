import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { added, BATCH, type BatchesReport } from '../support/engine-oracle.ts';
import { type Lanes, openLanes } from '../support/lanes.ts';
import { longRun } from '../support/long-run.ts';
import { reportProof } from '../support/proof-report.ts';

const run = longRun('ORACLE_RUNS');
/** Others each time; the batches count on from it. */
const FIRST = Number(process.env['ORACLE_SEED'] ?? Math.floor(Math.random() * 2 ** 30));
/** Batches between two looks at the clock. */
const ROUND = 20;
const PER_BATCH_MS = 300_000;

describe('a random statechart', () => {
  let lanes: Lanes<BatchesReport>;
  beforeAll(async () => {
    lanes = await openLanes('test/support/oracle-program.ts', PER_BATCH_MS);
  }, 60_000);
  afterAll(() => lanes.close());

  it(
    'runs durably just as XState runs it in memory, over very many sequences',
    async () => {
      const over = run.begin();
      const batches = Math.ceil(run.size / BATCH);
      const reports: BatchesReport[] = [];
      const broken = () => reports.flatMap((report) => (report.broken === null ? [] : [report.broken]));
      for (let done = 0; done < batches && broken().length === 0 && !over(); done += ROUND) {
        reports.push(...(await lanes.play(FIRST + done, Math.min(ROUND, batches - done))));
      }

      const total = added(reports);
      const played = reports.reduce((sum, report) => sum + report.batches, 0);
      reportProof({
        ...{ suite: 'oracle: XState in memory', lost: broken().length },
        seeds: `${FIRST}..${FIRST + played - 1}`,
        injected: { 'stored and restored between two events': total.moved },
        done: { sequences: total.sequences, events: total.moved },
      });
      expect(broken()).toEqual([]);
      expect(total.sequences).toBeGreaterThanOrEqual(run.size);
      expect(total.moved).toBeGreaterThan(total.sequences);
      expect(total.unsound + total.poisoned).toBeLessThan(total.sequences / 4);
    },
    run.timeoutMs,
  );
});
