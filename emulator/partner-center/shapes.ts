/** Stored entities as Partner Center shows them. */

import type { Subscription, Tenant } from '../directory/entities.ts';
import { PRODUCTS, productOfSku } from '../directory/products.ts';
import { PARTNER } from '../options.ts';
import type { World } from '../world.ts';
import type { AuditRecord, BillingProfile, Cart, Customer, Order } from './entities.ts';
import { objectType, self } from './helpers.ts';

export function relationshipToPartner(world: World, customer: Customer): string {
  return customer.removed || customer.resellerAt > world.clock.now() ? 'none' : 'reseller';
}

export function companyProfile(customer: Customer): unknown {
  return {
    tenantId: customer.id,
    domain: customer.domain,
    companyName: customer.companyName,
    links: { self: self(`/customers/${customer.id}/profiles/company`) },
    attributes: objectType('CustomerCompanyProfile'),
  };
}

export function billingProfile(customer: Customer): unknown {
  return {
    ...customer.billingProfile,
    defaultAddress: withoutNulls(customer.billingProfile.defaultAddress),
    links: { self: self(`/customers/${customer.id}/profiles/billing`) },
    attributes: objectType('CustomerBillingProfile', etagOf(customer.billingProfile)),
  };
}

/** Addresses leave out what they do not know. */
export function withoutNulls(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null));
}

/** A seeded customer's address; people of its company are not known apart from it. */
export function exampleProfile(id: string, tenant: Tenant): BillingProfile {
  const person = { firstName: 'Ada', lastName: 'Meyer' };
  return {
    id,
    email: tenant.contactEmail,
    culture: 'en-US',
    language: tenant.language,
    companyName: tenant.displayName,
    ...person,
    defaultAddress: {
      country: tenant.country,
      city: 'Redmond',
      state: 'WA',
      addressLine1: '1 Example Way',
      postalCode: '98052',
      ...person,
      phoneNumber: '4255550100',
    },
  };
}

export function etagOf(profile: BillingProfile): string {
  return Buffer.from(JSON.stringify(profile)).toString('base64url').slice(-24);
}

export function customerRow(world: World, customer: Customer): unknown {
  return {
    id: customer.id,
    companyProfile: {
      tenantId: customer.id,
      domain: customer.domain,
      companyName: customer.companyName,
      attributes: objectType('CustomerCompanyProfile'),
    },
    relationshipToPartner: relationshipToPartner(world, customer),
    links: { self: self(`/customers/${customer.id}`) },
    attributes: objectType('Customer'),
  };
}

export function customerDetail(world: World, customer: Customer): Record<string, unknown> {
  const tenant = world.directory.tenants.get(customer.id);
  return {
    id: customer.id,
    commerceId: customer.commerceId,
    companyProfile: companyProfile(customer),
    billingProfile: billingProfile(customer),
    relationshipToPartner: relationshipToPartner(world, customer),
    allowDelegatedAccess: false,
    customDomains: (tenant?.domains ?? []).filter((domain) => !domain.isInitial).map((domain) => domain.name),
    ...(customer.associatedPartnerId !== null && { associatedPartnerId: customer.associatedPartnerId }),
    links: { self: self(`/customers/${customer.id}`) },
    attributes: objectType('Customer'),
  };
}

export function cartShape(world: World, cart: Cart): unknown {
  return {
    id: cart.id,
    creationTimestamp: world.clock.iso(cart.createdAt),
    lastModifiedTimestamp: world.clock.iso(cart.modifiedAt),
    expirationTimestamp: world.clock.iso(cart.expiresAt),
    lastModifiedUser: PARTNER.adminId,
    status: cart.status,
    lineItems: cart.lines,
    links: { self: self(`/customers/${cart.customerId}/carts/${cart.id}`) },
    attributes: objectType('Cart'),
  };
}

export function orderShape(world: World, order: Order): unknown {
  const base = `/customers/${order.customerId}/orders/${order.id}`;
  return {
    id: order.id,
    alternateId: order.id,
    referenceCustomerId: order.customerId,
    billingCycle: order.billingCycle,
    currencyCode: order.currencyCode,
    currencySymbol: order.currencyCode === 'USD' ? '$' : order.currencyCode,
    lineItems: order.lines.map(({ skuId: _, subscriptionId, ...line }) => ({
      ...line,
      ...(subscriptionId !== null && { subscriptionId }),
      transactionType: 'New',
      links: catalogueLinks(line.offerId),
    })),
    creationDate: world.clock.iso(order.createdAt),
    status: order.status,
    transactionType: 'UserPurchase',
    totalPrice: order.totalPrice,
    links: {
      self: self(base),
      provisioningStatus: self(`${base}/provisioningstatus`),
      patchOperation: self(base, 'PATCH'),
    },
    attributes: objectType('Order'),
  };
}

export function subscriptionShape(world: World, subscription: Subscription): Record<string, unknown> {
  const { clock } = world;
  const created = subscription.createdAt;
  const ends = termEnd(created, subscription.termDuration);
  const open = subscription.refundable.filter((part) => part.until > clock.now());
  const day = (time: number): string => `${clock.iso(time).slice(0, 10)}T00:00:00Z`;
  return {
    id: subscription.id,
    offerId: subscription.offerId,
    offerName: productOfSku(subscription.skuId)?.title ?? subscription.friendlyName,
    friendlyName: subscription.friendlyName,
    productType: { id: 'OnlineServicesNCE', displayName: 'OnlineServicesNCE' },
    quantity: subscription.quantity,
    unitType: 'Licenses',
    hasPurchasableAddons: false,
    creationDate: clock.iso(created),
    effectiveStartDate: day(created),
    commitmentEndDate: day(ends),
    commitmentEndDateTime: `${clock.iso(ends).slice(0, 10)}T23:59:59Z`,
    cancellationAllowedUntilDate: clock.iso(created + CANCELLATION_MS),
    status: subscription.status,
    autoRenewEnabled: subscription.autoRenewEnabled,
    isTrial: false,
    billingType: 'license',
    billingCycle: subscription.billingCycle,
    termDuration: subscription.termDuration,
    renewalTermDuration: '',
    refundOptions: [{ type: 'Full', expiresAt: day(created + 24 * 60 * 60 * 1_000) }],
    refundableQuantity: {
      totalQuantity: open.reduce((sum, part) => sum + part.quantity, 0),
      details: open.map((part) => ({ quantity: part.quantity, allowedUntilDateTime: clock.iso(part.until) })),
    },
    isMicrosoftProduct: true,
    publisherName: 'Microsoft Corporation',
    partnerId: '',
    attentionNeeded: false,
    actionTaken: false,
    contractType: 'subscription',
    orderId: subscription.orderId,
    links: {
      ...catalogueLinks(subscription.offerId),
      self: self(`/customers/${subscription.tenantId}/subscriptions/${subscription.id}`),
    },
    attributes: objectType('Subscription', subscription.etag),
  };
}

/** New-commerce purchases and additions can be taken back for seven days. */
export const CANCELLATION_MS = 7 * 24 * 60 * 60 * 1_000;

function termEnd(start: number, term: string): number {
  const date = new Date(start);
  if (term === 'P1M') date.setUTCMonth(date.getUTCMonth() + 1);
  else date.setUTCFullYear(date.getUTCFullYear() + (term === 'P3Y' ? 3 : 1));
  return date.getTime() - 24 * 60 * 60 * 1_000;
}

function catalogueLinks(offerId: string): Record<string, unknown> {
  const [productId = '', skuId = '', availabilityId = ''] = offerId.split(':');
  const product = `/products/${productId}`;
  if (!PRODUCTS.some((candidate) => candidate.productId === productId)) return {};
  return {
    product: self(product),
    sku: self(`${product}/skus/${skuId}`),
    availability: self(`${product}/skus/${skuId}/availabilities/${availabilityId}`),
  };
}

export function auditShape(world: World, record: AuditRecord): unknown {
  return {
    id: record.id,
    partnerId: PARTNER.tenantId,
    customerId: record.customerId,
    customerName: record.customerName,
    userPrincipalName: record.userPrincipalName,
    applicationId: world.options.clientId,
    resourceType: record.resourceType,
    resourceOldValue: null,
    resourceNewValue: record.resourceNewValue,
    operationType: record.operationType,
    operationDate: world.clock.iso(record.at),
    operationStatus: 'succeeded',
    customizedData: record.customizedData,
    attributes: objectType('AuditRecord'),
  };
}
