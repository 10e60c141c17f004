/** JSON batching (facts 5.6): at most 20 parts a call, answered in any order, each with its own outcome. */
import { z } from 'zod';
import { ActivityFailure } from '../../shared/errors.ts';
import type { WriteOptions } from '../http.ts';
import { redacted } from '../redact.ts';
import { refusalFailure, retryAfterMs } from '../refusals.ts';
import type { GraphCalls } from './service.ts';

export interface BatchPart {
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below `/v1.0`, e.g. `/users/{id}/assignLicense`. */
  readonly url: string;
  readonly body?: unknown;
}

export type BatchOutcome =
  | { readonly id: string; readonly outcome: 'done'; readonly status: number; readonly body: unknown }
  | { readonly id: string; readonly outcome: 'failed'; readonly failure: ActivityFailure };

export const BATCH_SIZE = 20;

const BatchAnswer = z.object({
  responses: z.array(
    z.object({
      id: z.string(),
      status: z.number().int(),
      headers: z.record(z.string(), z.string()).nullish(),
      body: z.unknown().optional(),
    }),
  ),
});

/** One call of up to 20 parts; outcomes in the order of the parts. Raises ActivityFailure when the call itself fails. */
export async function batch(
  calls: GraphCalls,
  tenant: string,
  parts: readonly BatchPart[],
  options: WriteOptions,
): Promise<BatchOutcome[]> {
  if (parts.length === 0) return [];
  if (parts.length > BATCH_SIZE) throw new RangeError(`A batch takes at most ${BATCH_SIZE} parts.`);
  const requests = parts.map((part) => ({
    ...part,
    ...(part.body === undefined ? {} : { headers: JSON_HEADERS }),
  }));
  const { body } = await calls.call(
    tenant,
    { method: 'POST', path: '/v1.0/$batch', body: { requests }, schema: BatchAnswer },
    options,
  );
  const answers = new Map(body.responses.map((answer) => [answer.id, answer]));
  return parts.map((part) => outcomeOf(calls, part, answers.get(part.id)));
}

const JSON_HEADERS = { 'Content-Type': 'application/json' };

function outcomeOf(
  calls: GraphCalls,
  part: BatchPart,
  answer: z.output<typeof BatchAnswer>['responses'][number] | undefined,
): BatchOutcome {
  const { id, method, url } = part;
  if (answer === undefined) {
    const failure = new ActivityFailure(
      'unknown',
      'graph-no-answer',
      'The batch left this part unanswered.',
      { details: { method, url } },
    );
    return { id, outcome: 'failed', failure };
  }
  const { status, headers } = answer;
  if (status >= 200 && status < 300) return { id, outcome: 'done', status, body: answer.body };
  const retryAfter = Object.entries(headers ?? {}).find(
    ([name]) => name.toLowerCase() === 'retry-after',
  )?.[1];
  const error = calls.service.readError(answer.body);
  const failure = refusalFailure(calls.service, {
    status,
    code: error?.code,
    text: error?.text ?? '',
    retryAdvised: false,
    mutating: method !== 'GET',
    strict: false,
    mfaMissing: false,
    retryAfterMs: retryAfterMs(retryAfter ?? null, Date.now()),
    details: { method, url, status, answer: redacted(answer.body) },
  });
  return { id, outcome: 'failed', failure };
}
