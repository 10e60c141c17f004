export declare function ensurePackages(options: { root: string; log?: (text: string) => void }): boolean;
