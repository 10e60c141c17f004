/**
 * Finds what fell between two processes: outbox entries nobody carried out, claims whose worker is gone. Everything a
 * crash can leave behind is one of the two.
 */
import { type Engine, readTicket, type Store, ticketOf } from '../engine/index.ts';
import { isAppError, messageOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import type { Activations } from './activations.ts';
import { type Loop, startLoop } from './loop.ts';
import type { Dispatcher } from './queues.ts';
import { type Scheduler, systemScheduler } from './scheduler.ts';

type HeldClaim = Awaited<ReturnType<Store['claims']>>[number];
type DueOutbox = Awaited<ReturnType<Store['dueOutbox']>>[number];

const BATCH = 200;
const HIDE_MS = 5_000;
const EVERY_MS = 250;

/** Carries out what is due in the outbox; nudged when another process's commit left something there. */
export function startOutboxSweeper(
  engine: Engine,
  dispatcher: Dispatcher,
  activations: Pick<Activations, 'takeDue'>,
  log: Logger,
  scheduler: Scheduler = systemScheduler,
): Loop & { wake(shard: number): void } {
  const { store, relay } = engine;
  let fresh = new Set<number>();

  /** What was just committed is begun here as far as there is room; the rest waits its turn as jobs. */
  async function sweepFresh(shard: number): Promise<boolean> {
    const { left, more } = await activations.takeDue(shard, BATCH, HIDE_MS);
    if (more) fresh.add(shard);
    await carry(left, dispatcher.dispatch);
    return more;
  }

  async function sweep(shard: number): Promise<boolean> {
    const due = await store.dueOutbox(shard, BATCH, HIDE_MS);
    await carry(due, dispatcher.redispatch);
    return due.length === BATCH;
  }

  async function carry(due: readonly DueOutbox[], dispatch: Dispatcher['dispatch']): Promise<void> {
    const tickets = due.filter(({ body }) => body === null).map(({ id }) => readTicket(id));
    const messages = due.filter(({ body }) => body !== null);
    await Promise.all([tickets.length > 0 && dispatch(tickets), relay.carry(messages)]);
  }

  async function turn(): Promise<number> {
    const woken = fresh.size > 0;
    const shards = woken ? [...fresh] : Array.from({ length: store.shards }, (_, shard) => shard);
    fresh = new Set();
    const more = await Promise.all(shards.map(woken ? sweepFresh : sweep));
    return more.includes(true) || fresh.size > 0 ? 0 : EVERY_MS;
  }

  const loop = startLoop('outbox', log, turn, scheduler);
  return {
    ...loop,
    wake(shard) {
      fresh.add(shard);
      loop.nudge();
    },
  };
}

/**
 * Takes back claims nobody works on: those of workers whose lease is over, and this worker's own that it has let go of
 * (the lease was in doubt for a moment, the commit of the outcome was refused). The attempt's outcome is unknown then.
 */
export function startClaimReaper(
  engine: Engine,
  activations: Pick<Activations, 'owns' | 'hasBegun' | 'looks'>,
  worker: string,
  log: Logger,
  everyMs: number,
  scheduler: Scheduler = systemScheduler,
): Loop {
  const { store } = engine;
  /** Own claims without an owner at the last look; a claim just taken or settled is in order at the next. */
  let suspects: ReadonlySet<string> = new Set();
  let looks: ReadonlySet<object> = new Set();

  async function takeBack({ instanceId, token, worker: holder }: HeldClaim): Promise<void> {
    try {
      const open = await engine.open(instanceId);
      const attempt = open?.record.activities[token]?.attempt;
      if (open === null || attempt === undefined) return await store.unclaim(instanceId, token, holder, null);
      // Meanwhile another may have taken it back, and a later attempt may be under way: that one is not lost.
      const moved = await store.lostClaims(holder, [{ instanceId, token }]);
      if (moved.length > 0) return;
      const field = `${instanceId}|${token}`;
      if (holder === worker && !activations.hasBegun(field, attempt)) {
        // Its answer never came. Nothing was run, so it is nobody's lost attempt.
        if (!activations.owns(field))
          await store.unclaim(instanceId, token, worker, ticketOf(open.record, token).outboxId);
        return;
      }
      const event = {
        kind: 'activity.lost',
        token,
        attempt,
        why: `worker ${holder} is gone`,
        jitter: scheduler.random(),
      } as const;
      const { reply } = await engine.handle(instanceId, { event }, { open });
      log.info({ instanceId, token, worker: holder, result: reply.status }, 'claim taken back');
    } catch (error) {
      if (isAppError(error, 'workflow-version-missing'))
        return await leave({ instanceId, token, worker: holder });
      log.warn({ instanceId, token, error: messageOf(error) }, 'claim not taken back');
    }
  }

  /**
   * The instance was taken to a version that this worker lacks, and with it the outcome of an attempt made here. Only one
   * that knows the version can say that it was lost.
   */
  async function leave({ instanceId, token, worker: holder }: HeldClaim): Promise<void> {
    if (holder === worker && !activations.owns(`${instanceId}|${token}`))
      await store.disown(instanceId, token, worker);
  }

  function findAbandoned(claims: readonly HeldClaim[]): readonly HeldClaim[] {
    const own = claims.filter(
      (claim) => claim.worker === worker && !activations.owns(`${claim.instanceId}|${claim.token}`),
    );
    const before = suspects;
    const lookedBefore = looks;
    looks = activations.looks();
    suspects = new Set(own.map(({ instanceId, token }) => `${instanceId}|${token}`));
    // One that still hangs may yet bring what it has claimed.
    if ([...lookedBefore].some((look) => looks.has(look))) return [];
    return own.filter(({ instanceId, token }) => before.has(`${instanceId}|${token}`));
  }

  async function turn(): Promise<number> {
    const shards = Array.from({ length: store.shards }, (_, shard) => shard);
    // Claims before leases: a worker that begins in between has its lease when it is looked for.
    const claims = (await Promise.all(shards.map((shard) => store.claims(shard)))).flat();
    const live = new Set(await store.liveWorkers());
    const orphaned = claims.filter((claim) => claim.worker !== worker && !live.has(claim.worker));
    await Promise.all([...orphaned, ...findAbandoned(claims)].map(takeBack));
    return everyMs;
  }

  return startLoop('claims', log, turn, scheduler);
}
