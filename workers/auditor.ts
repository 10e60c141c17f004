/**
 * Looks for what commits make impossible and only a damaged or rewound store can bring about: a running instance whose
 * timer, activity or child exists in its record and nowhere else. What can be mended is mended; all of it is logged.
 */
import { type Engine, groupsFor, type OpenInstance, ticketOf } from '../engine/index.ts';
import { isAppError } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { type Loop, startLoop } from './loop.ts';
import { type Scheduler, systemScheduler } from './scheduler.ts';

/** Instances looked at per turn, a turn every second: a small share of a worker however many are parked. */
const PAGE = 100;
const EVERY_MS = 1_000;

export function startAuditor(engine: Engine, log: Logger, scheduler: Scheduler = systemScheduler): Loop {
  const { store } = engine;
  const anyOf = groupsFor({ status: 'running', children: true });
  let before: Awaited<ReturnType<typeof store.list>>['next'] = null;

  async function turn(): Promise<number> {
    const { items, next } = await store.list({ anyOf, limit: PAGE, before });
    for (const { id } of items) await audit(engine, id, log);
    before = next;
    return EVERY_MS;
  }

  return startLoop('audit', log, turn, scheduler);
}

/** Puts back what an instance needs to go on; answers with what was missing. */
export async function audit(engine: Engine, instanceId: string, log: Logger): Promise<readonly string[]> {
  const open = await openIfKnown(engine, instanceId);
  if (open === null || open.record.status !== 'running') return [];
  const needed = needsOf(open);
  const missing = await engine.store.missing(instanceId, needed);
  if (missing.length === 0) return [];
  // Only what is still so: the instance may have moved on between the two reads.
  const now = await openIfKnown(engine, instanceId);
  if (now === null || now.record.revision !== open.record.revision) return [];
  await engine.store.putBack(instanceId, missing);
  log.error({ instanceId, missing: missing.map(({ token }) => token) }, 'store damage mended');
  return missing.map(({ token }) => token);
}

async function openIfKnown(engine: Engine, instanceId: string): Promise<OpenInstance | null> {
  try {
    return await engine.open(instanceId);
  } catch (error) {
    if (isAppError(error, 'workflow-version-missing')) return null;
    throw error;
  }
}

function needsOf({ record }: OpenInstance) {
  const timers = Object.entries(record.timers).map(
    ([token, { fireAt }]) => ({ kind: 'timer', token, fireAt }) as const,
  );
  const activities = Object.entries(record.activities)
    .filter(([, { phase }]) => phase === 'open')
    .map(([token]) => ({ kind: 'activity', token, outboxId: ticketOf(record, token).outboxId }) as const);
  return [...timers, ...activities];
}
