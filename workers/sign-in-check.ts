/**
 * Uses the partner's sign-in once a day, so that its refresh token never dies of idleness (90 days), and looks at all that
 * every onboarding stands on: sign-in, second factor, Admin Agents, security groups, the certificate. Trouble pauses its
 * queue once and shows as one banner, instead of a thousand failures; what is mended goes on by itself.
 */
import type { Graph, Identity } from '../connectors/index.ts';
import type { Store } from '../engine/index.ts';
import { ActivityFailure, messageOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import type { Notices } from '../shared/notices.ts';
import { ALARM_BEFORE_MS, signInLife } from '../shared/sign-in-life.ts';
import { type Loop, startLoop } from './loop.ts';

const DAY_MS = 24 * 3_600_000;
const AFTER_TROUBLE_MS = 15 * 60_000;
const RESOURCES = ['partner-center', 'graph'] as const;
/** A new token disproves these. */
const SIGN_IN_CODE = /^(?:aadsts-|identity-|refresh-token-)/;
/** And the looks at the partner's tenant these. */
const PARTNER_CODES = ['partner-not-admin-agent', 'partner-group-unusable'];
const NOTICE = 'partner-sign-in';

export interface SignInCheckOptions {
  readonly identity: Identity;
  readonly partnerTenantId: string;
  readonly tenants: Pick<Graph['tenants'], 'isAdminAgent' | 'isUsableGroup'>;
  /** Security groups that get roles at customers. */
  readonly groupIds: readonly string[];
  /** When a refresh token was last renewed, ms since the epoch; null when nobody knows. */
  readonly renewedAt: () => Promise<number | null>;
  /** Until when our certificate proves who we are; null for a client secret. */
  readonly credentialExpiresAt: number | null;
  readonly store: Pick<Store, 'pauseQueue' | 'pausedQueues' | 'resumeQueue'>;
  readonly notices: Pick<Notices, 'set'>;
  readonly log: Logger;
  readonly everyMs?: number;
  readonly now?: () => number;
}

export function startSignInCheck(options: SignInCheckOptions): Loop {
  const { everyMs = DAY_MS, log } = options;
  return startLoop('sign-in check', log, async () => {
    const fine = await checkSignIn(options);
    return fine ? everyMs : Math.min(AFTER_TROUBLE_MS, everyMs);
  });
}

/** What was found wrong; `queue` for what stops everybody. */
interface Trouble {
  readonly code: string;
  readonly sentence: string;
  readonly queue: string | undefined;
}

/** False when something is wrong or nobody could say. */
export async function checkSignIn(options: SignInCheckOptions): Promise<boolean> {
  const { store, log, notices } = options;
  const signIn = await findTrouble('sign-in', options, () => signInTrouble(options));
  const around =
    signIn.length > 0 ? [] : await findTrouble('partner', options, () => partnerTrouble(options));
  const troubles = [...signIn, ...around];

  for (const { queue, code, sentence } of troubles)
    if (queue !== undefined) await pause(store, { queue, code, reason: sentence });
  if (signIn.length === 0) await resumeProven(store, troubles);

  const warnings = [...troubles.map(({ sentence }) => sentence), ...(await expiryWarnings(options))];
  await notices.set(NOTICE, warnings.length === 0 ? null : [...new Set(warnings)].join(' '));
  for (const warning of warnings) log.error({ warning }, 'sign-in needs attention');
  return troubles.length === 0;
}

async function signInTrouble({ identity, partnerTenantId, log }: SignInCheckOptions): Promise<Trouble[]> {
  const troubles: Trouble[] = [];
  for (const resource of RESOURCES) {
    try {
      // A token at hand proves nothing: the check wants a new one.
      identity.forget(partnerTenantId);
      await identity.token({ tenant: partnerTenantId, resource });
      log.info({ resource }, 'sign-in checked');
    } catch (error) {
      log.error({ resource, error: messageOf(error) }, 'sign-in check failed');
      troubles.push(troubleOf(error));
    }
  }
  return troubles;
}

function troubleOf(error: unknown): Trouble {
  if (!(error instanceof ActivityFailure))
    return {
      code: 'sign-in-unchecked',
      sentence: 'The partner’s sign-in could not be checked.',
      queue: undefined,
    };
  const { code, pausesQueue } = error;
  const sentence =
    pausesQueue === undefined
      ? `The partner’s sign-in could not be checked (${code}).`
      : `The partner’s sign-in is refused (${code}): calls wait until an Admin Agent has signed in anew with MFA, or the application’s secret is renewed.`;
  return { code, sentence, queue: pausesQueue };
}

async function partnerTrouble({ tenants, groupIds }: SignInCheckOptions): Promise<Trouble[]> {
  const troubles: Trouble[] = [];
  if (!(await tenants.isAdminAgent()))
    troubles.push({
      code: 'partner-not-admin-agent',
      sentence:
        'The partner’s user is no member of AdminAgents: Partner Center refuses it until it is one again.',
      queue: 'partner-center',
    });
  for (const groupId of groupIds) {
    if (await tenants.isUsableGroup(groupId)) continue;
    troubles.push({
      code: 'partner-group-unusable',
      sentence: `The security group ${groupId} is gone or empty: nobody has rights at customers through it until it has members.`,
      queue: 'graph',
    });
  }
  return troubles;
}

/** A look that fails is trouble too, of the kind nobody could say. */
async function findTrouble(
  what: string,
  { log }: SignInCheckOptions,
  look: () => Promise<Trouble[]>,
): Promise<Trouble[]> {
  try {
    return await look();
  } catch (error) {
    log.warn({ what, error: messageOf(error) }, 'not checked');
    return [
      {
        code: 'partner-unchecked',
        sentence: 'The partner’s own tenant could not be checked.',
        queue: undefined,
      },
    ];
  }
}

/** Lets queues go on that were paused for something this check has just disproved. */
async function resumeProven(store: SignInCheckOptions['store'], troubles: readonly Trouble[]): Promise<void> {
  const unsaid = troubles.some(({ queue }) => queue === undefined);
  for (const { queue, code } of await store.pausedQueues()) {
    const still = troubles.some((trouble) => trouble.queue === queue);
    const isOurs = SIGN_IN_CODE.test(code) || (!unsaid && PARTNER_CODES.includes(code));
    if (isOurs && !still) await store.resumeQueue(queue);
  }
}

/** What will stop everybody soon, while there is time to do something about it. */
async function expiryWarnings(options: SignInCheckOptions): Promise<string[]> {
  const { renewedAt, credentialExpiresAt, now = Date.now } = options;
  const day = (at: number) => new Date(at).toISOString().slice(0, 10);
  const renewed = await renewedAt();
  const { diesAt: dies, alarm } = signInLife(renewed, now());
  return [
    ...(dies !== null && alarm
      ? [
          `The partner’s sign-in was last renewed on ${day(renewed ?? 0)} and dies of disuse on ${day(dies)}: sign in anew.`,
        ]
      : []),
    ...(credentialExpiresAt !== null && credentialExpiresAt - now() <= ALARM_BEFORE_MS
      ? [
          `The application’s certificate runs out on ${day(credentialExpiresAt)}: register a new one and set CLIENT_SECRET.`,
        ]
      : []),
  ];
}

async function pause(
  store: SignInCheckOptions['store'],
  trouble: { readonly queue: string; readonly code: string; readonly reason: string },
): Promise<void> {
  const paused = await store.pausedQueues();
  if (paused.some((known) => known.queue === trouble.queue)) return;
  await store.pauseQueue(trouble);
}
