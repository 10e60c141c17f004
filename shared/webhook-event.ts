import { z } from 'zod';
import { uuidFrom } from './ids.ts';

/** What Partner Center posts (microsoft-apis facts 2.4). A notification, never state: re-read the resource. */
export const PartnerCenterEvent = z
  .object({
    EventName: z.string().min(1).max(128),
    ResourceUri: z.string().max(2_048).nullish(),
    ResourceName: z.string().max(128).nullish(),
    AuditUri: z.string().max(2_048).nullish(),
    ResourceChangeUtcDate: z.string().min(1).max(64),
  })
  .transform((event) => ({
    name: event.EventName,
    resourceUri: event.ResourceUri ?? null,
    resourceName: event.ResourceName ?? null,
    auditUri: event.AuditUri ?? null,
    changedAt: event.ResourceChangeUtcDate,
  }));
export type PartnerCenterEvent = z.output<typeof PartnerCenterEvent>;

/** Deliveries carry no id of their own: the same name, resource and instant are the same event. */
export function partnerCenterEventId(event: PartnerCenterEvent): string {
  return uuidFrom('partner-center-event', event.name, event.resourceUri ?? '', event.changedAt);
}

/** Ids inside the resource address, or null where it has none: who the event is about. */
export function partnerCenterEventSubject(event: PartnerCenterEvent): {
  customerId: string | null;
  gdapRelationshipId: string | null;
} {
  const address = event.resourceUri ?? '';
  return {
    customerId: /\/customers\/([A-Za-z0-9-]{36})(?:[/?]|$)/.exec(address)?.[1]?.toLowerCase() ?? null,
    gdapRelationshipId:
      /\/granularAdminRelationships\/([A-Za-z0-9-]{36,73})(?:[/?]|$)/i.exec(address)?.[1] ?? null,
  };
}
