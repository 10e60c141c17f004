import { Cluster, type ClusterOptions, Redis, type RedisOptions } from 'ioredis';
import { bareHost } from './environment.ts';
import { AppError } from './errors.ts';
import type { Logger } from './logger.ts';
import type { RedisLogin, RedisPlace } from './redis-place.ts';
import { seldom } from './seldom.ts';

/** To one server, to the one that Sentinel names, or to a cluster. */
export type RedisConnection = Redis | Cluster;

/**
 * - `service`: fails fast, so that the API answers 503 instead of piling up commands. No offline queue, no resend:
 *   a command whose reply was lost rejects, and its outcome is unknown. On a cluster it is sent again for a second or two,
 *   so that a slot that moves is not a failure.
 * - `worker`: retries for ever. ioredis re-sends a command whose reply was lost, so every script sent through it must
 *   recognise a repeat by its commit id.
 */
export type RedisKind = 'service' | 'worker';

export interface RedisClientOptions {
  readonly log: Logger;
  /** Shown by `CLIENT LIST`. */
  readonly name?: string;
}

const COMMAND_TIMEOUT_MS = 2_000;
/** A line that says nothing for so long while something was asked is given up. No blocking read waits as long. */
const SILENCE_MS = { service: 5_000, worker: 15_000 } as const;
const MAX_RECONNECT_DELAY_MS = 1_000;
const ERROR_LOG_INTERVAL_MS = 10_000;

/** Opens a connection in the background. Addresses: `redis://`, `rediss://` and `unix:///path/to/socket`. */
export function createRedis(
  url: string,
  kind: RedisKind,
  options: RedisClientOptions,
  login?: RedisLogin,
): Redis {
  const address = { ...(login === undefined ? {} : loginOf(login)), ...addressOf(url) };
  return watched(new Redis({ ...address, ...behaviourOf(kind), ...nameOf(options) }), options.log, kind);
}

/** The same for wherever the configuration says that the store is. */
export function openRedis(place: RedisPlace, kind: RedisKind, options: RedisClientOptions): RedisConnection {
  const { log } = options;
  if (place.kind === 'node') return createRedis(place.url, kind, options, place.login);
  if (place.kind === 'sentinel') {
    const redisOptions = { ...loginOf(place.login), ...behaviourOf(kind), ...nameOf(options) };
    return watched(new Redis({ ...redisOptions, ...sentinelOptions(place) }), log, kind);
  }
  const cluster = new Cluster([...place.nodes.at], {
    ...clusterBehaviourOf(kind),
    redisOptions: {
      ...loginOf(place.login),
      ...behaviourOf(kind),
      ...nameOf(options),
      ...(place.nodes.tls ? { tls: {} } : {}),
    },
  });
  cluster.on('+node', joinWrites);
  logErrors(cluster, log, kind);
  return cluster;
}

function watched(client: Redis, log: Logger, kind: RedisKind): Redis {
  logErrors(client, log, kind);
  joinWrites(client);
  return client;
}

const nameOf = ({ name }: RedisClientOptions): RedisOptions => ({ connectionName: name });

function loginOf({ username, password }: RedisLogin): RedisOptions {
  return {
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password: password.reveal() }),
  };
}

function sentinelOptions(place: RedisPlace & { readonly kind: 'sentinel' }): RedisOptions {
  const { sentinels, master, sentinelLogin } = place;
  const { username, password } = loginOf(sentinelLogin);
  return {
    sentinels: [...sentinels.at],
    name: master,
    sentinelUsername: username,
    sentinelPassword: password,
    ...(sentinels.tls ? { tls: {}, sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
    // A primary that was cut off keeps its connections: only Sentinel says that it is primary no more.
    failoverDetector: true,
    connectTimeout: COMMAND_TIMEOUT_MS,
    sentinelCommandTimeout: COMMAND_TIMEOUT_MS,
  };
}

/** How soon a slot that a failover gave to another node is found. */
const SLOTS_REFRESH_MS = 5_000;
const MOVED_DELAY_MS = 20;

function clusterBehaviourOf(kind: RedisKind): ClusterOptions {
  return {
    // A name stays a name, which a certificate may be for; the socket resolves it.
    dnsLookup: (host, done) => done(null, host),
    slotsRefreshInterval: SLOTS_REFRESH_MS,
    slotsRefreshTimeout: COMMAND_TIMEOUT_MS,
    retryDelayOnMoved: MOVED_DELAY_MS,
    clusterRetryStrategy: pauseBefore,
    ...(kind === 'service' ? { enableOfflineQueue: false } : { maxRedirections: Number.POSITIVE_INFINITY }),
  };
}

/**
 * What is sent in one turn of the event loop leaves in one write: a system call for each command is the dearest part of
 * sending it. Held back only until the turn's promises are through, never for a timer, and what is much goes at once: the
 * server has work meanwhile.
 */
const HELD_BYTES = 16_384;

function joinWrites(client: Redis): void {
  client.on('connect', () => {
    const { stream } = client;
    const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
    let corked = false;
    const uncork = (): void => {
      corked = false;
      stream.uncork();
    };
    stream.write = (...args: unknown[]): boolean => {
      if (!corked) {
        corked = true;
        stream.cork();
        process.nextTick(uncork);
      }
      const room = write(...args);
      if (stream.writableLength > HELD_BYTES) {
        stream.uncork();
        stream.cork();
      }
      return room;
    };
  });
}

/** Resolves once commands are taken; raises `store-unavailable` after `timeoutMs`. */
export async function redisReady(client: RedisConnection, timeoutMs: number): Promise<void> {
  if (client.status === 'ready') return;
  const waiting = new AbortController();
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(unavailable(timeoutMs)), timeoutMs);
    const onReady = () => resolve();
    client.once('ready', onReady);
    waiting.signal.addEventListener('abort', () => {
      clearTimeout(timer);
      client.off('ready', onReady);
    });
  }).finally(() => waiting.abort());
}

/** Lets commands under way finish, for at most `timeoutMs`, then cuts the connection. Never rejects. */
export async function closeRedis(client: RedisConnection, timeoutMs = 1_000): Promise<void> {
  if (client.status === 'ready') {
    const cut = setTimeout(() => client.disconnect(), timeoutMs);
    await client.quit().catch(() => undefined);
    clearTimeout(cut);
  }
  client.disconnect();
  // ioredis forgets commands that wait for a reconnect it was just told not to make: they would never settle.
  const closed = new Error('Connection is closed.');
  if (client instanceof Cluster) client['flushQueue'](closed);
  else if (client.status === 'reconnecting') client['flushQueue'](closed, {});
}

function addressOf(url: string): RedisOptions {
  const parsed = new URL(url);
  const credentials = {
    ...(parsed.username === '' ? {} : { username: decodeURIComponent(parsed.username) }),
    ...(parsed.password === '' ? {} : { password: decodeURIComponent(parsed.password) }),
  };
  if (parsed.protocol === 'unix:') {
    const db = parsed.searchParams.get('db');
    return {
      path: decodeURIComponent(parsed.pathname),
      ...credentials,
      ...(db === null ? {} : { db: Number(db) }),
    };
  }
  const db = parsed.pathname.slice(1);
  return {
    host: bareHost(parsed.hostname),
    port: parsed.port === '' ? 6379 : Number(parsed.port),
    ...credentials,
    ...(db === '' ? {} : { db: Number(db) }),
    ...(parsed.protocol === 'rediss:' ? { tls: { servername: parsed.hostname } } : {}),
  };
}

function pauseBefore(times: number): number {
  return Math.min(50 * 2 ** Math.min(times, 6), MAX_RECONNECT_DELAY_MS) + Math.random() * 100;
}

function behaviourOf(kind: RedisKind): RedisOptions {
  const common: RedisOptions = {
    // Also how long a closed client keeps a process from ending.
    disconnectTimeout: 250,
    socketTimeout: SILENCE_MS[kind],
    retryStrategy: pauseBefore,
  };
  if (kind === 'service') {
    return {
      ...common,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      commandTimeout: COMMAND_TIMEOUT_MS,
      connectTimeout: COMMAND_TIMEOUT_MS,
      reconnectOnError: (error) => (isReadOnly(error) ? 1 : false),
    };
  }
  return {
    ...common,
    maxRetriesPerRequest: null,
    // A replica refused the write unexecuted (failover): sending it again to the new primary is safe.
    reconnectOnError: (error) => (isReadOnly(error) ? 2 : false),
  };
}

function isReadOnly(error: Error): boolean {
  return error.message.startsWith('READONLY');
}

function logErrors(client: RedisConnection, log: Logger, kind: RedisKind): void {
  const report = seldom(ERROR_LOG_INTERVAL_MS, (error: Error & { code?: string }, count) =>
    log.error({ kind, code: error.code, reason: error.message, count }, 'redis-connection-error'),
  );
  client.on('error', report);
  if (client instanceof Cluster) client.on('node error', report);
}

function unavailable(timeoutMs: number): AppError {
  return new AppError('store-unavailable', `Redis did not answer within ${timeoutMs} ms.`, {
    details: { timeoutMs },
  });
}
