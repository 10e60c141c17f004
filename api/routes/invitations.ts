/** Mails as the customer will see them, before anybody sends one. */
import { z } from 'zod';
import { mailParagraphs } from '../../shared/mail-page.ts';
import { type Draft, invitationDraft } from '../../workflows/parts/invitation.ts';
import { PATHS } from '../../workflows/routing.ts';
import { InvitationText } from '../../workflows/start-form.ts';
import { type Reply, type Route, route } from '../route.ts';

const name = z.string().trim().min(1).max(200);

const MailSchema = z
  .strictObject({
    subject: z.string(),
    paragraphs: z
      .array(z.array(z.array(z.strictObject({ text: z.string(), isLink: z.boolean() }))))
      .meta({ description: 'Of the HTML mail: lines, each a row of words and links' }),
  })
  .meta({ id: 'MailPreview' });

/** Stand-ins: the real links are made for each customer when the invitation is. */
const RESELLER_LINK = 'https://admin.microsoft.com/the-link-to-the-reseller-relationship';
const ADMIN_LINK = 'https://admin.microsoft.com/the-link-to-the-requested-roles';

const shared = {
  method: 'post',
  tag: 'mails',
  responses: { 200: { description: 'The mail', schema: MailSchema } },
  errors: [],
} as const;

export function invitationRoutes(): readonly Route[] {
  return [
    route({
      ...shared,
      id: 'previewInvitation',
      path: '/v1/invitations/preview',
      summary: 'The invitation of an onboarding that is not started yet, with stand-ins for its links',
      body: z
        .strictObject({
          path: z.enum(PATHS),
          customerName: name,
          partnerName: name,
          text: InvitationText.nullable().default(null).meta({ description: 'Own words; null for ours' }),
        })
        .meta({ id: 'PreviewInvitation' }),
      handle({ body: { path, customerName, partnerName, text } }) {
        // An existing CSP customer has the reseller relationship, and a new one gets it by being created.
        const resellerLink = path === 'onboard-existing-office-customer' ? RESELLER_LINK : null;
        return shown(
          invitationDraft({ customerName, partnerName, resellerLink, adminLink: ADMIN_LINK }, text),
        );
      },
    }),
    route({
      ...shared,
      id: 'previewMail',
      path: '/v1/mails/preview',
      summary: 'A finished mail, such as an invitation under review',
      body: z
        .strictObject({ subject: z.string().max(1_000), body: z.string().max(20_000) })
        .meta({ id: 'PreviewMail' }),
      handle: ({ body }) => shown(body),
    }),
  ];
}

function shown({ subject, body }: Draft): Reply {
  return { status: 200, body: { subject, paragraphs: mailParagraphs(body) } };
}
