/**
 * The mailbox that Microsoft's confirmation mails reach (guide 3.1 step 4), read only: through Graph
 * (`graph://admin@partner.example`) or IMAP (`imaps://user:password@host/INBOX`). What a mail says is never proof.
 */
import { ImapFlow } from 'imapflow';
import { simpleParser } from 'mailparser';
import { ActivityFailure } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import type { Secret } from '../shared/secrets.ts';
import type { messages } from './graph/messages.ts';
import type { ReadOptions } from './http.ts';

export interface ReceivedMail {
  /** Message-ID, or the mailbox's own id where a mail has none. */
  readonly id: string;
  /** Address of the sender in lower case; anybody can write anything there. */
  readonly from: string;
  readonly subject: string;
  /** Plain text, at most `MAX_TEXT` characters. */
  readonly text: string;
  readonly receivedAt: Date;
}

export interface Mailbox {
  /** Mails received since then, oldest first, at most `MAX_MAILS`. Raises ActivityFailure only. */
  receivedSince(since: Date, options?: ReadOptions): Promise<readonly ReceivedMail[]>;
}

export const MAX_MAILS = 500;
const MAX_TEXT = 50_000;
/** Of a subject, an address, an id. */
const MAX_LINE = 1_000;
const MAX_NESTED = 20;
const MAX_SOURCE_BYTES = 1024 * 1024;
const SILENCE_MS = 30_000;

export function createMailbox(
  address: Secret,
  deps: { readonly messages: ReturnType<typeof messages>; readonly log: Logger },
): Mailbox {
  const url = new URL(address.reveal());
  return url.protocol === 'graph:' ? graphMailbox(url, deps.messages) : imapMailbox(url, deps.log);
}

function graphMailbox(url: URL, messagesOf: ReturnType<typeof messages>): Mailbox {
  const mailbox = `${decodeURIComponent(url.username)}@${url.hostname}`;
  return {
    async receivedSince(since, options = {}) {
      const found = await messagesOf.receivedSince(mailbox, since, { ...options, limit: MAX_MAILS });
      return found.map(({ id, internetMessageId, from, subject, body, receivedDateTime }) => ({
        id: internetMessageId ?? id,
        from: (from?.emailAddress.address ?? '').toLowerCase(),
        subject: (subject ?? '').slice(0, MAX_LINE),
        text: (body?.content ?? '').slice(0, MAX_TEXT),
        receivedAt: new Date(receivedDateTime),
      }));
    },
  };
}

function imapMailbox(url: URL, log: Logger): Mailbox {
  const secure = url.protocol === 'imaps:';
  const folder = decodeURIComponent(url.pathname.slice(1)) || 'INBOX';
  const options = {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? (secure ? 993 : 143) : Number(url.port),
    secure,
    // A password never travels in clear, except to this machine.
    ...(secure || isLoopback(url) ? {} : { doSTARTTLS: true }),
    auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) },
    logger: false as const,
    disableAutoIdle: true,
    socketTimeout: SILENCE_MS,
    greetingTimeout: SILENCE_MS,
    connectionTimeout: SILENCE_MS,
  };
  return {
    async receivedSince(since) {
      const client = new ImapFlow(options);
      // Without a listener a broken connection would end the process.
      client.on('error', (error: Error) => log.debug({ reason: error.message }, 'mailbox connection broke'));
      try {
        await client.connect();
        await client.mailboxOpen(folder, { readOnly: true });
        return await readMails(client, since, log);
      } catch (error) {
        throw mailboxFailure(error);
      } finally {
        client.close();
      }
    },
  };
}

async function readMails(client: ImapFlow, since: Date, log: Logger): Promise<ReceivedMail[]> {
  // IMAP searches by day; the exact instant is compared here.
  const uids = await client.search({ since }, { uid: true });
  if (!Array.isArray(uids) || uids.length === 0) return [];
  const wanted = uids.toSorted((a, b) => a - b).slice(-MAX_MAILS);
  const mails: ReceivedMail[] = [];
  const fetched = client.fetch(
    wanted.join(','),
    { uid: true, internalDate: true, source: { maxLength: MAX_SOURCE_BYTES } },
    { uid: true },
  );
  for await (const { uid, internalDate, source } of fetched) {
    const receivedAt = internalDate === undefined ? new Date() : new Date(internalDate);
    if (source === undefined || receivedAt < since) continue;
    const mail = await readMail(source);
    // One that nobody can read must not keep the others from being read.
    if (mail === null) log.warn({ uid }, 'mail not readable');
    else mails.push({ ...mail, id: mail.id ?? `uid-${uid}`, receivedAt });
  }
  return mails;
}

/** What a mail says, as far as it can be read; null when it cannot. Whatever stands in it, this neither raises nor hangs. */
export async function readMail(
  source: Buffer,
): Promise<(Omit<ReceivedMail, 'id' | 'receivedAt'> & { readonly id: string | null }) | null> {
  // The parser takes quadratic time for parts within parts.
  const nested = source.toString('latin1').match(/content-type:\s{0,20}multipart/gi)?.length ?? 0;
  const parsed = nested > MAX_NESTED ? null : await simpleParser(source).catch(() => null);
  if (parsed === null) return null;
  return {
    id: parsed.messageId?.slice(0, MAX_LINE) ?? null,
    from: (parsed.from?.value[0]?.address ?? '').toLowerCase().slice(0, MAX_LINE),
    subject: (parsed.subject ?? '').slice(0, MAX_LINE),
    text: (parsed.text ?? '').slice(0, MAX_TEXT),
  };
}

function mailboxFailure(error: unknown): ActivityFailure {
  if (error instanceof ActivityFailure) return error;
  const refused = typeof error === 'object' && error !== null && 'authenticationFailed' in error;
  const reason = error instanceof Error ? error.message.slice(0, 300) : 'unknown';
  return new ActivityFailure(
    refused ? 'terminal' : 'retryable',
    refused ? 'mailbox-sign-in-refused' : 'mailbox-unreachable',
    `The mailbox was not read: ${reason}`,
    { cause: error },
  );
}

function isLoopback(url: URL): boolean {
  return ['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname);
}
