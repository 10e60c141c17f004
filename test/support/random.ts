/** Seeded randomness for tests: the same seed draws the same. */
export interface Random {
  /** A whole number from 0 to `limit` - 1. */
  below(limit: number): number;
  shuffle<Item>(items: readonly Item[]): Item[];
}

/** SplitMix32: https://doi.org/10.1145/2714064.2660195, the 32-bit variant. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return (mixed ^ (mixed >>> 15)) >>> 0;
  };
  const below = (limit: number): number => Math.floor((next() / 2 ** 32) * limit);
  return {
    below,
    shuffle(items) {
      const rest = [...items];
      return items.flatMap(() => rest.splice(below(rest.length), 1));
    },
  };
}
