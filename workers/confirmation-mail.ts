/**
 * What a mail may hint at: which consent and whose, or which invitation came back. Pure. Anybody can forge a mail, so nothing but a hint ever
 * comes of it: the statechart reads the relationship before it believes.
 */
import type { ReceivedMail } from '../connectors/index.ts';

export interface MailHint {
  /** Correlation key of whoever waits for it. */
  readonly key: string;
  readonly signal: 'consent.reseller.granted' | 'consent.admin.granted' | 'invitation.bounced';
}

const GUID = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';
const RELATIONSHIP = new RegExp(`\\b(${GUID}-${GUID})\\b`, 'i');
const TENANT = new RegExp(`\\b(?:customer|tenant|microsoft)[^\\n]{0,40}?\\b(${GUID})\\b(?!-)`, 'i');
const ACCEPTED = /\b(accepted|authori[sz]ed|approved)\b/i;
const ADMIN = /\b(gdap|granular|admin(?:istrator)? (?:relationship|privileges)|delegated)\b/i;
const RESELLER = /\b(reseller|cloud solution provider|csp)\b/i;
const NAMED = /^(.{1,200}?) (?:has|have) (?:accepted|authori[sz]ed|approved)\b/im;

const BOUNCED =
  /^(?:undeliverable|undelivered|returned mail|delivery status notification \(failure\)|mail delivery (?:failed|subsystem))/i;
const POSTMASTER = /^(?:mailer-daemon|postmaster|microsoftexchange[0-9a-f]+)@/;
/** Ids of our mails are idempotency keys. */
const OUR_MAIL = new RegExp(`<${GUID}@[^\\s<>]{1,255}>`, 'i');

/** Null for any other mail. `senders` are domains whose mail is looked at, e.g. `microsoft.com`. */
export function hintOf(mail: ReceivedMail, senders: readonly string[]): MailHint | null {
  if (POSTMASTER.test(mail.from) || BOUNCED.test(mail.subject)) return bounceOf(mail);
  const domain = mail.from.split('@')[1] ?? '';
  if (!senders.some((sender) => domain === sender || domain.endsWith(`.${sender}`))) return null;
  const said = `${mail.subject}\n${mail.text}`;
  if (!ACCEPTED.test(said)) return null;
  const about = `${mail.subject}\n${firstLine(mail.text)}`;
  const isAdmin = ADMIN.test(about);
  if (!isAdmin && !RESELLER.test(about)) return null;
  const key = keyIn(said);
  return key === null
    ? null
    : { key, signal: isAdmin ? 'consent.admin.granted' : 'consent.reseller.granted' };
}

/** Reports of failure quote the header of the mail that came back. */
function bounceOf({ text }: ReceivedMail): MailHint | null {
  const messageId = OUR_MAIL.exec(text)?.[0];
  return messageId === undefined
    ? null
    : { key: `mail:${messageId.toLowerCase()}`, signal: 'invitation.bounced' };
}

function keyIn(said: string): string | null {
  const relationship = RELATIONSHIP.exec(said)?.[1];
  if (relationship !== undefined) return `gdap:${relationship.toLowerCase()}`;
  const tenant = TENANT.exec(said)?.[1];
  if (tenant !== undefined) return `tenant:${tenant.toLowerCase()}`;
  const name = NAMED.exec(said)?.[1]?.trim().toLowerCase();
  return name === undefined ? null : `name:${name}`;
}

const firstLine = (text: string): string => text.split('\n').find((line) => line.trim() !== '') ?? '';
