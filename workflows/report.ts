/** What a path found and did, and the closing report made of it. Pure data. */
import type { z } from 'zod';
import type { writeClosingReport } from './activities/prerequisites.ts';
import type { Subscription } from './activities/shapes.ts';
import type { AccessOutput } from './parts/access.ts';
import type { Ending } from './parts/common.ts';
import type { ConsentOutput } from './parts/consent.ts';
import type { DirectoryOutput } from './parts/directory.ts';
import type { LicencesOutput } from './parts/licences.ts';
import type { OrderingOutput } from './parts/ordering.ts';
import type { PrerequisitesOutput } from './parts/prerequisites.ts';
import type { ProvisioningOutput, VerifiedSubscription } from './parts/provisioning.ts';
import type { SeatsOutput } from './parts/seats.ts';

/** Outcomes of the stretches a path has been through; null for one it has not. */
export interface Facts {
  readonly prerequisites: PrerequisitesOutput | null;
  readonly consent: ConsentOutput | null;
  readonly access: AccessOutput | null;
  readonly ordering: OrderingOutput | null;
  readonly seats: SeatsOutput | null;
  /** The customer's subscriptions when they were reviewed. */
  readonly subscriptions: readonly Subscription[];
  readonly seatsVerified: ProvisioningOutput | null;
  readonly licences: LicencesOutput | null;
  readonly directory: DirectoryOutput | null;
  /** The admin relationship was withdrawn while stopping. */
  readonly withdrawn: boolean;
  /** Where a person went on without verification, and why. */
  readonly waivers: readonly string[];
}

export const NO_FACTS: Facts = {
  prerequisites: null,
  consent: null,
  access: null,
  ordering: null,
  seats: null,
  subscriptions: [],
  seatsVerified: null,
  licences: null,
  directory: null,
  withdrawn: false,
  waivers: [],
};

export interface ClosingReport {
  readonly outcome: 'completed' | 'canceled' | 'abandoned';
  readonly customer: { readonly name: string; readonly tenantId: string | null };
  readonly prerequisites: PrerequisitesOutput['met'];
  readonly granted: {
    readonly commerce: boolean;
    readonly admin: boolean;
    readonly relationshipId: string | null;
    readonly groupIds: readonly string[];
  };
  readonly ordered: {
    readonly orders: OrderingOutput['orders'];
    readonly lines: OrderingOutput['lines'];
    readonly seats: { readonly subscriptionId: string; readonly from: number; readonly to: number } | null;
  };
  readonly assigned: LicencesOutput['counts'] & { readonly outcomes: LicencesOutput['outcomes'] };
  readonly verified: {
    readonly subscriptions: readonly VerifiedSubscription[];
    readonly tenant: DirectoryOutput['tenant'];
    readonly sync: DirectoryOutput['sync'];
  };
  readonly attested: readonly { readonly what: string; readonly evidence: string }[];
  /** Where a person went on without verification, and why. */
  readonly waived: readonly string[];
  /** Until when Microsoft takes something back. */
  readonly undo: readonly {
    readonly subscriptionId: string;
    readonly name: string;
    readonly until: string;
  }[];
  /** What a stopped onboarding leaves in the world. */
  readonly leftBehind: readonly string[];
}

/** Seats added in the review, or later because there were too few: from the first number to the last. */
function growthOf({ seats, licences }: Facts): ClosingReport['ordered']['seats'] {
  const added = [seats, licences?.seats ?? null].flatMap((one) => (one?.changed === true ? [one] : []));
  const [first] = added;
  const last = added.at(-1);
  if (first === undefined || last === undefined) return null;
  return { subscriptionId: last.subscriptionId, from: first.baseQuantity, to: last.targetQuantity };
}

/** Something was bought, so our rights at the customer are still needed. */
export function bought(facts: Facts): boolean {
  return (
    (facts.ordering?.orders.length ?? 0) > 0 ||
    facts.seats?.changed === true ||
    facts.licences?.seats?.changed === true
  );
}

/** Stopping takes back the admin relationship this path created, unless something was bought. */
export function withdrawableRelationship(facts: Facts): string | null {
  if (facts.withdrawn || bought(facts) || facts.consent === null || !facts.consent.adminGranted) return null;
  return facts.consent.relationshipId;
}

function leftBehind(outcome: ClosingReport['outcome'], facts: Facts): string[] {
  if (outcome === 'completed') return [];
  const relationship = facts.consent?.relationshipId ?? null;
  return [
    ...(facts.consent?.leftBehind ?? []),
    ...(facts.consent?.commerceGranted === true
      ? ['The reseller relationship stays; it can be removed once no subscription is active.']
      : []),
    ...(relationship !== null && facts.consent?.adminGranted === true && !facts.withdrawn
      ? [`The admin relationship ${relationship} stays.`]
      : []),
    ...(facts.ordering?.orders ?? []).map(({ orderId }) => `The order ${orderId} stays.`),
    ...(facts.seats?.changed === true
      ? [`Subscription ${facts.seats.subscriptionId} keeps ${facts.seats.targetQuantity} seats.`]
      : []),
    ...((facts.licences?.counts.assigned ?? 0) > 0
      ? [`${facts.licences?.counts.assigned} licences stay assigned.`]
      : []),
  ];
}

function attested(facts: Facts): ClosingReport['attested'] {
  const agreement = facts.ordering?.agreement ?? facts.seats?.agreement ?? null;
  const writeBack = facts.directory?.writeBack ?? null;
  return [
    ...(facts.prerequisites?.met ?? [])
      .filter(({ how }) => how === 'attested')
      .map(({ condition, evidence }) => ({ what: condition, evidence })),
    ...(agreement?.how === 'attested' && agreement.by !== null
      ? [
          {
            what: 'customer agreement',
            evidence: `Accepted by ${agreement.by} on ${agreement.on ?? 'an unknown day'}`,
          },
        ]
      : []),
    ...(facts.directory?.installed == null
      ? []
      : [{ what: 'customised installation', evidence: facts.directory.installed }]),
    ...(writeBack?.state === 'attested'
      ? [{ what: 'password write-back', evidence: writeBack.evidence }]
      : []),
    ...(writeBack?.state === 'waived'
      ? [{ what: 'password write-back waived', evidence: writeBack.reason }]
      : []),
  ];
}

function waived(facts: Facts): string[] {
  const agreement = facts.ordering ?? facts.seats ?? facts.licences?.seats ?? null;
  return [
    ...(facts.prerequisites?.met ?? [])
      .filter(({ how }) => how === 'waived')
      .map(({ condition, evidence }) => `${condition} not met: ${evidence}`),
    ...(facts.consent?.waivers ?? []),
    ...(facts.access?.waivers ?? []),
    ...facts.waivers,
    ...(agreement?.waivers ?? []),
    ...(facts.directory?.waivers ?? []),
  ];
}

export function closingReport(
  ending: Exclude<Ending, 'done'> | null,
  customer: ClosingReport['customer'],
  facts: Facts,
): ClosingReport {
  const outcome = ending ?? 'completed';
  const subscriptions = [
    ...(facts.ordering?.provisioning?.subscriptions ?? []),
    ...(facts.seats?.provisioning?.subscriptions ?? []),
    ...(facts.licences?.seats?.provisioning?.subscriptions ?? []),
  ];
  return {
    outcome,
    customer,
    prerequisites: facts.prerequisites?.met ?? [],
    granted: {
      commerce: facts.consent?.commerceGranted ?? false,
      admin: facts.access?.outcome === 'done' || facts.consent?.adminGranted === true,
      relationshipId: facts.access?.relationshipId ?? facts.consent?.relationshipId ?? null,
      groupIds: facts.access?.outcome === 'done' ? facts.access.groupIds : [],
    },
    ordered: {
      orders: facts.ordering?.orders ?? [],
      lines: facts.ordering?.lines ?? [],
      seats: growthOf(facts),
    },
    assigned: {
      ...(facts.licences?.counts ?? { assigned: 0, already: 0, failed: 0, pending: 0 }),
      outcomes: facts.licences?.outcomes ?? [],
    },
    verified: {
      subscriptions,
      tenant: facts.directory?.tenant ?? null,
      sync: facts.directory?.sync ?? null,
    },
    attested: attested(facts),
    waived: waived(facts),
    undo: subscriptions.flatMap(({ subscriptionId, name, cancellationAllowedUntil }) =>
      cancellationAllowedUntil === null ? [] : [{ subscriptionId, name, until: cancellationAllowedUntil }],
    ),
    leftBehind: leftBehind(outcome, facts),
  };
}

/** The report as the plain JSON an activity takes. */
export function asJson(report: object): z.input<typeof writeClosingReport.input>['report'] {
  return JSON.parse(JSON.stringify(report));
}
