/** Form rules of the countries the emulator knows (facts 3.3), shortened to what a form needs. */
export interface Country {
  readonly iso2Code: string;
  readonly defaultCulture: string;
  readonly languages: readonly string[];
  readonly cultures: readonly string[];
  readonly states: readonly string[];
  readonly isStateRequired: boolean;
  readonly isPostalCodeRequired: boolean;
  readonly postalCodeRegex: string | null;
  readonly isPhoneRequired: boolean;
  readonly callingCode: string;
  readonly phoneNumberRegex: string;
  readonly isVatIdSupported: boolean;
  readonly isTaxIdSupported: boolean;
  readonly taxIdFormat: string | null;
  readonly taxIdSample: string | null;
  readonly currency: { readonly code: string; readonly symbol: string; readonly perDollar: number };
  readonly region: string;
}

const US_STATES =
  'AK AL AR AZ CA CO CT DC DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV NY OH OK OR PA RI SC SD TN TX UT VA VT WA WI WV WY';
const CA_PROVINCES = 'AB BC MB NB NL NS NT NU ON PE QC SK YT';
const EURO = { code: 'EUR', symbol: '€', perDollar: 0.93 };
const PHONE = '^[+]?[0-9 ()./-]{6,20}$';

const defaults = {
  states: [],
  isStateRequired: false,
  isPostalCodeRequired: true,
  isPhoneRequired: false,
  phoneNumberRegex: PHONE,
  isVatIdSupported: true,
  isTaxIdSupported: false,
  taxIdFormat: null,
  taxIdSample: null,
  region: 'EuropeMiddleEastAfrica',
} as const;

export const COUNTRIES: readonly Country[] = [
  {
    ...defaults,
    iso2Code: 'US',
    defaultCulture: 'en-US',
    languages: ['en', 'es'],
    cultures: ['en-US', 'es-US'],
    states: US_STATES.split(' '),
    isStateRequired: true,
    postalCodeRegex: '^\\d{5}(-\\d{4})?$',
    callingCode: '1',
    phoneNumberRegex: '^(1[ -]?)?\\(?[2-9]\\d{2}\\)?[ .-]?\\d{3}[ .-]?\\d{4}$',
    isVatIdSupported: false,
    isTaxIdSupported: true,
    taxIdFormat: 'US######',
    taxIdSample: 'US999965',
    currency: { code: 'USD', symbol: '$', perDollar: 1 },
    region: 'NorthAndLatinAmerica',
  },
  {
    ...defaults,
    iso2Code: 'CA',
    defaultCulture: 'en-CA',
    languages: ['en', 'fr'],
    cultures: ['en-CA', 'fr-CA'],
    states: CA_PROVINCES.split(' '),
    isStateRequired: true,
    postalCodeRegex: '^[A-Za-z]\\d[A-Za-z] ?\\d[A-Za-z]\\d$',
    callingCode: '1',
    currency: { code: 'CAD', symbol: '$', perDollar: 1.37 },
    region: 'NorthAndLatinAmerica',
  },
  {
    ...defaults,
    iso2Code: 'DE',
    defaultCulture: 'de-DE',
    languages: ['de', 'en'],
    cultures: ['de-DE', 'en-DE'],
    postalCodeRegex: '^\\d{5}$',
    callingCode: '49',
    currency: EURO,
  },
  {
    ...defaults,
    iso2Code: 'AT',
    defaultCulture: 'de-AT',
    languages: ['de', 'en'],
    cultures: ['de-AT'],
    postalCodeRegex: '^\\d{4}$',
    callingCode: '43',
    currency: EURO,
  },
  {
    ...defaults,
    iso2Code: 'FR',
    defaultCulture: 'fr-FR',
    languages: ['fr', 'en'],
    cultures: ['fr-FR'],
    postalCodeRegex: '^\\d{5}$',
    callingCode: '33',
    currency: EURO,
  },
  {
    ...defaults,
    iso2Code: 'NL',
    defaultCulture: 'nl-NL',
    languages: ['nl', 'en'],
    cultures: ['nl-NL'],
    postalCodeRegex: '^\\d{4} ?[A-Za-z]{2}$',
    callingCode: '31',
    currency: EURO,
  },
  {
    ...defaults,
    iso2Code: 'CH',
    defaultCulture: 'de-CH',
    languages: ['de', 'fr', 'it'],
    cultures: ['de-CH', 'fr-CH', 'it-CH'],
    postalCodeRegex: '^\\d{4}$',
    callingCode: '41',
    currency: { code: 'CHF', symbol: 'CHF', perDollar: 0.9 },
  },
  {
    ...defaults,
    iso2Code: 'GB',
    defaultCulture: 'en-GB',
    languages: ['en'],
    cultures: ['en-GB'],
    postalCodeRegex: '^[A-Za-z]{1,2}\\d[A-Za-z\\d]? ?\\d[A-Za-z]{2}$',
    callingCode: '44',
    currency: { code: 'GBP', symbol: '£', perDollar: 0.79 },
  },
  {
    ...defaults,
    iso2Code: 'IE',
    defaultCulture: 'en-IE',
    languages: ['en'],
    cultures: ['en-IE'],
    isPostalCodeRequired: false,
    postalCodeRegex: null,
    callingCode: '353',
    currency: EURO,
  },
  {
    ...defaults,
    iso2Code: 'AU',
    defaultCulture: 'en-AU',
    languages: ['en'],
    cultures: ['en-AU'],
    postalCodeRegex: '^\\d{4}$',
    callingCode: '61',
    currency: { code: 'AUD', symbol: '$', perDollar: 1.5 },
    region: 'AsiaPacific',
  },
  {
    ...defaults,
    iso2Code: 'IN',
    defaultCulture: 'en-IN',
    languages: ['en', 'hi'],
    cultures: ['en-IN', 'hi-IN'],
    postalCodeRegex: '^\\d{6}$',
    isPhoneRequired: true,
    callingCode: '91',
    currency: { code: 'INR', symbol: '₹', perDollar: 83 },
    region: 'AsiaPacific',
  },
  {
    ...defaults,
    iso2Code: 'BR',
    defaultCulture: 'pt-BR',
    languages: ['pt'],
    cultures: ['pt-BR'],
    postalCodeRegex: '^\\d{5}-?\\d{3}$',
    isPhoneRequired: true,
    callingCode: '55',
    isTaxIdSupported: true,
    taxIdFormat: '##.###.###/####-##',
    taxIdSample: '11.222.333/0001-81',
    currency: { code: 'BRL', symbol: 'R$', perDollar: 5.1 },
    region: 'NorthAndLatinAmerica',
  },
  {
    ...defaults,
    iso2Code: 'JP',
    defaultCulture: 'ja-JP',
    languages: ['ja', 'en'],
    cultures: ['ja-JP'],
    postalCodeRegex: '^\\d{3}-?\\d{4}$',
    callingCode: '81',
    currency: { code: 'JPY', symbol: '¥', perDollar: 150 },
    region: 'AsiaPacific',
  },
];

/** Countries where a customer cannot be created without an organisation registration number (facts 3.4). */
const REGISTRATION_NUMBER_COUNTRIES =
  'AM AZ BY HU KZ KG MD RU TJ UZ UA BR IN ZA PL AE SA TR TH VN MM IQ SS VE'.split(' ');

export function needsRegistrationNumber(iso2: string): boolean {
  return REGISTRATION_NUMBER_COUNTRIES.includes(iso2.toUpperCase());
}

export function countryOf(iso2: string): Country | undefined {
  return COUNTRIES.find((country) => country.iso2Code === iso2.toUpperCase());
}

export interface AddressFields {
  readonly country: string;
  readonly city?: string | null | undefined;
  readonly state?: string | null | undefined;
  readonly postalCode?: string | null | undefined;
  readonly addressLine1: string;
}

/** Name of the first field that breaks the country's rules, or undefined. */
export function invalidAddressField(address: AddressFields): string | undefined {
  const country = countryOf(address.country);
  if (country === undefined) return 'Country';
  if (address.addressLine1.trim() === '' || address.addressLine1.length > 200) return 'AddressLine1';
  if ((address.city ?? '').trim() === '') return 'City';
  const state = (address.state ?? '').toUpperCase();
  if (country.isStateRequired && !country.states.includes(state)) return 'State';
  const code = address.postalCode ?? '';
  if (code === '') return country.isPostalCodeRequired ? 'PostalCode' : undefined;
  if (country.postalCodeRegex !== null && !new RegExp(country.postalCodeRegex).test(code))
    return 'PostalCode';
  return undefined;
}
