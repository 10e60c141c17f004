export interface Supervised {
  readonly name: string;
  pid(): number | undefined;
  start(): Promise<Record<string, unknown>>;
  stop(options?: { force?: boolean }): Promise<'gone' | 'killed' | 'stopped'>;
}
export declare function supervise(options: {
  name: string;
  file: string;
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
  logFile: string;
  say: (text: string) => void;
  readyWithinMs?: number;
  stopWithinMs?: number;
}): Supervised;
