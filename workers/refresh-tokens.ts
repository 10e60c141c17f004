/**
 * The partner's refresh token between processes: sealed in Redis, the newest one wins. Each use brings a new one, and the
 * old ones stay valid for weeks, so workers that write over each other lose nothing.
 */

import type { RefreshTokenStore } from '../connectors/index.ts';
import { messageOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import type { RedisConnection } from '../shared/redis.ts';
import { Secret, type SecretBox, secretAad } from '../shared/secrets.ts';
import { readRenewedAt, renewedAtKey } from '../shared/sign-in-life.ts';

const AAD = secretAad('partner', 'refresh-token');

export interface RefreshTokenOptions {
  readonly redis: RedisConnection;
  readonly namespace: string;
  readonly secretBox: SecretBox;
  readonly log: Logger;
}

export interface KeptRefreshToken extends RefreshTokenStore {
  /** When a token was last saved, ms since the epoch; null when none ever was. */
  renewedAt(): Promise<number | null>;
}

export function createRefreshTokenStore(options: RefreshTokenOptions): KeptRefreshToken {
  const { redis, secretBox, log } = options;
  const key = `{${options.namespace}:meta}:refresh-token`;
  return {
    async load() {
      const sealed = await redis.get(key);
      if (sealed === null) return null;
      try {
        return new Secret(secretBox.open(AAD, sealed));
      } catch (error) {
        // The key changed without the old one being kept: the configured token has to do.
        log.error({ error: messageOf(error) }, 'stored refresh token not readable');
        return null;
      }
    },
    async save(refreshToken) {
      const sealed = secretBox.seal(AAD, refreshToken.reveal());
      await redis.mset(key, sealed, renewedAtKey(options.namespace), String(Date.now()));
    },
    renewedAt: () => readRenewedAt(redis, options.namespace),
  };
}
