/** A random test that fails must be one that can be played again. */
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { drawing } from '../support/drawing.ts';

it('names the seed of whatever fails, drawn or counted, and draws the same cases for it again', async () => {
  const draw = async (env: NodeJS.ProcessEnv) => {
    const drawn: number[] = [];
    const count = async () =>
      drawing(
        30,
        (parameters) => {
          fc.assert(
            fc.property(fc.nat(), (n) => void drawn.push(n)),
            parameters,
          );
          expect('what was counted').toBe('enough');
        },
        env,
      );
    const error = await count().catch((cause: unknown) => cause);
    return { drawn, told: String(error) };
  };
  const first = await draw({});
  const [, seed = ''] = /enough.*RANDOM_SEED=(\d+) RANDOM_RUNS=30$/s.exec(first.told) ?? [];
  expect(first.drawn).toHaveLength(30);

  const again = await draw({ RANDOM_SEED: seed });
  const fewer = await draw({ RANDOM_SEED: seed, RANDOM_RUNS: '7' });

  expect(again).toEqual(first);
  expect(fewer.drawn).toEqual(first.drawn.slice(0, 7));
  expect((await draw({})).drawn).not.toEqual(first.drawn);
});
