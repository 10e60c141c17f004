/**
 * Licences for users (facts: microsoft-apis 5.3, reliability 3.3): read, set the usage location where it is missing,
 * assign what is missing, in batches of 20. Progress is the outcomes so far, so an attempt goes on behind the last batch.
 */
import { z } from 'zod';
import { inBatches, type User, type UserOutcome } from '../../connectors/index.ts';
import { type ActivityContext, type ActivityImplementation, implementActivity } from '../../engine/index.ts';
import type { ActivityFailure } from '../../shared/errors.ts';
import { uuidFrom } from '../../shared/ids.ts';
import { assignLicences as contract } from '../../workflows/activities/directory.ts';
import { LicenceOutcome, type LicenceUser } from '../../workflows/activities/shapes.ts';
import { type ActivityDeps, reading, writing } from './calls.ts';
import { EMS_SKU, skuContainsEms } from './products.ts';

type Input = z.output<typeof contract.input>;
type Verdict = Pick<LicenceOutcome, 'outcome' | 'code' | 'message'>;

const Progress = z.object({ outcomes: z.array(LicenceOutcome) });
const DONE: Verdict = { outcome: 'assigned', code: null, message: null };
const HELD: Verdict = { outcome: 'already', code: null, message: null };
const HELD_IN_PLAN: Verdict = {
  outcome: 'already',
  code: 'plan-contains-ems',
  message: 'Another plan of this user already contains Enterprise Mobility + Security.',
};
const UNKNOWN_USER: Verdict = {
  outcome: 'pending',
  code: 'user-not-found',
  message: 'The tenant does not show this user.',
};

/** Refusals that pass: seats, SKU, usage location or user do not show everywhere yet. */
const PASSING = [
  'graph-licences-exhausted',
  'graph-sku-not-provisioned',
  'graph-usage-location-missing',
  'graph-Request_ResourceNotFound',
];

export function assignLicences(deps: ActivityDeps): ActivityImplementation {
  return implementActivity(contract, {
    async run(input, context) {
      const outcomes = [...(Progress.safeParse(context.progress).data?.outcomes ?? [])];
      const settled = new Set(outcomes.map(({ userPrincipalName }) => userPrincipalName));
      const open = input.users.filter(({ userPrincipalName }) => !settled.has(userPrincipalName));
      for (const batch of inBatches(open)) {
        outcomes.push(...(await licenseBatch(deps, input, batch, context)));
        await context.heartbeat({ outcomes });
      }
      return { outcomes };
    },

    // Every attempt reads each user first and adds only what is missing, so repeating one is safe.
    verify: async () => ({ outcome: 'not-done' }),
  });
}

/** One outcome for each user of the batch, in order. Raises only when a call as a whole fails. */
async function licenseBatch(
  { connectors }: ActivityDeps,
  input: Input,
  wanted: readonly LicenceUser[],
  context: ActivityContext,
): Promise<LicenceOutcome[]> {
  const { tenantId, skuIds } = input;
  const { users, licences } = connectors.graph;
  const found = await Promise.all(
    wanted.map(({ userPrincipalName }) => users.find(tenantId, userPrincipalName, reading(context))),
  );
  const verdicts = new Map<string, Verdict>();
  const lacking = (skuId: string) =>
    found.filter(
      (user): user is User =>
        user !== null &&
        !user.licences.some((licence) => licence.skuId === skuId.toLowerCase()) &&
        !(isEmsSku(skuId) && holdsEmsPlan(user)),
    );
  if (skuIds.some(isEmsSku))
    for (const user of found) if (user !== null && holdsEmsPlan(user)) verdicts.set(user.id, HELD_IN_PLAN);
  const note = (result: UserOutcome): void => {
    const known = verdicts.get(result.userId) ?? HELD;
    verdicts.set(result.userId, worse(known, result.outcome === 'done' ? DONE : verdictOf(result.failure)));
  };

  const unlocated = found.flatMap((user, index) => {
    const lacks = user !== null && skuIds.some((skuId) => lacking(skuId).includes(user));
    if (!lacks || user.usageLocation !== null) return [];
    return [{ userId: user.id, country: wanted[index]?.usageLocation ?? input.defaultUsageLocation }];
  });
  for (const country of new Set(unlocated.map((user) => user.country))) {
    const ids = unlocated.filter((user) => user.country === country).map(({ userId }) => userId);
    const located = await users.setUsageLocations(tenantId, ids, country, part(context, country, ids));
    for (const result of located) if (result.outcome === 'failed') note(result);
  }
  for (const skuId of skuIds) {
    const ids = lacking(skuId).flatMap(({ id }) => (isOpen(verdicts.get(id)) ? [id] : []));
    if (ids.length === 0) continue;
    for (const result of await licences.assignBatch(tenantId, ids, { skuId }, part(context, skuId, ids)))
      note(result);
  }
  return wanted.map(({ userPrincipalName }, index) => {
    const user = found[index];
    const verdict = user ? (verdicts.get(user.id) ?? HELD) : UNKNOWN_USER;
    return { userPrincipalName, ...verdict };
  });
}

const isEmsSku = (skuId: string): boolean => skuId.toLowerCase() === EMS_SKU;
/** Through a plan other than EMS E3 itself. */
const holdsEmsPlan = ({ licences }: User): boolean =>
  licences.some(({ skuId }) => skuId !== EMS_SKU && skuContainsEms(skuId));

function part(context: ActivityContext, what: string, ids: readonly string[]) {
  return { ...writing(context), requestId: uuidFrom(context.idempotencyKey, what, ...ids) };
}

const isOpen = (verdict: Verdict | undefined): boolean =>
  verdict === undefined || verdict.outcome === 'assigned' || verdict.outcome === 'already';

const RANK = { already: 0, assigned: 1, pending: 2, failed: 3 } as const;
const worse = (a: Verdict, b: Verdict): Verdict => (RANK[b.outcome] > RANK[a.outcome] ? b : a);

function verdictOf({ kind, code, message }: ActivityFailure): Verdict {
  if (code === 'graph-licence-inherited') return { ...HELD, code, message };
  const passes = kind !== 'terminal' || PASSING.includes(code);
  return { outcome: passes ? 'pending' : 'failed', code, message };
}
