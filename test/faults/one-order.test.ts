import { describe, it } from '@jest/globals';
import { playOneOrder } from '../support/one-order.ts';
import { expectOneOrder } from '../support/one-order-expect.ts';

const RUNS = 500;
/** Under two minutes on two idle cores; a busy machine may take its time. */
const WITHIN_MS = 400_000;

describe('new customers, with one dear answer in five lost, workers killed each second and Redis each half minute', () => {
  it(
    'have one tenant and one order each, alike in the books, the histories and the API',
    async () => {
      expectOneOrder(await playOneOrder({ runs: RUNS, seed: 'one-order', within: WITHIN_MS }));
    },
    WITHIN_MS + 120_000,
  );
});
