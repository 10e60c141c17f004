/** A primary, its replicas and a sentinel that makes one of them primary when it is gone. */
import { eventually } from './eventually.ts';
import { type RedisServer, type RedisServerOptions, startRedisServer } from './redis-server.ts';

export interface WatchedRedis {
  readonly master: string;
  readonly primary: RedisServer;
  readonly replicas: readonly RedisServer[];
  readonly sentinel: RedisServer;
  /** The port of the server that the sentinel names. */
  named(): Promise<number>;
  stop(): Promise<void>;
}

const DOWN_AFTER_MS = 1_000;

export async function startWatchedRedis(
  options: Omit<RedisServerOptions, 'listen' | 'replicaOf' | 'cluster'> & {
    readonly sentinelPassword?: string;
    readonly replicas?: number;
  } = {},
): Promise<WatchedRedis> {
  const { replicas: count = 2, sentinelPassword, ...rest } = options;
  const primary = await startRedisServer({ ...rest, listen: 'tcp' });
  const replicas = await Promise.all(
    Array.from({ length: count }, () => startRedisServer({ ...rest, listen: 'tcp', replicaOf: primary })),
  );
  await eventually(
    async () => String(await primary.command('INFO', 'replication')).split('state=online').length > count,
    { within: 20_000, what: 'the replicas' },
  );
  const master = 'watched';
  const sentinel = await startRedisServer({
    ...{ listen: 'tcp', sentinel: true },
    ...(sentinelPassword === undefined ? {} : { password: sentinelPassword }),
  });
  await sentinel.command('SENTINEL', 'MONITOR', master, '127.0.0.1', primary.port, 1);
  const set = (...words: readonly (string | number)[]) =>
    sentinel.command('SENTINEL', 'SET', master, ...words);
  await set('down-after-milliseconds', DOWN_AFTER_MS, 'failover-timeout', 5_000);
  if (rest.password !== undefined) await set('auth-pass', rest.password);
  await eventually(
    async () => {
      const known = await sentinel.command('SENTINEL', 'REPLICAS', master);
      return Array.isArray(known) && known.length === count;
    },
    { within: 30_000, what: 'the sentinel to know the replicas' },
  );
  const all = [sentinel, primary, ...replicas];
  return {
    ...{ master, primary, replicas, sentinel },
    async named() {
      const address = await sentinel.command('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master);
      return Number(Array.isArray(address) ? address[1] : 0);
    },
    stop: async () => void (await Promise.all(all.map((server) => server.stop()))),
  };
}
