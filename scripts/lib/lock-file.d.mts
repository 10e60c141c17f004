export interface LockEntry {
  readonly version?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}
export interface LockFile {
  readonly packages: Readonly<Record<string, LockEntry>>;
}
export interface LockGap {
  readonly folder: string;
  readonly name: string;
  readonly range: string;
  readonly dev: boolean;
  readonly taken: string | undefined;
}
export declare function findLockGaps(lock: LockFile): LockGap[];
export declare function findForeignAddresses(lock: LockFile): { path: string; resolved: string }[];
export declare function platformFromName(name: string): Pick<LockEntry, 'os' | 'cpu' | 'libc'>;
export declare function fixLock(lock: LockFile): { lock: LockFile; added: string[]; stripped: string[] };
