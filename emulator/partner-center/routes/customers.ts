import { z } from 'zod';
import { noContent, ok, type Routes } from '../../core/http.ts';
import { initialDomain } from '../../directory/helpers.ts';
import type { World } from '../../world.ts';
import { audit } from '../events.ts';
import { authorise, bodyOf, collection, customerOf, newerError, page, partnerError } from '../helpers.ts';
import { billingProfile, companyProfile, customerDetail, customerRow, etagOf } from '../shapes.ts';

const filterSchema = z.object({ field: z.string(), value: z.string(), operator: z.string() });

export function customerRoutes(routes: Routes, world: World): void {
  routes.on('GET', '/v1/customers', (request) => {
    authorise(world, request);
    const now = world.clock.now();
    const visible = world.partner.customers.filter(
      (customer) => !customer.removed && customer.visibleAt <= now,
    );
    const filter = request.query.get('filter');
    const found = filter === null ? visible : visible.filter(matcherOf(filter));
    return ok(
      page(
        request,
        found.map((customer) => customerRow(world, customer)),
        40,
      ),
    );
  });

  routes.on('GET', '/v1/customers/:customerId', (request) => {
    authorise(world, request);
    return ok(customerDetail(world, customerOf(world, request)));
  });

  routes.on('PATCH', '/v1/customers/:customerId', (request) => {
    authorise(world, request);
    const customer = customerOf(world, request);
    const body = bodyOf(request, z.object({ relationshiptopartner: z.string() }));
    if (body.relationshiptopartner.toLowerCase() !== 'none') {
      throw partnerError(400, 3000, 'Only the removal of the relationship is possible.');
    }
    const open = world.directory.subscriptions.find(
      (subscription) =>
        subscription.orderId !== null &&
        subscription.tenantId === customer.id &&
        subscription.status === 'active',
    );
    if (open !== undefined) throw partnerError(400, 3000, 'The customer has active subscriptions.');
    const removed = world.partner.customers.update(customer.id, { removed: true });
    audit(world, {
      operationType: 'remove_partner_customer_relationship',
      resourceType: 'customer',
      customerId: customer.id,
    });
    return ok(customerDetail(world, removed));
  });

  routes.on('DELETE', '/v1/customers/:customerId', (request) => {
    authorise(world, request);
    customerOf(world, request);
    throw partnerError(403, 600006, 'The action is not allowed: only sandbox customers can be deleted.');
  });

  routes.on('GET', '/v1/customers/:customerId/profiles/company', (request) => {
    authorise(world, request);
    return ok(companyProfile(customerOf(world, request)));
  });

  routes.on('GET', '/v1/customers/:customerId/profiles/billing', (request) => {
    authorise(world, request);
    return ok(billingProfile(customerOf(world, request)));
  });

  routes.on('PUT', '/v1/customers/:customerId/profiles/billing', (request) => {
    authorise(world, request);
    const customer = customerOf(world, request);
    const etag = request.headers['if-match'];
    if (etag === undefined) throw partnerError(400, 800002, 'If-Match is missing.');
    if (etag.replaceAll('"', '') !== etagOf(customer.billingProfile)) {
      throw partnerError(412, 2055, 'The entity tag is stale.');
    }
    const body = bodyOf(request, z.object({ email: z.string(), companyname: z.string() }));
    const changed = world.partner.customers.update(customer.id, {
      billingProfile: { ...customer.billingProfile, email: body.email, companyName: body.companyname },
    });
    return ok(billingProfile(changed));
  });

  routes.on('GET', '/v1/customers/:customerId/validationStatus', (request) => {
    authorise(world, request, 'user');
    const customer = customerOf(world, request);
    if (request.query.get('type')?.toLowerCase() !== 'account') {
      throw partnerError(400, 800002, 'type must be account.');
    }
    if (customer.validation === null) {
      throw newerError(
        404,
        600074,
        'ValidationStatusNotFound',
        'No validation status exists for the customer.',
      );
    }
    return ok({
      type: 'account',
      status: customer.validation.status,
      lastUpdateDateTime: world.clock.iso(customer.validation.updatedAt).slice(0, 19),
    });
  });

  routes.on('GET', '/v1/customers/:customerId/qualifications', (request) => {
    authorise(world, request);
    const { qualification } = customerOf(world, request);
    return ok(collection(qualification === null ? [] : [qualificationShape(world, qualification)]));
  });

  routes.on('POST', '/v1/customers/:customerId/qualifications', (request) => {
    authorise(world, request, 'user');
    const customer = customerOf(world, request);
    const body = bodyOf(
      request,
      z.object({
        qualification: z.enum(['Education', 'Nonprofit', 'GovernmentCommunityCloud', 'StateOwnedEntity']),
      }),
    );
    const qualification = { qualification: body.qualification, createdAt: world.clock.now() };
    world.partner.customers.update(customer.id, { qualification });
    return { status: 201, json: qualificationShape(world, qualification) };
  });

  routes.on('HEAD', '/v1/domains/:domain', (request) => {
    authorise(world, request);
    const taken = domainTaken(world, request.params['domain'] ?? '');
    return { status: taken ? 200 : 404 };
  });

  routes.on('GET', '/v1/domains/:domain', (request) => {
    authorise(world, request);
    return domainTaken(world, request.params['domain'] ?? '') ? { status: 200 } : { status: 404 };
  });

  routes.on('DELETE', '/v1/customers/:customerId/applicationconsents/:applicationId', (request) => {
    authorise(world, request, 'user');
    const customer = customerOf(world, request);
    if (world.directory.consents.get(customer.id) === undefined) {
      throw partnerError(404, 1000, 'The application consent was not found.');
    }
    world.directory.consents.remove(customer.id);
    return noContent();
  });
}

function qualificationShape(world: World, value: { qualification: string; createdAt: number }): unknown {
  return {
    qualification: value.qualification,
    vettingStatus: 'InReview',
    vettingCreateDate: world.clock.iso(value.createdAt),
  };
}

/** Taken by anybody in the cloud, ours or not, verified or not. */
export function domainTaken(world: World, name: string): boolean {
  const wanted = name.toLowerCase();
  return world.directory.tenants
    .all()
    .some(
      (tenant) => tenant.domains.some((domain) => domain.name === wanted) || initialDomain(tenant) === wanted,
    );
}

function matcherOf(filter: string): (customer: { companyName: string; domain: string }) => boolean {
  let json: unknown;
  try {
    json = JSON.parse(filter);
  } catch {
    throw partnerError(400, 800002, 'The filter is not JSON.');
  }
  const lower = Object.fromEntries(
    Object.entries(json ?? {}).map(([key, value]) => [key.toLowerCase(), value]),
  );
  const parsed = filterSchema.safeParse(lower);
  if (!parsed.success) throw partnerError(400, 800002, 'The filter needs Field, Value and Operator.');
  const { field, value, operator } = parsed.data;
  if (operator.toLowerCase() !== 'starts_with')
    throw partnerError(400, 800002, `Operator ${operator} is not supported.`);
  const prefix = value.toLowerCase();
  switch (field.toLowerCase()) {
    case 'companyname':
      return (customer) => customer.companyName.toLowerCase().startsWith(prefix);
    case 'domain':
      return (customer) => customer.domain.toLowerCase().startsWith(prefix);
    case 'indirectreseller':
    case 'indirectcloudsolutionprovider':
      return () => false;
    default:
      throw partnerError(400, 800002, `Field ${field} is not supported.`);
  }
}
