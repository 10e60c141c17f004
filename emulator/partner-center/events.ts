/** Webhook events and audit records: how Partner Center tells the world what happened. */
import { signBody } from '../core/certificate.ts';
import { PARTNER } from '../options.ts';
import type { World } from '../world.ts';
import type { AuditRecord, Delivery } from './entities.ts';

/** What `GET /webhooks/v1/registration/events` lists. */
export const EVENT_NAMES: readonly string[] = [
  'test-created',
  'reseller-relationship-accepted-by-customer',
  'indirect-reseller-relationship-accepted-by-customer',
  'granular-admin-relationship-activated',
  'granular-admin-relationship-approved',
  'granular-admin-relationship-expired',
  'granular-admin-relationship-terminated',
  'granular-admin-access-assignment-created',
  'granular-admin-access-assignment-activated',
  'granular-admin-access-assignment-updated',
  'granular-admin-access-assignment-deleted',
  'dap-admin-relationship-approved',
  'dap-admin-relationship-terminated',
  'dap-admin-relationship-terminated-by-microsoft',
  'subscription-updated',
  'usagerecords-thresholdExceeded',
  'invoice-ready',
  'azure-fraud-event-detected',
  'referral-created',
  'referral-updated',
  'related-referral-created',
  'related-referral-updated',
  'new-commerce-migration-created',
  'new-commerce-migration-completed',
  'new-commerce-migration-failed',
  'new-commerce-migration-schedule-failed',
];

/** Attempts before an event goes to the offline queue and is not delivered again. */
const MAX_ATTEMPTS = 10;

export interface EventFields {
  readonly eventName: string;
  readonly resourceName: string;
  readonly resourceUri: string;
  readonly auditUri: string | null;
  readonly correlationId?: string;
  readonly delayMs?: number;
}

/** Queues an event for the registered receiver; without a subscription nothing is sent. */
export function emitEvent(world: World, fields: EventFields): void {
  const registration = world.partner.registrations.get(PARTNER.tenantId);
  if (registration === undefined || !registration.events.includes(fields.eventName)) return;
  const body = JSON.stringify({
    EventName: fields.eventName,
    ResourceUri: fields.resourceUri,
    ResourceName: fields.resourceName,
    AuditUri: fields.auditUri,
    ResourceChangeUtcDate: sevenDigits(world),
  });
  const delivery: Delivery = {
    id: world.random.guid(),
    eventName: fields.eventName,
    url: registration.url,
    body,
    status: 'pending',
    attempts: [],
    badSignature: world.faults.take(fields.eventName, 'webhook-bad-signature') !== undefined,
    correlationId: fields.correlationId ?? null,
    createdAt: world.clock.now(),
  };
  const delay = fields.delayMs ?? world.delay('webhook');
  if (world.faults.take(fields.eventName, 'webhook-lost') !== undefined) {
    world.partner.deliveries.put({ ...delivery, status: 'lost' });
    return;
  }
  const late = world.faults.take(fields.eventName, 'webhook-out-of-order');
  send(world, delivery, delay + (late === undefined ? 0 : (late.delayMs ?? world.delay('webhook') + 1_000)));
  if (world.faults.take(fields.eventName, 'webhook-duplicate') !== undefined) {
    send(world, { ...delivery, id: world.random.guid() }, delay);
  }
}

function send(world: World, delivery: Delivery, delayMs: number): void {
  world.partner.deliveries.put(delivery);
  world.scheduler.schedule('webhook', delayMs, { deliveryId: delivery.id });
}

/** One delivery attempt; a refusal or silence schedules the next one. */
export async function deliver(world: World, deliveryId: string): Promise<void> {
  const delivery = world.partner.deliveries.get(deliveryId);
  if (delivery === undefined || delivery.status !== 'pending') return;
  const toMsHeader = world.partner.registrations.get(PARTNER.tenantId)?.toMsSignatureHeader === true;
  const signature = signBody(
    world.keys().webhook,
    delivery.badSignature ? `${delivery.body} ` : delivery.body,
  );
  let status: number | null = null;
  let problem: string | null = null;
  try {
    const answer = await fetch(delivery.url, {
      method: 'POST',
      body: delivery.body,
      redirect: 'manual',
      signal: AbortSignal.timeout(world.delay('webhookTimeout')),
      headers: {
        'content-type': 'application/json',
        [toMsHeader ? 'x-ms-signature' : 'authorization']: `Signature ${signature}`,
        'x-ms-certificate-url': `${world.urls().control}/webhook-certificate.cer`,
        'x-ms-signature-algorithm': 'rsa-sha256',
      },
    });
    status = answer.status;
    await answer.arrayBuffer();
  } catch (error) {
    problem = error instanceof Error ? error.message : String(error);
  }
  const current = world.partner.deliveries.get(deliveryId);
  if (current === undefined) return;
  const attempts = [...current.attempts, { at: world.clock.iso(), status, problem }];
  const accepted = status !== null && status >= 200 && status < 300;
  const done = accepted || attempts.length >= MAX_ATTEMPTS;
  world.partner.deliveries.put({
    ...current,
    attempts,
    status: accepted ? 'delivered' : done ? 'offline' : 'pending',
  });
  if (done) return;
  const backoff = world.delay('webhookBackoff') * 2 ** (attempts.length - 1);
  world.scheduler.schedule('webhook', Math.min(backoff, world.delay('webhookBackoffMax')), { deliveryId });
}

export interface AuditFields {
  readonly operationType: string;
  readonly resourceType: string;
  readonly customerId: string | null;
  readonly newValue?: unknown;
  readonly customizedData?: AuditRecord['customizedData'];
  readonly userPrincipalName?: string | null;
}

/** Writes an audit record and answers its URI, as webhooks carry it. */
export function audit(world: World, fields: AuditFields): string {
  const at = world.clock.now();
  const operation = fields.operationType.replaceAll('_', '');
  const ticks = `${BigInt(at) * 10_000n + 621_355_968_000_000_000n}${world.random.hex(2).replace(/\D/g, '0')}`;
  const id = `${PARTNER.tenantId}_${fields.customerId ?? 'none'}_${operation}_${ticks}`;
  const customer = fields.customerId === null ? undefined : world.directory.tenants.get(fields.customerId);
  world.partner.audit.put({
    id,
    customerId: fields.customerId,
    customerName: customer?.displayName ?? null,
    userPrincipalName: fields.userPrincipalName === undefined ? PARTNER.adminUpn : fields.userPrincipalName,
    resourceType: fields.resourceType,
    resourceNewValue: fields.newValue === undefined ? null : JSON.stringify(fields.newValue),
    operationType: fields.operationType,
    at,
    customizedData: fields.customizedData ?? [],
  });
  return `https://api.partnercenter.microsoft.com/auditactivity/v1/auditrecords/${id}`;
}

/** `2026-11-02T10:31:24.0159088+00:00`: seven fractional digits and a numeric offset. */
function sevenDigits(world: World): string {
  const digits = Math.floor(world.random.fraction() * 10_000);
  return `${world.clock.iso().slice(0, -1)}${String(digits).padStart(4, '0')}+00:00`;
}
