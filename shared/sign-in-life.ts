/** How long the partner's sign-in lives: a refresh token that nobody uses dies, and each use renews it. */
import type { createRedis } from './redis.ts';

const DAY_MS = 24 * 3_600_000;
/** Microsoft's limit for a refresh token that nobody uses. */
const TOKEN_LIFE_MS = 90 * DAY_MS;
export const ALARM_BEFORE_MS = 14 * DAY_MS;

/** Where a worker notes when a token was last saved, ms since the epoch. */
export const renewedAtKey = (namespace: string): string => `{${namespace}:meta}:refresh-token-renewed-at`;

/** Null when no token ever was saved. */
export async function readRenewedAt(
  redis: Pick<ReturnType<typeof createRedis>, 'get'>,
  namespace: string,
): Promise<number | null> {
  const at = Number(await redis.get(renewedAtKey(namespace)));
  return at > 0 ? at : null;
}

/** Times in ms since the epoch; `alarm` while there is little time left, or none. */
export function signInLife(
  renewedAt: number | null,
  now: number,
): { readonly diesAt: number | null; readonly alarm: boolean } {
  const diesAt = renewedAt === null ? null : renewedAt + TOKEN_LIFE_MS;
  return { diesAt, alarm: diesAt !== null && diesAt - now <= ALARM_BEFORE_MS };
}
