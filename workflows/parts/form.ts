/** The new-customer form of the guide (3.3), judged by the rules of the country before anything is created. */
import type { z } from 'zod';
import type { readCountryRules } from '../activities/customers.ts';
import type { Address, ContactPerson } from '../activities/shapes.ts';

export interface CustomerForm {
  readonly companyName: string;
  /** What comes before `.onmicrosoft.com`. */
  readonly domainPrefix: string;
  readonly contact: ContactPerson;
  readonly address: Address;
  readonly registrationNumber: string | null;
}

export type CountryRules = z.output<typeof readCountryRules.output>;

export const domainOf = (form: CustomerForm) => `${form.domainPrefix.toLowerCase()}.onmicrosoft.com`;

/** Countries that demand an organisation registration number (facts: microsoft-apis 3.4). */
const REGISTRATION_COUNTRIES = new Set(
  'AM AZ BY HU KZ KG MD RU TJ UZ UA BR IN ZA PL AE SA TR TH VN MM IQ SS VE'.split(' '),
);

/**
 * Everything wrong with the form, in the words staff read; empty when it can be sent. `markets` are the countries we may
 * sell to, none meaning all.
 */
export function formProblems(
  form: CustomerForm,
  rules: CountryRules,
  markets: readonly string[] = [],
): string[] {
  const { address, contact } = form;
  const checks: [boolean, string][] = [
    [
      markets.length === 0 || markets.includes(address.country),
      `We may not sell to ${address.country}; our markets are ${markets.join(', ')}.`,
    ],
    [
      /^[a-z0-9-]{1,27}$/i.test(form.domainPrefix),
      'The domain prefix takes 1 to 27 letters, digits and hyphens.',
    ],
    [form.companyName.trim().length > 1, 'The company name is too short.'],
    [!rules.cityRequired || address.city.trim() !== '', 'The city is missing.'],
    [!rules.stateRequired || address.state !== null, 'The state is missing.'],
    [
      address.state === null || rules.states.length === 0 || rules.states.includes(address.state),
      `${address.state ?? 'The state'} is no state of ${address.country}.`,
    ],
    [!rules.postalCodeRequired || address.postalCode !== null, 'The postal code is missing.'],
    [
      matches(rules.postalCodeRegex, address.postalCode),
      'The postal code does not have the form of the country.',
    ],
    [
      matches(rules.phoneNumberRegex, contact.phoneNumber),
      'The phone number does not have the form of the country.',
    ],
    [
      form.registrationNumber !== null || !REGISTRATION_COUNTRIES.has(address.country),
      'The organisation registration number is missing.',
    ],
  ];
  return checks.flatMap(([fine, problem]) => (fine ? [] : [problem]));
}

/** A missing value or rule is no mismatch; a rule this engine cannot read is left to Microsoft's own check. */
function matches(pattern: string | null, value: string | null): boolean {
  if (pattern === null || value === null) return true;
  try {
    return new RegExp(pattern).test(value);
  } catch {
    return true;
  }
}
