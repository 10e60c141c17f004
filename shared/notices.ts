/**
 * What concerns everybody and is not yet, or no longer, a matter of one onboarding: written by whoever finds it, shown as a
 * banner on every page until it is taken back. One sentence a name, so that many workers that find the same say it once.
 */
import type { createRedis } from './redis.ts';

export interface Notices {
  /** Takes the place of an earlier sentence of that name; null takes it back. */
  set(name: string, sentence: string | null): Promise<void>;
  all(): Promise<readonly string[]>;
}

type Connection = Pick<ReturnType<typeof createRedis>, 'hset' | 'hdel' | 'hgetall'>;

export function createNotices(redis: Connection, namespace: string): Notices {
  const key = `{${namespace}:meta}:notices`;
  return {
    async set(name, sentence) {
      await (sentence === null ? redis.hdel(key, name) : redis.hset(key, name, sentence));
    },
    async all() {
      const notices = await redis.hgetall(key);
      return Object.keys(notices)
        .sort()
        .map((name) => notices[name] ?? '');
    },
  };
}
