/**
 * Finds what fell between two processes: outbox entries nobody carried out, claims whose worker is gone. Everything a
 * crash can leave behind is one of the two.
 */
import type { ActivityTicket, Engine } from '../engine/index.ts';
import { isAppError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { type Loop, startLoop } from './loop.ts';
import { messageOf } from './message-of.ts';
import type { Dispatcher } from './queues.ts';

const BATCH = 200;
const HIDE_MS = 5_000;
const EVERY_MS = 250;

/** Carries out what is due in the outbox; nudged when another process's commit left something there. */
export function startOutboxSweeper(
  engine: Engine,
  dispatcher: Dispatcher,
  log: Logger,
): Loop & { wake(shard: number): void } {
  const { store, relay } = engine;
  let only: Set<number> | null = null;
  let fresh = new Set<number>();

  async function sweep(shard: number, woken: boolean): Promise<boolean> {
    const due = await store.dueOutbox(shard, BATCH, HIDE_MS);
    const tickets = due.filter(({ body }) => body === null).map(({ id }) => ticketFrom(id));
    const messages = due.filter(({ body }) => body !== null);
    await Promise.all([
      woken ? dispatcher.dispatch(tickets) : dispatcher.redispatch(tickets),
      relay.carry(messages),
    ]);
    return due.length === BATCH;
  }

  const loop = startLoop('outbox', log, async () => {
    only = fresh.size > 0 ? fresh : null;
    fresh = new Set();
    const shards = only === null ? Array.from({ length: store.shards }, (_, shard) => shard) : [...only];
    const woken = only !== null;
    const more = await Promise.all(shards.map((shard) => sweep(shard, woken)));
    return more.includes(true) || fresh.size > 0 ? 0 : EVERY_MS;
  });
  return {
    ...loop,
    wake(shard) {
      fresh.add(shard);
      loop.nudge();
    },
  };
}

function ticketFrom(id: string): ActivityTicket {
  const [, instanceId = '', token = '', queue = ''] = id.split('|');
  return { instanceId, token, queue, outboxId: id };
}

/** Takes back the claims of workers whose lease is over: their outcome is unknown. */
export function startClaimReaper(engine: Engine, log: Logger, everyMs: number): Loop {
  const { store } = engine;

  async function takeBack(instanceId: string, token: string, worker: string): Promise<void> {
    try {
      const open = await engine.open(instanceId);
      const attempt = open?.record.activities[token]?.attempt;
      if (attempt === undefined) return await store.unclaim(instanceId, token, worker, null);
      const event = {
        kind: 'activity.lost',
        token,
        attempt,
        why: `worker ${worker} is gone`,
        jitter: Math.random(),
      } as const;
      const { reply } = await engine.handle(instanceId, { event });
      log.info({ instanceId, token, worker, result: reply.status }, 'claim taken back');
    } catch (error) {
      if (isAppError(error, 'workflow-version-missing')) return;
      log.warn({ instanceId, token, error: messageOf(error) }, 'claim not taken back');
    }
  }

  return startLoop('claims', log, async () => {
    const live = new Set(await store.liveWorkers());
    const shards = Array.from({ length: store.shards }, (_, shard) => shard);
    const claims = (await Promise.all(shards.map((shard) => store.claims(shard)))).flat();
    await Promise.all(
      claims
        .filter(({ worker }) => !live.has(worker))
        .map(({ instanceId, token, worker }) => takeBack(instanceId, token, worker)),
    );
    return everyMs;
  });
}
