/**
 * The signals outsiders may send: facts that happened, never orders to do. One vocabulary for all workflows; each picks
 * the ones its statechart takes. `by` is filled in by the API from the caller's sign-in.
 */
import { z } from 'zod';
import type { SignalContract } from '../engine/definition.ts';
import {
  Address,
  ContactPerson,
  DomainName,
  Guid,
  LicenceUser,
  OrderLine,
  Timestamp,
} from './activities/shapes.ts';

const by = z.string().min(1).max(200).optional().meta({ title: 'By' });
const reason = z.string().min(1).max(2_000).meta({ title: 'Reason' });
const evidence = z
  .string()
  .min(3)
  .max(10_000)
  .meta({ title: 'Evidence', description: 'What was seen, where, when' });

export const PREREQUISITES = ['partner-access', 'tooling', 'domain', 'admin-access', 'identities'] as const;
export type Prerequisite = (typeof PREREQUISITES)[number];

/** Hints come from webhooks, mail and people, often twice; every state of the consent takes them. */
const hint = (description: string) =>
  ({
    description,
    whenNotAccepted: 'ignore',
    payload: z.object({
      source: z
        .string()
        .min(1)
        .max(100)
        .optional()
        .meta({ title: 'Where it was heard', examples: ['webhook'] }),
      by,
    }),
  }) satisfies SignalContract;

/** An answer to a question that only one state asks: given at another time it is refused, so that nobody is misled. */
const answer = <Payload extends z.ZodObject>(description: string, payload: Payload) =>
  ({ description, whenNotAccepted: 'reject', payload }) satisfies SignalContract;

export const signals = {
  'cancel.requested': answer('Cancel the onboarding', z.object({ reason: reason.optional(), by })),
  'retry.requested': answer('Try again', z.object({ by })),
  'work.abandoned': answer('Give up', z.object({ reason, by })),

  'task.overridden': answer('Go on without verification', z.object({ reason, by })),

  'prerequisite.attested': answer(
    'A condition is met, with evidence',
    z.object({ condition: z.enum(PREREQUISITES).meta({ title: 'Condition' }), evidence, by }),
  ),

  'domain.corrected': answer('Another domain', z.object({ domain: z.string().min(3).max(253), by })),
  'invitation.approved': answer(
    'Send the invitation',
    z.object({ subject: z.string().min(1).max(200), body: z.string().min(1).max(20_000), by }),
  ),
  'invitation.sent-by-hand': answer('The invitation was sent by hand', z.object({ by })),
  'invitation.bounced': hint('An invitation seems to have come back undelivered'),
  'consent.reseller.granted': hint('The customer seems to have accepted the reseller relationship'),
  'consent.admin.granted': hint('The customer seems to have approved the admin relationship'),
  'consent.admin.ended': hint('The admin relationship seems to have expired or to have been terminated'),
  'consent.reseller.overridden': answer(
    'Go on although the reseller relationship does not show',
    z.object({ reason, by }),
  ),
  'consent.admin.overridden': answer(
    'Go on although the admin relationship does not show',
    z.object({ reason, by }),
  ),
  'consent.declined': answer('The customer declined', z.object({ reason, by })),
  'resend.requested': answer('Invite again', z.object({ by })),

  'search.changed': answer(
    'Search with other words',
    z.object({
      companyName: z.string().min(1).max(200).optional().meta({ title: 'Company name begins with' }),
      domain: z.string().min(3).max(253).optional().meta({ title: 'Domain' }),
      by,
    }),
  ),
  'customer.chosen': answer('This is the customer', z.object({ customerId: Guid, by })),
  'subscriptions.reviewed': answer(
    'The subscriptions were reviewed',
    z.object({
      plan: z.enum(['new-subscription', 'more-seats', 'nothing']).meta({ title: 'What to buy' }),
      lines: z.array(OrderLine).min(1).optional().meta({ title: 'Lines, when other than asked for' }),
      subscriptionId: z.string().min(1).optional().meta({ title: 'Subscription that gets more seats' }),
      additionalSeats: z.int().min(1).optional().meta({ title: 'Seats to add' }),
      by,
    }),
  ),

  'agreement.confirmed': answer(
    'The customer accepted the Microsoft Customer Agreement',
    z.object({ contact: ContactPerson, dateAgreed: Timestamp.meta({ title: 'Accepted on' }), by }),
  ),
  'order.approved': answer(
    'Approve the order at this price',
    z.object({ cartId: z.string().min(1), priceHash: z.string().min(1), by }),
  ),
  'order.rejected': answer('Reject the order', z.object({ reason, by })),
  'order.lines-changed': answer(
    'Order something else',
    z.object({
      lines: z.array(OrderLine).min(1),
      priceCeiling: z.number().positive().nullable().optional().meta({ title: 'Another highest price' }),
      by,
    }),
  ),
  'order.rest-dropped': answer('Go on with what was ordered', z.object({ reason, by })),
  'order.found': answer('The order was placed', z.object({ orderId: z.string().min(1), by })),
  'order.not-placed': answer('The order was not placed; put it together anew', z.object({ reason, by })),
  'shortage.accepted': answer('Assign as many licences as there are seats', z.object({ by })),
  'order.explained': answer('What the order was', z.object({ evidence, by })),
  'undo.requested': answer('Give the purchase back', z.object({ reason, by })),
  'undo.declined': answer('Keep the purchase', z.object({ by })),
  'seats.approved': answer(
    'Approve the number of seats',
    z.object({ subscriptionId: z.string().min(1), targetQuantity: z.int().min(1), by }),
  ),
  'seats.rejected': answer('Leave the seats as they are', z.object({ reason, by })),
  'provisioning.accepted': answer('Go on without waiting for the rest', z.object({ reason, by })),

  'form.corrected': answer(
    'The customer data were corrected',
    z.object({
      companyName: z.string().min(2).max(200).optional(),
      domainPrefix: z.string().min(1).max(27).optional(),
      contact: ContactPerson.optional(),
      address: Address.optional(),
      registrationNumber: z.string().max(50).optional(),
      by,
    }),
  ),
  'address.chosen': answer('Use this address', z.object({ address: Address, by })),
  'sign-in.handed-over': answer(
    'The sign-in data were handed over',
    z.object({ to: z.string().min(1).max(320).meta({ title: 'To' }), evidence, by }),
  ),

  'clean-up.requested': answer(
    'Microsoft was asked to delete the tenant',
    z.object({ ticket: z.string().min(1).max(100).meta({ title: 'Support request' }), evidence, by }),
  ),

  'users.chosen': answer(
    'The users who get licences',
    z.object({
      mode: z.enum(['all', 'chosen', 'none']).meta({ title: 'Who' }),
      users: z.array(LicenceUser).max(2_000).optional().meta({ title: 'Users, chosen or imported' }),
      by,
    }),
  ),
  'rows.dropped': answer('Leave out the rows that do not fit', z.object({ reason, by })),
  'seats.wanted': answer(
    'Add seats to a subscription',
    z.object({
      subscriptionId: z.string().min(1).meta({ title: 'Subscription' }),
      additionalSeats: z.int().min(1).optional().meta({ title: 'Seats to add; left out: those missing' }),
      by,
    }),
  ),
  'outcomes.accepted': answer('Leave the failed users unlicensed', z.object({ reason, by })),

  'directory.decided': answer(
    'How identities reach the cloud',
    z.object({
      model: z.enum(['cloud-only', 'synchronised']).meta({ title: 'Identities' }),
      passwordWriteBack: z.boolean().default(true).meta({ title: 'Password write-back' }),
      organisationalUnitFiltering: z
        .boolean()
        .default(false)
        .meta({ title: 'Only chosen organisational units' }),
      groupFiltering: z.boolean().default(false).meta({ title: 'Filter by security groups' }),
      sqlServer: z.boolean().default(false).meta({ title: 'SQL Server instead of SQL Express' }),
      existingServiceAccount: z.boolean().default(false).meta({ title: 'Existing service account' }),
      domain: DomainName.optional().meta({ title: 'A domain to be verified in the tenant' }),
      by,
    }),
  ),
  'sync.reported': answer(
    'Synchronisation was installed',
    z.object({
      tool: z.enum(['connect-sync', 'cloud-sync']).meta({ title: 'Tool' }),
      toolVersion: z.string().max(50).meta({ title: 'Version' }),
      evidence,
      by,
    }),
  ),
  'write-back.attested': answer(
    'Password write-back works',
    z.object({ evidence, pilotUser: z.string().min(1), by }),
  ),
  'write-back.waived': answer('Go on without password write-back', z.object({ reason, by })),
} as const satisfies Record<string, SignalContract>;

export type SignalName = keyof typeof signals;
/** The machine event of a signal: its payload's fields beside `type`. */
export type SignalEvent<Name extends SignalName = SignalName> = Name extends SignalName
  ? { type: Name } & z.output<(typeof signals)[Name]['payload']>
  : never;

/** The contracts of the named signals. */
export function pick<Name extends SignalName>(...names: readonly Name[]): Pick<typeof signals, Name> {
  return Object.fromEntries(names.map((name) => [name, signals[name]])) as Pick<typeof signals, Name>;
}
