import { describe, it } from '@jest/globals';
import { playOneOrder } from '../support/one-order.ts';
import { expectOneOrder } from '../support/one-order-expect.ts';

/** Onboardings; the figure of a night is 10 000. */
const RUNS = Number(process.env['ONE_ORDER_RUNS'] ?? 10_000);

describe('very many new customers under lost answers and kills', () => {
  it(
    'have one tenant and one order each, alike in the books, the histories and the API',
    async () => {
      const seed = `long-${Date.now() % 100_000}`;
      expectOneOrder(await playOneOrder({ runs: RUNS, seed, within: 12 * 3_600_000 }));
    },
    24 * 3_600_000,
  );
});
