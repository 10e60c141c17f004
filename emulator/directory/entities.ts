/** What exists in the emulated cloud whoever asks: tenants, people, groups, subscriptions, delegated rights. */
import type { Entity } from '../core/database.ts';

export interface Domain {
  readonly name: string;
  readonly isInitial: boolean;
  readonly isDefault: boolean;
  readonly isVerified: boolean;
  /** Milliseconds since the epoch. */
  readonly addedAt: number;
}

export interface Tenant extends Entity {
  readonly displayName: string;
  readonly country: string;
  readonly language: string;
  readonly contactEmail: string;
  readonly domains: readonly Domain[];
  readonly createdAt: number;
  /** null never synchronised, true on, false was on. */
  readonly syncEnabled: boolean | null;
  readonly syncChangedAt: number | null;
  readonly passwordSyncEnabled: boolean;
  /** The customer accepted the Microsoft Customer Agreement itself. */
  readonly agreementSignedDirectly: boolean;
}

export interface AssignedLicence {
  readonly skuId: string;
  readonly disabledPlans: readonly string[];
  /** Reads show the licence from then on. */
  readonly visibleAt: number;
}

export interface User extends Entity {
  readonly tenantId: string;
  readonly userPrincipalName: string;
  readonly displayName: string;
  readonly givenName: string | null;
  readonly surname: string | null;
  readonly mailNickname: string;
  readonly accountEnabled: boolean;
  readonly usageLocation: string | null;
  readonly isGlobalAdmin: boolean;
  readonly onPremisesSyncEnabled: boolean | null;
  readonly licences: readonly AssignedLicence[];
  readonly createdAt: number;
  readonly visibleAt: number;
}

export interface Group extends Entity {
  readonly tenantId: string;
  readonly displayName: string;
  readonly memberIds: readonly string[];
}

export type SubscriptionStatus = 'active' | 'suspended' | 'deleted';

/** Seats of one product in one tenant, sold by the partner or by Microsoft itself. */
export interface Subscription extends Entity {
  readonly tenantId: string;
  /** The partner's tenant, or the customer's own when bought directly. */
  readonly ownerTenantId: string;
  readonly orderId: string | null;
  /** `CFQ7TTC0LHT4:0001:CFQ7TTC0K97X`. */
  readonly offerId: string;
  readonly skuId: string;
  readonly friendlyName: string;
  readonly quantity: number;
  readonly status: SubscriptionStatus;
  readonly termDuration: string;
  readonly billingCycle: string;
  readonly autoRenewEnabled: boolean;
  readonly createdAt: number;
  /** Additions that may still be taken back, and until when. */
  readonly refundable: readonly { readonly quantity: number; readonly until: number }[];
  /** Graph counts `seatsBefore` until then, `quantity` after. */
  readonly seatsVisibleAt: number;
  readonly seatsBefore: number;
  readonly etag: string;
  /** An accepted change that is not applied yet. */
  readonly changePending: boolean;
  /** Microsoft could not bring its seats into being. */
  readonly provisioningFailed: boolean;
}

export type RelationshipStatus =
  | 'created'
  | 'approvalPending'
  | 'approved'
  | 'activating'
  | 'active'
  | 'expiring'
  | 'expired'
  | 'terminationRequested'
  | 'terminating'
  | 'terminated';

/** Granular delegated administration (GDAP) of one customer. */
export interface AdminRelationship extends Entity {
  readonly displayName: string;
  readonly duration: string;
  readonly autoExtendDuration: string;
  readonly customer: { readonly tenantId: string; readonly displayName: string } | null;
  readonly roleIds: readonly string[];
  readonly status: RelationshipStatus;
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly activatedAt: number | null;
  readonly endAt: number | null;
  readonly etag: string;
}

export interface AdminRequest extends Entity {
  readonly relationshipId: string;
  readonly action: string;
  readonly status: 'created' | 'pending' | 'succeeded' | 'failed';
  readonly createdAt: number;
  readonly modifiedAt: number;
}

export interface AccessAssignment extends Entity {
  readonly relationshipId: string;
  readonly groupId: string;
  readonly roleIds: readonly string[];
  readonly status: 'pending' | 'active' | 'deleting' | 'deleted' | 'error';
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly etag: string;
}

export interface AdminOperation extends Entity {
  readonly relationshipId: string;
  readonly operationType: string;
  readonly status: 'notStarted' | 'running' | 'succeeded' | 'failed';
  readonly data: string;
  readonly createdAt: number;
  readonly modifiedAt: number;
}

/** Our application's consent in a customer tenant; `id` is that tenant's. */
export interface ApplicationConsent extends Entity {
  readonly applicationId: string;
  readonly displayName: string;
  readonly grants: readonly { readonly enterpriseApplicationId: string; readonly scope: string }[];
  readonly effectiveAt: number;
}
