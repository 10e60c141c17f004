import { z } from 'zod';
import { newRefreshToken } from '../../authority/helpers.ts';
import { acceptReseller } from '../../consent/helpers.ts';
import { FAULT_KINDS, faultInput } from '../../core/faults.ts';
import { created, noContent, ok, Refusal, type Request, type Routes } from '../../core/http.ts';
import { answerInvitation, expire, terminate } from '../../directory/delegation.ts';
import { findTenant } from '../../directory/helpers.ts';
import { newestFirst } from '../../mail/routes/inbox.ts';
import { delaysInput, PARTNER, settingsInput } from '../../options.ts';
import { buildTenant, tenantInput } from '../../tenants.ts';
import type { World } from '../../world.ts';
import { books } from '../books.ts';

const acceptInput = z.strictObject({
  tenantId: z.string().optional(),
  domain: z.string().optional(),
  as: z.enum(['global-admin', 'other']).default('global-admin'),
  /** Also accept the Microsoft Customer Agreement, as the page does. */
  signAgreement: z.boolean().default(true),
});
const syncInput = z.strictObject({
  enabled: z.boolean().nullable(),
  passwordSync: z.boolean().default(true),
});
const vettingInput = z.strictObject({
  status: z.enum(['Unknown', 'UnderReview', 'Allowed', 'NotAllowed', 'none']),
});

export function controlRoutes(routes: Routes, world: World, reset: () => void): void {
  routes.on('GET', '/health', () => ok({ status: 'ok', time: world.clock.iso() }));
  routes.on('GET', '/urls', () => ok(world.urls()));
  routes.on('GET', '/books', () => ok(books(world)));
  routes.on('GET', '/requests', () => ok(world.ledger.requests()));
  routes.on('POST', '/reset', () => {
    reset();
    return noContent();
  });
  configurationRoutes(routes, world);
  consentControls(routes, world);
  tenantControls(routes, world);
  mailControls(routes, world);

  routes.on('GET', '/webhook-root.pem', () => ({
    status: 200,
    contentType: 'application/x-pem-file',
    text: world.keys().webhook.rootPem,
  }));
  routes.on('GET', '/webhook-root.cer', () => certificate(world.keys().webhook.rootDer));
  routes.on('GET', '/webhook-certificate.cer', () => certificate(world.keys().webhook.certificateDer));
}

const certificate = (base64: string) => ({
  status: 200,
  contentType: 'application/pkix-cert',
  bytes: Buffer.from(base64, 'base64'),
});

function configurationRoutes(routes: Routes, world: World): void {
  routes.on('GET', '/faults', () => ok({ kinds: FAULT_KINDS, faults: world.faults.all() }));
  routes.on('POST', '/faults', (request) => created(world.faults.add(inputOf(request, faultInput))));
  routes.on('DELETE', '/faults', () => {
    world.faults.clear();
    return noContent();
  });
  routes.on('DELETE', '/faults/:faultId', (request) => {
    if (!world.faults.remove(request.params['faultId'] ?? '')) throw problem(404, 'No such fault.');
    return noContent();
  });
  routes.on('GET', '/delays', () => ok(world.delays()));
  routes.on('PATCH', '/delays', (request) => ok(world.changeDelays(inputOf(request, delaysInput))));
  routes.on('GET', '/settings', () => ok(world.settings()));
  routes.on('PATCH', '/settings', (request) => ok(world.changeSettings(inputOf(request, settingsInput))));
  routes.on('POST', '/clock/advance', (request) => {
    world.clock.advance(inputOf(request, z.strictObject({ ms: z.number().positive() })).ms);
    world.scheduler.wake();
    return ok({ time: world.clock.iso() });
  });
  routes.on('POST', '/refresh-tokens/revoke', () => {
    world.revokeTokens();
    return noContent();
  });
  // what the interactive sign-in of the partner's user ends with
  routes.on('POST', '/refresh-tokens', (request) => {
    const { mfa } = inputOf(request, z.strictObject({ mfa: z.boolean().default(true) }));
    return created({ refreshToken: newRefreshToken(world, { id: PARTNER.adminId, mfa }) });
  });
  routes.on('PUT', '/client-certificate', (request) => {
    const { pem } = inputOf(
      request,
      z.strictObject({ pem: z.string().includes('-----BEGIN CERTIFICATE-----') }),
    );
    world.registerClientCertificate(pem);
    return noContent();
  });
}

function consentControls(routes: Routes, world: World): void {
  routes.on('POST', '/consents/reseller/accept', (request) => {
    const input = inputOf(request, acceptInput);
    const tenant = findTenant(world, input.tenantId ?? input.domain ?? '');
    if (tenant === undefined) throw problem(404, 'No such tenant.');
    if (input.as === 'other') throw problem(403, 'Only a Global Administrator can accept the invitation.');
    const outcome = acceptReseller(world, tenant.id, input.signAgreement);
    if (typeof outcome === 'string') throw problem(409, `The invitation cannot be accepted: ${outcome}.`);
    return ok({ tenantId: tenant.id, visibleAt: world.clock.iso(outcome.visibleAt) });
  });

  routes.on('POST', '/consents/gdap/:relationshipId/:answer', (request) => {
    const id = request.params['relationshipId']?.toLowerCase() ?? '';
    const relationship = world.directory.relationships.get(id);
    if (relationship === undefined) throw problem(404, 'No such relationship.');
    const answer = request.params['answer'] ?? '';
    if (answer === 'expire') {
      if (!expire(world, id)) throw problem(409, `The relationship is ${relationship.status}.`);
    } else if (answer === 'terminate') {
      terminate(world, id);
    } else if (answer === 'approve' || answer === 'reject') {
      const body = inputOf(
        request,
        z.strictObject({
          tenantId: z.string().optional(),
          as: z.enum(['global-admin', 'other']).default('global-admin'),
        }),
      );
      if (body.as === 'other') throw problem(403, 'Only a Global Administrator can answer the request.');
      const tenantId = body.tenantId?.toLowerCase() ?? relationship.customer?.tenantId ?? '';
      const outcome = answerInvitation(world, id, tenantId, answer);
      if (typeof outcome === 'string')
        throw problem(409, `The request cannot be answered: ${outcome}, ${relationship.status}.`);
      if (answer === 'approve' && world.settings().confirmationMails) {
        world.scheduler.schedule('confirmation-mail', world.delay('confirmationMail'), {
          tenantId,
          about: 'gdap',
        });
      }
    } else {
      throw problem(404, 'approve, reject, expire or terminate.');
    }
    return ok({ id, status: world.directory.relationships.get(id)?.status });
  });
}

function tenantControls(routes: Routes, world: World): void {
  const tenantOf = (request: Request) => {
    const tenant = findTenant(world, request.params['tenantId'] ?? '');
    if (tenant === undefined) throw problem(404, 'No such tenant.');
    return tenant;
  };

  routes.on('GET', '/tenants', () =>
    ok(
      world.directory.tenants.all().map((tenant) => ({
        tenantId: tenant.id,
        name: tenant.displayName,
        domains: tenant.domains.map((domain) => domain.name),
        partner: tenant.id === PARTNER.tenantId,
        users: world.directory.users
          .filter((user) => user.tenantId === tenant.id)
          .map((user) => ({
            id: user.id,
            userPrincipalName: user.userPrincipalName,
            globalAdmin: user.isGlobalAdmin,
          })),
      })),
    ),
  );

  routes.on('POST', '/tenants', (request) => {
    const input = inputOf(request, tenantInput);
    const domains = [
      input.domain.includes('.') ? input.domain : `${input.domain}.onmicrosoft.com`,
      ...input.customDomains,
    ];
    const taken = domains.find((name) =>
      world.directory.tenants.find((tenant) =>
        tenant.domains.some((domain) => domain.name === name.toLowerCase()),
      ),
    );
    if (taken !== undefined) throw problem(409, `The domain ${taken} is taken.`);
    try {
      return created(buildTenant(world, input));
    } catch (error) {
      if (error instanceof RangeError) throw problem(400, error.message);
      throw error;
    }
  });

  routes.on('POST', '/tenants/:tenantId/sync', (request) => {
    const tenant = tenantOf(request);
    const { enabled, passwordSync } = inputOf(request, syncInput);
    world.directory.tenants.update(tenant.id, {
      syncEnabled: enabled,
      syncChangedAt: enabled === null ? null : world.clock.now(),
      passwordSyncEnabled: enabled === true && passwordSync,
    });
    return ok({ tenantId: tenant.id, syncEnabled: enabled });
  });

  routes.on('POST', '/tenants/:tenantId/vetting', (request) => {
    const tenant = tenantOf(request);
    const { status } = inputOf(request, vettingInput);
    if (world.partner.customers.get(tenant.id) === undefined)
      throw problem(409, 'The tenant is not a customer.');
    const validation = status === 'none' ? null : { status, updatedAt: world.clock.now() };
    world.partner.customers.update(tenant.id, { validation });
    return ok({ tenantId: tenant.id, status });
  });
}

function mailControls(routes: Routes, world: World): void {
  routes.on('GET', '/mails', (request) => {
    const to = request.query.get('to')?.toLowerCase();
    const mails = newestFirst(world).filter(
      (mail) => to === undefined || mail.to.some((address) => address.toLowerCase() === to),
    );
    return ok({ mails });
  });
  routes.on('DELETE', '/mails', () => {
    for (const mail of world.mail.mails.all()) world.mail.mails.remove(mail.id);
    return noContent();
  });
}

function problem(status: number, detail: string): Refusal {
  return new Refusal({ status, json: { error: detail } });
}

function inputOf<Schema extends z.ZodType>(request: Request, schema: Schema): z.output<Schema> {
  const parsed = schema.safeParse(request.body ?? {});
  if (parsed.success) return parsed.data;
  throw problem(400, z.prettifyError(parsed.error));
}
