/** One row of a customer list: what each column means, and the start form made of it. Pure. */
import type { z } from 'zod';
import { BillingCycle, DomainName, TermDuration } from './activities/shapes.ts';
import { OnboardExistingCspCustomerInput } from './onboard-existing-csp-customer.ts';
import { OnboardExistingOfficeCustomerInput } from './onboard-existing-office-customer.ts';
import { OnboardNewCustomerInput } from './onboard-new-customer.ts';
import { PATHS, type Path } from './routing.ts';
import { LEAST_ROLES } from './start-form.ts';

/** Every column a list may have, in the words of its help text. `*` marks those without which no row can start. */
export const COLUMNS = {
  company: 'Company name *',
  partner_name: 'Our name, as the customer knows it *',
  group_ids: 'Our security groups (object ids), parted by semicolons *',
  seats: 'Licences to order *',
  usage_location: 'Country of users without one, two letters *',
  domain: 'A domain of the customer; needed unless the path is given and needs none',
  path: `${PATHS.join(', ')}; left out, it follows from the domain`,
  invite_to: 'Mail addresses of the invitation, parted by semicolons',
  product_id: 'Product; default Enterprise Mobility + Security E3',
  sku_id: 'SKU of the product; default 0001',
  product_name: 'Name of the product',
  term: 'P1M, P1Y or P3Y; default P1Y',
  billing: 'monthly, annual or triennial; default monthly',
  price_ceiling: 'Highest total price, in the currency of the cart',
  domain_prefix: 'What comes before .onmicrosoft.com, for a new customer',
  first_name: 'Contact, for a new customer',
  last_name: 'Contact, for a new customer',
  email: 'Contact, for a new customer',
  phone: 'Contact, for a new customer',
  street: 'Address, for a new customer',
  street_2: 'Address, second line',
  city: 'Address, for a new customer',
  state: 'Address, where the country has states',
  postal_code: 'Address, where the country has them',
  country: 'Address, two letters',
  registration_number: 'Organisation registration number, where the country demands one',
} as const;
export type Column = keyof typeof COLUMNS;

const GUID = 'an object id such as 0f0c2222-0000-4000-8000-000000000001';
const COUNTRY = 'two capital letters, such as US';
const ADDRESS = 'a mail address, such as it@contoso.example';
const TEXT = 'text';

/** What may stand in a column; of those that hold several, what each of them may be. */
const EXPECTED: Readonly<Record<Column, string>> = {
  company: 'a name of 2 to 200 characters',
  partner_name: TEXT,
  group_ids: GUID,
  seats: 'a whole number from 1 to 10000000',
  usage_location: COUNTRY,
  domain: 'a domain name, such as contoso.example',
  path: `one of ${PATHS.join(', ')}`,
  invite_to: ADDRESS,
  product_id: TEXT,
  sku_id: TEXT,
  product_name: TEXT,
  term: `one of ${TermDuration.options.join(', ')}`,
  billing: `one of ${BillingCycle.options.join(', ')}`,
  price_ceiling: 'an amount above 0 without separators or currency, such as 1250.50',
  domain_prefix: '1 to 27 characters, such as fabrikam',
  first_name: 'a name of 1 to 50 characters',
  last_name: 'a name of 1 to 50 characters',
  email: ADDRESS,
  phone: 'at most 30 characters',
  street: '1 to 200 characters',
  street_2: 'at most 200 characters',
  city: 'at most 100 characters',
  state: 'two letters, such as WA',
  postal_code: 'at most 20 characters',
  country: COUNTRY,
  registration_number: 'at most 50 characters',
};

/** A row as it was read: trimmed texts, empty ones left out. */
export type RawRow = Partial<Readonly<Record<Column, string>>>;

export interface RowProblem {
  readonly field: Column;
  readonly detail: string;
}

const SCHEMAS = {
  'onboard-existing-office-customer': OnboardExistingOfficeCustomerInput,
  'onboard-existing-csp-customer': OnboardExistingCspCustomerInput,
  'onboard-new-customer': OnboardNewCustomerInput,
} as const;

/** Where a field of the start form comes from. The longest matching beginning counts. */
const SOURCES: readonly (readonly [string, Column])[] = [
  ['customer.name', 'company'],
  ['customer.domainPrefix', 'domain_prefix'],
  ['customer.domain', 'domain'],
  ['customer.contact.firstName', 'first_name'],
  ['customer.contact.lastName', 'last_name'],
  ['customer.contact.email', 'email'],
  ['customer.contact.phoneNumber', 'phone'],
  ['customer.address.line1', 'street'],
  ['customer.address.line2', 'street_2'],
  ['customer.address.city', 'city'],
  ['customer.address.state', 'state'],
  ['customer.address.postalCode', 'postal_code'],
  ['customer.address.country', 'country'],
  ['customer.registrationNumber', 'registration_number'],
  ['partner.name', 'partner_name'],
  ['partner', 'group_ids'],
  ['invitation', 'invite_to'],
  ['order.priceCeiling', 'price_ceiling'],
  ['order.lines.0.quantity', 'seats'],
  ['order.lines.0.productId', 'product_id'],
  ['order.lines.0.skuId', 'sku_id'],
  ['order.lines.0.name', 'product_name'],
  ['order.lines.0.termDuration', 'term'],
  ['order.lines.0.billingCycle', 'billing'],
  ['licences.usageLocation', 'usage_location'],
];

/** The start form of a path, or what is wrong with the row. `defaults` are fields of this installation. */
export function formOf(
  path: Path,
  raw: RawRow,
  defaults: Readonly<Record<string, unknown>> = {},
):
  | { readonly form: Readonly<Record<string, unknown>>; readonly problems: readonly [] }
  | { readonly form: null; readonly problems: readonly RowProblem[] } {
  const parsed = SCHEMAS[path].safeParse({
    ...defaults,
    customer: customerOf(path, raw),
    partner: partnerOf(raw),
    order: { lines: [lineOf(raw)], priceCeiling: ceilingOf(raw) },
    licences: { ...(defaults['licences'] as object | undefined), usageLocation: raw.usage_location },
    ...(raw.invite_to === undefined ? {} : { invitation: { to: listOf(raw.invite_to) } }),
  });
  if (parsed.success) return { form: parsed.data, problems: [] };
  return { form: null, problems: parsed.error.issues.map((issue) => problemOf(issue, raw)) };
}

/** Everything wrong with a row that can be told without asking Microsoft. */
export function problemsOf(raw: RawRow, defaults: Readonly<Record<string, unknown>> = {}): RowProblem[] {
  const path = pathOf(raw);
  const wrongDomain = raw.domain !== undefined && !DomainName.safeParse(raw.domain).success;
  const found: RowProblem[] = [
    ...(path === undefined ? [expected('path', raw.path)] : []),
    ...(wrongDomain ? [expected('domain', raw.domain)] : []),
    ...(path === null && raw.domain === undefined
      ? [{ field: 'domain' as const, detail: 'is missing: without it the path must be given' }]
      : []),
  ];
  const form = formOf(path ?? 'onboard-existing-office-customer', raw, defaults);
  const known = new Set(found.map(({ field }) => field));
  return [...found, ...form.problems.filter(({ field }) => !known.has(field))];
}

/** The path the row names; null when it names none, undefined when it is none of ours. */
export function pathOf(raw: RawRow): Path | null | undefined {
  return raw.path === undefined ? null : PATHS.find((path) => path === raw.path);
}

/** What makes two rows the same customer. */
export function keyOf(raw: RawRow): string {
  const prefix = raw.domain_prefix === undefined ? undefined : `${raw.domain_prefix}.onmicrosoft.com`;
  return (raw.domain ?? prefix ?? raw.company ?? '').trim().toLowerCase();
}

function customerOf(path: Path, raw: RawRow): Record<string, unknown> {
  const name = raw.company;
  if (path !== 'onboard-new-customer')
    return { name, domain: raw.domain ?? (path.includes('csp') ? null : undefined) };
  return {
    name,
    domainPrefix: raw.domain_prefix,
    contact: {
      firstName: raw.first_name,
      lastName: raw.last_name,
      email: raw.email,
      phoneNumber: raw.phone ?? null,
    },
    address: {
      line1: raw.street,
      line2: raw.street_2 ?? null,
      city: raw.city,
      state: raw.state ?? null,
      postalCode: raw.postal_code ?? null,
      country: raw.country,
    },
    registrationNumber: raw.registration_number ?? null,
  };
}

function partnerOf(raw: RawRow): Record<string, unknown> {
  const access = listOf(raw.group_ids).map((groupId) => ({ groupId, roles: LEAST_ROLES }));
  return { name: raw.partner_name, access };
}

const EMS = { productId: 'CFQ7TTC0LHT4', skuId: '0001', name: 'Enterprise Mobility + Security E3' } as const;

function lineOf(raw: RawRow): Record<string, unknown> {
  return {
    productId: raw.product_id ?? EMS.productId,
    skuId: raw.sku_id ?? EMS.skuId,
    name: raw.product_name ?? (raw.product_id === undefined ? EMS.name : raw.product_id),
    quantity: /^\d{1,8}$/.test(raw.seats ?? '') ? Number(raw.seats) : raw.seats,
    ...(raw.term === undefined ? {} : { termDuration: raw.term }),
    ...(raw.billing === undefined ? {} : { billingCycle: raw.billing }),
  };
}

const ceilingOf = ({ price_ceiling: text }: RawRow): number | string | null =>
  text === undefined ? null : /^\d{1,12}(\.\d{1,2})?$/.test(text) ? Number(text) : text;

const listOf = (text: string | undefined): string[] =>
  (text ?? '')
    .split(';')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** Columns that hold several, and where in the form each stands. */
const SEVERAL: Readonly<Partial<Record<Column, RegExp>>> = {
  group_ids: /^partner\.access\.(\d+)\./,
  invite_to: /^invitation\.to\.(\d+)$/,
};

function problemOf(issue: z.core.$ZodIssue, raw: RawRow): RowProblem {
  const path = issue.path.join('.');
  const field = SOURCES.find(([prefix]) => path.startsWith(prefix))?.[1];
  // What no column holds comes from the settings of this installation.
  if (field === undefined || issue.code === 'custom')
    return { field: field ?? 'company', detail: `cannot start: ${path}: ${issue.message}` };
  const index = SEVERAL[field]?.exec(path)?.[1];
  return expected(field, index === undefined ? raw[field] : listOf(raw[field])[Number(index)]);
}

const SHOWN = 60;

function expected(field: Column, value: string | undefined): RowProblem {
  if (value === undefined) return { field, detail: `is missing; expected is ${EXPECTED[field]}` };
  const shown = value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value;
  return { field, detail: `is '${shown}'; expected is ${EXPECTED[field]}` };
}
