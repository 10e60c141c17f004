/** The same faults as in `test/faults/redis-writes.test.ts`, as often as a night allows. REDIS_SHARE scales all of it. */
import { describe, expect, it } from '@jest/globals';
import { reportProof } from '../support/proof-report.ts';
import { cutConnections, cutPower, killUnderLoad, tearCommit } from '../support/redis-scenarios.ts';

const SHARE = Number(process.env['REDIS_SHARE'] ?? 1);
const times = (night: number): number => Math.max(1, Math.round(night * SHARE));
const LONG_MS = 12 * 3_600_000;

describe('every acknowledged commit is kept, whole and once', () => {
  it(
    'over a thousand kills of Redis under load',
    async () => {
      const outcome = await killUnderLoad(times(1_000));
      reportProof({
        suite: 'redis: kill -9 under load',
        injected: { 'kill -9 of Redis': outcome.kills },
        done: { commits: outcome.kept },
        lost: outcome.lost + outcome.torn.length + outcome.falselyRefused.length,
      });

      expect(outcome).toMatchObject({ lost: 0, torn: [], falselyRefused: [] });
      expect(outcome.kept).toBeGreaterThan(outcome.kills * 50);
    },
    LONG_MS,
  );

  it(
    'over a thousand power cuts',
    async () => {
      const outcome = await cutPower('always', times(1_000));
      reportProof({
        suite: 'redis: many power cuts',
        injected: { [`power cuts (${outcome.how})`]: outcome.cuts },
        done: { commits: outcome.kept },
        lost: outcome.lost + outcome.torn.length,
      });

      expect(outcome).toMatchObject({ lost: 0, torn: [] });
      expect(outcome.kept).toBeGreaterThan(outcome.cuts * 100);
    },
    LONG_MS,
  );

  it.each(['worker', 'service'] as const)(
    'over five thousand lines cut behind the command of a %s',
    async (kind) => {
      const cuts = times(5_000);
      const outcome = await cutConnections(cuts, kind);
      reportProof({
        suite: `redis: line cut behind the command of a ${kind}`,
        injected: { 'lines cut': outcome.cuts },
        done: { commits: outcome.kept },
        lost: outcome.lost + outcome.torn.length + outcome.falselyRefused.length,
      });

      expect(outcome).toMatchObject({ lost: 0, torn: [], falselyRefused: [] });
      expect(outcome.cuts).toBeGreaterThanOrEqual(cuts);
      expect(outcome.kept).toBeGreaterThanOrEqual(cuts);
    },
    LONG_MS,
  );
});

describe('a commit half written to the append-only file', () => {
  it(
    'stands wholly or not at all, cut at each of its bytes',
    async () => {
      const tears = await tearCommit((bytes) => Array.from({ length: bytes + 1 }, (_, cut) => cut));
      reportProof({
        suite: 'redis: append-only file cut at every byte of a commit',
        injected: { cuts: tears.cuts },
        done: { 'wholly before': tears.before, 'wholly after': tears.after },
        lost: tears.torn.length + tears.misjudged.length,
      });

      expect(tears).toMatchObject({ torn: [], misjudged: [] });
      expect(tears.cuts).toBe(tears.bytes + 1);
    },
    LONG_MS,
  );
});
