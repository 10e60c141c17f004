/** Mail that the emulated cloud writes, links found in mail, and the customer who follows them. */
import type { World } from '../world.ts';
import type { Mail } from './entities.ts';

export function storeMail(world: World, mail: Omit<Mail, 'id' | 'receivedAt'>): Mail {
  return world.mail.mails.put({ ...mail, id: world.random.guid(), receivedAt: world.clock.iso() });
}

/** A mail from Microsoft, straight into the sink. */
export function sendMicrosoftMail(world: World, mail: { to: string; subject: string; text: string }): void {
  storeMail(world, {
    messageId: `<${world.random.guid()}@microsoft.com>`,
    from: 'Microsoft Partner Center <microsoft-noreply@microsoft.com>',
    to: [mail.to],
    subject: mail.subject,
    text: mail.text,
    html: null,
    origin: 'microsoft',
    attachments: [],
  });
}

export type InvitationLink =
  | { readonly kind: 'reseller'; readonly partnerId: string }
  | { readonly kind: 'gdap'; readonly relationshipId: string };

/** The invitations a mail's links lead to; links to other places are nobody's business here. */
export function invitationLinks(world: World, mail: Mail): InvitationLink[] {
  const text = `${mail.text}\n${(mail.html ?? '').replaceAll('&amp;', '&')}`;
  const base = world.urls().consent.toLowerCase();
  const links = new Map<string, InvitationLink>();
  for (const [found] of text.matchAll(/https?:\/\/[^\s"'<>)\]]+/g)) {
    if (!found.toLowerCase().startsWith(base) || !URL.canParse(found)) continue;
    const link = readInvitation(new URL(found));
    if (link !== undefined) links.set(JSON.stringify(link), link);
  }
  return [...links.values()];
}

export function readInvitation(url: URL): InvitationLink | undefined {
  const relationshipId = /granularAdminRelationships\/([0-9a-f-]+)/i.exec(`${url.pathname}${url.hash}`)?.[1];
  if (relationshipId !== undefined) return { kind: 'gdap', relationshipId: relationshipId.toLowerCase() };
  const query = new URLSearchParams(
    [...url.searchParams].map(([name, value]): [string, string] => [name.toLowerCase(), value]),
  );
  const partnerId = query.get('partnerid');
  if (query.get('invtype') !== 'ResellerRelationship' || partnerId === null) return undefined;
  return { kind: 'reseller', partnerId: partnerId.toLowerCase() };
}
