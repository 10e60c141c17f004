import type { RedisBinary } from './redis-binary.mjs';

export declare function mendAof(binary: Pick<RedisBinary, 'command' | 'env'>, dir: string): number;
