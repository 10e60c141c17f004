/** Checks before a customer is created (facts 3.3): domain, address, country rules. */
import { z } from 'zod';
import { type ReadOptions, route } from '../http.ts';
import { enumOf, ignored, listOf, nullable } from '../schema.ts';
import { Address } from './customers.ts';
import type { PartnerCenterCalls } from './service.ts';

const AddressCheck = z.object({
  status: enumOf(
    'VerifiedShippable',
    'Verified',
    'InteractionRequired',
    'StreetPartial',
    'PremisesPartial',
    'Multiple',
    'None',
    'NotValidated',
  ),
  suggestedAddresses: listOf(Address),
  validationMessage: nullable(z.string()),
});

export interface AddressVerdict {
  /** `accepted` as it is, `suggested`: a person chooses among `suggestions`, `rejected`: a person corrects it. */
  readonly verdict: 'accepted' | 'suggested' | 'rejected';
  /** Microsoft's own word, kept for display. */
  readonly status: string;
  readonly suggestions: readonly Address[];
  readonly message: string | null;
}

export interface AddressToCheck {
  readonly country: string;
  readonly city?: string;
  readonly state?: string;
  readonly addressLine1: string;
  readonly addressLine2?: string;
  readonly postalCode?: string;
}

const values = z
  .object({ value: listOf(z.string()) })
  .nullish()
  .transform((list) => list?.value ?? []);

const CountryRules = z.object({
  iso2Code: z.string(),
  defaultCulture: z.string(),
  isStateRequired: z.boolean(),
  states: values,
  supportedLanguages: values,
  supportedCultures: values,
  isPostalCodeRequired: z.boolean(),
  postalCodeRegex: nullable(z.string()),
  isCityRequired: z.boolean(),
  isVatIdSupported: nullable(z.boolean()),
  isRegistrationNumberSupported: nullable(z.boolean()),
  isTaxIdSupported: nullable(z.boolean()),
  taxIdFormat: nullable(z.string()),
  phoneNumberRegex: nullable(z.string()),
  countryCallingCodes: values,
});
export type CountryRules = z.output<typeof CountryRules>;

const ACCEPTED = ['VerifiedShippable', 'Verified'];
const REJECTED = ['None', 'NotValidated'];

export function validations(calls: PartnerCenterCalls) {
  return {
    /** Whether a tenant has this domain now; somebody may still take it before a creation. */
    async isDomainTaken(domain: string, options?: ReadOptions): Promise<boolean> {
      const path = route`/v1/domains/${domain}`;
      // 404 means free, so it must be Partner Center that says it: hence the echo.
      const request = { method: 'HEAD', path, schema: ignored, accept: [404], requireEcho: true } as const;
      return (await calls.call(request, options)).status !== 404;
    },

    /** Checks an address; also understands the older answers (200 without a body, 400/2007). */
    async checkAddress(address: AddressToCheck, options?: ReadOptions): Promise<AddressVerdict> {
      const body = { ...address, addressLine2: address.addressLine2 ?? null };
      const schema = z.union([AddressCheck, LegacyRefusal, z.undefined()]);
      const path = '/v1/validations/address';
      const answer = await calls.call(
        { method: 'POST', path, body, schema, mutating: false, accept: [400] },
        options,
      );
      const check = answer.body;
      if (check === undefined)
        return { verdict: 'accepted', status: 'Verified', suggestions: [], message: null };
      if ('description' in check) {
        return { verdict: 'rejected', status: 'NotValidated', suggestions: [], message: check.description };
      }
      const verdict = ACCEPTED.includes(check.status)
        ? 'accepted'
        : REJECTED.includes(check.status)
          ? 'rejected'
          : 'suggested';
      return {
        verdict,
        status: check.status,
        suggestions: check.suggestedAddresses,
        message: check.validationMessage,
      };
    },

    async countryRules(country: string, options?: ReadOptions): Promise<CountryRules> {
      const path = route`/v1/countryvalidationrules/${country}`;
      return (await calls.call({ method: 'GET', path, schema: CountryRules }, options)).body;
    },
  };
}

const LegacyRefusal = z.object({ description: z.string() });
