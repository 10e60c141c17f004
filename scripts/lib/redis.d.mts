export interface EnsuredRedis {
  /** `unix:///…/r.sock` or what REDIS_URL says. */
  readonly url: string;
  readonly source: string;
  readonly version: string;
  readonly pid: number;
  readonly durable: boolean;
  readonly owned: boolean;
  stop(): Promise<void>;
}
export declare function socketPath(dir: string): string;
export declare function ensureRedis(options: {
  dataDir: string;
  fsync?: 'always' | 'everysec' | 'no';
  log?: (text: string) => void;
  env?: Readonly<Record<string, string | undefined>>;
}): Promise<EnsuredRedis>;
