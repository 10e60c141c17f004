/** Which of the three paths a customer takes, from what Microsoft knows of its domain (facts: microsoft-apis 12, 1). Pure. */

export const PATHS = [
  'onboard-existing-office-customer',
  'onboard-existing-csp-customer',
  'onboard-new-customer',
] as const;
export type Path = (typeof PATHS)[number];

export interface Findings {
  /** The tenant that owns the domain; null when none does. */
  readonly tenantId: string | null;
  /** Partner Center shows the tenant as our reseller customer. */
  readonly ours: boolean;
}

export interface Route {
  readonly path: Path;
  /** The sentence staff read. */
  readonly why: string;
}

export function routeFor({ tenantId, ours }: Findings): Route {
  if (tenantId === null)
    return { path: 'onboard-new-customer', why: 'No tenant owns the domain, so one has to be created.' };
  if (ours)
    return {
      path: 'onboard-existing-csp-customer',
      why: 'The tenant of the domain is our customer already.',
    };
  return {
    path: 'onboard-existing-office-customer',
    why: 'The domain has a tenant that is not our customer yet, so it has to accept us.',
  };
}
