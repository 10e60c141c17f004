import { setup } from 'xstate';
import { z } from 'zod';
import {
  checkStore,
  createClient,
  createEngine,
  createRedisStore,
  createRegistry,
  defineWorkflow,
} from '../../engine/index.ts';
import { isAppError } from '../../shared/errors.ts';
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import type { Checked } from './engine-checks.ts';
import { eventually } from './eventually.ts';
import { startPowerCutRedis } from './power-cut.ts';

const CUTS = 5;
const PER_CUT = 20;
const WRITERS = 4;
const PLACE = { namespace: 'power', shards: 1 };

const waiting = defineWorkflow({
  name: 'waiting-for-go',
  machine: setup({ types: { events: {} as { type: 'go' } } }).createMachine({
    id: 'waiting-for-go',
    initial: 'waiting',
    states: { waiting: { on: { go: 'gone' } }, gone: { type: 'final' } },
  }),
  signals: { go: { payload: z.object({}) } },
});

/** Power cuts while commands come in: whatever was accepted is there afterwards. */
export async function powerCuts(fsync: 'always' | 'everysec'): Promise<Checked> {
  const log = silentLogger();
  const power = await startPowerCutRedis(fsync);
  const redis = createRedis(power.server.url, 'worker', { log });
  await checkStore({ redis, ...PLACE, stateDir: null, process: 'api', acceptStore: false });
  const store = createRedisStore({ redis, ...PLACE });
  const client = createClient(createEngine({ store, registry: createRegistry([waiting]), log }));
  const accepted: string[] = [];
  const problems: string[] = [];
  let open = true;
  let cuts = 0;
  const write = async (): Promise<void> => {
    while (open) {
      const started = await client.start(waiting, undefined as never).catch((error: unknown) => {
        if (!isAppError(error, 'store-rewound')) throw error;
        // The engine sees the loss by itself, and takes nothing more.
        problems.push(error.message);
        open = false;
      });
      if (started === undefined) return;
      const { instance } = started;
      accepted.push(instance.id);
      await client
        .signal(waiting, instance.id, 'go', {})
        .catch(() => problems.push(`${instance.id}: accepted and gone before its signal`));
    }
  };
  try {
    const writing = Promise.all(Array.from({ length: WRITERS }, write));
    for (; open && cuts < CUTS; cuts += 1) {
      const before = accepted.length;
      await eventually(() => !open || accepted.length > before + PER_CUT);
      await power.cutPower();
      await power.server.restart();
    }
    open = false;
    await writing;
    for (const id of accepted) {
      const view = await client.describe(id);
      if (view?.status !== 'completed') problems.push(`${id}: accepted and gone (${view?.status})`);
    }
    return { problems, injected: cuts, done: accepted.length };
  } finally {
    open = false;
    await closeRedis(redis);
    await power.stop();
  }
}
