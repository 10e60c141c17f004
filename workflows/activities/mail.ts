import { z } from 'zod';
import { defineActivity } from '../../engine/activity.ts';
import { Timestamp } from './shapes.ts';

/**
 * Sends one mail, as text and as HTML of the same words. The Message-ID is derived from the activity's idempotency key, so that a mail sent twice
 * after a lost answer is recognisable as one; `verify` may answer `unknown`.
 */
export const sendInvitation = defineActivity({
  name: 'sendInvitation',
  description: 'Sending the mail',
  queue: 'mail',
  effectful: true,
  input: z.object({
    kind: z.enum(['invitation', 'reminder', 'escalation']),
    to: z.array(z.email()).min(1),
    subject: z.string().min(1).max(200),
    body: z.string().min(1).max(20_000),
  }),
  output: z.object({
    messageId: z.string(),
    sentAt: Timestamp,
    /** Recipients the server refused at once, while it took the mail for others. */
    rejected: z.array(z.string()).default([]),
  }),
});
