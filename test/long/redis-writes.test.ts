/** The same faults as in `test/faults/redis-writes.test.ts`, as often as a night allows. */
import { describe, expect, it } from '@jest/globals';
import { longRun } from '../support/long-run.ts';
import { reportProof } from '../support/proof-report.ts';
import { reportRedis } from '../support/redis-proof.ts';
import { cutConnections, cutPower, killUnderLoad, tearCommit } from '../support/redis-scenarios.ts';

const kills = longRun('REDIS_KILLS');
const cuts = longRun('POWER_CUTS');
const lines = longRun('LINE_CUTS');
const tears = longRun('FILE_CUTS');

describe('every acknowledged commit is kept, whole and once', () => {
  it(
    'over very many kills of Redis under load',
    async () => {
      const outcome = await killUnderLoad(kills.size, { over: kills.begin() });
      reportRedis('many kills under load', { 'kill -9 of Redis': outcome.kills }, outcome);

      expect(outcome).toMatchObject({ lost: 0, torn: [], falselyRefused: [], kills: kills.size });
      expect(outcome.kept).toBeGreaterThan(outcome.kills * 50);
    },
    kills.timeoutMs,
  );

  it(
    'over very many power cuts',
    async () => {
      const outcome = await cutPower('always', cuts.size, cuts.begin());
      reportRedis('many power cuts', { [`power cuts (${outcome.how})`]: outcome.cuts }, outcome);

      expect(outcome).toMatchObject({ lost: 0, torn: [], falselyRefused: [], cuts: cuts.size });
      expect(outcome.kept).toBeGreaterThan(outcome.cuts * 100);
    },
    cuts.timeoutMs,
  );

  it.each(['worker', 'service'] as const)(
    'over very many lines cut behind the command of a %s',
    async (kind) => {
      const wanted = Math.ceil(lines.size / 2);
      const outcome = await cutConnections(wanted, kind, { over: lines.begin() });
      reportRedis(`many lines cut behind the command of a ${kind}`, { 'lines cut': outcome.cuts }, outcome);

      expect(outcome).toMatchObject({ lost: 0, torn: [], falselyRefused: [] });
      expect(outcome.cuts).toBeGreaterThanOrEqual(wanted);
      expect(outcome.kept).toBeGreaterThanOrEqual(wanted);
      expect(outcome.unknown).toBe(kind === 'worker' ? 0 : outcome.kept);
    },
    lines.timeoutMs,
  );
});

describe('a commit half written to the append-only file', () => {
  it(
    'stands wholly or not at all, cut at each of its bytes',
    async () => {
      const over = tears.begin();
      let wanted = 0;
      const outcome = await tearCommit(function* (bytes) {
        const step = Math.max(1, Math.ceil((bytes + 1) / tears.size));
        wanted = Math.floor(bytes / step) + 1;
        for (let cut = bytes % step; cut <= bytes && !over(); cut += step) yield cut;
      });
      reportProof({
        suite: 'redis: append-only file cut at every byte of a commit',
        injected: { cuts: outcome.cuts },
        done: { 'bytes of the commit': outcome.bytes, before: outcome.before, after: outcome.after },
        lost: outcome.torn.length + outcome.misjudged.length,
      });

      expect(outcome).toMatchObject({ torn: [], misjudged: [] });
      expect(outcome.cuts).toBe(wanted);
      expect(outcome.before).toBeGreaterThan(0);
      expect(outcome.after).toBeGreaterThan(0);
    },
    tears.timeoutMs,
  );
});
