export interface RedisBinary {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  readonly version: string;
  readonly source: string;
}
type Env = Readonly<Record<string, string | undefined>>;
export declare const MINIMUM_VERSION: readonly [number, number];
export declare function cacheDir(env?: Env): string;
export declare function versionOf(command: string, env?: Env): string | undefined;
export declare function isRecentEnough(version: string): boolean;
export declare function installCommand(platform?: string, exists?: (path: string) => boolean): string;
export declare function findRedisBinary(options?: {
  env?: Env;
  log?: (text: string) => void;
}): Promise<RedisBinary>;
