/**
 * What an AADSTS number means (microsoft-apis facts 1.2). A trouble of the partner's own sign-in concerns every
 * instance and pauses the queue; a trouble of one customer's tenant concerns that customer alone.
 */
import { ActivityFailure } from '../shared/errors.ts';

export interface AadError {
  readonly error: string;
  readonly number: number | undefined;
}

/** Refresh token expired or revoked: the partner's, wherever it shows. */
const DEAD_SIGN_IN = new Set([70008, 700082, 50173, 70043]);
/** Secret or certificate wrong, unknown or expired, application disabled: likewise, and mostly said by `invalid_client`. */
const UNPROVEN_CLIENT = new Set([7000215, 7000222, 7000112, 700021, 700023, 700024, 700027, 1000502]);
/** Not consented yet, or the service principal is still being made: passes by itself within minutes. */
const PASSES = new Map([
  [65001, 60_000],
  [650051, 30_000],
  [650052, 30_000],
]);
/** MFA, Conditional Access, a tenant or an application that is not there: global if it is the partner's, one customer's matter elsewhere. */
const TENANT_MATTERS = new Set([50076, 50079, 50158, 53003, 53000, 530003, 90002, 900023, 5000224, 700016]);

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
    DEAD_SIGN_IN.has(number) ||
    UNPROVEN_CLIENT.has(number) ||
    errorOf(failure) === 'invalid_client' ||
    (scope.isPartner && (TENANT_MATTERS.has(number) || waitMs !== undefined));
  const deadGrant =
    Number.isNaN(number) && /invalid_grant|invalid_client|unauthorized_client/.test(failure.code);
  const pauses = everybody || (deadGrant && scope.isPartner);
  return new ActivityFailure('terminal', code, failure.message, {
    ...base,
    ...(pauses ? { pausesQueue: scope.queue } : {}),
  });
}

function errorOf({ details }: ActivityFailure): unknown {
  const { answer } = details;
  return typeof answer === 'object' && answer !== null && 'error' in answer ? answer.error : undefined;
}
