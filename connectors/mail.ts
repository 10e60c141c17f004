import nodemailer, { type NodemailerError } from 'nodemailer';
import type { MailConfig } from '../shared/config.ts';
import { ActivityFailure } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';

export interface OutgoingMail {
  readonly to: readonly string[];
  readonly cc?: readonly string[];
  readonly replyTo?: string;
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
  /** Kept over the attempts of one sending, so that a receiver may recognise a mail that comes twice. */
  readonly messageKey: string;
}

export interface MailSent {
  readonly messageId: string;
  readonly accepted: readonly string[];
  readonly rejected: readonly string[];
}

export interface Mail {
  /** Hands the mail to the SMTP server. Some recipients may be rejected while others are accepted. */
  send(mail: OutgoingMail, options?: { readonly signal?: AbortSignal }): Promise<MailSent>;
  /** Signs in to the SMTP server without sending anything. */
  check(): Promise<void>;
  close(): void;
}

const CONNECT_MS = 10_000;
const SILENCE_MS = 30_000;
/** The connection broke or was never made before a mail could have been handed over. */
const NOTHING_SENT = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EDNS',
  'ETLS',
];
const NOTHING_SENT_TIMEOUTS = ['CONNECT_TIMEOUT', 'GREETING_TIMEOUT', 'UPGRADE_TIMEOUT'];

/** SMTP. Files and addresses in a mail's text are never followed. */
export function createMail(config: MailConfig, deps: { log: Logger }): Mail {
  const transport = nodemailer.createTransport(smtpOptions(config.smtpUrl.reveal()));
  const domain = /@([A-Za-z0-9.-]+)/.exec(config.from)?.[1] ?? 'localhost';

  return {
    async send(mail, { signal } = {}) {
      if (signal?.aborted === true)
        throw new ActivityFailure('retryable', 'mail-aborted', 'The mail was not sent: aborted.');
      try {
        const sent = await transport.sendMail({
          from: config.from,
          to: [...mail.to],
          ...(mail.cc === undefined ? {} : { cc: [...mail.cc] }),
          ...(mail.replyTo === undefined ? {} : { replyTo: mail.replyTo }),
          subject: mail.subject,
          text: mail.text,
          ...(mail.html === undefined ? {} : { html: mail.html }),
          messageId: `<${mail.messageKey}@${domain}>`,
          disableFileAccess: true,
          disableUrlAccess: true,
          ...(signal === undefined ? {} : { signal }),
        });
        deps.log.debug({ messageId: sent.messageId, rejected: sent.rejected.length }, 'mail-handed-over');
        return {
          messageId: sent.messageId,
          accepted: sent.accepted,
          rejected: sent.rejected,
        };
      } catch (error) {
        throw mailFailure(error as NodemailerError);
      }
    },
    async check() {
      try {
        await transport.verify();
      } catch (error) {
        throw mailFailure(error as NodemailerError);
      }
    },
    close: () => transport.close(),
  };
}

function smtpOptions(address: string) {
  const url = new URL(address);
  const secure = url.protocol === 'smtps:';
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? (secure ? 465 : 587) : Number(url.port),
    secure,
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    // A password never travels in clear, except to this machine.
    requireTLS: !secure && url.username !== '' && !['127.0.0.1', '[::1]', 'localhost'].includes(url.hostname),
    ...(url.username === ''
      ? {}
      : { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } }),
  };
}

/** 4yz replies pass, 5yz are final (RFC 5321); a connection lost on the way leaves the outcome unknown. */
function mailFailure(error: NodemailerError): ActivityFailure {
  const { code = 'unknown', responseCode, permanent, originalCode, timeoutType, rejected } = error;
  const details = { smtpCode: code, responseCode: responseCode ?? null, rejected: rejected ?? [] };
  const make = (kind: ActivityFailure['kind'], suffix: string, more = {}) =>
    new ActivityFailure(
      kind,
      `mail-${suffix}`,
      `The mail was not handed over: ${error.message.slice(0, 300)}`,
      {
        details,
        cause: error,
        ...more,
      },
    );

  if (responseCode !== undefined && permanent === false) return make('retryable', `smtp-${responseCode}`);
  if (code === 'EAUTH' || code === 'ENOAUTH')
    return make('terminal', 'sign-in-refused', { pausesQueue: 'mail' });
  if (responseCode !== undefined) return make('terminal', `smtp-${responseCode}`);
  if (code === 'EENVELOPE' || code === 'EMESSAGE') return make('terminal', 'address-refused');
  const neverSent =
    [code, originalCode].some((name) => name !== undefined && NOTHING_SENT.includes(name)) ||
    (timeoutType !== undefined && NOTHING_SENT_TIMEOUTS.includes(timeoutType));
  if (neverSent) return make('retryable', 'unreachable');
  return make('unknown', code === 'EABORT' ? 'aborted' : 'no-answer');
}
