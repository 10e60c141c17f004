/** A store that was looked at before it is worked on, and what a worker must know of it. */
import type { StoreLoss } from '../rewound.ts';
import type { Store } from '../store.ts';
import { type BootOptions, checkStore, type StoreReport } from './boot.ts';
import { createRedisStore, type RedisStoreOptions } from './redis-store.ts';
import { remember, type SeenStore } from './seen.ts';

export interface OpenedStore {
  readonly store: Store;
  readonly epoch: string;
  readonly loss: StoreLoss | null;
  /** Undefined where nothing is remembered. */
  readonly remember: ((seen: SeenStore) => Promise<void>) | undefined;
  readonly report: Pick<StoreReport, 'version' | 'durable' | 'warnings'>;
}

/** Raises `store-unsafe` and `store-rewound` as `checkStore` does. */
export async function openRedisStore(options: BootOptions & RedisStoreOptions): Promise<OpenedStore> {
  const { epoch, loss, ...report } = await checkStore(options);
  return {
    store: createRedisStore(options),
    epoch,
    loss,
    remember: options.stateDir === null ? undefined : (seen) => remember(options, seen),
    report,
  };
}
