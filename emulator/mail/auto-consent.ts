/** The emulated customer who opens an invitation mail, follows its links and agrees. */
import { acceptReseller } from '../consent/helpers.ts';
import { answerInvitation } from '../directory/delegation.ts';
import { globalAdminOf, tenantOfDomain } from '../directory/helpers.ts';
import type { World } from '../world.ts';
import type { Mail } from './entities.ts';
import { type InvitationLink, invitationLinks } from './helpers.ts';

export function followInvitation(world: World, mailId: string): void {
  const mail = world.mail.mails.get(mailId);
  if (mail === undefined) return;
  const links = invitationLinks(world, mail);
  const tenantId = readerOf(world, mail, links);
  if (tenantId === undefined || globalAdminOf(world, tenantId) === undefined) return;
  for (const link of links) {
    if (link.kind === 'reseller') acceptReseller(world, tenantId, true);
    else answerLink(world, link.relationshipId, tenantId);
  }
}

function answerLink(world: World, relationshipId: string, tenantId: string): void {
  const outcome = answerInvitation(world, relationshipId, tenantId, 'approve');
  if (typeof outcome === 'string' || !world.settings().confirmationMails) return;
  world.scheduler.schedule('confirmation-mail', world.delay('confirmationMail'), { tenantId, about: 'gdap' });
}

/** Whose mail it is: the tenant an admin link names, else the recipient's domain or contact address. */
function readerOf(world: World, mail: Mail, links: readonly InvitationLink[]): string | undefined {
  for (const link of links) {
    if (link.kind !== 'gdap') continue;
    const named = world.directory.relationships.get(link.relationshipId)?.customer?.tenantId;
    if (named !== undefined) return named;
  }
  for (const address of mail.to.map((recipient) => recipient.toLowerCase())) {
    const byContact = world.directory.tenants.find((tenant) => tenant.contactEmail.toLowerCase() === address);
    const tenant = byContact ?? tenantOfDomain(world, address.split('@')[1] ?? '');
    if (tenant !== undefined) return tenant.id;
  }
  return undefined;
}
