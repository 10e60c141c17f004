/** Random tests draw other cases each time; whatever goes wrong in one says how to draw the same again. */
import { messageOf } from '../../shared/errors.ts';

/** What fast-check takes. */
export interface Drawn {
  readonly seed: number;
  readonly numRuns: number;
}

/** Jest ends a test that takes too long without a word of what it drew. */
const LONG_MS = 20_000;

/**
 * Runs a test that draws `numRuns` cases; every error out of it names the seed, those of its own counts afterwards
 * included. RANDOM_SEED draws the same cases again, RANDOM_RUNS another number of them.
 */
export async function drawing<Result>(
  numRuns: number,
  test: (drawn: Drawn) => Result | Promise<Result>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Result> {
  const seed = Number(env['RANDOM_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  const drawn = { seed, numRuns: Number(env['RANDOM_RUNS'] ?? numRuns) };
  const again = `Draw it again: RANDOM_SEED=${drawn.seed} RANDOM_RUNS=${drawn.numRuns}`;
  const taking = setTimeout(() => process.stdout.write(`A random test takes its time. ${again}\n`), LONG_MS);
  try {
    return await test(drawn);
  } catch (error) {
    throw new Error(`${messageOf(error)}\n${again}`, { cause: error });
  } finally {
    clearTimeout(taking);
  }
}
