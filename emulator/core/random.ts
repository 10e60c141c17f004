/** Seeded randomness whose position is durable, so that a restarted emulator never repeats an id. */
import { createHash } from 'node:crypto';
import type { Database, Entity } from './database.ts';

export interface Random {
  /** A GUID shaped like a version 4 one. */
  guid(): string;
  /** 0 (included) to 1 (excluded). */
  fraction(): number;
  hex(length: number): string;
  shuffle<T>(items: readonly T[]): T[];
}

interface Drawn extends Entity {
  readonly count: number;
}

export function createRandom(database: Database, seed: string): Random {
  const drawn = database.collection<Drawn>('random');
  const draw = (): string => {
    const count = (drawn.get('random')?.count ?? 0) + 1;
    drawn.put({ id: 'random', count });
    return createHash('sha256').update(`${seed}:${count}`).digest('hex');
  };
  const fraction = (): number => Number.parseInt(draw().slice(0, 12), 16) / 0x1_0000_0000_0000;
  return {
    guid: () => toGuid(draw()),
    fraction,
    hex: (length) => draw().slice(0, length),
    shuffle: (items) => {
      const rest = [...items];
      const result = [];
      while (rest.length > 0) result.push(...rest.splice(Math.floor(fraction() * rest.length), 1));
      return result;
    },
  };
}

function toGuid(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
