import { ok, type Routes } from '../../core/http.ts';
import type { Tenant } from '../../directory/entities.ts';
import { defaultDomain, findTenant, findUser, tenantOfDomain } from '../../directory/helpers.ts';
import type { Mail } from '../../mail/entities.ts';
import { PARTNER } from '../../options.ts';
import type { World } from '../../world.ts';
import { inPartnerTenant, inTenant, list, notFound, type Row } from '../helpers.ts';
import { userShape } from '../shapes.ts';

const GDAP_SCOPE = 'DelegatedAdminRelationship.ReadWrite.All';

/** Reads in the partner's own tenant: who is behind a domain, who is our customer, who is an admin agent. */
export function partnerRoutes(routes: Routes, world: World): void {
  const base = '/v1.0/tenantRelationships';
  const information = (tenant: Tenant | undefined, wanted: string): Row => {
    if (tenant === undefined) throw notFound(world, wanted);
    return {
      '@odata.context': 'https://graph.microsoft.com/v1.0/$metadata#microsoft.graph.tenantInformation',
      tenantId: tenant.id,
      federationBrandName: null,
      displayName: tenant.displayName,
      defaultDomainName: defaultDomain(tenant),
    };
  };

  routes.on('GET', `${base}/findTenantInformationByDomainName(domainName=':domain')`, (request) => {
    inPartnerTenant(world, request, 'CrossTenantInformation.ReadBasic.All');
    const domain = request.params['domain'] ?? '';
    return ok(information(tenantOfDomain(world, domain), domain));
  });

  routes.on('GET', `${base}/findTenantInformationByTenantId(tenantId=':tenantId')`, (request) => {
    inPartnerTenant(world, request, 'CrossTenantInformation.ReadBasic.All');
    const id = request.params['tenantId'] ?? '';
    return ok(information(findTenant(world, id), id));
  });

  routes.on('GET', `${base}/delegatedAdminCustomers`, (request) => {
    inPartnerTenant(world, request, GDAP_SCOPE);
    return list(world, request, 'delegatedAdminCustomers', delegatedCustomers(world), 300);
  });

  routes.on('GET', `${base}/delegatedAdminCustomers/:tenantId`, (request) => {
    inPartnerTenant(world, request, GDAP_SCOPE);
    const id = request.params['tenantId'] ?? '';
    const row = delegatedCustomers(world).find((customer) => customer['id'] === id.toLowerCase());
    if (row === undefined) throw notFound(world, id);
    return ok(row);
  });

  routes.on('GET', '/v1.0/contracts', (request) => {
    inPartnerTenant(world, request, 'Directory.Read.All');
    const now = world.clock.now();
    const rows = world.partner.customers
      .filter((customer) => !customer.removed && customer.visibleAt <= now)
      .map((customer) => ({
        id: customer.commerceId,
        contractType: 'ResellerPartnerContract',
        customerId: customer.id,
        defaultDomainName: customer.domain,
        displayName: customer.companyName,
      }));
    return list(world, request, 'contracts', rows);
  });

  routes.on('GET', '/v1.0/groups', (request) => {
    const caller = inTenant(world, request, {
      scopes: ['Group.Read.All', 'Directory.Read.All'],
      roles: 'any',
    });
    const groups = world.directory.groups.filter((group) => group.tenantId === caller.tenantId);
    return list(world, request, 'groups', groups.map(groupShape));
  });

  routes.on('GET', '/v1.0/groups/:groupId', (request) => {
    const caller = inTenant(world, request, {
      scopes: ['Group.Read.All', 'Directory.Read.All'],
      roles: 'any',
    });
    const group = world.directory.groups.get(request.params['groupId']?.toLowerCase() ?? '');
    if (group?.tenantId !== caller.tenantId) throw notFound(world, request.params['groupId'] ?? '');
    return ok(groupShape(group));
  });

  routes.on('GET', '/v1.0/groups/:groupId/members', (request) => {
    const caller = inTenant(world, request, {
      scopes: ['Group.Read.All', 'Directory.Read.All'],
      roles: 'any',
    });
    const group = world.directory.groups.get(request.params['groupId']?.toLowerCase() ?? '');
    if (group?.tenantId !== caller.tenantId) throw notFound(world, request.params['groupId'] ?? '');
    const members = world.directory.users.filter((user) => group.memberIds.includes(user.id));
    const rows = members.map((user) => ({
      '@odata.type': '#microsoft.graph.user',
      ...userShape(world, user),
    }));
    return list(world, request, 'directoryObjects', rows);
  });

  routes.on('GET', '/v1.0/users/:userId/messages', (request) => {
    const caller = inPartnerTenant(world, request, 'Mail.Read');
    const user = findUser(world, caller.tenantId, request.params['userId'] ?? '');
    if (user === undefined) throw notFound(world, request.params['userId'] ?? '');
    const address = user.userPrincipalName.toLowerCase();
    const received = world.mail.mails
      .filter(({ to }) => to.some((recipient) => recipient.toLowerCase() === address))
      .toSorted((a, b) => a.receivedAt.localeCompare(b.receivedAt));
    return list(world, request, 'messages', received.map(messageShape));
  });

  routes.on('GET', '/v1.0/me', (request) => {
    const caller = inPartnerTenant(world, request, 'User.Read');
    const user = world.directory.users.get(caller.userId);
    if (user?.tenantId !== PARTNER.tenantId) throw notFound(world, caller.userId);
    return ok(userShape(world, user));
  });
}

function messageShape(mail: Mail): Row {
  return {
    id: mail.id,
    internetMessageId: mail.messageId,
    subject: mail.subject,
    from: { emailAddress: { name: mail.from, address: /<([^>]+)>/.exec(mail.from)?.[1] ?? mail.from } },
    receivedDateTime: mail.receivedAt,
    body: { contentType: 'text', content: mail.text },
  };
}

function groupShape(group: { id: string; displayName: string }): Row {
  return {
    id: group.id,
    displayName: group.displayName,
    securityEnabled: true,
    mailEnabled: false,
    groupTypes: [],
  };
}

function delegatedCustomers(world: World): Row[] {
  const active = world.directory.relationships.filter((relationship) => relationship.status === 'active');
  const tenantIds = new Set(active.flatMap((relationship) => relationship.customer?.tenantId ?? []));
  return [...tenantIds].map((id) => ({
    id,
    tenantId: id,
    displayName: world.directory.tenants.get(id)?.displayName ?? id,
  }));
}
