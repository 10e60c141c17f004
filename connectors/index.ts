/** Typed clients of the outside world. Only workers import this folder. */
import type { Clock } from '../shared/clock.ts';
import type { MailboxConfig, MailConfig, MicrosoftConfig } from '../shared/config.ts';
import type { Logger } from '../shared/logger.ts';
import { createGraph, type Graph } from './graph/index.ts';
import type { Pace } from './http.ts';
import { createIdentity, type Identity, type RefreshTokenStore } from './identity.ts';
import { createMail, type Mail } from './mail.ts';
import { createMailbox, type Mailbox } from './mailbox.ts';
import { createPartnerCenter, type PartnerCenter } from './partner-center/index.ts';

export interface Connectors {
  readonly partnerCenter: PartnerCenter;
  readonly graph: Graph;
  readonly identity: Identity;
  readonly mail: Mail;
  /** Null when none is configured. */
  readonly mailbox: Mailbox | null;
  /** Lets go of open connections. */
  close(): void;
}

export interface ConnectorDeps {
  readonly log: Logger;
  readonly clock?: Clock;
  /** Where rotated refresh tokens are kept; without it they live in memory only. */
  readonly refreshTokens?: RefreshTokenStore;
  /** Shared by all workers, since Partner Center counts the calls of a partner together. */
  readonly partnerCenterPace?: Pace;
}

export function createConnectors(
  config: {
    readonly microsoft: MicrosoftConfig;
    readonly mail: MailConfig;
    readonly mailbox?: Pick<MailboxConfig, 'url'>;
  },
  deps: ConnectorDeps,
): Connectors {
  const identity = createIdentity(config.microsoft, deps);
  const mail = createMail(config.mail, deps);
  const graph = createGraph(config.microsoft, { identity, log: deps.log });
  const mailboxUrl = config.mailbox?.url ?? null;
  return {
    partnerCenter: createPartnerCenter(config.microsoft, {
      identity,
      log: deps.log,
      ...(deps.partnerCenterPace === undefined ? {} : { pace: deps.partnerCenterPace }),
    }),
    graph,
    identity,
    mail,
    mailbox:
      mailboxUrl === null ? null : createMailbox(mailboxUrl, { messages: graph.messages, log: deps.log }),
    close: () => mail.close(),
  };
}

export { credentialExpiry } from './client-credential.ts';
export type { DnsRecord, Domain, Organization, SynchronizationFeatures } from './graph/directory.ts';
export {
  type GdapAssignment,
  type GdapRelationship,
  gdapInvitationUrl,
  type NewGdapRelationship,
} from './graph/gdap.ts';
export type { Graph } from './graph/index.ts';
export {
  type DirectorySubscription,
  inBatches,
  type LicenceAssignment,
  type LicenceDetail,
  type SubscribedSku,
  type UserOutcome,
} from './graph/licences.ts';
export type { Group, TenantInformation } from './graph/tenants.ts';
export type { User } from './graph/users.ts';
export type { Pace, ReadOptions, WriteOptions } from './http.ts';
export type { Identity, RefreshTokenStore, TokenRequest } from './identity.ts';
export type { Mail, MailSent, OutgoingMail } from './mail.ts';
export type { Mailbox, ReceivedMail } from './mailbox.ts';
export type {
  Agreement,
  AgreementDocument,
  AgreementTemplate,
  Attestation,
} from './partner-center/agreements.ts';
export type { AuditQuery, AuditRecord } from './partner-center/audit.ts';
export type { Cart, CartLine, CheckoutResult, NewCartLine } from './partner-center/carts.ts';
export { type Availability, chooseAvailability, type Product, type Sku } from './partner-center/catalogue.ts';
export type {
  Address,
  Customer,
  CustomerCreated,
  NewCustomer,
  PartnerCenterUser,
  VettingStatus,
} from './partner-center/customers.ts';
export type { PartnerCenter } from './partner-center/index.ts';
export type { LineProvisioning, Order } from './partner-center/orders.ts';
export { type ApplicationGrant, GRAPH_APPLICATION_ID } from './partner-center/relationships.ts';
export type {
  ChangeResult,
  Subscription,
  SubscriptionChange,
  SubscriptionProvisioning,
} from './partner-center/subscriptions.ts';
export type { AddressToCheck, AddressVerdict, CountryRules } from './partner-center/validations.ts';
export type {
  EnsureOutcome,
  WebhookRegistration,
  WebhookTestResult,
} from './partner-center/webhooks-registration.ts';
export { wasRefused } from './refusals.ts';
