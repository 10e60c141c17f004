/** Looks into the Admin Agent's mailbox for confirmations and bounces and passes them on as hints, each once. */

import type { Mailbox } from '../connectors/index.ts';
import type { Client } from '../engine/index.ts';
import { messageOf } from '../shared/errors.ts';
import { uuidFrom } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import type { RedisConnection } from '../shared/redis.ts';
import { hintOf } from './confirmation-mail.ts';
import { type Loop, startLoop } from './loop.ts';

const EVERY_MS = 60_000;
const AFTER_TROUBLE_MS = 5 * 60_000;
const FIRST_LOOK_BACK_MS = 3 * 24 * 3_600_000;
/** Mails show late and clocks differ: what was looked at before is looked at again, and known by its id. */
const OVERLAP_MS = 15 * 60_000;

export interface MailboxWatchOptions {
  readonly mailbox: Mailbox;
  readonly client: Pick<Client, 'signalByKey'>;
  /** Where the time of the last look is kept. */
  readonly redis: RedisConnection;
  readonly namespace: string;
  readonly senders: readonly string[];
  readonly log: Logger;
  readonly everyMs?: number;
}

export function startMailboxWatch(options: MailboxWatchOptions): Loop {
  const { everyMs = EVERY_MS, log } = options;
  return startLoop('mailbox', log, async () => {
    try {
      await lookIntoMailbox(options);
      return everyMs;
    } catch (error) {
      log.warn({ error: messageOf(error) }, 'mailbox not read');
      return AFTER_TROUBLE_MS;
    }
  });
}

/** Answers with the number of hints passed on, repeated ones included. */
export async function lookIntoMailbox(options: MailboxWatchOptions): Promise<number> {
  const { mailbox, client, redis, namespace, senders, log } = options;
  const key = `{${namespace}:meta}:mailbox-read-at`;
  const startedAt = Date.now();
  const before = Number(await redis.get(key));
  const since = before > 0 ? before - OVERLAP_MS : startedAt - FIRST_LOOK_BACK_MS;
  const mails = await mailbox.receivedSince(new Date(since));
  let passed = 0;
  for (const mail of mails) {
    const hint = hintOf(mail, senders);
    if (hint === null) continue;
    const id = uuidFrom('confirmation-mail', mail.id);
    const by = { kind: 'mail', id: mail.from } as const;
    const { status } = await client.signalByKey(hint.key, hint.signal, { source: 'mailbox' }, { id, by });
    log.info({ ...hint, status }, 'mail read');
    passed += 1;
  }
  const newest = mails.at(-1)?.receivedAt.getTime() ?? startedAt;
  // A full page may have left newer mails unread.
  await redis.set(key, String(Math.min(newest, startedAt)));
  return passed;
}
