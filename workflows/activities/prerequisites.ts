/** Checks on our own side, and the closing report. Facts: microsoft-apis 8 (H13), guide section 2. */
import { z } from 'zod';
import { defineActivity } from '../../engine/activity.ts';
import { PAUSE_CAUSES } from '../pause-causes.ts';
import { Guid, Timestamp } from './shapes.ts';

const PauseCauseField = z.enum(PAUSE_CAUSES).default('sign-in');

/** Is the signed-in partner user an Admin Agent, and do our security groups exist with members? */
export const checkPartnerAccess = defineActivity({
  name: 'checkPartnerAccess',
  description: 'Checking our Admin Agent access',
  queue: 'graph',
  input: z.object({ groupIds: z.array(Guid) }),
  output: z.object({
    adminAgent: z.boolean(),
    signedInAs: z.string().nullable(),
    missingGroupIds: z.array(Guid),
  }),
});

/** Do Graph and Partner Center answer us? It took the place of the retired directory module for PowerShell. */
export const checkTooling = defineActivity({
  name: 'checkTooling',
  description: 'Checking Graph and Partner Center access',
  queue: 'partner-center',
  input: z.object({}),
  output: z.object({ ready: z.boolean(), message: z.string().nullable() }),
});

/**
 * Tries what a cause broke: new tokens as the partner's user, its membership, our groups, the mail server. Fine, too, when no
 * queue is paused for it any more. On the default queue: the others are paused.
 */
export const checkSignIn = defineActivity({
  name: 'checkSignIn',
  description: 'Trying our sign-in',
  input: z.object({ cause: PauseCauseField }),
  output: z.object({ fine: z.boolean(), problem: z.string().nullable() }),
});

/** Lets the queues go on that this cause paused. */
export const resumeQueues = defineActivity({
  name: 'resumeQueues',
  description: 'Letting the onboardings go on',
  effectful: true,
  input: z.object({ cause: PauseCauseField }),
  output: z.object({ queues: z.array(z.string()) }),
});

/** Stamps the collected facts with the time of closing. Pure data: it asks nobody. */
export const writeClosingReport = defineActivity({
  name: 'writeClosingReport',
  description: 'Writing the closing report',
  input: z.object({ report: z.record(z.string(), z.json()) }),
  output: z.object({ closedAt: Timestamp }),
});
