import { describe, expect, it } from '@jest/globals';
import { playScripts, type ScriptsReport } from '../support/engine-store-scripts.ts';
import { longRun } from '../support/long-run.ts';
import { reportProof } from '../support/proof-report.ts';

const run = longRun('STORE_SCRIPTS');
const FIRST = Number(process.env['STORE_SEED'] ?? Math.floor(Math.random() * 2 ** 30));
const BATCH = 250;

describe('very many random scripts of calls', () => {
  it(
    'get equal answers from memory and Redis',
    async () => {
      const over = run.begin();
      const calls: Record<string, number> = {};
      let scripts = 0;
      let seed = FIRST;
      let broken: unknown = null;
      for (; scripts < run.size && broken === null && !over(); seed += 1) {
        const report = await playScripts(Math.min(BATCH, run.size - scripts), seed).catch(
          (error: unknown) => {
            broken = error;
            return { scripts: 0, calls: {} } satisfies ScriptsReport;
          },
        );
        scripts += report.scripts;
        for (const [method, times] of Object.entries(report.calls))
          calls[method] = (calls[method] ?? 0) + times;
      }

      const made = Object.values(calls).reduce((sum, times) => sum + times, 0);
      reportProof({
        ...{ suite: 'stores: memory and Redis', injected: { 'random scripts': scripts } },
        done: { calls: made, methods: Object.values(calls).filter((times) => times > 0).length },
        ...{ lost: broken === null ? 0 : 1, seeds: `${FIRST}..${seed - 1}` },
      });
      if (broken !== null) throw broken;
      expect(scripts).toBe(run.size);
      expect(Object.entries(calls).filter(([, times]) => times < run.size / 50)).toEqual([]);
    },
    run.timeoutMs,
  );
});
