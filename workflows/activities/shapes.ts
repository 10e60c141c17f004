/** Shapes that several activities share. All are JSON; times are ISO 8601 UTC strings, money is a decimal number. */
import { z } from 'zod';

export const Guid = z.guid();
/** A customer of ours at Partner Center; always equal to the id of the customer's tenant. */
export const CustomerId = z.guid();
export const Timestamp = z.iso.datetime({ offset: true });
export const DomainName = z
  .string()
  .trim()
  .toLowerCase()
  .min(3)
  .max(253)
  .regex(/^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$/, 'is not a domain name');
export const CountryCode = z.string().regex(/^[A-Z]{2}$/);

/** Admin relationship status, as Graph names it (facts: microsoft-apis 2.3). Anything else is a failure, not a guess. */
export const AdminRelationshipStatus = z.enum([
  'created',
  'approvalPending',
  'approved',
  'activating',
  'active',
  'expiring',
  'expired',
  'terminationRequested',
  'terminating',
  'terminated',
]);

export const TermDuration = z.enum(['P1M', 'P1Y', 'P3Y']);
export const BillingCycle = z.enum(['monthly', 'annual', 'triennial']);

/** What somebody wants to buy: a product and SKU of the new-commerce catalogue, a term and a number of seats. */
export const OrderLine = z.object({
  productId: z
    .string()
    .min(1)
    .meta({ title: 'Product id', examples: ['CFQ7TTC0LHT4'] }),
  skuId: z
    .string()
    .min(1)
    .meta({ title: 'SKU id', examples: ['0001'] }),
  name: z
    .string()
    .min(1)
    .meta({ title: 'Name', examples: ['Enterprise Mobility + Security E3'] }),
  quantity: z
    .int()
    .min(1)
    .max(10_000_000)
    .meta({ title: 'Licences', examples: [25] }),
  termDuration: TermDuration.default('P1Y').meta({ title: 'Term' }),
  billingCycle: BillingCycle.default('monthly').meta({ title: 'Billing' }),
});
export type OrderLine = z.output<typeof OrderLine>;

/** An order line joined with today's catalogue. `graphSkuId` is the SKU under which Graph shows the seats. */
export const CatalogueLine = OrderLine.extend({
  /** Null when the customer cannot buy the line; `problem` then says why. */
  catalogItemId: z.string().nullable(),
  graphSkuId: Guid.nullable(),
  problem: z.string().nullable(),
});
export type CatalogueLine = z.output<typeof CatalogueLine>;

export const CartLine = z.object({
  /** The line's number in the request, from 0. */
  line: z.int().min(0),
  catalogItemId: z.string(),
  quantity: z.int().min(0),
  currency: z.string().nullable(),
  unitPrice: z.number().nullable(),
  extendedPrice: z.number().nullable(),
  /** Lines of one group become one order. */
  orderGroup: z.string().nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
});
export type CartLine = z.output<typeof CartLine>;

export const Cart = z.object({
  cartId: z.string(),
  status: z.enum(['active', 'ordered']),
  expiresAt: Timestamp,
  /** True when `expiresAt` had passed as the cart was read. */
  expired: z.boolean(),
  lines: z.array(CartLine),
  currency: z.string().nullable(),
  totalPrice: z.number(),
  /**
   * SHA-256, hex, of the JSON array of `[catalogItemId, quantity, termDuration, billingCycle, currency, unitPrice,
   * extendedPrice]` of every line in line order. An approval names it, so a changed price needs a new approval.
   */
  priceHash: z.string().min(1),
});
export type Cart = z.output<typeof Cart>;

export const PlacedOrder = z.object({
  orderId: z.string(),
  status: z.enum(['pending', 'completed', 'cancelled', 'unknown']),
  placedAt: Timestamp,
  totalPrice: z.number().nullable(),
  currency: z.string().nullable(),
  lines: z.array(
    z.object({
      line: z.int().min(0),
      /** `product:sku:availability`. */
      catalogItemId: z.string(),
      quantity: z.int().min(0),
      /** Null while the order is being provisioned. */
      subscriptionId: z.string().nullable(),
      /** From the order's provisioning status; false while unknown. */
      fulfilled: z.boolean(),
    }),
  ),
});
export type PlacedOrder = z.output<typeof PlacedOrder>;

export const Subscription = z.object({
  subscriptionId: z.string(),
  name: z.string(),
  /** `product:sku:availability` of new commerce, or a legacy offer GUID. */
  offerId: z.string(),
  commerce: z.enum(['new', 'legacy']),
  quantity: z.int().min(0),
  status: z.enum(['none', 'active', 'pending', 'suspended', 'expired', 'disabled', 'deleted']),
  termDuration: z.string().nullable(),
  billingCycle: z.string().nullable(),
  orderId: z.string().nullable(),
  /** Until then the subscription, or seats added to it, can be given back. */
  cancellationAllowedUntil: Timestamp.nullable(),
  /** The plan already holds the Enterprise Mobility + Security service plans, so that selling them on top is waste. */
  containsEms: z.boolean(),
  /** The subscription is itself Enterprise Mobility + Security E3, new or legacy. */
  isEms: z.boolean(),
  /** The Graph SKU of its seats, where it could be told. */
  graphSkuId: Guid.nullable(),
});
export type Subscription = z.output<typeof Subscription>;

/** What the tenant holds and we did not sell. */
export const ForeignSubscription = z.object({
  name: z.string(),
  quantity: z.int().min(0),
  owner: z.enum(['customer', 'other-partner']),
  containsEms: z.boolean(),
});
export type ForeignSubscription = z.output<typeof ForeignSubscription>;

export const CustomerMatch = z.object({
  customerId: CustomerId,
  name: z.string(),
  domain: z.string(),
  relationship: z.string(),
  /** Of the billing address; null where the search does not show it. */
  country: z.string().nullable(),
});
export type CustomerMatch = z.output<typeof CustomerMatch>;

export const Address = z.object({
  line1: z
    .string()
    .min(1)
    .max(200)
    .meta({ title: 'Street', examples: ['1 Example Way'] }),
  line2: z.string().max(200).nullable().default(null).meta({ title: 'Street, second line' }),
  city: z
    .string()
    .max(100)
    .meta({ title: 'City', examples: ['Redmond'] }),
  state: z
    .string()
    .max(2)
    .nullable()
    .default(null)
    .meta({ title: 'State', examples: ['WA'] }),
  postalCode: z
    .string()
    .max(20)
    .nullable()
    .default(null)
    .meta({ title: 'Postal code', examples: ['98052'] }),
  country: CountryCode.meta({ title: 'Country (ISO 3166, two letters)', examples: ['US'] }),
});
export type Address = z.output<typeof Address>;

export const ContactPerson = z.object({
  firstName: z
    .string()
    .min(1)
    .max(50)
    .meta({ title: 'First name', examples: ['Ada'] }),
  lastName: z
    .string()
    .min(1)
    .max(50)
    .meta({ title: 'Last name', examples: ['Meyer'] }),
  email: z.email().meta({ title: 'E-mail', examples: ['ada@fabrikam.example'] }),
  phoneNumber: z
    .string()
    .max(30)
    .nullable()
    .default(null)
    .meta({ title: 'Phone', examples: ['4255550100'] }),
});
export type ContactPerson = z.output<typeof ContactPerson>;

/** Which security group of the partner gets which roles in the customer's tenant. */
export const AccessAssignment = z.object({
  groupId: Guid.meta({ title: 'Security group (object id in our tenant)' }),
  roles: z.array(Guid).min(1).meta({ title: 'Role template ids' }),
});
export type AccessAssignment = z.output<typeof AccessAssignment>;

export const Seats = z.object({
  skuId: Guid,
  /** False when the tenant does not hold the SKU (yet); the numbers are then 0. */
  present: z.boolean(),
  enabled: z.int().min(0),
  consumed: z.int().min(0),
  /** Seats that can still be assigned. */
  free: z.int().min(0),
});
export type Seats = z.output<typeof Seats>;

export const DirectoryUser = z.object({
  userId: Guid,
  userPrincipalName: z.string(),
  displayName: z.string(),
  enabled: z.boolean(),
  usageLocation: z.string().nullable(),
  synchronised: z.boolean(),
  /** SKUs, of those asked for, that the user already holds. */
  holds: z.array(Guid),
});
export type DirectoryUser = z.output<typeof DirectoryUser>;

/** A user to license: by name as imported or chosen; `usageLocation` overrides the default where the user has none. */
export const LicenceUser = z.object({
  userPrincipalName: z
    .string()
    .min(3)
    .max(320)
    .meta({ title: 'User', examples: ['ada@contoso.example'] }),
  usageLocation: CountryCode.nullable()
    .default(null)
    .meta({ title: 'Usage location', examples: ['DE'] }),
});
export type LicenceUser = z.output<typeof LicenceUser>;

export const LicenceOutcome = z.object({
  userPrincipalName: z.string(),
  /**
   * `assigned` now, `already` held, `pending` may succeed later (seats or user not visible yet), `failed` needs a
   * person.
   */
  outcome: z.enum(['assigned', 'already', 'pending', 'failed']),
  code: z.string().nullable(),
  message: z.string().nullable(),
});
export type LicenceOutcome = z.output<typeof LicenceOutcome>;

/** What has to be published so that Microsoft believes a domain is the customer's. */
export const DnsRecord = z.object({
  type: z.string(),
  name: z.string(),
  value: z.string(),
  ttl: z.int().nullable(),
});
export type DnsRecord = z.output<typeof DnsRecord>;
