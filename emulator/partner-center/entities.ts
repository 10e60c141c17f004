/** What Partner Center alone knows: customers of the partner, money, its webhooks and its audit log. */
import type { Entity } from '../core/database.ts';

export interface Address {
  readonly country: string;
  readonly region?: string | null;
  readonly city?: string | null;
  readonly state?: string | null;
  readonly addressLine1: string;
  readonly addressLine2?: string | null;
  readonly postalCode?: string | null;
  readonly firstName?: string | null;
  readonly middleName?: string | null;
  readonly lastName?: string | null;
  readonly phoneNumber?: string | null;
}

export interface BillingProfile {
  readonly id: string;
  readonly email: string;
  readonly culture: string;
  readonly language: string;
  readonly companyName: string;
  readonly firstName: string | null;
  readonly lastName: string | null;
  readonly defaultAddress: Address;
}

/** A tenant with which the partner has a reseller relationship; `id` is the tenant's. */
export interface Customer extends Entity {
  readonly commerceId: string;
  readonly companyName: string;
  readonly domain: string;
  readonly billingProfile: BillingProfile;
  readonly associatedPartnerId: string | null;
  /** Reads answer 403/20002 before. */
  readonly visibleAt: number;
  /** `relationshipToPartner` reads `none` before. */
  readonly resellerAt: number;
  readonly removed: boolean;
  readonly origin: 'created' | 'accepted' | 'seeded';
  readonly validation: { readonly status: string; readonly updatedAt: number } | null;
  readonly qualification: { readonly qualification: string; readonly createdAt: number } | null;
}

export interface Agreement extends Entity {
  readonly customerId: string;
  readonly primaryContact: {
    readonly firstName: string;
    readonly lastName: string;
    readonly email: string;
    readonly phoneNumber?: string | null;
  };
  readonly dateAgreed: string;
  readonly templateId: string;
  readonly type: string;
  readonly userId: string;
}

export interface Pricing {
  readonly listPrice: number;
  readonly discountedPrice: number;
  readonly proratedPrice: number;
  readonly price: number;
  readonly extendedPrice: number;
}

export interface LineError {
  readonly errorCode: number;
  readonly errorDescription: string;
  readonly additionalInformation?: Readonly<Record<string, unknown>>;
}

export interface CartLine {
  readonly id: number;
  readonly catalogItemId: string;
  readonly friendlyName: string | null;
  readonly quantity: number;
  readonly currencyCode: string;
  readonly billingCycle: string;
  readonly termDuration: string;
  readonly participants: readonly unknown[];
  readonly provisioningContext: Readonly<Record<string, unknown>>;
  readonly orderGroup: string;
  readonly pricing: Pricing;
  readonly error: LineError | null;
}

export interface Cart extends Entity {
  readonly customerId: string;
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly expiresAt: number;
  readonly status: 'Active' | 'Ordered';
  readonly lines: readonly CartLine[];
  readonly orderIds: readonly string[];
  readonly orderErrors: readonly {
    readonly orderGroupId: string;
    readonly code: number;
    readonly description: string;
  }[];
}

export interface OrderLine {
  readonly lineItemNumber: number;
  readonly offerId: string;
  readonly skuId: string;
  readonly subscriptionId: string | null;
  readonly termDuration: string;
  readonly friendlyName: string;
  readonly quantity: number;
  readonly pricing: Pricing;
}

export interface Order extends Entity {
  readonly customerId: string;
  readonly cartId: string | null;
  readonly billingCycle: string;
  readonly currencyCode: string;
  readonly lines: readonly OrderLine[];
  readonly createdAt: number;
  readonly visibleAt: number;
  readonly completedAt: number | null;
  readonly provisioningFails: boolean;
  readonly status: 'pending' | 'completed' | 'cancelled';
  readonly totalPrice: number;
}

export interface Registration extends Entity {
  readonly subscriberId: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly toMsSignatureHeader: boolean;
}

/** One event on its way to the registered receiver. */
export interface Delivery extends Entity {
  readonly eventName: string;
  readonly url: string;
  /** The exact bytes that are signed and sent. */
  readonly body: string;
  readonly status: 'pending' | 'delivered' | 'offline' | 'lost';
  readonly attempts: readonly {
    readonly at: string;
    readonly status: number | null;
    readonly problem: string | null;
  }[];
  readonly badSignature: boolean;
  /** The validation test that asked for it. */
  readonly correlationId: string | null;
  readonly createdAt: number;
}

export interface Validation extends Entity {
  readonly createdAt: number;
}

export interface AuditRecord extends Entity {
  readonly customerId: string | null;
  readonly customerName: string | null;
  readonly userPrincipalName: string | null;
  readonly resourceType: string;
  readonly resourceNewValue: string | null;
  readonly operationType: string;
  readonly at: number;
  readonly customizedData: readonly { readonly key: string; readonly value: string }[];
}

/** First answer to a POST, by method, path and `MS-RequestId`. */
export interface RememberedReply extends Entity {
  readonly fingerprint: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly json: unknown;
}
