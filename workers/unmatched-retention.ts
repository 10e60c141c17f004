/** Signals that nobody claimed go after their time, and a banner says so two weeks before. */
import type { Client, Store } from '../engine/index.ts';
import type { Logger } from '../shared/logger.ts';
import type { Notices } from '../shared/notices.ts';
import { type Loop, startLoop } from './loop.ts';
import { type Scheduler, systemScheduler } from './scheduler.ts';

export interface UnmatchedRetentionOptions {
  readonly store: Pick<Store, 'now' | 'unpark'>;
  readonly client: Pick<Client, 'unmatched'>;
  readonly notices: Pick<Notices, 'set'>;
  readonly keptMs: number;
  readonly log: Logger;
  readonly scheduler?: Scheduler;
}

const WARN_BEFORE_MS = 14 * 24 * 3_600_000;
const PAGE = 100;
const EVERY_MS = 1_000;
const BETWEEN_ROUNDS_MS = 3_600_000;
/** More are not counted. */
const MANY = 1_000;
const NOTICE = 'unmatched';

export function startUnmatchedRetention(options: UnmatchedRetentionOptions): Loop {
  const { store, client, notices, keptMs, log, scheduler = systemScheduler } = options;

  async function turn(): Promise<number> {
    const cameBefore = store.now() - keptMs;
    const old = await client.unmatched(PAGE, cameBefore);
    for (const { key, signalId, at, event } of old) {
      await store.unpark(key, signalId);
      const came = new Date(at).toISOString();
      log.info({ key, signalId, signal: event.type, came }, 'unmatched for too long: removed');
    }
    if (old.length === PAGE) return EVERY_MS;
    const soon = await client.unmatched(MANY, cameBefore + WARN_BEFORE_MS);
    const oldest = soon.at(-1);
    await notices.set(NOTICE, oldest === undefined ? null : warningOf(soon.length, oldest.at + keptMs));
    return BETWEEN_ROUNDS_MS;
  }

  return startLoop('unmatched-retention', log, turn, scheduler);
}

function warningOf(count: number, goesAt: number): string {
  const what =
    count === 1 ? '1 unmatched signal is' : `${count === MANY ? 'Many' : count} unmatched signals are`;
  const day = new Date(goesAt).toISOString().slice(0, 10);
  return `${what} removed from ${day} on: give what still matters to an onboarding, on the page Unmatched.`;
}
