export declare function readableLine(name: string, line: string, now?: Date): string;
