import { describe, it } from '@jest/globals';
import { longRun } from '../support/long-run.ts';
import { playOneOrder } from '../support/one-order.ts';
import { expectOneOrder } from '../support/one-order-expect.ts';

/** Onboardings. */
const run = longRun('ONE_ORDER_RUNS');
const SEED = process.env['ONE_ORDER_SEED'] ?? `long-${Date.now() % 100_000}`;

describe('very many new customers under lost answers and kills', () => {
  it(
    'have one tenant and one order each, alike in the books, the histories and the API',
    async () => {
      expectOneOrder(await playOneOrder({ runs: run.size, seed: SEED, within: run.boundMs }));
    },
    run.timeoutMs,
  );
});
