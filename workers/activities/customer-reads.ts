/** Finding and reading customers, and the checks before one is created. */
import type { z } from 'zod';
import type { Customer, Subscription } from '../../connectors/index.ts';
import { type ActivityContext, type ActivityImplementation, implementActivity } from '../../engine/index.ts';
import { ActivityFailure } from '../../shared/errors.ts';
import * as contracts from '../../workflows/activities/customers.ts';
import { type ActivityDeps, instant, reading } from './calls.ts';
import { containsEms, graphSkuOf, isEms, skuContainsEms } from './products.ts';

const MAX_MATCHES = 50;

export function findTenant({ connectors }: ActivityDeps): ActivityImplementation {
  return implementActivity(contracts.findTenant, {
    async run({ domain }, context) {
      const found = await connectors.graph.tenants.findByDomain(
        domain.trim().toLowerCase(),
        reading(context),
      );
      return {
        tenantId: found?.tenantId ?? null,
        displayName: found?.displayName ?? null,
        defaultDomain: found?.defaultDomainName ?? null,
      };
    },
  });
}

export function findCustomer({ connectors }: ActivityDeps): ActivityImplementation {
  const { partnerCenter, graph } = connectors;

  /** Partner Center knows the default domain only; the tenant behind any other one is found through Graph. */
  async function byDomain(domain: string, context: ActivityContext): Promise<(Customer | null)[]> {
    const named = { field: 'Domain', value: domain } as const;
    const listed = await partnerCenter.customers.search(named, { ...reading(context), limit: MAX_MATCHES });
    const tenant = await graph.tenants.findByDomain(domain, reading(context));
    const owner = tenant && (await partnerCenter.customers.find(tenant.tenantId, reading(context)));
    return [owner, ...listed.filter((customer) => customer.domain === domain.toLowerCase())];
  }

  return implementActivity(contracts.findCustomer, {
    async run({ tenantId, domain, companyName }, context) {
      const named = { field: 'CompanyName', value: companyName ?? '' } as const;
      const found = [
        ...(tenantId === null ? [] : [await partnerCenter.customers.find(tenantId, reading(context))]),
        ...(domain === null ? [] : await byDomain(domain.trim(), context)),
        ...(companyName === null
          ? []
          : await partnerCenter.customers.search(named, { ...reading(context), limit: MAX_MATCHES + 1 })),
      ];
      // A list leaves the billing profile out, and with it the country: one read by id, found first, stands.
      const customers = new Map<string, Customer>();
      for (const customer of found)
        if (customer && !customers.has(customer.id)) customers.set(customer.id, customer);
      const matches = [...customers.values()].map((customer) => ({
        customerId: customer.id,
        name: customer.companyName,
        domain: customer.domain,
        relationship: customer.relationshipToPartner,
        country: customer.country?.toUpperCase() ?? null,
      }));
      return { matches: matches.slice(0, MAX_MATCHES), truncated: matches.length > MAX_MATCHES };
    },
  });
}

export function listSubscriptions(deps: ActivityDeps): ActivityImplementation {
  return implementActivity(contracts.listSubscriptions, {
    async run({ customerId }, context) {
      const all = await deps.connectors.partnerCenter.subscriptions.list(customerId, reading(context));
      const subscriptions = [];
      for (const subscription of all)
        subscriptions.push(await describe(deps, customerId, subscription, context));
      const elsewhere = await soldByOthers(deps, customerId, context);
      return { subscriptions, elsewhere: elsewhere ?? [], elsewhereKnown: elsewhere !== null };
    },
  });
}

/** The application is not consented to in the customer's tenant (facts 1.2); the connector takes that for passing. */
const NOT_CONSENTED = /^aadsts-(65001|650051|650052)$/;
const isRefused = ({ kind, pausesQueue }: ActivityFailure): boolean =>
  kind === 'terminal' && pausesQueue === undefined;

/** Null where we may not look into the tenant (yet). */
async function soldByOthers(
  { connectors, config }: ActivityDeps,
  tenantId: string,
  context: ActivityContext,
) {
  try {
    const all = await connectors.graph.licences.directorySubscriptions(tenantId, reading(context));
    const ours = config.microsoft.partnerTenantId.toLowerCase();
    return all
      .filter(({ ownerTenantId, status }) => ownerTenantId !== ours && status === 'Enabled')
      .map(({ skuId, skuPartNumber, totalLicenses, ownerTenantId }) => ({
        name: skuPartNumber ?? skuId ?? 'A subscription',
        quantity: totalLicenses ?? 0,
        owner:
          ownerTenantId === null || ownerTenantId === tenantId.toLowerCase()
            ? ('customer' as const)
            : ('other-partner' as const),
        containsEms: skuId !== null && skuContainsEms(skuId),
      }));
  } catch (failure) {
    // A remark for the review, no condition: it waits for no consent that is still out.
    if (failure instanceof ActivityFailure && (isRefused(failure) || NOT_CONSENTED.test(failure.code)))
      return null;
    throw failure;
  }
}

export function readSubscription(deps: ActivityDeps): ActivityImplementation {
  return implementActivity(contracts.readSubscription, {
    async run({ customerId, subscriptionId }, context) {
      const { subscriptions } = deps.connectors.partnerCenter;
      const subscription = await subscriptions.get(customerId, subscriptionId, reading(context));
      return describe(deps, customerId, subscription, context);
    },
  });
}

async function describe(
  { connectors }: ActivityDeps,
  customerId: string,
  subscription: Subscription,
  context: ActivityContext,
) {
  const { id, offerId, status } = subscription;
  const provisioned = async (): Promise<string | null> => {
    if (status !== 'active') return null;
    try {
      const seen = await connectors.partnerCenter.subscriptions.provisioning(
        customerId,
        id,
        reading(context),
      );
      return seen?.skuId ?? null;
    } catch (failure) {
      // Without admin rights at the customer this is refused, and the SKU then is simply not known.
      if (failure instanceof ActivityFailure && failure.kind === 'terminal') return null;
      throw failure;
    }
  };
  const graphSkuId = graphSkuOf(offerId) ?? (await provisioned());
  return {
    subscriptionId: id,
    name: subscription.friendlyName ?? subscription.offerName ?? offerId,
    offerId,
    commerce: subscription.isNewCommerce ? ('new' as const) : ('legacy' as const),
    quantity: subscription.quantity,
    status,
    termDuration: subscription.termDuration,
    billingCycle: subscription.billingCycle,
    orderId: subscription.orderId,
    cancellationAllowedUntil: undoUntil(subscription),
    containsEms: containsEms(offerId, graphSkuId),
    isEms: isEms(offerId, graphSkuId),
    graphSkuId,
  };
}

/** The latest day on which something of the subscription can be given back: seats added later have days of their own. */
export function undoUntil({ cancellationAllowedUntilDate, refundableQuantity }: Subscription): string | null {
  const days = [
    cancellationAllowedUntilDate,
    ...(refundableQuantity?.details ?? []).map(({ allowedUntilDateTime }) => allowedUntilDateTime),
  ].flatMap((text) => instant(text) ?? []);
  return days.toSorted().at(-1) ?? null;
}

export function checkDomain({ connectors }: ActivityDeps): ActivityImplementation {
  return implementActivity(contracts.checkDomain, {
    async run({ domain }, context) {
      if (await connectors.partnerCenter.validations.isDomainTaken(domain, reading(context)))
        return { available: false };
      return { available: (await connectors.identity.discoverTenant(domain, reading(context))) === null };
    },
  });
}

export function validateAddress({ connectors }: ActivityDeps): ActivityImplementation {
  return implementActivity(contracts.validateAddress, {
    async run({ address }, context): Promise<z.input<typeof contracts.validateAddress.output>> {
      const { line1, line2, city, state, postalCode, country } = address;
      const wanted = {
        country,
        addressLine1: line1,
        ...(line2 === null ? {} : { addressLine2: line2 }),
        ...(city === '' ? {} : { city }),
        ...(state === null ? {} : { state }),
        ...(postalCode === null ? {} : { postalCode }),
      };
      const { validations } = connectors.partnerCenter;
      const { verdict, suggestions, message } = await validations.checkAddress(wanted, reading(context));
      return {
        status: verdict === 'rejected' ? 'invalid' : verdict,
        suggestions: suggestions.flatMap((found) =>
          found.addressLine1 === null
            ? []
            : [
                {
                  line1: found.addressLine1,
                  line2: found.addressLine2,
                  city: found.city ?? '',
                  state: found.state,
                  postalCode: found.postalCode,
                  country: found.country.toUpperCase(),
                },
              ],
        ),
        message,
      };
    },
  });
}

export function readCountryRules({ connectors }: ActivityDeps): ActivityImplementation {
  return implementActivity(contracts.readCountryRules, {
    async run({ country }, context) {
      const rules = await connectors.partnerCenter.validations.countryRules(country, reading(context));
      const spoken = rules.defaultCulture.split('-')[0] ?? 'en';
      const { supportedLanguages } = rules;
      return {
        country,
        defaultCulture: rules.defaultCulture,
        defaultLanguage: supportedLanguages.includes(spoken) ? spoken : (supportedLanguages[0] ?? spoken),
        supportedCultures: rules.supportedCultures,
        supportedLanguages,
        stateRequired: rules.isStateRequired,
        states: rules.states,
        cityRequired: rules.isCityRequired,
        postalCodeRequired: rules.isPostalCodeRequired,
        postalCodeRegex: rules.postalCodeRegex,
        phoneNumberRegex: rules.phoneNumberRegex,
        registrationNumberSupported: rules.isRegistrationNumberSupported ?? false,
      };
    },
  });
}

const VETTING = {
  Unknown: 'unknown',
  UnderReview: 'under-review',
  Allowed: 'allowed',
  NotAllowed: 'not-allowed',
  'Not Ready': 'not-ready',
} as const;

export function readVetting({ connectors }: ActivityDeps): ActivityImplementation {
  return implementActivity(contracts.readVetting, {
    async run({ customerId }, context) {
      const vetting = await connectors.partnerCenter.customers.vettingStatus(customerId, reading(context));
      return { status: vetting === null ? 'none' : VETTING[vetting.status] };
    },
  });
}

export function readAgreement({ connectors }: ActivityDeps): ActivityImplementation {
  const { agreements } = connectors.partnerCenter;
  return implementActivity(contracts.readAgreement, {
    async run({ customerId }, context) {
      const attested = await agreements.list(customerId, reading(context));
      if (attested.length > 0) return { accepted: true, how: 'attested' };
      const signed = await agreements.isSignedByCustomer(customerId, reading(context));
      return signed ? { accepted: true, how: 'direct' } : { accepted: false, how: null };
    },
  });
}
