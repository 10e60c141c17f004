import type { GdapAssignment } from '../../connectors/index.ts';
import { type ActivityImplementation, implementActivity } from '../../engine/index.ts';
import { uuidFrom } from '../../shared/ids.ts';
import { assignAccess as contract } from '../../workflows/activities/relationships.ts';
import { type ActivityDeps, reading, writing } from './calls.ts';

type Wanted = { readonly groupId: string; readonly roles: readonly string[] };

/** One assignment a group. Assigning is idempotent: a group that holds the roles already is success. */
export function assignAccess({ connectors }: ActivityDeps): ActivityImplementation {
  const { gdap } = connectors.graph;

  return implementActivity(contract, {
    async run({ relationshipId, assignments }, context) {
      const assigned = [];
      for (const { groupId, roles } of assignments) {
        const options = { ...writing(context), requestId: uuidFrom(context.idempotencyKey, groupId) };
        const { id } = await gdap.assign(relationshipId, { groupId, roleIds: roles }, options);
        assigned.push({ groupId, assignmentId: id });
      }
      return { assigned };
    },

    async verify({ relationshipId, assignments }, context) {
      const existing = await gdap.assignments(relationshipId, reading(context));
      const assigned = assignments.flatMap((wanted) => {
        const found = existing.find((candidate) => covers(candidate, wanted));
        return found === undefined ? [] : [{ groupId: wanted.groupId, assignmentId: found.id }];
      });
      return assigned.length === assignments.length
        ? { outcome: 'done', output: { assigned } }
        : { outcome: 'not-done' };
    },
  });
}

function covers({ status, groupId, roleIds }: GdapAssignment, wanted: Wanted): boolean {
  return (
    (status === 'pending' || status === 'active') &&
    groupId === wanted.groupId.toLowerCase() &&
    wanted.roles.every((role) => roleIds.includes(role.toLowerCase()))
  );
}
