/** Nothing of its own is stored: an acceptance becomes a customer, an approval becomes an active relationship. */
export interface SignedIn {
  readonly userId: string;
  readonly tenantId: string;
  readonly upn: string;
  readonly isGlobalAdmin: boolean;
}
