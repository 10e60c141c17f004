/** What a path found and did, and the closing report made of it. Pure data. */
import type { z } from 'zod';
import type { writeClosingReport } from './activities/prerequisites.ts';
import type { ForeignSubscription, Subscription } from './activities/shapes.ts';
import type { AccessOutput } from './parts/access.ts';
import type { Ending } from './parts/common.ts';
import type { ConsentOutput } from './parts/consent.ts';
import type { DirectoryOutput } from './parts/directory.ts';
import type { LicencesOutput } from './parts/licences.ts';
import type { OrderingOutput } from './parts/ordering.ts';
import type { PrerequisitesOutput } from './parts/prerequisites.ts';
import type { VerifiedSubscription } from './parts/provisioning.ts';
import type { SeatsOutput } from './parts/seats.ts';

/** Outcomes of the stretches a path has been through; null for one it has not. */
export interface Facts {
  readonly prerequisites: PrerequisitesOutput | null;
  readonly consent: ConsentOutput | null;
  readonly access: AccessOutput | null;
  readonly ordering: OrderingOutput | null;
  readonly seats: SeatsOutput | null;
  readonly licences: LicencesOutput | null;
  readonly directory: DirectoryOutput | null;
  /** The admin relationship was withdrawn while stopping. */
  readonly withdrawn: boolean;
}

export const NO_FACTS: Facts = {
  prerequisites: null,
  consent: null,
  access: null,
  ordering: null,
  seats: null,
  licences: null,
  directory: null,
  withdrawn: false,
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
  /** Until when Microsoft takes something back. */
  readonly undo: readonly {
    readonly subscriptionId: string;
    readonly name: string;
    readonly until: string;
  }[];
  /** What a stopped onboarding leaves in the world. */
  readonly leftBehind: readonly string[];
}

/** Something was bought, so our rights at the customer are still needed. */
export function bought(facts: Facts): boolean {
  return (facts.ordering?.orders.length ?? 0) > 0 || facts.seats?.changed === true;
}

/** Stopping takes back the admin relationship this path created, unless something was bought. */
export function withdrawableRelationship(facts: Facts): string | null {
  if (facts.withdrawn || bought(facts) || facts.consent === null || !facts.consent.adminGranted) return null;
  return facts.consent.relationshipId;
}

/** SKUs whose seats can be assigned: what was bought, or what the customer holds already. */
export function assignableSkus(facts: Facts, subscriptions: readonly Subscription[]): string[] {
  const fresh = [...(facts.ordering?.skuIds ?? []), ...(facts.seats?.skuIds ?? [])];
  const held = subscriptions.flatMap((subscription) =>
    subscription.isEms && subscription.status === 'active' && subscription.graphSkuId !== null
      ? [subscription.graphSkuId]
      : [],
  );
  return [...new Set(fresh.length > 0 ? fresh : held)];
}

/** Remarks for the person who reviews the subscriptions. */
export function remarksOn(
  subscriptions: readonly Subscription[],
  elsewhere: readonly ForeignSubscription[],
): string[] {
  const active = subscriptions.filter(({ status }) => status === 'active');
  const foreign = elsewhere.map(({ name, quantity, owner, containsEms }) => {
    const from = owner === 'customer' ? 'from Microsoft directly' : 'through another partner';
    const waste = containsEms ? '; it already contains Enterprise Mobility + Security' : '';
    return `${name} with ${quantity} seats was bought ${from}${waste}.`;
  });
  const ours = active.flatMap((subscription) => {
    if (subscription.isEms && subscription.commerce === 'new') {
      return [
        `${subscription.name} is active with ${subscription.quantity} seats: more seats can be added to it.`,
      ];
    }
    if (subscription.isEms)
      return [`${subscription.name} is a legacy subscription: only a new one can be ordered.`];
    return subscription.containsEms
      ? [`${subscription.name} already contains Enterprise Mobility + Security.`]
      : [];
  });
  return [...ours, ...foreign];
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
    ...(writeBack?.state === 'attested'
      ? [{ what: 'password write-back', evidence: writeBack.evidence }]
      : []),
    ...(writeBack?.state === 'waived'
      ? [{ what: 'password write-back waived', evidence: writeBack.reason }]
      : []),
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
      seats:
        facts.seats?.changed === true
          ? {
              subscriptionId: facts.seats.subscriptionId,
              from: facts.seats.baseQuantity,
              to: facts.seats.targetQuantity,
            }
          : null,
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
