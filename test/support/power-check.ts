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
import { silentLogger } from '../../shared/logger.ts';
import { closeRedis, createRedis } from '../../shared/redis.ts';
import type { Checked } from './engine-checks.ts';
import { losePower } from './power-cut.ts';
import { startRedisServer } from './redis-server.ts';

const CUTS = 5;
const PER_CUT = 10;
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

/** Power cuts right behind accepted commands: what was accepted is there afterwards. */
export async function powerCuts(fsync: 'always' | 'everysec'): Promise<Checked> {
  const log = silentLogger();
  const server = await startRedisServer({ aof: fsync });
  const redis = createRedis(server.url, 'worker', { log });
  await checkStore({ redis, ...PLACE, stateDir: null, process: 'api', acceptStore: false });
  const store = createRedisStore({ redis, ...PLACE });
  const client = createClient(createEngine({ store, registry: createRegistry([waiting]), log }));
  const accepted: string[] = [];
  const problems: string[] = [];
  try {
    for (let cut = 0; cut < CUTS; cut += 1) {
      await losePower(server, fsync, async () => {
        for (let count = 0; count < PER_CUT; count += 1) {
          const { instance } = await client.start(waiting, undefined as never);
          await client.signal(waiting, instance.id, 'go', {});
          accepted.push(instance.id);
        }
      });
    }
    for (const id of accepted) {
      const view = await client.describe(id);
      if (view?.status !== 'completed') problems.push(`${id}: accepted and gone (${view?.status})`);
    }
    return { problems, injected: CUTS, done: accepted.length };
  } finally {
    await closeRedis(redis);
    await server.stop();
  }
}
