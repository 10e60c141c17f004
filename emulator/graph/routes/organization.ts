import { z } from 'zod';
import { created, noContent, ok, type Request, type Routes } from '../../core/http.ts';
import type { Domain, Tenant } from '../../directory/entities.ts';
import { countedSeats, domainOf, seatsOf } from '../../directory/helpers.ts';
import { productOfSku } from '../../directory/products.ts';
import { ROLES } from '../../directory/roles.ts';
import type { World } from '../../world.ts';
import { badRequest, bodyOf, graphError, inTenant, list, notFound, type Row } from '../helpers.ts';
import { domainShape, organizationShape, subscribedSkuShape } from '../shapes.ts';

const ORGANIZATION = {
  scopes: ['Organization.Read.All', 'Directory.Read.All', 'Directory.ReadWrite.All'],
  roles: 'any',
} as const;
const SEATS = {
  scopes: ['LicenseAssignment.Read.All', 'LicenseAssignment.ReadWrite.All', ...ORGANIZATION.scopes],
  roles: 'any',
} as const;
const DOMAINS_READ = {
  scopes: ['Domain.Read.All', 'Domain.ReadWrite.All', 'Directory.Read.All'],
  roles: 'any',
} as const;
const DOMAINS_WRITE = {
  scopes: ['Domain.ReadWrite.All', 'Directory.ReadWrite.All'],
  roles: [ROLES.domainNameAdministrator, ROLES.globalAdministrator],
} as const;

export function organizationRoutes(routes: Routes, world: World): void {
  const tenantOf = (request: Request, needs: Parameters<typeof inTenant>[2]): Tenant => {
    const { tenantId } = inTenant(world, request, needs);
    const tenant = world.directory.tenants.get(tenantId);
    if (tenant === undefined) throw notFound(world, tenantId);
    return tenant;
  };

  for (const version of ['v1.0', 'beta']) {
    routes.on('GET', `/${version}/organization`, (request) => {
      const tenant = tenantOf(request, ORGANIZATION);
      return list(world, request, 'organization', [organizationShape(world, tenant, version === 'beta')]);
    });
  }

  routes.on('GET', '/v1.0/subscribedSkus', (request) => {
    const tenant = tenantOf(request, SEATS);
    const rows = seatsOf(world, tenant.id).map((seats) => subscribedSkuShape(tenant, seats));
    return list(world, request, 'subscribedSkus', rows);
  });

  routes.on('GET', '/v1.0/directory/subscriptions', (request) => {
    const tenant = tenantOf(request, SEATS);
    return list(world, request, 'directory/subscriptions', companySubscriptions(world, tenant));
  });

  routes.on('GET', '/v1.0/directory/onPremisesSynchronization', (request) => {
    const tenant = tenantOf(request, {
      scopes: ['OnPremDirectorySynchronization.Read.All'],
      roles: [ROLES.globalAdministrator],
    });
    return list(world, request, 'directory/onPremisesSynchronization', [syncShape(tenant)]);
  });

  routes.on('GET', '/v1.0/domains', (request) => {
    return list(world, request, 'domains', tenantOf(request, DOMAINS_READ).domains.map(domainShape));
  });

  routes.on('POST', '/v1.0/domains', (request) => {
    const tenant = tenantOf(request, DOMAINS_WRITE);
    const name = bodyOf(
      world,
      request,
      z.object({ id: z.string().regex(/^[a-z0-9.-]+\.[a-z]{2,}$/i) }),
    ).id.toLowerCase();
    const owner = world.directory.tenants.find((other) =>
      other.domains.some((domain) => domain.name === name),
    );
    if (owner !== undefined) {
      throw graphError(
        world,
        409,
        'Request_MultipleObjectsWithSameKeyValue',
        `The domain ${name} already exists.`,
      );
    }
    const domain = domainOf(name, { addedAt: world.clock.now(), isVerified: false });
    world.directory.tenants.update(tenant.id, { domains: [...tenant.domains, domain] });
    return created(domainShape(domain));
  });

  routes.on('GET', '/v1.0/domains/:domain', (request) => {
    return ok(domainShape(domainOfRequest(world, request, tenantOf(request, DOMAINS_READ))));
  });

  routes.on('DELETE', '/v1.0/domains/:domain', (request) => {
    const tenant = tenantOf(request, DOMAINS_WRITE);
    const domain = domainOfRequest(world, request, tenant);
    if (domain.isInitial) throw badRequest(world, 'The initial domain cannot be deleted.');
    world.directory.tenants.update(tenant.id, {
      domains: tenant.domains.filter((other) => other !== domain),
    });
    return noContent();
  });

  routes.on('GET', '/v1.0/domains/:domain/verificationDnsRecords', (request) => {
    const domain = domainOfRequest(world, request, tenantOf(request, DOMAINS_READ));
    return list(world, request, 'domains/verificationDnsRecords', verificationRecords(domain));
  });

  routes.on('GET', '/v1.0/domains/:domain/serviceConfigurationRecords', (request) => {
    const domain = domainOfRequest(world, request, tenantOf(request, DOMAINS_READ));
    const target = `${domain.name.replaceAll('.', '-')}.mail.protection.invalid`;
    const record = { isOptional: false, label: domain.name, supportedService: 'Email', ttl: 3600 };
    return list(world, request, 'domains/serviceConfigurationRecords', [
      {
        '@odata.type': '#microsoft.graph.domainDnsMxRecord',
        id: `${domain.name}-mx`,
        ...record,
        recordType: 'Mx',
        mailExchange: target,
        preference: 0,
      },
    ]);
  });

  routes.on('POST', '/v1.0/domains/:domain/verify', (request) => {
    const tenant = tenantOf(request, DOMAINS_WRITE);
    const domain = domainOfRequest(world, request, tenant);
    if (!domain.isVerified && domain.addedAt + world.delay('domainVerification') > world.clock.now()) {
      throw badRequest(world, 'The DNS record for the domain was not found.');
    }
    const verified = { ...domain, isVerified: true };
    world.directory.tenants.update(tenant.id, {
      domains: tenant.domains.map((other) => (other === domain ? verified : other)),
    });
    return ok(domainShape(verified));
  });
}

function domainOfRequest(world: World, request: Request, tenant: Tenant): Domain {
  const wanted = request.params['domain']?.toLowerCase() ?? '';
  const domain = tenant.domains.find((candidate) => candidate.name === wanted);
  if (domain === undefined) throw notFound(world, wanted);
  return domain;
}

function verificationRecords(domain: Domain): Row[] {
  const number = String(domain.addedAt % 100_000_000).padStart(8, '0');
  const record = { isOptional: false, label: domain.name, supportedService: 'Email', ttl: 3600 };
  return [
    {
      '@odata.type': '#microsoft.graph.domainDnsTxtRecord',
      id: `${domain.name}-txt`,
      ...record,
      recordType: 'Txt',
      text: `MS=ms${number}`,
    },
    {
      '@odata.type': '#microsoft.graph.domainDnsMxRecord',
      id: `${domain.name}-mx`,
      ...record,
      recordType: 'Mx',
      mailExchange: `ms${number}.msv1.invalid`,
      preference: 32_767,
    },
  ];
}

function companySubscriptions(world: World, tenant: Tenant): Row[] {
  return world.directory.subscriptions
    .filter((subscription) => subscription.tenantId === tenant.id && countedSeats(world, subscription) > 0)
    .map((subscription) => ({
      id: subscription.id,
      commerceSubscriptionId: subscription.id,
      skuId: subscription.skuId,
      skuPartNumber: productOfSku(subscription.skuId)?.skuPartNumber ?? '',
      status:
        subscription.status === 'active'
          ? 'Enabled'
          : subscription.status === 'suspended'
            ? 'Suspended'
            : 'Deleted',
      totalLicenses: countedSeats(world, subscription),
      isTrial: false,
      createdDateTime: world.clock.iso(subscription.createdAt),
      nextLifecycleDateTime: null,
      ownerId: subscription.ownerTenantId,
      ownerTenantId: subscription.ownerTenantId,
      ownerType: 'User',
      serviceStatus: [],
    }));
}

function syncShape(tenant: Tenant): Row {
  return {
    id: tenant.id,
    configuration: {
      accidentalDeletionPrevention: { synchronizationPreventionType: 'enabledForCount', alertThreshold: 500 },
    },
    features: {
      passwordSyncEnabled: tenant.passwordSyncEnabled,
      // documented as not in use: proves nothing about write-back
      passwordWritebackEnabled: false,
      groupWriteBackEnabled: false,
      userWritebackEnabled: false,
      blockSoftMatchEnabled: false,
    },
  };
}
