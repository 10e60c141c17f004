/** Redis killed and started again under many parked instances: how long until a signal has its effect, and the heap. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { OpenInstance } from '../../engine/index.ts';
import { indexesOf } from '../../engine/indexes.ts';
import type { CommitEntry, StoredInstance } from '../../engine/store.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { benchWorkflow } from './machine.ts';
import { drive, liveHeap } from './measure.ts';
import { openHouse } from './sides.ts';

export interface RestartOptions {
  readonly parked: number;
  readonly fsync: 'everysec' | 'always';
}

const RETRY_MS = 100;

export async function restart({ parked, fsync }: RestartOptions) {
  const server = await startRedisServer({ aof: fsync });
  let parkedOnce: () => void = () => {};
  const parks = new Promise<void>((resolve) => {
    parkedOnce = resolve;
  });
  const begun = new Map<string, () => void>();
  const workflow = benchWorkflow({
    ...{ activities: 2, before: 1, contextBytes: 1_024, timer: true },
    onLine: (id, step) => step === 1 && begun.get(id)?.(),
  });
  const house = await openHouse(server.url, [workflow], {
    onCommitted: ({ machine }) => machine.value === 'waiting' && parkedOnce(),
  });
  const { client, store, worker } = house;
  await client.start(workflow, { id: 'model' }, { id: 'model' });
  await parks;
  const [open, stored] = await Promise.all([worker.engine.open('model'), store.load('model')]);
  if (open === null || stored === null) throw new Error('no model');
  const [line = ''] = await store.history('model', 0, 1);
  await drive(parked, 500, (index) => store.commit(copyOf(open, stored, line, `p${index}`)));
  const heap = liveHeap();
  const killed = performance.now();
  await server.kill9();
  await server.restart();
  const reachableMs = performance.now() - killed;
  const id = `p${Math.floor(parked / 2)}`;
  const effect = new Promise<void>((resolve) => begun.set(id, resolve));
  await signalUntilTaken(() => client.signalById(id, 'go', {}, { id: 'go' }));
  await effect;
  const servingMs = performance.now() - killed;
  const heapBytes = (liveHeap() - heap) / parked;
  await house.close();
  await server.stop();
  return { reachableMs, servingMs, heapBytes };
}

async function signalUntilTaken(signal: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await signal();
      return;
    } catch {
      await sleep(RETRY_MS);
    }
  }
}

/** A copy at its first revision; what it has at the model's does not matter to what follows. */
function copyOf(open: OpenInstance, stored: StoredInstance, historyLine: string, id: string): CommitEntry {
  const { record, snapshot } = open;
  const timers = Object.entries(record.timers).map(([token, { fireAt }]) => [token, fireAt] as const);
  return {
    ...{ instanceId: id, expectedRevision: 0, notBefore: null, signal: null, historyLine },
    body: stored.body.replaceAll('"model"', `"${id}"`),
    context: stored.context.replaceAll('"model"', `"${id}"`),
    ...{ secrets: { set: [], drop: [] }, timers: { set: timers, clear: [] } },
    ...{ outbox: { add: [], drop: [] }, claims: { add: [], drop: [] }, forget: [], wake: false },
    indexes: { score: record.createdAt, add: indexesOf(record, snapshot), drop: [] },
  };
}
