import { z } from 'zod';
import { noContent, ok, type Request, type Routes } from '../../core/http.ts';
import { PARTNER } from '../../options.ts';
import type { World } from '../../world.ts';
import type { Registration } from '../entities.ts';
import { EVENT_NAMES, emitEvent } from '../events.ts';
import { authorise, bodyOf, partnerError } from '../helpers.ts';

const bodySchema = z.object({
  webhookurl: z.url(),
  webhookevents: z.array(z.string()).min(1),
  signaturetokentomssignatureheader: z.boolean().nullish(),
});

const VALIDATIONS_PER_MINUTE = 2;

export function webhookRoutes(routes: Routes, world: World): void {
  const base = '/webhooks/v1/registration';
  const registered = (): Registration | undefined => world.partner.registrations.get(PARTNER.tenantId);

  routes.on('GET', `${base}/events`, (request) => {
    authorise(world, request);
    return ok(EVENT_NAMES);
  });

  routes.on('GET', base, (request) => {
    authorise(world, request);
    const registration = registered();
    if (registration === undefined) throw partnerError(404, 1000, 'There is no registration.');
    return ok({ WebhookUrl: registration.url, WebhookEvents: registration.events });
  });

  routes.on('POST', base, (request) => {
    authorise(world, request);
    if (registered() !== undefined) {
      world.ledger.duplicate(request.operation.key, 'webhook already registered');
      throw partnerError(409, 1000, 'A registration already exists.');
    }
    return ok(store(world, request));
  });

  routes.on('PUT', base, (request) => {
    authorise(world, request);
    if (registered() === undefined) throw partnerError(404, 1000, 'There is no registration.');
    return ok(store(world, request));
  });

  routes.on('DELETE', base, (request) => {
    authorise(world, request);
    if (registered() === undefined) throw partnerError(404, 1000, 'There is no registration.');
    world.partner.registrations.remove(PARTNER.tenantId);
    return noContent();
  });

  routes.on('POST', `${base}/validationEvents`, (request) => {
    authorise(world, request);
    const registration = registered();
    if (registration?.events.includes('test-created') !== true) {
      throw partnerError(400, 800002, 'The registration does not subscribe to test-created.');
    }
    const now = world.clock.now();
    const recent = world.partner.validations.filter((validation) => validation.createdAt > now - 60_000);
    if (recent.length >= VALIDATIONS_PER_MINUTE) {
      throw partnerError(429, 429, 'Two validation events a minute are allowed.', {
        headers: { 'Retry-After': '60' },
      });
    }
    const correlationId = world.random.guid();
    world.partner.validations.put({ id: correlationId, createdAt: now });
    emitEvent(world, {
      eventName: 'test-created',
      resourceName: 'test',
      resourceUri: `https://api.partnercenter.microsoft.com${base}/validationEvents/${correlationId}`,
      auditUri: null,
      correlationId,
    });
    return ok({ correlationId });
  });

  routes.on('GET', `${base}/validationEvents/:correlationId`, (request) => {
    authorise(world, request);
    const correlationId = request.params['correlationId'] ?? '';
    if (world.partner.validations.get(correlationId) === undefined) {
      throw partnerError(404, 1000, 'The validation event was not found.');
    }
    const delivery = world.partner.deliveries.find((candidate) => candidate.correlationId === correlationId);
    return ok({
      correlationId,
      partnerId: PARTNER.tenantId,
      status: delivery?.status === 'pending' ? 'notCompleted' : 'completed',
      callbackUrl: delivery?.url ?? null,
      results: (delivery?.attempts ?? []).map((attempt) => ({
        responseCode:
          attempt.status === null ? 'Unreachable' : attempt.status === 200 ? 'OK' : String(attempt.status),
        responseMessage: attempt.problem ?? '',
        systemError: attempt.status === null,
        dateTimeUtc: attempt.at,
      })),
    });
  });
}

function store(world: World, request: Request): unknown {
  const body = bodyOf(request, bodySchema);
  const unknown = body.webhookevents.find((name) => !EVENT_NAMES.includes(name));
  if (unknown !== undefined) throw partnerError(400, 800002, `The event ${unknown} is unknown.`);
  const registration = world.partner.registrations.put({
    id: PARTNER.tenantId,
    subscriberId: world.partner.registrations.get(PARTNER.tenantId)?.subscriberId ?? world.random.guid(),
    url: body.webhookurl,
    events: body.webhookevents,
    toMsSignatureHeader: body.signaturetokentomssignatureheader === true,
  });
  return {
    SubscriberId: registration.subscriberId,
    WebhookUrl: registration.url,
    WebhookEvents: registration.events,
  };
}
