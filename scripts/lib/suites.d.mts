export declare function findBrowser(env?: Readonly<Record<string, string | undefined>>): string | undefined;
export declare function chooseSuites(
  args: readonly string[],
  browser: string | undefined,
): { suites: string[]; rest: string[]; skipped: string[] };
