import { z } from 'zod';
import type { MicrosoftConfig } from '../../shared/config.ts';
import type { Logger } from '../../shared/logger.ts';
import {
  type Answer,
  type Call,
  call,
  type Pace,
  type ReadOptions,
  type Service,
  type WriteOptions,
} from '../http.ts';
import type { Identity } from '../identity.ts';
import type { ServiceError } from '../refusals.ts';
import { codeText, listOf, nullable } from '../schema.ts';

const MINUTE = 60_000;

/** How every resource file calls Partner Center: always as the partner's user (facts 1.5). */
export interface PartnerCenterCalls {
  call<Schema extends z.ZodType>(
    request: Omit<Call<Schema>, 'token'>,
    options?: ReadOptions | WriteOptions,
  ): Promise<Answer<z.output<Schema>>>;
  /** All pages of a collection, at most `limit` items. */
  collect<Schema extends z.ZodType>(
    path: string,
    item: Schema,
    options: (ReadOptions & { limit?: number }) | undefined,
  ): Promise<z.output<Schema>[]>;
}

const DEFAULT_LIMIT = 10_000;
const MAX_PAGES = 1_000;

export function createPartnerCenterCalls(
  config: MicrosoftConfig,
  deps: { identity: Identity; log: Logger; pace?: Pace },
): PartnerCenterCalls {
  const service = {
    ...partnerCenterService(config, deps.log),
    ...(deps.pace === undefined ? {} : { pace: deps.pace }),
  };
  const token = deps.identity.tokenSource({ tenant: config.partnerTenantId, resource: 'partner-center' });
  const callHere: PartnerCenterCalls['call'] = (request, options = {}) =>
    call(service, { ...request, token }, options);

  return {
    call: callHere,
    async collect(path, item, options = {}) {
      const { limit = DEFAULT_LIMIT, ...read } = options;
      const items: z.output<typeof item>[] = [];
      let next: Page | null = { uri: path, headers: [] };
      for (let page = 0; next !== null && items.length < limit && page < MAX_PAGES; page += 1) {
        const { body }: Answer<z.output<ReturnType<typeof collection<typeof item>>>> = await callHere(
          { method: 'GET', path: pathOf(next.uri), headers: headersOf(next), schema: collection(item) },
          read,
        );
        items.push(...body.items);
        next = body.items.length === 0 ? null : body.links.next;
      }
      return items.slice(0, limit);
    },
  };
}

interface Page {
  readonly uri: string;
  readonly headers: readonly { readonly key: string; readonly value: string }[];
}

/** An empty link is no link. */
const Link = z
  .object({ uri: nullable(z.string()), headers: listOf(z.object({ key: z.string(), value: z.string() })) })
  .transform(({ uri, headers }): Page | null => (uri === null ? null : { uri, headers }));

function collection<Schema extends z.ZodType>(item: Schema) {
  const links = z.object({ next: nullable(Link) });
  return z
    .object({
      totalCount: z.number().nullish(),
      items: z.array(item).nullish(),
      links: links.nullish().transform((found) => found ?? { next: null }),
    })
    .transform(({ totalCount, items, links: found }, context) => {
      // No list is an empty list only where the answer itself counts none: anything else would be a guess.
      if (items === null || items === undefined) {
        if (totalCount === 0) return { items: [], links: found };
        context.addIssue({ code: 'custom', path: ['items'], message: 'is missing' });
        return z.NEVER;
      }
      return { items, links: found };
    });
}

/** Links are relative, mostly without the version, and must stay on this host. */
function pathOf(uri: string): string {
  const path = uri.replace(/^https?:\/\/[^/]+/i, '');
  return path.startsWith('/v1/') ? path : `/v1${path.startsWith('/') ? '' : '/'}${path}`;
}

function headersOf(page: Page): Record<string, string> {
  return Object.fromEntries(
    page.headers.filter(({ key }) => /^ms-/i.test(key)).map(({ key, value }) => [key, value]),
  );
}

/** The three error shapes of facts, "Error body". */
const ErrorBody = z.object({
  code: codeText.nullish(),
  statusCode: z.number().nullish(),
  description: z.string().nullish(),
  message: z.string().nullish(),
  isRetryable: z.boolean().nullish(),
});

function readError(body: unknown): ServiceError | undefined {
  const parsed = ErrorBody.safeParse(body);
  if (!parsed.success) return undefined;
  const { code, statusCode, description, message, isRetryable } = parsed.data;
  const isGateway = statusCode !== null && statusCode !== undefined;
  const text = description ?? message;
  if (text === null || text === undefined || ((code === null || code === undefined) && !isGateway))
    return undefined;
  return { code: code ?? undefined, text: text.slice(0, 1_024), retryAdvised: isRetryable ?? false };
}

function partnerCenterService(config: MicrosoftConfig, log: Logger): Service {
  return {
    name: 'partner-center',
    queue: 'partner-center',
    baseUrl: config.partnerCenterUrl,
    timeoutMs: config.timeoutMs,
    log,
    headers: (ids) => ({
      'MS-RequestId': ids.requestId,
      'MS-CorrelationId': ids.correlationId,
      'MS-Contract-Version': 'v1',
      'X-Locale': 'en-US',
    }),
    readError,
    rules: {
      conflicts: {
        '800014': MINUTE,
        '800060': 2 * MINUTE,
        '800064': MINUTE,
        '800082': MINUTE,
        '900278': 15 * MINUTE,
      },
      stale: ['2055'],
      transient: ['800003', '800005', '800094', '900192'],
      doubtful: ['800060', '800064', '800065'],
      unauthorizedPauses: true,
    },
  };
}
