import { expect } from '@jest/globals';
import type { OneOrderReport } from './one-order.ts';
import { reportProof } from './proof-report.ts';

/** Prints the run, and holds it to one tenant and one order each, alike in all three accounts. */
export function expectOneOrder(report: OneOrderReport): void {
  const { runs, kills, lostAnswers, unknownOutcomes, lostAttempts, agreeing, seconds, answered } = report;
  process.stdout.write(
    `${JSON.stringify({ runs, agreeing, kills, lostAnswers, unknownOutcomes, lostAttempts, answered, seconds })}\n`,
  );
  const { stuck, duplicates, orphans, apart, brokenHistories, ordersPlaced, tenantsCreated } = report;
  const wrong = [stuck, duplicates, orphans, apart, brokenHistories];
  reportProof({
    suite: 'one order',
    injected: {
      ...{ 'kill -9 of a worker': kills.workers, 'kill -9 of Redis': kills.redis },
      'answer lost': lostAnswers,
    },
    done: { onboardings: agreeing, orders: ordersPlaced, tenants: tenantsCreated },
    lost: wrong.reduce((sum, list) => sum + list.length, 0),
    seeds: report.seed,
  });

  expect({ stuck, duplicates, orphans, apart, brokenHistories }).toEqual({
    ...{ stuck: [], duplicates: [], orphans: [], apart: [], brokenHistories: [] },
  });
  expect({ agreeing, ordersPlaced, tenantsCreated }).toEqual({
    ...{ agreeing: runs, ordersPlaced: runs, tenantsCreated: runs },
  });
  // A run that hit nothing proves nothing.
  expect(lostAnswers).toBeGreaterThan(runs / 5);
  expect(unknownOutcomes).toBeGreaterThan(runs / 5);
  expect(lostAttempts).toBeGreaterThan(0);
  expect(kills.workers).toBeGreaterThanOrEqual(Math.max(3, runs / 50));
  expect(kills.redis).toBeGreaterThan(0);
}
