/**
 * What a refusal means for the activity that met it: the classification table of microsoft-apis facts, "Conventions",
 * with the stricter reading of reliability facts 3.1 for calls where money or a tenant is at stake.
 */

import { ActivityFailure, type FailureKind, type JsonObject } from '../shared/errors.ts';
import { redactedText } from './redact.ts';

/** An error body, whatever its shape was. */
export interface ServiceError {
  readonly code: string | undefined;
  readonly text: string;
  /** The body itself says that another try makes sense. */
  readonly retryAdvised: boolean;
}

export interface Refusal {
  readonly status: number;
  readonly code: string | undefined;
  readonly text: string;
  readonly retryAdvised: boolean;
  readonly mutating: boolean;
  readonly strict: boolean;
  readonly mfaMissing: boolean;
  readonly retryAfterMs: number | undefined;
  readonly details: JsonObject;
}

/** One service's own codes. Milliseconds are what to wait when the answer names no time itself. */
export interface RefusalRules {
  /** Something else is under way: wait, look again. */
  readonly conflicts: Readonly<Record<string, number>>;
  /** Our copy is out of date: read again, apply again. */
  readonly stale: readonly string[];
  readonly transient: readonly string[];
  /** On a strict call these say that an earlier try may have succeeded. */
  readonly doubtful: readonly string[];
  /** Named meanings of a refusal, tried before everything else: a short code instead of the service's number. */
  readonly named?: (refusal: Refusal) => string | undefined;
  /** Whether a 401 that survives a new token concerns everybody, so that the queue pauses. */
  readonly unauthorizedPauses: boolean;
}

const MAX_RETRY_AFTER_MS = 15 * 60_000;
const TRANSIENT_STATUS = [408, 500, 502, 503, 504];

export function refusalFailure(
  service: { name: string; queue: string; rules: RefusalRules },
  refusal: Refusal,
): ActivityFailure {
  const { kind, waitMs, suffix, pauses } = classify(service.rules, refusal);
  const code = `${service.name}-${suffix ?? refusal.code ?? `http-${refusal.status}`}`;
  const wait = refusal.retryAfterMs ?? waitMs;
  const named = refusal.code === undefined ? `${refusal.status}` : `${refusal.status}, ${refusal.code}`;
  return new ActivityFailure(
    kind,
    code,
    `${service.name} refused (${named}): ${redactedText(refusal.text) || 'no text'}`,
    {
      details: refusal.details,
      ...(wait === undefined || kind === 'terminal' ? {} : { retryAfterMs: wait }),
      ...(pauses === true ? { pausesQueue: service.queue } : {}),
    },
  );
}

/** Whether a call was refused with one of these failure codes or HTTP statuses. */
export function wasRefused(
  failure: unknown,
  ...marks: readonly (string | number)[]
): failure is ActivityFailure {
  if (!(failure instanceof ActivityFailure)) return false;
  const { status } = failure.details;
  return marks.includes(failure.code) || (typeof status === 'number' && marks.includes(status));
}

/**
 * Milliseconds of a Retry-After header, in seconds or as a date; capped at 15 minutes, never negative; undefined when
 * absent or unreadable.
 */
export function retryAfterMs(header: string | null, now: number): number | undefined {
  const value = header?.trim();
  if (value === undefined || value === '') return undefined;
  const ms = /^\d{1,9}(\.\d{1,6})?$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - now;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(Math.ceil(ms), 0), MAX_RETRY_AFTER_MS);
}

interface Class {
  readonly kind: FailureKind;
  readonly waitMs?: number | undefined;
  readonly suffix?: string;
  readonly pauses?: boolean;
}

function classify(rules: RefusalRules, refusal: Refusal): Class {
  const { status, code = '', strict } = refusal;
  if (status === 429) return { kind: 'retryable', waitMs: waitInText(refusal.text), suffix: 'throttled' };
  if (status === 401) return unauthorized(rules, refusal);
  const name = rules.named?.(refusal);
  if (name !== undefined) return { kind: 'terminal', suffix: name };
  if (strict && rules.doubtful.includes(code)) return { kind: 'unknown', waitMs: rules.conflicts[code] };
  if (status === 412 || rules.stale.includes(code)) return { kind: 'retryable', waitMs: 1_000 };
  if (code in rules.conflicts) return { kind: 'retryable', waitMs: rules.conflicts[code] };
  if (
    status >= 500 ||
    TRANSIENT_STATUS.includes(status) ||
    rules.transient.includes(code) ||
    refusal.retryAdvised
  ) {
    return { kind: isSurelyNotDone(refusal) ? 'retryable' : 'unknown' };
  }
  if (status >= 300 && status < 400) return { kind: 'unexpected' };
  return { kind: 'terminal' };
}

/** A 503 is the front door saying no; other server errors may have come after the change was made. */
function isSurelyNotDone({ mutating, strict, status, retryAdvised }: Refusal): boolean {
  if (!mutating) return true;
  if (strict) return false;
  return status === 503 || (status < 500 && status !== 408 && retryAdvised);
}

function unauthorized(rules: RefusalRules, refusal: Refusal): Class {
  if (refusal.mfaMissing) return { kind: 'terminal', suffix: 'mfa-missing', pauses: true };
  return { kind: 'terminal', suffix: refusal.code ?? 'unauthorized', pauses: rules.unauthorizedPauses };
}

function waitInText(text: string): number | undefined {
  const seconds = /\bin (\d{1,5}) seconds?\b/i.exec(text)?.[1];
  return seconds === undefined ? undefined : Math.min(Number(seconds) * 1_000, MAX_RETRY_AFTER_MS);
}
