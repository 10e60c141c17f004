/** Reading the two relationships with a customer and what they let us do. */
import type { GdapAssignment } from '../../connectors/index.ts';
import { wasRefused } from '../../connectors/index.ts';
import { type ActivityImplementation, implementActivity } from '../../engine/index.ts';
import { ActivityFailure } from '../../shared/errors.ts';
import * as contracts from '../../workflows/activities/relationships.ts';
import { type ActivityDeps, instant, nowIso, reading } from './calls.ts';

export function requestRelationship({ connectors }: ActivityDeps): ActivityImplementation {
  return implementActivity(contracts.requestRelationship, {
    async run(_input, context) {
      const { url } = await connectors.partnerCenter.relationships.invitation(reading(context));
      return { resellerLink: url };
    },
  });
}

export function readRelationship({ connectors }: ActivityDeps): ActivityImplementation {
  return implementActivity(contracts.readRelationship, {
    async run({ customerId }, context) {
      const readAt = nowIso();
      const customer = await connectors.partnerCenter.customers.find(customerId, reading(context));
      return {
        visible: customer !== null,
        reseller: customer?.relationshipToPartner === 'reseller',
        name: customer?.companyName ?? null,
        domain: customer?.domain ?? null,
        readAt,
      };
    },
  });
}

export function readAdminRelationship({ connectors }: ActivityDeps): ActivityImplementation {
  return implementActivity(contracts.readAdminRelationship, {
    async run({ relationshipId }, context) {
      const readAt = nowIso();
      const relationship = await connectors.graph.gdap.get(relationshipId, reading(context));
      return {
        status: relationship.status,
        activatedAt: instant(relationship.activatedDateTime),
        endsAt: instant(relationship.endDateTime),
        readAt,
      };
    },
  });
}

/** Relationships of Microsoft's own transition are read-only for us (facts 2.2). */
const READ_ONLY_PREFIX = 'MLT_';

export function findAdminRelationship({ connectors }: ActivityDeps): ActivityImplementation {
  return implementActivity(contracts.findAdminRelationship, {
    async run({ tenantId, roles }, context) {
      const all = await connectors.graph.gdap.list(tenantId, reading(context));
      const wanted = roles.map((role) => role.toLowerCase());
      const usable = all.filter(
        ({ displayName, status, roleIds }) =>
          status === 'active' &&
          !displayName.startsWith(READ_ONLY_PREFIX) &&
          wanted.every((role) => roleIds.includes(role)),
      );
      const [longest] = usable.toSorted((a, b) => (b.endDateTime ?? '').localeCompare(a.endDateTime ?? ''));
      return {
        relationshipId: longest?.id ?? null,
        status: longest?.status ?? null,
        endsAt: instant(longest?.endDateTime ?? null),
      };
    },
  });
}

const BEST_FIRST = ['active', 'pending', 'error', 'deleting', 'deleted'] as const;

export function readAccess({ connectors }: ActivityDeps): ActivityImplementation {
  return implementActivity(contracts.readAccess, {
    async run({ relationshipId, groupIds }, context) {
      const assignments = await connectors.graph.gdap.assignments(relationshipId, reading(context));
      const groups = groupIds.map((groupId) => ({ groupId, status: statusOf(assignments, groupId) }));
      return { groups, allActive: groups.every(({ status }) => status === 'active') };
    },
  });
}

function statusOf(assignments: readonly GdapAssignment[], groupId: string) {
  const own = assignments.filter((assignment) => assignment.groupId === groupId.toLowerCase());
  return BEST_FIRST.find((status) => own.some((assignment) => assignment.status === status)) ?? 'missing';
}

type Obstacle =
  | 'no-relationship'
  | 'no-consent'
  | 'no-role'
  | 'conditional-access'
  | 'guest-account'
  | 'not-propagated'
  | 'other';

/** What keeps us out, by the number the sign-in gives (facts 1.2). */
const OBSTACLES: Readonly<Record<string, Obstacle>> = {
  'aadsts-65001': 'no-consent',
  'aadsts-650051': 'not-propagated',
  'aadsts-650052': 'not-propagated',
  // Our user has no account there, which is so as long as no admin relationship carries it.
  'aadsts-50020': 'no-relationship',
  'aadsts-50177': 'guest-account',
  'aadsts-50076': 'conditional-access',
  'aadsts-50079': 'conditional-access',
  'aadsts-50158': 'conditional-access',
  'aadsts-53000': 'conditional-access',
  'aadsts-53003': 'conditional-access',
  'aadsts-530003': 'conditional-access',
};

export function checkCustomerAccess({ connectors }: ActivityDeps): ActivityImplementation {
  return implementActivity(contracts.checkCustomerAccess, {
    async run({ tenantId }, context) {
      try {
        await connectors.graph.directory.organization(tenantId, reading(context));
        return { accessible: true, reason: null, message: null };
      } catch (failure) {
        if (!(failure instanceof ActivityFailure) || failure.pausesQueue !== undefined) throw failure;
        const reason = obstacleOf(failure);
        if (reason === null) throw failure;
        return { accessible: false, reason, message: failure.message };
      }
    },
  });
}

/** Null for trouble that says nothing about our access. */
function obstacleOf(failure: ActivityFailure): Obstacle | null {
  const known = OBSTACLES[failure.code];
  if (known !== undefined) return known;
  const isFinal = failure.kind === 'terminal';
  if (wasRefused(failure, 403)) return 'no-role';
  return isFinal ? 'other' : null;
}
