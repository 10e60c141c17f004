/**
 * Keeps our address registered for Partner Center's webhooks. They are hints only, so trouble here is told and never stops
 * the worker: the polls go on.
 */
import { randomUUID } from 'node:crypto';
import type { PartnerCenter } from '../connectors/index.ts';
import { ActivityFailure, messageOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import { type Loop, startLoop } from './loop.ts';

/** What the statecharts take as hints, and Microsoft's own test event (microsoft-apis facts 2.4). */
export const WEBHOOK_EVENTS: readonly string[] = [
  'reseller-relationship-accepted-by-customer',
  'indirect-reseller-relationship-accepted-by-customer',
  'granular-admin-relationship-approved',
  'granular-admin-relationship-expired',
  'granular-admin-relationship-terminated',
  'test-created',
];
const WEBHOOK_PATH = '/webhooks/partner-center';
const AGAIN_MS = 6 * 3_600_000;
const AFTER_TROUBLE_MS = 30_000;

export interface WebhookRegistrationOptions {
  readonly partnerCenter: PartnerCenter;
  /** Where Microsoft reaches the API. */
  readonly publicUrl: string;
  /** Take the registration over from another address. */
  readonly takeOver: boolean;
  readonly log: Logger;
}

export function startWebhookRegistration(options: WebhookRegistrationOptions): Loop {
  const { partnerCenter, takeOver, log } = options;
  const url = `${options.publicUrl}${WEBHOOK_PATH}`;

  return startLoop('webhook registration', log, async () => {
    try {
      // Only what this partner's Partner Center knows can be subscribed to.
      const known = await partnerCenter.webhooks.events();
      const events = WEBHOOK_EVENTS.filter((name) => known.includes(name));
      const ids = { requestId: randomUUID(), correlationId: randomUUID() };
      const outcome = await partnerCenter.webhooks.ensure({ url, events, takeOver }, ids);
      log.info({ url, outcome }, 'webhooks registered');
      return AGAIN_MS;
    } catch (error) {
      if (error instanceof ActivityFailure && error.code === 'partner-center-webhook-foreign') {
        log.error(
          { url, registered: error.details['url'] },
          'webhooks go to another address; WEBHOOK_TAKE_OVER=1 takes them over, until then consents are polled',
        );
        return AGAIN_MS;
      }
      log.warn({ url, error: messageOf(error) }, 'webhooks not registered');
      return AFTER_TROUBLE_MS;
    }
  });
}
