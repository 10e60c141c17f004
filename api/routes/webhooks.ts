/** Partner Center's doorbell. Every event is only a hint: the statechart reads the relationship before it believes it. */
import { z } from 'zod';
import type { Client } from '../../engine/index.ts';
import { AppError } from '../../shared/errors.ts';
import {
  PartnerCenterEvent,
  partnerCenterEventId,
  partnerCenterEventSubject,
} from '../../shared/webhook-event.ts';
import type { WebhookVerifier } from '../../shared/webhook-signature.ts';
import { type Route, route } from '../route.ts';

/** By event name (microsoft-apis facts 2.4): whom it concerns and which hint it is. */
const HINTS: Readonly<
  Record<string, { readonly about: 'customerId' | 'gdapRelationshipId'; readonly signal: string }>
> = {
  'reseller-relationship-accepted-by-customer': { about: 'customerId', signal: 'consent.reseller.granted' },
  'indirect-reseller-relationship-accepted-by-customer': {
    about: 'customerId',
    signal: 'consent.reseller.granted',
  },
  'granular-admin-relationship-approved': { about: 'gdapRelationshipId', signal: 'consent.admin.granted' },
  'granular-admin-relationship-expired': { about: 'gdapRelationshipId', signal: 'consent.admin.ended' },
  'granular-admin-relationship-terminated': { about: 'gdapRelationshipId', signal: 'consent.admin.ended' },
};
const KEYS = { customerId: 'tenant', gdapRelationshipId: 'gdap' } as const;

const Answer = z.strictObject({
  status: z.enum(['applied', 'deferred', 'rejected', 'duplicate', 'unmatched', 'acknowledged']),
});

export interface WebhookDeps {
  readonly client: Client;
  readonly verifier: WebhookVerifier;
}

export function webhookRoutes({ client, verifier }: WebhookDeps): readonly Route[] {
  return [
    route({
      id: 'receivePartnerCenterEvent',
      method: 'post',
      path: '/webhooks/partner-center',
      tag: 'webhooks',
      summary: 'Where Partner Center delivers its events',
      description: 'Signed by Microsoft; answered with 200 only after the commit, so that nothing is lost.',
      size: 'raw',
      responses: { 200: { description: 'Kept, known already, or nothing to us', schema: Answer } },
      errors: ['webhook-signature-invalid', 'webhook-malformed'],
      async handle({ request, log }) {
        const raw: unknown = request.body;
        const bytes = Buffer.isBuffer(raw) ? raw : Buffer.alloc(0);
        const verdict = await verifier.verify(bytes, request.headers);
        if (verdict.outcome === 'refused') {
          log.warn({ reason: verdict.reason }, 'webhook-refused');
          throw new AppError('webhook-signature-invalid', `The signature was refused: ${verdict.reason}.`, {
            details: { reason: verdict.reason },
          });
        }
        const event = parseEvent(bytes);
        const status = await deliver(client, event);
        log.info({ event: event.name, changedAt: event.changedAt, status }, 'webhook-received');
        return { status: 200, body: { status } };
      },
    }),
  ];
}

function parseEvent(bytes: Buffer): PartnerCenterEvent {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString('utf8'));
  } catch (cause) {
    throw new AppError('webhook-malformed', 'The event is not JSON.', { cause });
  }
  const parsed = PartnerCenterEvent.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new AppError('webhook-malformed', 'The event has not the documented shape.', { cause: parsed.error });
}

async function deliver(
  client: Client,
  event: PartnerCenterEvent,
): Promise<z.output<typeof Answer>['status']> {
  const hint = Object.hasOwn(HINTS, event.name) ? HINTS[event.name] : undefined;
  const id = hint === undefined ? null : partnerCenterEventSubject(event)[hint.about];
  if (hint === undefined || id === null) return 'acknowledged';
  const result = await client.signalByKey(
    `${KEYS[hint.about]}:${id}`,
    hint.signal,
    { source: `webhook ${event.name}` },
    { id: partnerCenterEventId(event), by: { kind: 'webhook', id: 'partner-center' } },
  );
  return result.status;
}
