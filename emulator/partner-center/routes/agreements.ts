import { z } from 'zod';
import { created, ok, type Routes } from '../../core/http.ts';
import type { World } from '../../world.ts';
import { audit } from '../events.ts';
import {
  authorise,
  bodyOf,
  collection,
  customerOf,
  newerError,
  objectType,
  partnerError,
} from '../helpers.ts';

const MCA = 'MicrosoftCustomerAgreement';
const TEMPLATE_ID = '117a77b0-9360-443b-8795-c6dedc750cf9';

const bodySchema = z.object({
  primarycontact: z.object({
    firstname: z.string().min(1),
    lastname: z.string().min(1),
    email: z.string().min(3),
    phonenumber: z.string().nullish(),
  }),
  dateagreed: z.string(),
  templateid: z.string(),
  type: z.string(),
});

/** Attested by the partner or accepted by the customer: ordering needs one of the two. */
export function agreementExists(world: World, customerId: string): boolean {
  return (
    world.directory.tenants.get(customerId)?.agreementSignedDirectly === true ||
    world.partner.agreements.find((agreement) => agreement.customerId === customerId) !== undefined
  );
}

export function agreementRoutes(routes: Routes, world: World): void {
  routes.on('GET', '/v1/agreements', (request) => {
    authorise(world, request);
    const type = request.query.get('agreementType') ?? MCA;
    const known = type === MCA || type === '*';
    return ok(
      collection(
        known
          ? [
              {
                templateId: TEMPLATE_ID,
                agreementType: MCA,
                agreementLink: `${world.urls().consent}/agreement`,
                versionRank: 0,
              },
            ]
          : [],
      ),
    );
  });

  routes.on('GET', '/v1/agreementtemplates/:templateId/document', (request) => {
    authorise(world, request);
    if (request.params['templateId'] !== TEMPLATE_ID)
      throw partnerError(404, 1000, 'The template was not found.');
    const uri = `${world.urls().consent}/agreement`;
    return ok({
      downloadUri: uri,
      displayUri: uri,
      language: request.query.get('language') ?? 'en-US',
      country: request.query.get('country') ?? 'US',
    });
  });

  routes.on('GET', '/v1/customers/:customerId/agreements', (request) => {
    authorise(world, request);
    const customer = customerOf(world, request);
    const agreements = world.partner.agreements.filter((agreement) => agreement.customerId === customer.id);
    return ok(
      collection(
        agreements.map(({ customerId: _, id: __, ...agreement }) => ({
          ...agreement,
          agreementLink: `${world.urls().consent}/agreement`,
          attributes: objectType('Agreement'),
        })),
      ),
    );
  });

  routes.on('POST', '/v1/customers/:customerId/agreements', (request) => {
    const caller = authorise(world, request, 'user');
    const customer = customerOf(world, request);
    const body = bodyOf(request, bodySchema);
    if (body.templateid !== TEMPLATE_ID || body.type !== MCA) {
      throw partnerError(400, 800002, 'The agreement template is unknown.');
    }
    const agreed = Date.parse(body.dateagreed);
    if (Number.isNaN(agreed) || agreed > world.clock.now()) {
      throw partnerError(400, 800002, 'dateAgreed must not be in the future.');
    }
    const contact = {
      firstName: body.primarycontact.firstname,
      lastName: body.primarycontact.lastname,
      email: body.primarycontact.email,
      phoneNumber: body.primarycontact.phonenumber ?? null,
    };
    const repeated = world.partner.agreements.find(
      (agreement) =>
        agreement.customerId === customer.id &&
        agreement.primaryContact.email.toLowerCase() === contact.email.toLowerCase(),
    );
    if (repeated !== undefined) {
      world.ledger.duplicate(request.operation.key, 'agreement already attested');
      const message = 'A partner confirmed agreement already exists for the customer.';
      throw newerError(400, 600061, 'PartnerConfirmedAgreementAlreadyExists', message);
    }
    const agreement = world.partner.agreements.put({
      id: world.random.guid(),
      customerId: customer.id,
      primaryContact: contact,
      dateAgreed: body.dateagreed,
      templateId: body.templateid,
      type: body.type,
      userId: caller.userId,
    });
    audit(world, { operationType: 'create_agreement', resourceType: 'agreement', customerId: customer.id });
    const { customerId: _, id: __, ...echo } = agreement;
    return created(echo);
  });

  routes.on('GET', '/v1/customers/:customerId/directSignedMicrosoftCustomerAgreementStatus', (request) => {
    authorise(world, request);
    const customer = customerOf(world, request);
    return ok({ isSigned: world.directory.tenants.get(customer.id)?.agreementSignedDirectly === true });
  });

  routes.on('GET', '/v1/compliance/csp/agreementstatus', (request) => {
    authorise(world, request);
    const tenantId = request.query.get('tenantId');
    if (tenantId !== null && !/^[0-9a-f-]{36}$/i.test(tenantId)) {
      throw partnerError(400, 2000, 'Tenant Id must be a GUID.');
    }
    return ok({ isAgreementSigned: true });
  });
}
