/** What an emulator can be told when it is created. Defaults are the ones a demo uses. */
import { z } from 'zod';
import { faultInput } from './core/faults.ts';

/** Milliseconds between cause and visible effect. */
export const DEFAULT_DELAYS = {
  /** Acceptance of the reseller link until `GET /customers/{id}` shows it. */
  relationshipVisible: 200,
  /** Created GDAP relationship until it can be locked (405 before). */
  gdapReplication: 50,
  /** Lock until `approvalPending`. */
  gdapLock: 100,
  /** Approval until `active`, with `activating` half-way. */
  gdapActivation: 200,
  /** Access assignment `pending` until `active`. */
  assignmentActivation: 150,
  /** Application consent until tokens for that tenant are issued (AADSTS65001 before). */
  consentPropagation: 150,
  /** `POST /customers` until `relationshipToPartner` reads `reseller`. */
  customerReady: 150,
  /** Microsoft's review of a new customer, when the `vetting` fault ordered one. */
  vetting: 500,
  /** Checkout until the order can be read (404/20000 before). */
  orderListed: 50,
  /** Checkout until the order is completed. */
  orderCompletion: 250,
  /** Completed order until `provisioningstatus` says so. */
  provisioningStatus: 100,
  /** Completed order or changed quantity until Graph counts the seats. */
  seatsVisible: 200,
  /** Accepted (202) change of a subscription until it is applied. */
  subscriptionChange: 200,
  /** New user until Graph finds it. */
  userVisible: 50,
  /** Licence change until reads show it. */
  licenceVisible: 100,
  /** Cause until the first delivery attempt of its webhook. */
  webhook: 50,
  /** `subscription-updated` is a late hint. */
  subscriptionWebhook: 1_000,
  /** First pause between two delivery attempts; doubles up to `webhookBackoffMax`. */
  webhookBackoff: 200,
  webhookBackoffMax: 30_000,
  /** How long a receiver may take to answer. */
  webhookTimeout: 5_000,
  /** Acceptance until Microsoft's confirmation mail. */
  confirmationMail: 100,
  /** Verification of a domain is refused for so long after it was added. */
  domainVerification: 100,
  /** Cycle of the emulated directory synchronisation. */
  syncInterval: 30 * 60_000,
} as const;

export type Delays = { [name in keyof typeof DEFAULT_DELAYS]: number };

const delayNames = Object.keys(DEFAULT_DELAYS) as (keyof Delays)[];
export const delaysInput = z.strictObject(
  Object.fromEntries(delayNames.map((name) => [name, z.number().min(0).optional()])) as {
    [name in keyof Delays]: z.ZodOptional<z.ZodNumber>;
  },
);

/** Behaviour the sources leave open or that a test wants otherwise. Changed at run time by `PATCH /control/settings`. */
export const DEFAULT_SETTINGS = {
  /** Repeated checkout of an ordered cart: the first result again, or 400/800065. */
  repeatCheckout: 'first-result' as 'first-result' | 'already-submitted',
  /** Answer to a subscription change: 200 with the resource, or 202 with `Location`. */
  subscriptionPatch: 'ok' as 'ok' | 'accepted',
  /** Same `MS-RequestId` with another body: an error (catches bugs), or the first answer. */
  requestIdReuse: 'refuse' as 'refuse' | 'replay',
  /** Partner Center bodies start with U+FEFF. */
  byteOrderMark: false,
  /** Partner Center error codes as strings instead of numbers. */
  stringErrorCodes: false,
  /** Users' access tokens carry `mfa`. */
  mfa: true,
  /** The client secret is refused as expired (AADSTS7000222). */
  clientSecretExpired: false,
  /** Customer tenants refuse service provider users (AADSTS53003, 403/900309). */
  conditionalAccessBlocks: false,
  /** Confirmation mails go out after an acceptance. */
  confirmationMails: true,
};

export type Settings = typeof DEFAULT_SETTINGS;

export const settingsInput = z.strictObject({
  repeatCheckout: z.enum(['first-result', 'already-submitted']).optional(),
  subscriptionPatch: z.enum(['ok', 'accepted']).optional(),
  requestIdReuse: z.enum(['refuse', 'replay']).optional(),
  byteOrderMark: z.boolean().optional(),
  stringErrorCodes: z.boolean().optional(),
  mfa: z.boolean().optional(),
  clientSecretExpired: z.boolean().optional(),
  conditionalAccessBlocks: z.boolean().optional(),
  confirmationMails: z.boolean().optional(),
});

/** The seeded partner. Every id is fixed so that a demo's configuration can name it. */
export const PARTNER = {
  tenantId: '3a1d0c55-0000-4000-8000-00000000aaaa',
  name: 'Northwind Cloud Partner',
  domain: 'partner.example',
  initialDomain: 'northwindpartner.onmicrosoft.com',
  adminUpn: 'admin@partner.example',
  adminId: '3a1d0c55-0000-4000-8000-00000000ad01',
  adminAgentsGroupId: '3a1d0c55-0000-4000-8000-00000000a9e7',
  securityGroupId: '3a1d0c55-0000-4000-8000-00000000c5ec',
  securityGroupName: 'CSP Onboarding Operators',
} as const;

export const SEED_TENANTS = {
  contoso: '6f0c1111-0000-4000-8000-000000000001',
  fabrikam: '6f0c1111-0000-4000-8000-000000000002',
} as const;

export const DEFAULT_CLIENT = {
  clientId: '11111111-2222-4333-8444-555555555555',
  clientSecret: 'emulator-client-secret',
  refreshToken: 'emulator-refresh-token',
} as const;

export const emulatorOptions = z.strictObject({
  host: z.string().default('127.0.0.1'),
  /** 0 takes any free port. */
  port: z.number().int().min(0).max(65_535).default(0),
  smtpPort: z.number().int().min(0).max(65_535).default(0),
  /** Base of every URL handed out; default `http://host:port`. */
  publicUrl: z.url().optional(),
  /** Journal that makes the state durable; without it the state lives in memory. */
  dataFile: z.string().optional(),
  /** Same seed, same ids and same luck. */
  seed: z.string().default('emulator'),
  clientId: z.string().default(DEFAULT_CLIENT.clientId),
  clientSecret: z.string().default(DEFAULT_CLIENT.clientSecret),
  /** PEM; proves the application by an assertion its key signed. */
  clientCertificate: z.string().optional(),
  refreshToken: z.string().default(DEFAULT_CLIENT.refreshToken),
  delays: delaysInput.default({}),
  settings: settingsInput.default({}),
  faults: z.array(faultInput).default([]),
  /** The emulated customer follows the links of an invitation mail after so long. */
  autoConsent: z.strictObject({ afterMs: z.number().min(0) }).optional(),
  /** Contoso (not ours yet) and Fabrikam (ours, GDAP ready) exist from the start. */
  seedCustomers: z.boolean().default(true),
});

export type EmulatorOptions = z.input<typeof emulatorOptions>;
export type ResolvedOptions = z.output<typeof emulatorOptions>;
