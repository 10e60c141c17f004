import { z } from 'zod';
import { type ActivityImplementation, implementActivity } from '../../engine/index.ts';
import { mailPage } from '../../shared/mail-page.ts';
import { sendInvitation as contract } from '../../workflows/activities/mail.ts';
import { type ActivityDeps, nowIso } from './calls.ts';

/** How far a sending came. `key` tells the sending under way from an earlier one that was answered. */
const Progress = z.object({
  key: z.string(),
  sent: z
    .object({ messageId: z.string(), sentAt: z.string(), rejected: z.array(z.string()).default([]) })
    .nullable(),
});

/**
 * SMTP cannot be asked afterwards, so the sending notes how far it came: before the server was spoken to nothing was
 * sent, after its receipt everything was; what lies between stays unknown.
 */
export function sendInvitation({ connectors }: ActivityDeps): ActivityImplementation {
  return implementActivity(contract, {
    async run({ kind, to, subject, body }, context) {
      const key = context.idempotencyKey;
      await context.heartbeat({ key, sent: null });
      const mail = { to, subject, text: body, html: mailPage(body), messageKey: key };
      const { messageId, rejected } = await connectors.mail.send(mail, { signal: context.signal });
      const sent = { messageId, sentAt: nowIso(), rejected: [...rejected] };
      if (rejected.length > 0) context.log.warn({ kind, rejected: rejected.length }, 'recipients rejected');
      await context.heartbeat({ key, sent });
      return sent;
    },

    async verify(_input, context) {
      const progress = Progress.safeParse(context.progress).data;
      if (progress?.key !== context.idempotencyKey) return { outcome: 'not-done' };
      if (progress.sent !== null) return { outcome: 'done', output: progress.sent };
      return { outcome: 'unknown', reason: 'The mail server was spoken to and its receipt was lost.' };
    },
  });
}
