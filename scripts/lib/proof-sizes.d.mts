export type SizeName =
  | 'CRASH_SEEDS'
  | 'STORM_SEEDS'
  | 'ORACLE_RUNS'
  | 'ONE_ORDER_RUNS'
  | 'REDIS_KILLS'
  | 'POWER_CUTS'
  | 'LINE_CUTS'
  | 'FILE_CUTS'
  | 'STORE_SCRIPTS'
  | 'TIMERS'
  | 'CLUSTER_INSTANCES'
  | 'CLUSTER_LOSSES';
export type Sizes = Readonly<Record<SizeName, string>>;

export declare const LONG_RUN: Readonly<
  Record<SizeName, { readonly size: number; readonly secondsEach: number }>
>;
export declare function sizesOf(share: number): Sizes;
export declare function sizeOf(name: SizeName, env?: Readonly<Record<string, string | undefined>>): number;
export declare function boundOf(name: SizeName, size: number): number;
export declare function shareOf(args: readonly string[]): { share: number; rest: string[] };
export declare function minutesOf(sizes: Sizes): { expected: number; atMost: number };
