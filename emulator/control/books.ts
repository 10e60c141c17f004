/** The emulator's own books: what really happened, whoever claims otherwise. */
import { seatsOf } from '../directory/helpers.ts';
import { productOfSku } from '../directory/products.ts';
import { PARTNER } from '../options.ts';
import type { World } from '../world.ts';

export function books(world: World): Record<string, unknown> {
  const { clock, directory, partner } = world;
  const customers = partner.customers.all();
  return {
    customers: customers.map((customer) => ({
      tenantId: customer.id,
      companyName: customer.companyName,
      domain: customer.domain,
      origin: customer.origin,
      removed: customer.removed,
    })),
    tenantsCreated: customers
      .filter((customer) => customer.origin === 'created')
      .map((customer) => customer.id),
    carts: partner.carts.all().map((cart) => ({
      id: cart.id,
      customerId: cart.customerId,
      status: cart.status,
      orderIds: cart.orderIds,
      lines: cart.lines.map((line) => ({ catalogItemId: line.catalogItemId, quantity: line.quantity })),
    })),
    orders: partner.orders.all().map((order) => ({
      id: order.id,
      customerId: order.customerId,
      cartId: order.cartId,
      status: order.status,
      createdAt: clock.iso(order.createdAt),
      totalPrice: order.totalPrice,
      lines: order.lines.map((line) => ({
        offerId: line.offerId,
        skuPartNumber: productOfSku(line.skuId)?.skuPartNumber ?? null,
        quantity: line.quantity,
        subscriptionId: line.subscriptionId,
      })),
    })),
    subscriptions: directory.subscriptions.all().map((subscription) => ({
      id: subscription.id,
      tenantId: subscription.tenantId,
      orderId: subscription.orderId,
      skuPartNumber: productOfSku(subscription.skuId)?.skuPartNumber ?? null,
      quantity: subscription.quantity,
      status: subscription.status,
      soldBy: subscription.ownerTenantId === PARTNER.tenantId ? 'partner' : 'direct',
    })),
    seats: directory.tenants
      .all()
      .flatMap((tenant) => seatsOf(world, tenant.id).map((seats) => ({ tenantId: tenant.id, ...seats }))),
    licences: directory.users.all().flatMap((user) =>
      user.licences.map((licence) => ({
        tenantId: user.tenantId,
        userPrincipalName: user.userPrincipalName,
        skuPartNumber: productOfSku(licence.skuId)?.skuPartNumber ?? null,
      })),
    ),
    relationships: directory.relationships.all().map((row) => ({
      id: row.id,
      displayName: row.displayName,
      tenantId: row.customer?.tenantId ?? null,
      status: row.status,
    })),
    assignments: directory.assignments.all().map((row) => ({
      relationshipId: row.relationshipId,
      groupId: row.groupId,
      status: row.status,
    })),
    consents: directory.consents.all().map((row) => ({ tenantId: row.id, applicationId: row.applicationId })),
    agreements: partner.agreements
      .all()
      .map((row) => ({ customerId: row.customerId, email: row.primaryContact.email })),
    webhooks: partner.deliveries.all().map((row) => ({
      id: row.id,
      eventName: row.eventName,
      status: row.status,
      attempts: row.attempts,
      body: JSON.parse(row.body) as unknown,
    })),
    mails: world.mail.mails
      .all()
      .map((mail) => ({ id: mail.id, to: mail.to, subject: mail.subject, origin: mail.origin })),
    requests: world.ledger.requests(),
    duplicatesRefused: world.ledger.duplicates(),
    pendingEffects: world.scheduler.pending().length,
  };
}
