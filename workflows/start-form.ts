/** The parts of the start forms that all paths share. The API builds its start form from these schemas. */
import { z } from 'zod';
import {
  AccessAssignment,
  CountryCode,
  DomainName,
  Guid,
  LicenceUser,
  OrderLine,
} from './activities/shapes.ts';
import { Settings } from './settings.ts';
import { PREREQUISITES } from './signals.ts';

/** Least set of roles for this product (facts: microsoft-apis 2.3). */
export const LEAST_ROLES: readonly string[] = [
  '4d6ac14f-3453-41d0-bef9-a3e0c569773a', // License Administrator
  'fe930be7-5e62-47db-91af-98c3a49a38b1', // User Administrator
  '88d8e3e3-8f55-4a1e-953a-9b9898b8876b', // Directory Readers
  '158c047a-c907-4556-b7ef-446551a6b5f7', // Cloud Application Administrator
];

/** With Global Administrator among the roles a relationship may not extend itself. */
const GLOBAL_ADMINISTRATOR = '62e90394-69f5-4237-9190-012177145e10';

/** `{customer}`, `{partner}` and `{steps}` are filled in; the steps hold the links, so they must be there. */
export const InvitationText = z.object({
  subject: z
    .string()
    .min(1)
    .max(150)
    .meta({ title: 'Subject', examples: ['{partner}: please authorise us for {customer}'] }),
  body: z
    .string()
    .min(1)
    .max(10_000)
    .refine((body) => body.includes('{steps}'), { error: 'The text lacks {steps}, where the links go.' })
    .meta({ title: 'Text', examples: ['Dear {customer},\n\n{steps}\n\nYours, {partner}'] }),
});

export const Partner = z
  .object({
    name: z
      .string()
      .min(1)
      .meta({ title: 'Our name, as the customer knows it', examples: ['Northwind Cloud'] }),
    invitationText: InvitationText.nullable()
      .default(null)
      .meta({ title: 'Our own words for the invitation' }),
    escalateTo: z.array(z.email()).default([]).meta({ title: 'Told when the customer stays silent' }),
    roles: z
      .array(Guid)
      .min(1)
      .default([...LEAST_ROLES])
      .meta({ title: 'Roles to ask for (template ids)' }),
    /** Countries we may sell to; empty for no limit of ours. A partner sells within the region of its own tenant only. */
    markets: z.array(CountryCode).default([]).meta({ title: 'Countries we may sell to' }),
    duration: z
      .string()
      .regex(/^P\d{1,3}D$/)
      .default('P730D')
      .meta({ title: 'How long the admin relationship lasts', examples: ['P730D'] }),
    autoExtendDuration: z.enum(['P0D', 'P180D']).default('P180D').meta({ title: 'Extend by itself' }),
    access: z
      .array(AccessAssignment)
      .min(1)
      .meta({
        title: 'Our security groups and their roles',
        examples: [[{ groupId: '0f0c2222-0000-4000-8000-000000000001', roles: LEAST_ROLES }]],
      }),
  })
  .refine(
    (partner) => partner.autoExtendDuration === 'P0D' || !partner.roles.includes(GLOBAL_ADMINISTRATOR),
    {
      error: 'A relationship with Global Administrator cannot extend itself.',
    },
  )
  .refine(
    (partner) => partner.access.every(({ roles }) => roles.every((role) => partner.roles.includes(role))),
    {
      error: 'A security group can only get roles that are asked for.',
    },
  )
  .meta({ title: 'Our side' });
export type Partner = z.output<typeof Partner>;

export const Order = z
  .object({
    lines: z.array(OrderLine).min(1).meta({ title: 'Lines' }),
    priceCeiling: z
      .number()
      .positive()
      .nullable()
      .default(null)
      .meta({ title: 'Highest total price, in the currency of the cart', examples: [5_000] }),
  })
  .meta({ title: 'What to order' });

export const Licences = z
  .object({
    mode: z.enum(['ask', 'all', 'listed']).default('ask').meta({ title: 'Who gets a licence' }),
    users: z.array(LicenceUser).max(2_000).default([]).meta({ title: 'Users, when listed' }),
    usageLocation: CountryCode.meta({ title: 'Usage location where a user has none', examples: ['US'] }),
  })
  .meta({ title: 'Licences for users' });

export const Directory = z
  .object({
    model: z.enum(['ask', 'cloud-only']).default('ask').meta({ title: 'Identities' }),
    domain: DomainName.nullable()
      .default(null)
      .meta({ title: 'A domain to be verified in the tenant', examples: ['contoso.example'] }),
  })
  .prefault({})
  .meta({ title: 'Directory' });

export const Invitation = z
  .object({
    mode: z
      .enum(['review', 'send'])
      .default('review')
      .meta({ title: 'Review the invitation, or send it at once' }),
    to: z
      .array(z.email())
      .default([])
      .meta({ title: 'To', examples: [['it@contoso.example']] }),
    text: InvitationText.nullable()
      .default(null)
      .meta({ title: 'Words for this customer, instead of our usual ones' }),
  })
  .prefault({})
  .meta({ title: 'Invitation' });

export const Attested = z.partialRecord(z.enum(PREREQUISITES), z.string().min(3)).default({}).meta({
  title: 'Conditions already seen to',
  description: 'Evidence for each condition that needs a person',
});

export const SettingsField = Settings.prefault({}).meta({ title: 'Intervals and deadlines' });
