/**
 * What an AADSTS number means (microsoft-apis facts 1.2). A trouble of the partner's own sign-in concerns every
 * instance and pauses the queue; a trouble of one customer's tenant concerns that customer alone.
 */
import { ActivityFailure } from '../shared/errors.ts';

export interface AadError {
  readonly error: string;
  readonly number: number | undefined;
}

/** Refresh token expired or revoked, client secret wrong or expired: the partner's, wherever it shows. */
const BREAKS_EVERYTHING = new Set([70008, 700082, 50173, 70043, 7000215, 7000222, 700016]);
/** Not consented yet, or the service principal is still being made: passes by itself within minutes. */
const PASSES = new Map([
  [65001, 60_000],
  [650051, 30_000],
  [650052, 30_000],
]);
/** MFA, Conditional Access or a tenant that is not there: global if it is the partner's, one customer's matter elsewhere. */
const TENANT_MATTERS = new Set([50076, 50079, 50158, 53003, 53000, 530003, 90002, 900023, 5000224]);

export interface SignInScope {
  readonly isPartner: boolean;
  readonly queue: string;
}

/** Turns a refusal of the token endpoint into the failure its number calls for; other failures pass unchanged. */
export function signInFailure(failure: unknown, scope: SignInScope): unknown {
  if (!(failure instanceof ActivityFailure)) return failure;
  const refused = failure.kind === 'terminal';
  if (!refused) return failure;
  const number = Number(/^identity-aadsts-(\d+)$/.exec(failure.code)?.[1]);
  const code = Number.isNaN(number) ? failure.code : `aadsts-${number}`;
  const base = { details: failure.details, cause: failure };

  const waitMs = PASSES.get(number);
  if (waitMs !== undefined && !scope.isPartner) {
    return new ActivityFailure('retryable', code, failure.message, { ...base, retryAfterMs: waitMs });
  }
  const everybody =
    BREAKS_EVERYTHING.has(number) ||
    (scope.isPartner && (TENANT_MATTERS.has(number) || waitMs !== undefined));
  const deadGrant =
    Number.isNaN(number) && /invalid_grant|invalid_client|unauthorized_client/.test(failure.code);
  const pauses = everybody || (deadGrant && scope.isPartner);
  return new ActivityFailure('terminal', code, failure.message, {
    ...base,
    ...(pauses ? { pausesQueue: scope.queue } : {}),
  });
}
