import { z } from 'zod';
import { ok, type Routes } from '../../core/http.ts';
import type { World } from '../../world.ts';
import { COUNTRIES, countryOf, invalidAddressField } from '../countries.ts';
import { authorise, bodyOf, objectType, partnerError } from '../helpers.ts';
import { withoutNulls } from '../shapes.ts';

const text = z.string().nullish();
const addressSchema = z.object({
  addressline1: z.string(),
  addressline2: text,
  city: text,
  state: text,
  postalcode: text,
  country: z.string(),
});

export function validationRoutes(routes: Routes, world: World): void {
  routes.on('POST', '/v1/validations/address', (request) => {
    authorise(world, request);
    const body = bodyOf(request, addressSchema);
    const original = {
      country: body.country,
      city: body.city ?? null,
      state: body.state ?? null,
      addressLine1: body.addressline1,
      addressLine2: body.addressline2 ?? null,
      postalCode: body.postalcode ?? null,
    };
    const { suggestedAddresses, ...verdict } = judge(original);
    return ok({
      originalAddress: withoutNulls(original),
      suggestedAddresses: suggestedAddresses?.map(withoutNulls) ?? null,
      ...verdict,
    });
  });

  routes.on('GET', '/v1/countryvalidationrules/:country', (request) => {
    authorise(world, request);
    const country = countryOf(request.params['country'] ?? '');
    if (country === undefined) {
      throw partnerError(
        404,
        1000,
        `Known countries: ${COUNTRIES.map((known) => known.iso2Code).join(', ')}.`,
      );
    }
    return ok({
      iso2Code: country.iso2Code,
      defaultCulture: country.defaultCulture,
      isStateRequired: country.isStateRequired,
      states: { value: country.states },
      supportedLanguages: { value: country.languages },
      supportedCultures: { value: country.cultures },
      isPostalCodeRequired: country.isPostalCodeRequired,
      postalCodeRegex: country.postalCodeRegex,
      isCityRequired: true,
      isVatIdSupported: country.isVatIdSupported,
      taxIdFormat: country.taxIdFormat,
      taxIdSample: country.taxIdSample,
      phoneNumberRegex: country.phoneNumberRegex,
      isRegistrationNumberSupported: false,
      isTaxIdSupported: country.isTaxIdSupported,
      resellerAgreementRegion: country.region === 'NorthAndLatinAmerica' ? 'AOC' : 'EOC',
      geographicRegion: country.region,
      countryCallingCodes: { value: [country.callingCode] },
      attributes: objectType('CountryInformation'),
    });
  });
}

interface Original {
  readonly country: string;
  readonly city: string | null;
  readonly state: string | null;
  readonly addressLine1: string;
  readonly postalCode: string | null;
}

interface Verdict {
  readonly suggestedAddresses: readonly Original[] | null;
  readonly status: string;
  readonly validationMessage?: string;
}

/**
 * `Nowhere` in the street is not found, `Ambiguous` has two candidates, a street without a number is partial; a field
 * that breaks the country's rules asks for interaction; the rest is shippable (US codes come back as ZIP+4).
 */
function judge(original: Original): Verdict {
  const street = original.addressLine1.toLowerCase();
  if (street.includes('nowhere')) {
    return { suggestedAddresses: null, status: 'None', validationMessage: 'The address was not found.' };
  }
  const invalid = invalidAddressField(original);
  if (invalid !== undefined) {
    const message = `Address field invalid for property: '${invalid}'`;
    return { suggestedAddresses: [], status: 'InteractionRequired', validationMessage: message };
  }
  if (street.includes('ambiguous')) {
    const either = ['North', 'South'].map((side) => ({
      ...original,
      addressLine1: `${original.addressLine1} ${side}`,
    }));
    return { suggestedAddresses: either, status: 'Multiple', validationMessage: 'Several addresses match.' };
  }
  if (!/\d/.test(street)) {
    const numbered = { ...original, addressLine1: `1 ${original.addressLine1}` };
    return {
      suggestedAddresses: [numbered],
      status: 'StreetPartial',
      validationMessage: 'The number is missing.',
    };
  }
  const code = original.postalCode ?? '';
  const suggested = {
    ...original,
    postalCode: /^\d{5}$/.test(code) && original.country === 'US' ? `${code}-0001` : original.postalCode,
  };
  return { suggestedAddresses: [suggested], status: 'VerifiedShippable' };
}
