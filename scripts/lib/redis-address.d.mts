export interface RedisAddress {
  readonly path?: string;
  readonly host?: string;
  readonly port?: number;
  readonly tls?: boolean;
  readonly username?: string;
  readonly password?: string;
}
export type RedisReply = string | number | null | RedisReply[];
interface Options {
  readonly timeoutMs?: number;
}
export declare function parseRedisAddress(url: string): RedisAddress;
export declare function describeAddress(url: string): string;
export declare function redisCommands(
  url: string,
  commands: readonly (readonly (string | number)[])[],
  options?: Options,
): Promise<RedisReply[]>;
export declare function pingRedis(url: string, options?: Options): Promise<boolean>;
export declare function redisInfo(url: string, options?: Options): Promise<Record<string, string>>;
